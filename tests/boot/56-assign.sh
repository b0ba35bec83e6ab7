# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices that guests are given by VFIO, with each kind of IOMMU (svc/assign).

# devices NAME: the options for those; an empty disk, as long as nobody has written to it.
devices() {
	local image
	image=$out/$(named "$1").img
	truncate -s 64M "$image"
	echo "--device nvme=$image --device e1000e --device igb"
}

# shellcheck disable=SC2046	# they are words
reports assign.vtd scripts/lab run --iommu vtd $(devices vtd) --overlay "$overlay" -- /opt/tests/assign
# shellcheck disable=SC2046
[ -n "$firmware" ] || thorough reports assign.vtd_sm scripts/lab run --iommu vtd-sm --hv-args vtd=scalable $(devices vtd_sm) \
	--overlay "$overlay" -- /opt/tests/assign
# What differs with AMD-Vi is how devices get there; the rest is in make check-all.
# shellcheck disable=SC2046
[ -n "$firmware" ] || reports assign.amdvi_msix scripts/lab run --iommu amdvi $(devices amdvi_msix) --overlay "$overlay" -- /opt/tests/assign msix
# shellcheck disable=SC2046
thorough reports assign.amdvi scripts/lab run --iommu amdvi $(devices amdvi) --overlay "$overlay" -- /opt/tests/assign
