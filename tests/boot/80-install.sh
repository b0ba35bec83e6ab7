# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The packages: made, built by DKMS for each kernel, and used on a Debian server from apt install
# to apt purge (docs/install.md).

install_disk() {
	wanted install.disk || return 0
	scripts/lab up --debian
	reports install.disk tests/install/disk
}
thorough install_disk
