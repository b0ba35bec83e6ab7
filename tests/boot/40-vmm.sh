# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Level 2: bare-metal guests on the KVM API, one exit or instruction each
# (tests/vmm, tests/guests); the same program on Bedplate and on Linux's KVM.

# TCG does not intercept INT3 (docs/testbed.md); Bochs does.
reports vmm scripts/lab run --overlay "$overlay" -- /opt/tests/bp-vmm run all '!debug.int3'
peer reports vmm.kvm scripts/lab run --under kvm --overlay "$overlay" -- /opt/tests/bp-vmm run all '!debug.int3'
# Shares of a CPU, where nothing but the guests takes time from one another.
reports vmm.shares scripts/lab run --icount --overlay "$overlay" -- env BP_COUNTED=1 /opt/tests/bp-vmm run 'sched.*'
