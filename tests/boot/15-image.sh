# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the image must not hold.

# No indirect branch that a CPU would predict (docs/speculation.md), but two in boot/entry.S:
# into the upper half, and onto a CPU's own stack, before any guest runs.
no_indirect_branch() {
	local name=image.no_indirect_branch dir status begun found
	wanted $name || return 0
	execute $name scripts/lab exec -- objdump -d --no-show-raw-insn build/bedplate.elf
	found=$(awk '/^[0-9a-f]+ </ { f = $2 } /[[:space:]](notrack )?(call|jmp) +\*/ { print f }' "$dir/output" |
		grep -vxE '<(_start|call_on_stack)>:' | sort -u | tr '\n' ' ')
	if [ "$status" != 0 ] || ! grep -q '<run_loop>:' "$dir/output"; then
		not_ok $name "$(took "$begun")" "no listing of build/bedplate.elf"
	elif [ -n "$found" ]; then
		not_ok $name "$(took "$begun")" "indirect branches in $found"
	else
		ok $name "$(took "$begun")"
	fi
}
no_indirect_branch

# W^X; and no path deeper than its stack (hv/stacks). Both are seen failing, too.
reports image.wx scripts/lab exec -- tests/boot/image.py wx build/bedplate.elf build/bedplate.efi
reports image.stack scripts/lab exec -- tests/boot/image.py stack build
