#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: enter.sh ROOT CWD COMMAND ARG...
# In a private mount name space: shows the host's own directories (all but the
# ones that make up its distribution) inside ROOT under their names, changes
# into ROOT, goes to CWD and becomes COMMAND. So paths mean the same inside.
set -euo pipefail
root=$1 cwd=$2
shift 2

for dir in /* /var/tmp; do
	if [ ! -d "$dir" ] || [ -L "$dir" ]; then
		continue
	fi
	case "$dir" in
	/bin | /sbin | /lib* | /usr | /etc | /var | /boot | /lost+found) continue ;;
	esac
	mkdir -p "$root$dir"
	mount --rbind "$dir" "$root$dir"
done

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C.UTF-8
if [ ! -d "$root$cwd" ]; then
	echo "lab: $cwd is not visible in the lab's root; starting in /" >&2
	cwd=/
fi
exec chroot "$root" /usr/bin/env -C "$cwd" "$@"
