# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What /dev/kvm offers on both: capabilities, bits of CPUID, MSRs to save. What Linux's KVM
# has on the same machine Bedplate has, too, or tests/offers-reasons says why not.

offers() {
	local name=offers dir status begun side missing stale
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
	if [ -n "$missing" ]; then
		not_ok $name "$(took "$begun")" "KVM has, Bedplate has not: $missing"
	elif [ -n "$stale" ]; then
		not_ok $name "$(took "$begun")" "in tests/offers-reasons, but offered: $stale"
	else
		ok $name "$(took "$begun")"
	fi
}
offers
