# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# No room knows those above it: includes, and calls but for the hooks that are named.

layers_hold() {
	local name=$1 dir status begun
	shift
	wanted "$name" || return 0
	execute "$name" scripts/lab exec -- scripts/layers "$@"
	if [ "$status" = 0 ]; then
		ok "$name" "$(took "$begun")"
	else
		not_ok "$name" "$(took "$begun")" "$(head -n 3 "$dir/stderr")"
	fi
}

# The check itself, on a copy with an include that runs upwards: it names both files.
layers_seeded() {
	local name=layers.seeded dir status begun copy=$out/seeded-tree
	wanted $name || return 0
	rm -rf "$copy"
	mkdir -p "$copy"
	cp -r hv boot compat dom0-shim scripts "$copy/"
	sed -i '/^#include/{s/^/#include "run\/loop.h"\n/;:a;n;ba}' "$copy/hv/core/memory/mmu.c"
	sed -i '/^#include "/{s/^/#include "running\/run.h"\n/;:a;n;ba}' "$copy/dom0-shim/memory/gmem.c"
	# shellcheck disable=SC2016	# the inner shell expands it
	execute $name scripts/lab exec -- sh -c 'cd "$1" && scripts/layers hv/rooms dom0-shim/rooms' sh "$copy"
	if [ "$status" = 1 ] &&
		grep -q 'hv/core/memory/mmu.c:[0-9]*: .* hv/core/run/loop.h' "$dir/stderr" &&
		grep -q 'dom0-shim/memory/gmem.c:[0-9]*: .* dom0-shim/running/run.h' "$dir/stderr"; then
		ok $name "$(took "$begun")"
	else
		not_ok $name "$(took "$begun")" "did not name the two includes"
	fi
	rm -rf "$copy"
}

layers_hold layers.includes hv/rooms dom0-shim/rooms tests/rooms
layers_hold layers.hypervisor_calls --calls build/obj hv/rooms
layers_hold layers.shim_calls --calls build/shim dom0-shim/rooms
layers_seeded

# The lines of the trusted base stay below the ceiling of hv/rooms.
passes size.ceiling scripts/lab exec -- scripts/size
