# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# libvirt in the service VM, as an operator uses it (scripts/lab up --libvirt; svc/libvirt).

libvirt=$(scripts/lab path libvirt)
if [ -e "$libvirt" ]; then
	thorough reports libvirt scripts/lab run --mem 3G --overlay "$overlay" --disk "$libvirt" -- /opt/tests/libvirt
	thorough peer reports libvirt.kvm scripts/lab run --under kvm --mem 3G --overlay "$overlay" --disk "$libvirt" -- \
		/opt/tests/libvirt
elif [ -n "$thorough" ] && wanted libvirt; then
	skip libvirt 0 "no $libvirt"
fi
