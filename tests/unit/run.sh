#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh DIR TEST...: run cmocka programs and add up their results. A program
# that was not built, or that ends other than by reporting its failures, counts
# as one more failure. Exit status 1 if anything failed.

dir=$1
shift
passed=0 failed=0 skipped=0
for t in "$@"; do
	if [ ! -x "$dir/$t" ]; then
		echo "$t: not built"
		failed=$((failed + 1))
		continue
	fi
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 120 "$dir/$t" >"$dir/$t.log" 2>&1
	rc=$?
	s=$(grep -c '^ok .*# SKIP' "$dir/$t.log")
	p=$(grep -c '^ok ' "$dir/$t.log")
	f=$(grep -c '^not ok ' "$dir/$t.log")
	p=$((p - s))
	if [ "$rc" -ne "$f" ] || [ $((p + f + s)) -eq 0 ]; then
		echo "$t: ended with status $rc"
		f=$((f + 1))
	fi
	echo "$t: $p passed, $f failed, $s skipped"
	[ "$f" -eq 0 ] || cat "$dir/$t.log"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
