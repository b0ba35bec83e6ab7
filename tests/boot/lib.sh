# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The verbs that the groups (tests/boot/NN-*.sh) are written in. Sourced by
# tests/check, whose variables tree, out, patterns, list, thorough, passed, failed,
# skipped and failures it uses.
#
# Each verb takes a test's name and a command. A command "scripts/lab run ..."
# gets a time limit (for a hang only: no test depends on it) and a directory for
# its logs, build/check/NAME.

HANG=${CHECK_HANG:-900}	# seconds after which a machine counts as hung; /guest/run ends before

# Groups are gone through once more on other firmware, $firmware as `lab run --boot` calls it; it is a
# part of the test's name then; so are $debug and the build that checks itself (make DEBUG=1).
named() { echo "${debug:+debug.}${firmware:+$firmware.}$1"; }

# True if the test is to be run now.
wanted() {
	local p name
	name=$(named "$1")
	if [ "${#patterns[@]}" -gt 0 ]; then
		for p in "${patterns[@]}"; do
			# shellcheck disable=SC2053
			[[ $name != $p ]] || break
		done
		# shellcheck disable=SC2053
		[[ $name == $p ]] || return 1
	fi
	[ -z "$list" ] || { echo "$name"; return 1; }
}

# True if the command boots Bedplate, on firmware of which it says nothing itself.
any_firmware() {
	[ "$1 ${2:-}" = "scripts/lab run" ] || return 1
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		case "$1" in --boot | --under | --machine) return 1 ;; esac
		shift
	done
}

# is_due NAME COMMAND...: wanted, and it makes sense on that firmware or build.
is_due() { { [ -z "$firmware$debug" ] || any_firmware "${@:2}"; } && wanted "$1"; }

# now: microseconds. took MICROSECONDS: the time since then, in seconds.
now() { echo "${EPOCHREALTIME/[.,]/}"; }
took() {
	local us=$(($(now) - $1))
	printf '%d.%d' $((us / 1000000)) $((us % 1000000 / 100000))
}

ok() { passed=$((passed + 1)); printf 'ok      %-46s %7s s\n' "$1" "$2"; }
skip() { skipped=$((skipped + 1)); printf 'skip    %-46s %7s s  %s\n' "$1" "$2" "$3"; }

# thorough VERB NAME...: for `make check-all`, and where it is asked for by name.
thorough() { [ -z "$thorough" ] || "$@"; }

# peer VERB NAME...: the same on Linux's own KVM. A failure there tells what the
# emulator or KVM cannot do; it is shown, and counts as skipped.
peer() {
	local on_peer=1
	"$@"
}

# not_ok NAME SECONDS WHY: and what there is to see, and where.
not_ok() {
	if [ -n "${on_peer:-}" ]; then
		skip "$1" "$2" "fails on Linux's KVM: $3"
		show_logs "$1"
		return
	fi
	failed=$((failed + 1))
	failures+=("$1: $3")
	printf 'not ok  %-46s %7s s  %s\n' "$1" "$2" "$3"
	show_logs "$1"
}

show_logs() {
	local dir=$out/$1 file
	[ -d "$dir" ] || return 0
	# What says why comes first: a reader may see the beginning only.
	for file in stderr output serial.log; do
		[ -s "$dir/$file" ] || continue
		echo "  ---- $file, the last lines:"
		tail -n 15 "$dir/$file" | tr -d '\000\r' | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g; s/^/  | /'
	done
	echo "  logs: $dir"
}

# command_of NAME COMMAND...: sets cmd and dir.
command_of() {
	dir=$out/$1
	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	cmd=("$@")
	if [ "$1 ${2:-}" = "scripts/lab run" ]; then
		cmd=(scripts/lab run --timeout "$HANG" --log "$dir" ${firmware:+--boot "$firmware"} ${debug:+--debug} "${@:3}")
		[ -z "${CHECK_COVERAGE:-}" ] || [[ " $* " == *" --under "* || " $* " == *" --boot efi "* ]] ||
			cmd=(scripts/lab run --hv "$CHECK_COVERAGE" --coverage "$dir/coverage" "${cmd[@]:2}")
	fi
	printf '%q ' "$@" >"$dir/test"
	echo >>"$dir/test"
}

# execute NAME COMMAND...: runs it, sets status, begun and dir.
execute() {
	local cmd
	command_of "$@"
	begun=$(now)
	"${cmd[@]}" >"$dir/output" 2>"$dir/stderr" </dev/null
	status=$?
}

