# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Completion of bedplate's arguments, for bash.

_bedplate_set() {
	case ${COMP_CWORD} in
	2)
		echo loglevel
		bedplate set 2>/dev/null | sed -n 's/^\(weight[.][0-9]*\) .*/\1/p'
		;;
	3) [ "${COMP_WORDS[2]}" != loglevel ] || echo err warn info debug ;;
	esac
}

_bedplate() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words="info list domains top log stats set check report metrics version help"
	else
		case ${COMP_WORDS[1]}:$before in
		top:-s) words="cpu time memory exits wait name id" ;;
		top:-n | top:-d | metrics:--listen) return ;;
		top:*) words="-b -n -d -s -V -r" ;;
		log:*) words="-f --last" ;;
		stats:*) words="--json" ;;
		check:*) words="-q" ;;
		metrics:*) words="--listen" ;;
		report:-o)
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
			;;
		report:*) words="-o" ;;
		set:*) words=$(_bedplate_set) ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _bedplate bedplate
