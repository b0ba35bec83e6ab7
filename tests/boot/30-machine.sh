# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The service VM on Bedplate as a machine: its CPUs, memory, restart, power-off, and the
# time that it takes to get there.

reports machine.1cpu scripts/lab run --smp 1 --overlay "$overlay" -- /opt/tests/machine 1 "$(nproc)" \
	"$(plain_warnings machine.1cpu svm 1)"
reports machine.2cpus scripts/lab run --smp 2 --overlay "$overlay" -- /opt/tests/machine 2 "$(nproc)" \
	"$(plain_warnings machine.2cpus svm 2)"
reports machine.4cpus scripts/lab run --smp 4 --overlay "$overlay" -- /opt/tests/machine 4 "$(nproc)" \
	"$(plain_warnings machine.4cpus svm 4)"
# What the service VM sees of its CPU; five levels of page tables, its own and a guest's.
thorough reports machine.features scripts/lab run --cpu +la57,+pku,+umip --overlay "$overlay" -- /opt/tests/features la57 pku umip
thorough passes machine.la57_guest scripts/lab run --cpu +la57 -- /guest/run --script 'grep -qw la57 /proc/cpuinfo'
# Machine checks: of a CPU that is idle, which is Bedplate's then, of one that is not, corrected ones.
reports machine.mce scripts/lab run --overlay "$overlay" \
	--monitor 'mce 1 4 0xb400100000000135 0x5 0x12345000 0' \
	--monitor 'mce 1 4 0xb400100000000136 0x5 0x12346000 0' \
	--monitor 'mce 0 4 0x9400000000000137 0 0x12347000 0' -- /opt/tests/mce
# Another kernel in the service VM's place.
thorough shows machine.kexec 0 serial.log 'kexec: 2 CPUs, 1 hypervisor' scripts/lab run --overlay "$overlay" -- \
	/opt/tests/kexec now
thorough shows machine.kdump 0 serial.log 'MiB was read' scripts/lab run --crash-kernel \
	--kernel-args crashkernel=256M --overlay "$overlay" -- /opt/tests/kexec crash
thorough shows machine.kdump_guest 0 serial.log 'kdump: reading ended with 1' scripts/lab run --crash-kernel \
	--kernel-args crashkernel=256M --overlay "$overlay" -- /opt/tests/kexec crash-guest
reports machine.memory scripts/lab run --mem 2G --overlay "$overlay" -- /opt/tests/memory 2048
# What firmware says of IOMMUs is read, the units are driven, and the operator is told; or not.
shows machine.dmar 0 output "VT-d: devices reach what domain 0 owns" scripts/lab run --iommu vtd -- \
	sh -c 'bedplate log | grep "DMAR: unit 0 at 0xfed90000" && bedplate log | grep VT-d'
shows machine.ivrs 0 output "AMD-Vi: devices reach what domain 0 owns" scripts/lab run --iommu amdvi -- \
	sh -c 'bedplate log | grep "IVRS: unit 0" && bedplate log | grep AMD-Vi'
shows machine.iommu_off 0 output "DMA           NOT PROTECTED" scripts/lab run --iommu vtd --hv-args iommu=off -- \
	sh -c 'bedplate info && bedplate log | grep "not confined.*: iommu=off"'
reports machine.remapping_vtd scripts/lab run --iommu vtd --smp 4 --overlay "$overlay" -- \
	/opt/tests/remapping 'DMAR-IR: Enabled IRQ remapping'
reports machine.remapping_amdvi scripts/lab run --iommu amdvi --smp 4 --overlay "$overlay" -- \
	/opt/tests/remapping 'AMD-Vi: Interrupt remapping enabled'
reports machine.sleep scripts/lab run --overlay "$overlay" -- /opt/tests/sleep 1 2 3
# Configuration space, but for what Bedplate keeps of it, with each kind of IOMMU.
reports machine.config_vtd scripts/lab run --iommu vtd --kernel-args iomem=relaxed --overlay "$overlay" -- \
	/opt/tests/config none
reports machine.config_amdvi scripts/lab run --iommu amdvi --kernel-args iomem=relaxed --overlay "$overlay" -- \
	/opt/tests/config 0000:00:02.0
# The second boot has the log of the first, to its end: the last thing in it is of the module.
# shellcheck disable=SC2016
shows machine.restart 0 output "bytes, ended by a restart by domain 0" scripts/lab run --on-reboot restart -- \
	sh -c '[ "$LAB_BOOT" = 1 ] && { busybox reboot -f; sleep 600; }
		test -c /dev/kvm && grep -q ", loaded by" /sys/kernel/bedplate/last_log &&
		grep -q "domain 0: .* entry" /sys/kernel/bedplate/last_log && bedplate log | grep "last boot"'
shows machine.power_off 0 stderr "switched the machine off" scripts/lab run -- \
	sh -c 'busybox poweroff -f; sleep 600'

# start_us NAME OPTION...: microseconds from the machine's start to COMMAND, on the counting
# machine, whose time is instructions; but while it waits for the host's disk, it runs on.
start_us() {
	execute "$1" scripts/lab run --icount "${@:2}" --overlay "$overlay" -- /opt/tests/bp-vmm tsc
	us=$(awk '/^[0-9]+$/ { printf "%d", $1 / 1000; exit }' "$dir/output")
	[ "$status" = 0 ] && [ -n "$us" ]
}

# The start takes at most 1.5 times what it takes without Bedplate. The best of up to
# four rounds counts, for the disk's sake.
start_time() {
	# shellcheck disable=SC2034	# execute() sets begun
	local name=machine.start_time begun dir status us from round best=0 plain=0
	wanted $name || return 0
	# Counting takes time of its own.
	[ -z "${CHECK_COVERAGE:-}" ] || { skip $name 0 "the image counts what it runs"; return; }
	from=$(now)
	for round in 1 2 3 4; do
		start_us $name.linux --under linux || { not_ok $name.linux "$(took "$from")" "no start"; return; }
		[ $plain != 0 ] && [ $plain -le "$us" ] || plain=$us
		start_us $name || { not_ok $name "$(took "$from")" "no start"; return; }
		[ $best != 0 ] && [ $best -le "$us" ] || best=$us
		echo "# $name: round $round: $best us on Bedplate, $plain us without (best so far)"
		[ $((best * 2)) -gt $((plain * 3)) ] || { ok $name "$(took "$from")"; return; }
	done
	not_ok $name "$(took "$from")" "$best us on Bedplate, $plain us without: more than 1.5 times"
}
[ -n "$firmware$debug" ] || start_time
