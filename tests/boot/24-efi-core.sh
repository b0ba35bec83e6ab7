# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Bedplate on UEFI firmware, by GRUB's EFI build: what the service VM has of run-time services, memory
# map and variables. The machine otherwise, and a guest, in check-all.

reports efi.core scripts/lab run --boot grub-efi --overlay "$overlay" -- /opt/tests/efi first
thorough reports efi.map scripts/lab run --boot grub-efi --kernel-args efi=debug --overlay "$overlay" -- \
	/opt/tests/efi map
# A restart by ResetSystem(), after which firmware still has what was written before.
# shellcheck disable=SC2016
thorough reports efi.restart scripts/lab run --boot grub-efi --on-reboot restart --kernel-args reboot=efi \
	--overlay "$overlay" -- sh -c '[ "$LAB_BOOT" = 2 ] && exec /opt/tests/efi again
		/opt/tests/efi first >/dev/null && busybox reboot -f; sleep 600'
thorough shows efi.power_off 0 stderr "switched the machine off" scripts/lab run --boot grub-efi -- \
	sh -c 'busybox poweroff -f; sleep 600'
thorough reports efi.4cpus scripts/lab run --boot grub-efi --smp 4 --overlay "$overlay" -- \
	/opt/tests/machine 4 "$(nproc)" "$(plain_warnings efi.4cpus svm 4)"
thorough reports efi.iommu scripts/lab run --boot grub-efi --iommu vtd --overlay "$overlay" -- /opt/tests/efi first
thorough shows efi.guest 0 output "guest: done 0" scripts/lab run --boot grub-efi -- \
	/guest/run --timeout 850 --machine q35 --smp 2 --net
