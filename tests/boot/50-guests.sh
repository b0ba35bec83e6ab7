# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Level 3: Debian's stock kernel as the guest of the service VM's own QEMU
# (qemu-system-x86_64 -accel kvm -cpu host): serial console, root file system on
# a virtio-blk disk. docs/testbed.md describes /guest/run.

passes guest.pc.kernel.1 scripts/lab run -- /guest/run --timeout 850 --machine pc --boot kernel --smp 1
passes guest.pc.kernel.2 scripts/lab run -- /guest/run --timeout 850 --machine pc --boot kernel --smp 2
passes guest.pc.bios.1 scripts/lab run -- /guest/run --timeout 850 --machine pc --boot bios --smp 1
passes guest.pc.bios.2 scripts/lab run -- /guest/run --timeout 850 --machine pc --boot bios --smp 2
passes guest.q35.kernel.1 scripts/lab run -- /guest/run --timeout 850 --machine q35 --boot kernel --smp 1
passes guest.q35.kernel.2 scripts/lab run -- /guest/run --timeout 850 --machine q35 --boot kernel --smp 2
passes guest.q35.bios.1 scripts/lab run -- /guest/run --timeout 850 --machine q35 --boot bios --smp 1
passes guest.q35.bios.2 scripts/lab run -- /guest/run --timeout 850 --machine q35 --boot bios --smp 2

# 1 MiB over TCP through virtio-net and user networking, checksums compared; the
# guest restarts itself once.
shows guest.net.pc 0 output "guest: net ok" scripts/lab run -- /guest/run --timeout 850 --machine pc --smp 2 --net
shows guest.net.q35 0 output "guest: net ok" scripts/lab run -- /guest/run --timeout 850 --machine q35 --smp 2 --net
shows guest.reboot.pc 0 output "guest: second boot" scripts/lab run -- /guest/run --timeout 850 --machine pc --reboot
shows guest.reboot.q35 0 output "guest: second boot" scripts/lab run -- /guest/run --timeout 850 --machine q35 --boot bios --smp 2 --reboot

# Level 4: the same work on Linux's own KVM, to know what a failure above means.
peer passes guest.kvm.pc.bios.1 scripts/lab run --under kvm -- /guest/run --timeout 850 --machine pc --boot bios --smp 1
peer shows guest.kvm.net.q35 0 output "guest: net ok" scripts/lab run --under kvm -- /guest/run --timeout 850 --machine q35 --smp 2 --net
