# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What cannot work says so in one clear line: status 125 is "the machine died",
# and Bedplate's last word is the reason.

no=bedplate.log
shows refuse.no_svm 125 $no "fatal: the CPU has no SVM" scripts/lab run --cpu=-svm -- true
shows refuse.no_vmx 125 $no "fatal: the CPU has no VMX" \
	scripts/lab run --cpu=-svm,vendor=GenuineIntel -- true
shows refuse.no_nested_paging 125 $no "nested paging" scripts/lab run --cpu=-npt -- true
shows refuse.no_module 125 $no 'fatal: no module: give domain 0'\''s kernel with "module2"' \
	scripts/lab run --kernel none -- true
shows refuse.no_bzimage 125 $no "fatal: domain 0's kernel (module 1) is no bzImage" \
	scripts/lab run --kernel COPYING -- true
shows refuse.little_memory 125 $no "fatal: too little memory" scripts/lab run --mem 64M -- true
shows refuse.malformed_option 125 $no 'fatal: malformed option "loglevel=loud"' \
	scripts/lab run --hv-args loglevel=loud -- true
shows refuse.no_iommu 125 $no "fatal: iommu=required: no IOMMU" \
	scripts/lab run --hv-args iommu=required -- true
# The same and torn tables, and what the VGA screen shows.
reports refuse.on_screen scripts/lab exec -- tests/boot/refusals.py
shows option.unknown_is_warned_about 0 $no 'unknown option "frobnicate"' \
	scripts/lab run --hv-args frobnicate -- true
shows shim.refuses_without_bedplate 1 linux.log "bedplate: this machine does not run on Bedplate" \
	scripts/lab run --under linux -- modprobe bedplate

# Other consoles, and what of a boot's log the next one has.
reports console scripts/lab exec -- tests/boot/consoles.py quick
thorough reports console.more scripts/lab exec -- tests/boot/consoles.py slow

# A bug of Bedplate's own: a build that counts lines has one, where domain 0 asks for it.
if [ -n "${CHECK_COVERAGE:-}" ]; then
	shows panic.report 125 $no "BEDPLATE PANIC: domain 0 asked for it" \
		scripts/lab run --overlay "$overlay" -- /opt/tests/bp-vmm cpuid 0x400001fe
	shows panic.in_root_mode 125 $no "BEDPLATE PANIC: invalid opcode in root mode" \
		scripts/lab run --overlay "$overlay" -- /opt/tests/bp-vmm cpuid 0x400001fd
	reports panic.seeded scripts/lab exec -- tests/boot/consoles.py seeded "$CHECK_COVERAGE"
	shows panic.reboots 125 bedplate.log "BEDPLATE PANIC: domain 0 asked for it" scripts/lab run --hv-args panic=reboot --overlay "$overlay" -- /opt/tests/bp-vmm cpuid 0x400001fe
fi
