# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The service VM's kernel, its users and its guests mean harm, at random: nobody panics or hangs, nothing is
# missing afterwards, and guests run. CHECK_SEED=N makes other inputs, CHECK_CALLS=N as many calls of
# kernel and users; docs/assurance.md has longer runs.

hostile_seed=${CHECK_SEED:-1}
hostile_lab=(scripts/lab run ${CHECK_CALLS:+--timeout 7200} --overlay "$overlay")

# hostile NAME ARGUMENT...: bp-hostile.
hostile() {
	local name=$1
	shift
	thorough reports "hostile.$name" "${hostile_lab[@]}" -- \
		/opt/tests/hostile /opt/tests/bp-hostile "$@" --seed "$hostile_seed"
}

# The module makes hypercalls; with an IOMMU it has a device, too.
thorough reports hostile.kernel "${hostile_lab[@]}" -- \
	/opt/tests/hostile-kernel "$hostile_seed" "${CHECK_CALLS:-100000}"
thorough reports hostile.kernel_vtd "${hostile_lab[@]}" --iommu vtd --edu -- \
	/opt/tests/hostile-kernel "$hostile_seed" "${CHECK_CALLS:-40000}"
hostile user user --calls "${CHECK_CALLS:-150000}"
hostile guest guest --calls 30000
hostile kill kill --calls 200
thorough reports hostile.kill_qemu "${hostile_lab[@]}" -- /opt/tests/kill-qemu "$hostile_seed" 40
thorough reports hostile.reloads "${hostile_lab[@]}" -- /opt/tests/reloads "$hostile_seed" 20
# Case by case, for each is gone through as often as it asks for memory, twice, and for what Bedplate needs frames for.
thorough reports hostile.failing "${hostile_lab[@]}" -- /opt/tests/failing 1 200 \
	io.ports64 smp.start_xapic mem.dirty_log eventfd.irqfd eventfd.pio memfd.two_memories hyperv.synic_xapic \
	hyperv.reference_time
# Under Linux, which QEMU boots: each MAP, donations, and an eighth of the requests for memory; the seed says which.
failing_guest=("${hostile_lab[@]}" --timeout 7200 -- /opt/tests/failing-guest)
thorough reports hostile.failing_maps "${failing_guest[@]}" maps 3 1 2 3
thorough reports hostile.failing_donations "${failing_guest[@]}" donations 5 1 2 3 4 6 8 16 32 64
thorough reports hostile.failing_memory "${failing_guest[@]}" memory 8 $((hostile_seed % 8 + 1))

# TCG ends itself by what bp-fuzz does (testbed.md).
thorough reports hostile.fuzz scripts/lab run --machine vmx --smp 1 --overlay "$overlay" -- \
	sh -c "echo 1 >/proc/sys/kernel/panic_on_warn && exec /opt/tests/bp-fuzz --seed $hostile_seed --rounds 1500 --cpus 3"

# Linux's own KVM beside it. Its guests end TCG: they may write CR8 while an interrupt is pending (testbed.md).
hostile_lab+=(--under kvm)
peer hostile kvm.user user --calls 50000
