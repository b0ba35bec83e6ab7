# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What /dev/kvm offers on both: capabilities, bits of CPUID, MSRs to save. What Linux's KVM
# has on the same machine Bedplate has, too, or tests/offers-reasons says why not.

# undocumented DIR: capabilities that docs/kvm-api.md calls "works" and that are not in
# DIR/offers, and the other way round.
undocumented() {
	awk '
		FILENAME ~ /kvm\.h$/ { if ($2 ~ /^KVM_CAP_/ && $3 ~ /^[0-9]+$/) name[$3] = $2; next }
		FILENAME ~ /kvm-api\.md$/ { if ($2 ~ /^KVM_CAP_/) says[$2] = $4; next }
		$1 == "cap" { has[name[$2]] = 1 }
		END {
			for (c in has) if (says[c] != "works") print c
			for (c in says) if (says[c] == "works" && !has[c]) print c
		}' "$(scripts/lab path root)/usr/include/linux/kvm.h" docs/kvm-api.md "$1/offers" | sort | paste -sd,
}

offers() {
	local name=offers dir status begun side missing stale wrong
	wanted $name || return 0
	for side in kvm bedplate; do
		execute $name.$side scripts/lab run --under $side --overlay "$overlay" -- /opt/tests/bp-vmm offers
		[ "$status" = 0 ] || { not_ok $name.$side "$(took "$begun")" "ended with status $status"; return; }
		# The values of capabilities differ by what each can do.
		tr -d '\r' <"$dir/output" | awk '{ print $1 == "cap" ? $1 " " $2 : $0 }' | sort >"$dir/offers"
	done
	comm -23 "$out/$name.kvm/offers" "$dir/offers" >"$dir/missing"
	sed -n 's/^\(cap\|cpuid\|msr\) \([^:]*\):.*/\1 \2/p' tests/offers-reasons | sort >"$dir/reasons"
	missing=$(comm -23 "$dir/missing" "$dir/reasons" | paste -sd,)
	stale=$(comm -12 "$dir/offers" "$dir/reasons" | paste -sd,)
	wrong=$(undocumented "$dir")
	if [ -n "$wrong" ]; then
		not_ok $name "$(took "$begun")" "docs/kvm-api.md says otherwise: $wrong"
	elif [ -n "$missing" ]; then
		not_ok $name "$(took "$begun")" "KVM has, Bedplate has not: $missing"
	elif [ -n "$stale" ]; then
		not_ok $name "$(took "$begun")" "in tests/offers-reasons, but offered: $stale"
	else
		ok $name "$(took "$begun")"
	fi
}
offers
