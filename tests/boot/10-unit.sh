# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Level 1: pure code, built for the host with address and undefined-behaviour
# checkers. The programs' own counts are added to ours.

unit_tests() {
	wanted unit || return 0
	local dir cmd begun last line p f s
	command_of unit scripts/lab exec -- make --no-print-directory -j"$(nproc)" -C tests/unit "OUT=$tree/build/unit"
	begun=$(now)
	last=$begun
	"${cmd[@]}" 2>&1 | tee "$dir/output" | while IFS= read -r line; do
		[[ $line =~ ^(test_[a-z0-9_]+):\ ([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]] || continue
		p=${BASH_REMATCH[2]} f=${BASH_REMATCH[3]} s=${BASH_REMATCH[4]}
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
		printf '%-7s %-46s %7s s  %d passed, %d failed, %d skipped\n' \
			"$([ "$f" = 0 ] && echo ok || echo 'not ok')" "unit.${BASH_REMATCH[1]}" \
			"$(took "$last")" "$p" "$f" "$s"
		if [ "$f" != 0 ]; then
			failures+=("unit.${BASH_REMATCH[1]}: $f failed")
			grep -aE -A12 '^not ok|ERROR|runtime error' "build/unit/${BASH_REMATCH[1]}.log" | sed 's/^/  | /'
			echo "  logs: $tree/build/unit/${BASH_REMATCH[1]}.log"
		fi
		last=$(now)
	done
	grep -aqE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$dir/output" ||
		not_ok unit "$(took "$begun")" "did not come to its end"
}
unit_tests
