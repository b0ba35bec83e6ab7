# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# A driver in the service VM turns its device against what is not its own (bp-attack). Where no unit
# confines devices each attack must succeed, so that it shows something where one does.

# attack NAME MODE PATTERNS OPTION...: MODE is open or closed. The device takes long for what it does, in
# the machine's time; where instructions are counted, that costs nothing.
attack() {
	# shellcheck disable=SC2016
	reports "$1" scripts/lab run --icount --overlay "$overlay" --edu "${@:4}" -- \
		sh -c 'BP_ATTACK=$1 BP_IMAGE=$3 exec /opt/tests/bp-attack run $2' sh "$2" "$3" \
		"/opt/tests/bedplate${debug:+.debug}.elf"
}

# Linux leaves the units alone, as Bedplate does.
units_off=(--hv-args iommu=off --kernel-args "intel_iommu=off amd_iommu=off intremap=off")

thorough attack attack.none open 'all !message.init !race.*'
# A processor is of no use afterwards.
thorough attack attack.none_init open message.init
attack attack.vtd_off open 'all !message.init !race.*' --iommu vtd "${units_off[@]}"
attack attack.amdvi_off open 'all !message.init !race.*' --iommu amdvi "${units_off[@]}"
# The race wants the virtual unit's registers.
attack attack.vtd closed all --iommu vtd --kernel-args iomem=relaxed
attack attack.amdvi closed all --iommu amdvi --kernel-args iomem=relaxed
# Scalable mode: the tables are others, the promise is the same.
attack attack.vtd_sm closed 'dma.*' --iommu vtd-sm --hv-args vtd=scalable
