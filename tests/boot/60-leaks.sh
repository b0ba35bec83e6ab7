# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What guests took from Bedplate comes back: thirty one after another, four at
# once, killed ones, and the module itself.

reports leaks scripts/lab run --timeout 2400 --overlay "$overlay" -- /opt/tests/leaks 30 4
