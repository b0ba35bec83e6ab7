#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: tests/bench-io.sh [LINES]
# What the service VM's disk and network cost with Bedplate driving the IOMMU and without, on
# a machine whose TSC counts instructions: side by side, with the target, and in LINES for tests/bench_json.py. `make bench` runs it.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
out=build/bench
limit=${BENCH_TIMEOUT:-1500}
overlay=$out/overlay-io
target=1.03

mkdir -p "$overlay/opt/bench"
install -m 755 build/vmm/bp-iobench "$overlay/opt/bench/"
cat >"$overlay/opt/bench/run" <<'END2'
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The two cards are up, and the link of the e1000e is there.
modprobe virtio_net && modprobe e1000e || exit 1
for card in /sys/class/net/*; do
	case $(readlink -f "$card/device/driver") in
	*/virtio_net) to=${card##*/} ;;
	*/e1000e) from=${card##*/} ;;
	esac
done
ip link set "$to" up
ip link set "$from" up
until [ "$(cat "/sys/class/net/$from/operstate")" = up ]; do sleep 0.1; done
exec /opt/bench/bp-iobench /dev/lab/disk0 "$from" "$to"
END2
chmod 755 "$overlay/opt/bench/run"
[ -s "$out/disk.img" ] || head -c 4M /dev/urandom >"$out/disk.img"

# measure FILE OPTION...
measure() {
	echo "bench: the service VM's devices: ${*:2}" >&2
	scripts/lab run --icount --smp 1 --wire --disk "$out/disk.img" --overlay "$overlay" --timeout "$limit" \
		--log "$out/log.${1##*/}" "${@:2}" -- /opt/bench/run >"$1"
}

value() { awk -F '\t' -v name="$2" '$1 == name { print $3; exit }' "$1"; }

row() {
	awk -v what="$1" -v on="$2" -v off="$3" -v target=$target 'BEGIN {
		printf "%-38s %12.0f %12.0f %7.3f %7.2f%s\n", what, on, off, on / off, target,
			(on / off > target) ? "  falls short" : ""
	}'
}

# Linux leaves the units alone, as Bedplate does.
off=(--hv-args iommu=off --kernel-args "intel_iommu=off amd_iommu=off intremap=off")
for unit in vtd amdvi; do
	measure "$out/io.$unit.on" --iommu $unit
	measure "$out/io.$unit.off" --iommu $unit "${off[@]}"
done

printf '\nInstructions for a MiB in the service VM\n%-38s %12s %12s %7s %7s\n' what "IOMMU on" off ratio target
for unit in vtd amdvi; do
	for name in disk_read net_loop; do
		with=$(value "$out/io.$unit.on" $name)
		without=$(value "$out/io.$unit.off" $name)
		row "$name, $unit" "$with" "$without"
		printf 'row\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name.$unit" "$name, IOMMU on" "iommu=off" "$with" "$without" $target >>"${1:-/dev/null}"
	done
done
