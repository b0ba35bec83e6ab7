#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs inside the root of KVM's own tests: builds them, unmodified, from Debian's source of
# the kernel, and packs them into the image $LAB/selftests.erofs. VERSION there says of which.
set -euo pipefail

work=$LAB/selftests.work
image=$LAB/selftests.erofs
source=(/usr/src/linux-source-*.tar.xz)
kvm=tools/testing/selftests/kvm
rm -rf "$work"
mkdir -p "$work"/{tree,pack}
cd "$work/tree"

# What headers and tests are made of; the rest of the kernel is ten times as much.
tar --strip-components=1 --wildcards -xf "${source[0]}" '*/Makefile' '*/Kbuild' '*/Kconfig*' \
	'*/scripts' '*/include' '*/tools' '*/arch/x86'
# Not as a part of the make that has called: their makefiles ask whether they are on top.
unset MAKELEVEL MAKEFLAGS MFLAGS
make -s -j"$(nproc)" headers
# LDFLAGS from the environment: given to make, it would replace the tests' own.
LDFLAGS=-static make -s -k -j"$(nproc)" -C "$kvm" KHDR_INCLUDES="-isystem $PWD/usr/include" || true

make -s kernelversion >"$work/pack/VERSION"
find "$kvm" -type f -perm -u+x \( -name '*.sh' -o -not -name '*.*' \) -printf '%P\n' | while read -r test; do
	mkdir -p "$(dirname "$work/pack/$test")"
	cp "$kvm/$test" "$work/pack/$test"
	[ "${test%.sh}" != "$test" ] || strip -g "$work/pack/$test"
done
[ -e "$work/pack/set_memory_region_test" ] || { echo "the tests did not build" >&2; exit 1; }
mkfs.erofs --quiet "$image.new" "$work/pack"
mv "$image.new" "$image"
rm -rf "$work"