# plain_warnings NAME MACHINE SMP: where plain Linux warns on that machine ("file:line", space
# between); for test NAME only, if it is to be run. One reference boot for each, kept for as long
# as the lab's packages stay as they are. If it fails nothing is known, and every warning counts.
plain_warnings() {
	local key file lock
	[ -z "$list" ] && wanted "$1" || return 0
	key=$2.$3.$(sha256sum <"$tree/build/lab/manifest" | cut -c1-16)
	file=$tree/build/lab/warnings/$key
	mkdir -p "${file%/*}"
	exec {lock}>"$file.lock"	# another test may want the same
	flock "$lock"
	if ! [ -e "$file" ]; then
		scripts/lab run --under linux --machine "$2" --smp "$3" --timeout "$HANG" -- dmesg 2>/dev/null </dev/null |
			sed -nE 's/.*WARNING: CPU: [0-9]+ PID: [0-9]+ at ([^ ]+) .*/\1/p' | sort -u >"$file.new"
		if [ "${PIPESTATUS[0]}" = 0 ]; then mv "$file.new" "$file"; else rm -f "$file.new"; fi
	fi
	exec {lock}>&-
	[ ! -e "$file" ] || tr '\n' ' ' <"$file"
}

# has FILE TEXT: a line of the log holds TEXT.
has() { grep -aqF -- "$2" "$1" 2>/dev/null; }

# passes NAME COMMAND...: it ends with status 0.
passes() {
	is_due "$@" || return 0
	local name dir status begun
	name=$(named "$1")
	execute "$name" "${@:2}"
	if [ "$status" = 0 ]; then
		ok "$name" "$(took "$begun")"
	else
		not_ok "$name" "$(took "$begun")" "ended with status $status, wanted 0"
	fi
}

# shows NAME STATUS FILE TEXT COMMAND...: it ends with STATUS, and FILE of its
# logs (output, stderr, serial.log, bedplate.log, linux.log) has a line with TEXT.
shows() {
	is_due "$1" "${@:5}" || return 0
	local name wants=$2 file=$3 text=$4 dir status begun
	name=$(named "$1")
	shift 4
	execute "$name" "$@"
	if [ "$status" != "$wants" ]; then
		not_ok "$name" "$(took "$begun")" "ended with status $status, wanted $wants"
	elif ! has "$dir/$file" "$text"; then
		not_ok "$name" "$(took "$begun")" "$file has no line with: $text"
	else
		ok "$name" "$(took "$begun")"
	fi
}

# One line of results of a program that reports many; $prefix names the group.
one_result() {
	local name=${1#not } why seconds
	name=${name#ok }
	seconds=$(took "$last")
	case "$1" in
	"ok "*" # SKIP "*) skip "$prefix.${name%% *}" "$seconds" "${name#*# SKIP }" ;;
	"ok "*) ok "$prefix.${name%% *}" "$seconds" ;;
	"not ok "*)
		why=${name#*: }
		name=${name%%[: ]*}
		bad=$((bad + 1))
		results=$((results + 1))
		last=$(now)
		if [ -n "${on_peer:-}" ]; then
			skip "$prefix.$name" "$seconds" "fails on Linux's KVM: $why"
			return
		fi
		failed=$((failed + 1))
		failures+=("$prefix.$name: $why")
		printf 'not ok  %-46s %7s s  %s\n' "$prefix.$name" "$seconds" "$why"
		return
		;;
	*) return ;;
	esac
	results=$((results + 1))
	last=$(now)
}

# reports NAME COMMAND...: its output has a line for each check ("ok NAME",
# "ok NAME # SKIP WHY", "not ok NAME: WHY") and "N passed, N failed, N skipped" at
# the end. They count one by one, and one more if it came to its end.
reports() {
	is_due "$@" || return 0
	local prefix results=0 bad=0 last begun dir cmd status line
	prefix=$(named "$1")
	command_of "$prefix" "${@:2}"
	begun=$(now)
	last=$begun
	"${cmd[@]}" 2>"$dir/stderr" </dev/null | tee "$dir/output" | while IFS= read -r line; do
		one_result "${line%$'\r'}"
	done
	status=${PIPESTATUS[0]}
	if ! grep -aqE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped' "$dir/output"; then
		not_ok "$prefix" "$(took "$begun")" "did not come to its end (status $status, $results results)"
	elif [ "$status" != 0 ] && [ "$bad" = 0 ]; then
		not_ok "$prefix" "$(took "$begun")" "no check failed, but it ended with status $status"
	elif [ "$bad" != 0 ]; then
		show_logs "$prefix"	# they are counted already
	else
		ok "$prefix" "$(took "$begun")"
	fi
}
