# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The length of the shortest paths, in instructions, beside what they were (tests/path-lengths).

# length NAME WAS: of that row, from the measurement's output.
length() {
	local is
	is=$(awk -F '\t' -v name="$1" '$1 == name { printf "%d", $3 }' "$dir/output")
	if [ -z "$is" ]; then
		not_ok "paths.$1" 0 "not measured"
	elif [ $((is * 100)) -gt $(($2 * 102)) ] || [ $((is * 100)) -lt $(($2 * 98)) ]; then
		not_ok "paths.$1" 0 "$is instructions, $2 in tests/path-lengths"
	else
		ok "paths.$1" 0
	fi
}

paths() {
	local dir status begun name was
	wanted paths || return 0
	[ -z "${CHECK_COVERAGE:-}" ] || { skip paths 0 "the image counts what it runs"; return; }
	# shellcheck disable=SC2046	# they are words
	execute paths scripts/lab run --icount --overlay "$overlay" -- \
		/opt/tests/bp-bench $(sed -n 's/^\([a-z_]*\) .*/\1/p' tests/path-lengths)
	[ "$status" = 0 ] || { not_ok paths "$(took "$begun")" "ended with status $status"; return; }
	while read -r name was; do
		[[ $name == "#"* ]] || length "$name" "$was"
	done <tests/path-lengths
	ok paths "$(took "$begun")"
}
paths
