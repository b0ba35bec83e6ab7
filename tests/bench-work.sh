#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: tests/bench-work.sh [--peer bedplate|kvm] [PART...]
# Whole work on Bedplate and on Linux's KVM: instructions of the machine, all CPUs, idle ones excepted, between
# marks (tests/profile.d/count.c), side by side with the targets, and in build/bench/work.json. PART: vms,
# small (a guest with one vCPU), vhost, migration, smp (four vCPUs); all otherwise. Each is a boot of its own. `make bench-work` builds first.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
out=build/bench
limit=${BENCH_TIMEOUT:-900}
overlay=$out/overlay-work
peers=(bedplate kvm)
if [ "${1:-}" = --peer ]; then
	peers=("${2:?}")
	shift 2
fi

# The service VM's programs; "more" is laid over the guest's initramfs.
rm -rf "$overlay" "$out/tree"
mkdir -p "$overlay/opt/bench" "$out/tree"
install -m 755 build/vmm/bp-work build/vmm/bp-job tests/profile.d/work \
	build/hostile/tests/hostile/bp_once.ko "$overlay/opt/bench/"
install -m 755 build/vmm/bp-job "$out/tree/bp-job"
install -m 755 tests/profile.d/guest-init "$out/tree/init"
scripts/lab exec -- sh -c "cd $out/tree && printf 'init\nbp-job\n' | cpio -o -H newc -R 0:0 --quiet" >"$overlay/opt/bench/more"

[ $# -gt 0 ] || set -- vms small vhost migration smp
run=0
for peer in "${peers[@]}"; do
	for part; do
		echo "bench: whole work under $peer: $part" >&2
		to=$out/work.$peer.$part
		rm -f "$to".*
		scripts/lab run --icount --smp 2 --mem 3G --under "$peer" --overlay "$overlay" --timeout "$limit" \
			--log "$out/log.work.$peer.$part" --qemu="-plugin build/profile/count.so,out=$to.counts,by=block" -- \
			/opt/bench/work "$part" >"$to.rows" || run=$?
	done
done
python3 -B tests/profile.d/work.py "$out" >"$out/work.table" || run=1
cat "$out/work.table"
exit "$run"
