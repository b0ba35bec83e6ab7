# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What guests took from Bedplate comes back: some one after another, some at once,
# killed ones, and the module itself.

reports leaks scripts/lab run --timeout 1800 --overlay "$overlay" -- /opt/tests/leaks 4 3
# The row of 30 takes half an hour on the build that checks itself, on which 4 show as much.
[ -n "$firmware$debug" ] || thorough reports leaks.long scripts/lab run --timeout 3600 --overlay "$overlay" -- /opt/tests/leaks 30 4
