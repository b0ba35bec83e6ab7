# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the fuzzer's targets have met before; in check-all, what they meet in 20 seconds each.

passes fuzz.corpus scripts/lab exec -- tests/fuzz/replay
thorough passes fuzz.targets scripts/lab exec --in prove -- tests/fuzz/run --seconds 20
