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
# No instruction after a RET is run ahead: INT3 stands there.
no_straight_line() {
	local name=image.no_straight_line dir status begun found
	wanted $name || return 0
	execute $name scripts/lab exec -- objdump -d --no-show-raw-insn build/bedplate.elf
	found=$(awk '/^[0-9a-f]+ </ { f = $2 } ret && !/int3/ { print ret } { ret = "" }
		/[[:space:]]ret/ { ret = f }' "$dir/output" | sort -u | tr '\n' ' ')
	if [ "$status" != 0 ] || ! grep -qP '\tret' "$dir/output"; then
		not_ok $name "$(took "$begun")" "no listing of build/bedplate.elf"
	elif [ -n "$found" ]; then
		not_ok $name "$(took "$begun")" "no INT3 after RET in $found"
	else
		ok $name "$(took "$begun")"
	fi
}
no_straight_line

# After an exit, between what stores the guest's registers and the first branch, all but RAX and
# RSP are cleared; and VERW is the last instruction of spec_entry() before its RET.
registers_cleared() {
	local name=image.registers_cleared dir status begun found
	wanted $name || return 0
	execute $name scripts/lab exec -- objdump -d --no-show-raw-insn build/bedplate.elf
	found=$(awk '/^[0-9a-f]+ </ { f = $2 } f == "<svm_enter>:" && /vmrun/ { on = 1 }
		f == "<vmx_exit>:" && !seen++ { on = 1 }
		/[[:space:]](j|call|ret)/ { on = 0 }
		on && $2 == "xor" { split($3, r, ","); if (r[1] == r[2]) n[f]++ }
		verw { last = /[[:space:]]ret/; verw = 0 } f == "<spec_entry>:" && /verw/ { verw = 1 }
		END { print n["<svm_enter>:"] + 0, n["<vmx_exit>:"] + 0, last + 0 }' "$dir/output")
	if [ "$status" = 0 ] && [ "$found" = "14 14 1" ]; then
		ok $name "$(took "$begun")"
	else
		not_ok $name "$(took "$begun")" "cleared after SVM's and VMX's exits, VERW last: $found"
	fi
}
registers_cleared
