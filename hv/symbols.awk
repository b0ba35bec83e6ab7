# SPDX-License-Identifier: GPL-2.0-only
# From "nm -n" to the assembly of the symbol table: sorted addresses of
# functions, each with the offset of its name (read by hv/core/machine/symbols.c).
BEGIN {
	print "\t.section .bp_symbols, \"a\""
	print "\t.globl bp_symbols, bp_symbols_end, bp_symbol_names"
	print "\t.balign 8"
	print "bp_symbols:"
}
$2 ~ /^[tTwW]$/ && $3 !~ /^(text|image)_(start|end)$/ {
	printf "\t.quad 0x%s, .Ln%d - bp_symbol_names\n", $1, n
	name[n++] = $3
}
END {
	print "bp_symbols_end:"
	print "bp_symbol_names:"
	for (i = 0; i < n; i++)
		printf ".Ln%d:\t.asciz \"%s\"\n", i, name[i]
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
