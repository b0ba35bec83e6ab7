# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Proofs by bounded model checking: that the harnesses compile and that their seeded faults
# fit the code; the proofs themselves, and that each finds its faults, where CBMC is.

# prove_all NAME LAST ARG...: scripts/prove ends well, and its last line looks so.
prove_all() {
	local name=$1 last=$2 dir status begun
	shift 2
	wanted "$name" || return 0
	begun=$(now)
	if ! [ -e build/lab/prove/.bedplate-lab ]; then
		skip "$name" 0 "no root of provers: scripts/lab up --prove"
		return
	fi
	execute "$name" scripts/lab exec --in prove -- scripts/prove "$@"
	if [ "$status" = 0 ] && tail -n 1 "$dir/output" | grep -qE "$last"; then
		ok "$name" "$(took "$begun")"
	else
		not_ok "$name" "$(took "$begun")" "$(tail -n 1 "$dir/output")"
	fi
}

passes prove.harnesses scripts/lab exec -- scripts/prove --check
thorough prove_all prove.proofs '^[1-9][0-9]* proved, 0 failed$'
thorough prove_all prove.mutants '^[1-9][0-9]* mutants found, 0 missed$' --mutants
