# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Installing, as far as it goes without a boot; 80-install.sh has the rest.

# "make install" puts these files there and no others, wherever PREFIX is.
install_files() {
	local name=install.files dir status begun
	wanted $name || return 0
	execute $name scripts/lab exec -- make install PREFIX=/usr "DESTDIR=$out/$name/root"
	if [ "$status" = 0 ] && diff <(cd "$dir/root" && find . -type f -printf '/%P\n' |
		grep -vE '^/usr/src/bedplate-[^/]*/dom0-shim/|/bedplate.efi$' | sort) <(sed "s/VERSION/$(cat VERSION)/" tests/install/files) >"$dir/diff"; then
		ok $name "$(took "$begun")"
	else
		not_ok $name "$(took "$begun")" "other files than tests/install/files says: $(tr '\n' ' ' <"$dir/diff")"
	fi
	rm -rf "$dir/root"
}
install_files
reports install.menu scripts/lab exec -- tests/install/menu
reports install.efi scripts/lab exec -- tests/install/efi
