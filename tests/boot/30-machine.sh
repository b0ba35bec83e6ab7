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

# Seconds from the start to COMMAND, times 1000.
start_ms() { awk '/COMMAND starts/ { printf "%d", $1 * 1000; exit }' "$1/times"; }

# The start takes at most 1.5 times what it takes without Bedplate. The host may
# be busy with other things, so the best of up to four rounds counts.
start_time() {
	# shellcheck disable=SC2034	# execute() sets begun
	local name=machine.start_time begun dir status from round ms best=0 plain=0
	wanted $name || return 0
	from=$(now)
	for round in 1 2 3 4; do
		execute $name.linux scripts/lab run --under linux -- true
		ms=$(start_ms "$dir")
		[ "$status" = 0 ] && [ -n "$ms" ] || { not_ok $name.linux "$(took "$from")" "no start"; return; }
		[ $plain != 0 ] && [ $plain -le "$ms" ] || plain=$ms
		execute $name scripts/lab run -- true
		ms=$(start_ms "$dir")
		[ "$status" = 0 ] && [ -n "$ms" ] || { not_ok $name "$(took "$from")" "no start"; return; }
		[ $best != 0 ] && [ $best -le "$ms" ] || best=$ms
		echo "# $name: round $round: $best ms on Bedplate, $plain ms without (best so far)"
		[ $((best * 2)) -gt $((plain * 3)) ] || { ok $name "$(took "$from")"; return; }
	done
	# Wall times of a busy host: what misses the target is told, twice over fails.
	if [ "$best" -le $((plain * 5 / 2)) ]; then
		skip $name "$(took "$from")" "falls short of 1.5 times: $best ms on Bedplate, $plain ms without"
	else
		not_ok $name "$(took "$from")" "$best ms on Bedplate, $plain ms without: more than 2.5 times"
	fi
}
start_time
