# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# A driver in the service VM turns its device against what is not its own (bp-attack). Where no unit
# confines devices each attack must succeed, so that it shows something where one does.

# attack NAME MODE PATTERNS OPTION...: MODE is open or closed. The device takes long for what it does, in
# the machine's time; where instructions are counted, that costs nothing.
attack() {
	# shellcheck disable=SC2016
	reports "$1" scripts/lab run --icount --overlay "$overlay" --edu "${@:4}" -- \
		sh -c 'BP_ATTACK=$1 exec /opt/tests/bp-attack run $2' sh "$2" "$3"
}

# Linux leaves the units alone, as Bedplate does.
units_off=(--hv-args iommu=off --kernel-args "intel_iommu=off amd_iommu=off intremap=off")

thorough attack attack.none open 'all !message.init'
# A processor is of no use afterwards.
thorough attack attack.none_init open message.init
attack attack.vtd_off open 'all !message.init' --iommu vtd "${units_off[@]}"
attack attack.amdvi_off open 'all !message.init' --iommu amdvi "${units_off[@]}"
attack attack.vtd closed all --iommu vtd
attack attack.amdvi closed all --iommu amdvi
# Scalable mode: the tables are others, the promise is the same.
attack attack.vtd_sm closed 'dma !dma.flood' --iommu vtd-sm --hv-args vtd=scalable
