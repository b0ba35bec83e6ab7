# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The UEFI application (docs/uefi.md): it starts Bedplate, refuses what cannot work in one
# line and returns to the firmware, measures into a TPM, and keeps to Secure Boot.

efi=(scripts/lab run --boot efi)
no=bedplate.log

reports efi.refuse scripts/lab exec -- tests/boot/efi.py
shows efi.boots 0 $no "loaded by bedplate.efi" "${efi[@]}" -- true
thorough shows efi.no_svm 125 $no "bedplate: the CPU has no SVM" "${efi[@]}" --cpu=-svm -- true
thorough shows efi.no_vmx 125 $no "bedplate: the CPU has no VMX" \
	"${efi[@]}" --cpu=-svm,vendor=GenuineIntel -- true
thorough shows efi.little_memory 125 $no "bedplate: too little memory" "${efi[@]}" --mem 128M -- true
thorough reports efi.measured "${efi[@]}" --tpm --overlay "$overlay" -- /opt/tests/measured

# With a key of the test's own, in firmware that trusts no other.
secure=("${efi[@]}" --secure-boot "$out/keys")
thorough shows secure.locked_down 0 output "[integrity]" "${secure[@]}" -- \
	sh -c 'mount -t securityfs none /sys/kernel/security && cat /sys/kernel/security/lockdown'
thorough shows secure.foreign_kernel 125 $no "vmlinuz has no signature that the firmware trusts" \
	"${secure[@]}" --unsigned kernel -- true
thorough shows secure.unsigned_application 125 serial.log "Access Denied" "${secure[@]}" --unsigned hv -- true
thorough shows secure.weakening_option 125 $no "line 2: Secure Boot does not allow iommu=off" \
	"${secure[@]}" --hv-args iommu=off -- true
