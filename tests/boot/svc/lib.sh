# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# For the scripts that run in the service VM: check by check, one line each, in
# the form that tests/boot/lib.sh's "reports" reads.

passed=0 failed=0 skipped=0

ok() { echo "ok $1"; passed=$((passed + 1)); }
not_ok() { echo "not ok $1: $2"; failed=$((failed + 1)); }
skip() { echo "ok $1 # SKIP $2"; skipped=$((skipped + 1)); }

# is NAME ACTUAL WANTED
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', wanted '$3'"; fi
}

# succeeds NAME COMMAND...
succeeds() {
	name=$1
	shift
	if "$@"; then ok "$name"; else not_ok "$name" "'$*' ended with status $?"; fi
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
}
