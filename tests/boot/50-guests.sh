# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Level 3: Debian's stock kernel under the service VM's own QEMU, several guests in one boot
# of the service VM (svc/guests).

reports guest.pc scripts/lab run --timeout 2400 --overlay "$overlay" -- /opt/tests/guests pc
# Once more on other firmware those are: what guests are like does not depend on it.
[ -z "$firmware" ] || return 0
reports guest.q35 scripts/lab run --timeout 2400 --overlay "$overlay" -- /opt/tests/guests q35

# An empty disk of that name, as long as nobody has written to it.
disk() {
	local image
	image=$out/$(named "$1").img
	truncate -s 512M "$image"
	echo "$image"
}

# A guest whose memory is swapped out to a disk.
reports guest.swapped scripts/lab run --timeout 700 --overlay "$overlay" --disk "$(disk swap)" -- /opt/tests/swapped

# Guests of Xen's interface, as QEMU makes it on KVM: clock, timers, IPIs and the interrupts of
# devices are events, with upcalls by the VM's vector and by the local APICs.
xen=(/guest/run --timeout 850 --accel "kvm,xen-version=0x40011,kernel-irqchip=split" --smp 2 --net
	--kernel-args xen_emul_unplug=never
	--script "echo guest: clock \$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)")
xenclock="guest: clock xen"
thorough shows guest.xen 0 output "$xenclock" scripts/lab run --timeout 900 -- "${xen[@]}"
thorough shows guest.xen_vapic 0 output "$xenclock" scripts/lab run --timeout 900 -- "${xen[@]}" -- -cpu host,+xen-vapic

# Other VMMs, unmodified (scripts/lab up --vmms; the registry may be out of reach).
vmms=$(scripts/lab path vmms)
if [ -e "$vmms" ]; then
	thorough reports guest.vmms scripts/lab run --mem 3G --timeout 800 --overlay "$overlay" --disk "$vmms" -- /opt/tests/vmms
elif [ -n "$thorough" ] && wanted guest.vmms; then
	skip "$(named guest.vmms)" 0 "no $vmms"
fi

# Level 4: the same work on Linux's own KVM, to know what a failure above means.
peer passes guest.kvm.pc.bios.1 scripts/lab run --under kvm -- /guest/run --timeout 850 --machine pc --boot bios --smp 1
peer shows guest.kvm.net.q35 0 output "guest: net ok" scripts/lab run --under kvm -- /guest/run --timeout 850 --machine q35 --smp 2 --net
thorough peer shows guest.kvm.xen 0 output "$xenclock" scripts/lab run --under kvm --timeout 900 -- "${xen[@]}"
peer reports guest.kvm.swapped scripts/lab run --under kvm --timeout 700 --overlay "$overlay" --disk "$(disk swap.kvm)" -- /opt/tests/swapped
