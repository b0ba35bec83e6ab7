# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The command bedplate: as a program on made-up machines and a terminal, and live with a guest.

reports tools.program scripts/lab exec -- tests/tools/program.py build/tools/bedplate
reports tools.live scripts/lab run --iommu vtd --overlay "$overlay" -- /opt/tests/tools
