# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Linux as a hypervisor in a guest (docs/nested.md): its kvm_amd, with guests of bp-vmm's.

thorough reports nested scripts/lab run --overlay "$overlay" -- /opt/tests/nested 'cpu.*' 'irq.msi' 'irq.nmi' 'irq.sti_shadow' \
	'irq.timer_deadline' 'state.*'
