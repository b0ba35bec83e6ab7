# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The service VM on Bedplate as a machine: its CPUs, memory, restart, power-off, and the
# time that it takes to get there.

reports machine.1cpu scripts/lab run --smp 1 --overlay "$overlay" -- /opt/tests/machine 1 "$(nproc)"
reports machine.2cpus scripts/lab run --smp 2 --overlay "$overlay" -- /opt/tests/machine 2 "$(nproc)"
reports machine.4cpus scripts/lab run --smp 4 --overlay "$overlay" -- /opt/tests/machine 4 "$(nproc)"
reports machine.memory scripts/lab run --mem 2G --overlay "$overlay" -- /opt/tests/memory 2048
# shellcheck disable=SC2016
shows machine.restart 0 output "boot 2" scripts/lab run --on-reboot restart -- \
	sh -c 'echo "boot $LAB_BOOT"; [ "$LAB_BOOT" = 2 ] && exec test -c /dev/kvm; busybox reboot -f; sleep 600'
shows machine.power_off 0 stderr "switched the machine off" scripts/lab run -- \
	sh -c 'busybox poweroff -f; sleep 600'

# start_us NAME OPTION...: microseconds from the machine's start to COMMAND. The counting machine
# tells instructions, and idle time, so it does not matter what else the host does.
start_us() {
	execute "$1" scripts/lab run --icount "${@:2}" --overlay "$overlay" -- /opt/tests/bp-vmm tsc
	[ "$status" = 0 ] && awk '/^[0-9]+$/ { printf "%d", $1 / 1000; exit }' "$dir/output"
}

# The start takes at most 1.5 times what it takes without Bedplate.
start_time() {
	# shellcheck disable=SC2034	# execute() sets begun
	local name=machine.start_time begun dir status from us plain
	wanted $name || return 0
	from=$(now)
	# Not in subshells: execute() tells where the logs are.
	start_us $name.linux --under linux >"$out/start.linux"
	start_us $name >"$out/start.bedplate"
	read -r plain <"$out/start.linux"
	read -r us <"$out/start.bedplate"
	echo "# $name: ${us:-?} us on Bedplate, ${plain:-?} us without"
	if [ -z "$us" ] || [ -z "$plain" ]; then
		not_ok $name "$(took "$from")" "no start"
	elif [ $((us * 2)) -gt $((plain * 3)) ]; then
		not_ok $name "$(took "$from")" "more than 1.5 times"
	else
		ok $name "$(took "$from")"
	fi
}
start_time
