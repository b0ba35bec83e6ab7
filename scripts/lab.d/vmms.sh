#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs inside a root of its own: fetches the packages of vmms.list, checks them, and packs
# them, with a small root directory for guests, into the image $LAB/vmms.erofs.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
work=$LAB/vmms.work
image=$LAB/vmms.erofs
registry=https://registry.npmjs.org
rm -rf "$work"
mkdir -p "$work/tree"

# Whoever sent it: the sum says whether it is the right one.
fetch() {
	local package=$1 version=$2 sum=$3 file=$work/package.tgz
	curl -sSfk --retry 3 -o "$file" "$registry/$package/-/${package##*/}-$version.tgz"
	[ "$(sha512sum "$file" | cut -d' ' -f1)" = "$(base64 -d <<<"$sum" | od -An -v -tx1 | tr -d ' \n')" ] ||
		{ echo "$package $version is not what vmms.list says" >&2; exit 1; }
	mkdir "$work/tree/${package##*/}"
	tar -C "$work/tree/${package##*/}" --strip-components=1 -xzf "$file" package/bin package/lib
}

while read -r package version sum; do
	[ "${package#\#}" = "$package" ] || continue
	fetch "$package" "$version" "$sum"
done <"$here/vmms.list"

rootfs=$work/tree/rootfs
mkdir -p "$rootfs"/{bin,dev,etc,proc,root,run,sys,tmp,var}
cp /bin/busybox "$rootfs/bin/busybox"
for name in sh cat echo grep ls nproc uname; do ln -s busybox "$rootfs/bin/$name"; done
echo "root:x:0:0:root:/root:/bin/sh" >"$rootfs/etc/passwd"
mkfs.erofs --quiet "$image.new" "$work/tree"
mv "$image.new" "$image"
rm -rf "$work"
