# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Bad input: each ioctl with null, short, misaligned and meaningless arguments, in each state of a
# VM. Bedplate's answer is KVM's, or tests/errnos-reasons says why not.

errnos() {
	local name=errnos dir status begun side line pattern why="" stale=""
	wanted $name || return 0
	for side in kvm bedplate; do
		execute $name.$side scripts/lab run --under $side --overlay "$overlay" -- /opt/tests/bp-vmm errnos
		[ "$status" = 0 ] || { not_ok $name.$side "$(took "$begun")" "ended with status $status"; return; }
		tr -d '\r' <"$dir/output" | sort >"$dir/answers"
	done
	comm -13 "$out/$name.kvm/answers" "$dir/answers" >"$dir/others"
	sed -n 's/^\([a-z][^:]*\): .*/\1/p' tests/errnos-reasons >"$dir/patterns"
	while read -r pattern; do
		# shellcheck disable=SC2053
		while read -r line; do [[ $line != $pattern\ * ]] || continue 2; done <"$dir/others"
		stale="$stale, $pattern"
	done <"$dir/patterns"
	while read -r line; do
		# shellcheck disable=SC2053
		while read -r pattern; do [[ $line != $pattern\ * ]] || continue 2; done <"$dir/patterns"
		why="$why, $line"
	done <"$dir/others"
	if ! [ -s "$dir/answers" ]; then
		not_ok $name "$(took "$begun")" "no answers"
	elif [ -n "$why" ]; then
		not_ok $name "$(took "$begun")" "KVM answers otherwise: ${why#, }"
	elif [ -n "$stale" ]; then
		not_ok $name "$(took "$begun")" "in tests/errnos-reasons, but no longer so: ${stale#, }"
	else
		ok $name "$(took "$begun")"
	fi
}
errnos
