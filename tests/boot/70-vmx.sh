# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The same on Intel's VMX, which Bochs emulates. Guests have one CPU: with several
# Bochs spoils long runs (docs/testbed.md).

reports vmx.2cpus scripts/lab run --machine vmx --smp 2 --overlay "$overlay" -- /opt/tests/machine 2 "$(nproc)" \
	"$(plain_warnings vmx.2cpus vmx 2)"
# Bochs counts instructions too; but seconds, which shares take, are minutes there.
reports vmx.vmm scripts/lab run --machine vmx --smp 1 --overlay "$overlay" -- \
	env BP_COUNTED=1 /opt/tests/bp-vmm run all '!sched.*_shares' '!log.no_write_lost_*'
# A minute each; TCG's are in make check.
thorough reports vmx.log scripts/lab run --machine vmx --smp 1 --overlay "$overlay" -- /opt/tests/bp-vmm run 'log.no_write_lost_*'
shows vmx.guest 0 output "guest: done 0" scripts/lab run --machine vmx --smp 1 -- \
	/guest/run --timeout 850 --machine pc --boot kernel --smp 1 --kernel-args cryptomgr.notests

# Of KVM's own tests those that are about Intel's processors.
reports vmx.selftests scripts/lab run --machine vmx --smp 1 --overlay "$overlay" \
	--disk "$(scripts/lab path selftests)" -- /opt/tests/selftests --limit 400 x86_64/ucna_injection_test

# Interrupts with all that the CPU can do for them, where the lab chooses less
# (apicv=registers: docs/testbed.md). Posting takes two CPUs, so little more than that.
reports vmx.apicv scripts/lab run --machine vmx --smp 1 --hv-args apicv=on --overlay "$overlay" -- /opt/tests/bp-vmm run 'lapic.*' 'irq.*' 'hyperv.synic*' state.lapic
reports vmx.posted scripts/lab run --machine vmx --smp 2 --hv-args apicv=on --overlay "$overlay" -- /opt/tests/bp-vmm run 'lapic.ipi_*' 'smp.ipi_*' smp.broadcast_x2apic
# As on a CPU without a TPR shadow: accesses to CR8 exit, domain 0's too.
reports vmx.no_tpr_shadow scripts/lab run --machine vmx --smp 1 --hv-args apicv=none --overlay "$overlay" -- /opt/tests/bp-vmm run 'lapic.*' 'irq.*' 'cpu.*'
# Flush and VERW before each entry, which this CPU does not call for, but can: it takes both.
thorough reports vmx.flushes scripts/lab run --machine vmx --smp 1 --hv-args "l1d_flush=always verw=always" --overlay "$overlay" -- \
	sh -c 'bedplate log | grep -q "l1d_flush always, verw on" && exec /opt/tests/bp-vmm run "cpu.*" "nx.*"'
# Random state and code; QEMU's TCG does not survive what it does (docs/testbed.md). What the kernel warns
# of is a failure there, but only once the module is in: what it says of itself before is not ours.
reports vmx.fuzz scripts/lab run --machine vmx --smp 1 --overlay "$overlay" -- \
	sh -c 'echo 1 >/proc/sys/kernel/panic_on_warn && exec /opt/tests/bp-fuzz --seed 1 --rounds 1000'

# An update in the initrd is found and given to the CPU, which has no microcode.
microcode() {
	wanted vmx.microcode || return 0
	python3 -B tests/boot/microcode.py "$out/microcode" 706e5 7
	shows vmx.microcode 0 output 'microcode: revision 7, was 0, is on 0 of 1 CPUs' scripts/lab run --machine vmx --smp 1 \
		--initrd-head "$out/microcode" -- sh -c 'bedplate log | grep microcode'
}
thorough microcode

# Newer processors: AMX, CET, LASS, LAM, UINTR and others that Bedplate hides. Five levels of
# page tables end Bochs (docs/testbed.md).
thorough reports vmx.tigerlake scripts/lab run --machine vmx --smp 1 --cpu-model tigerlake --overlay "$overlay" -- \
	/opt/tests/features avx512f pku umip
thorough reports vmx.sapphire_rapids scripts/lab run --machine vmx --smp 1 --cpu-model sapphire_rapids --kernel-args no5lvl \
	--overlay "$overlay" -- \
	/opt/tests/features avx512f pku waitpkg hwp
thorough reports vmx.arrow_lake scripts/lab run --machine vmx --smp 1 --cpu-model arrow_lake --overlay "$overlay" -- \
	/opt/tests/features avx_vnni pku waitpkg serialize
# Who has nothing to run waits by MWAIT: the timer, a kick and a device end that as they end HLT.
thorough shows vmx.idle_deep 0 output "idle: MWAIT 20" scripts/lab run --machine vmx --smp 1 --cpu-model sapphire_rapids \
	--hv-args idle=deep --kernel-args no5lvl --overlay "$overlay" -- \
	sh -c 'bedplate log | grep idle: && exec /opt/tests/bp-vmm run "run.hlt*" "irq.timer*" "eventfd.*"'
