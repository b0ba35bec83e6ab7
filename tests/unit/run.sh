#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh DIR TEST...: run cmocka programs, one a CPU at a time, and add up their
# results. A program that was not built, or that ends other than by reporting its
# failures, counts as one more failure. Exit status 1 if anything failed.

# run.sh --one DIR TEST: one of them; its line goes to DIR/TEST.result too.
if [ "$1" = --one ]; then
	dir=$2 t=$3
	rm -f "$dir/$t.result"
	if [ ! -x "$dir/$t" ]; then
		echo "$t: not built"
		echo "0 1 0" >"$dir/$t.result"
		exit 0
	fi
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$dir/$t" >"$dir/$t.log" 2>&1
	rc=$?
	s=$(grep -c '^ok .*# SKIP' "$dir/$t.log")
	p=$(grep -c '^ok ' "$dir/$t.log")
	f=$(grep -c '^not ok ' "$dir/$t.log")
	p=$((p - s))
	if [ "$rc" -ne "$f" ] || [ $((p + f + s)) -eq 0 ]; then
		echo "$t: ended with status $rc"
		f=$((f + 1))
	fi
	echo "$p $f $s" >"$dir/$t.result"
	echo "$t: $p passed, $f failed, $s skipped"
	[ "$f" -eq 0 ] || cat "$dir/$t.log"
	exit 0
fi

dir=$1
shift
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 "$0" --one "$dir"
passed=0 failed=0 skipped=0
for t in "$@"; do
	p=0 f=1 s=0
	[ ! -e "$dir/$t.result" ] || read -r p f s <"$dir/$t.result"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
