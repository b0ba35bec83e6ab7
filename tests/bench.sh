#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: tests/bench.sh [--machine svm|vmx|svm-bochs] [--fresh]
# Measures Bedplate against Linux's own KVM and bare Linux, on a machine whose
# TSC counts instructions, and prints them side by side with the targets. Then
# sizes: image, memory taken. All of it is in build/bench/MACHINE.json, too. The
# figures of the peers, which do not change with Bedplate, are kept in build/bench;
# --fresh measures them again. `make bench` builds first; this does not.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
out=build/bench
limit=${BENCH_TIMEOUT:-1500}
overlay=$out/overlay
programs=(build/vmm/bp-bench build/vmm/bp-sysbench)
machine=svm
fresh=0

usage() { sed -n 's/^# usage: //p' "$0" >&2; exit 2; }
while [ $# -gt 0 ]; do
	case $1 in
	--machine) machine=${2:-}; shift ;;
	--machine=*) machine=${1#*=} ;;
	--fresh) fresh=1 ;;
	*) usage ;;
	esac
	shift || usage
done

# The boots of each peer: a name, then the lab's options. In Bochs the TSC counts
# instructions by itself, those of one CPU only if there is only one, and two
# CPUs are slow: so the second CPU is there only for the rows that need it. That
# boot gets more tries: a bug of Bochs ends one in some (docs/testbed.md). On
# svm-bochs KVM's second vCPU has a 16-bit TSS after INIT, with which Bochs lets
# nobody into long mode. Linux tests its ciphers for half a billion instructions
# after the boot, beside what is measured, unless told not to.
quiet="--kernel-args cryptomgr.notests"
case $machine in
svm) boots=("all --icount --smp 2") ;;
# As KVM, which has enable_apicv=0 there.
vmx) boots=("single --smp 1 --hv-args apicv=off $quiet" "pair --smp 2 --hv-args apicv=off $quiet") ;;
svm-bochs) boots=("single --smp 1 $quiet") ;;
*) usage ;;
esac

for file in "${programs[@]}" build/bedplate.elf; do
	[ -e "$file" ] || { echo "bench: $file does not exist: run make bench" >&2; exit 2; }
done
mkdir -p "$overlay/opt/bench"
[ "$fresh" = 0 ] || rm -f "$out/$machine".*.kvm "$out/$machine".*.linux
install -m 755 "${programs[@]}" "$overlay/opt/bench/"
cat >"$overlay/opt/bench/run" <<'END'
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: run WHAT UNDER: what one boot measures, as lines "name TAB count TAB value".
if [ "$1" = pair ]; then
	exec /opt/bench/bp-bench ipi_halted ipi_spinning irqfd_halted irqfd_running
fi
status=0
if [ "$2" != linux ]; then
	/opt/bench/bp-bench || status=1
fi
/opt/bench/bp-sysbench || status=1
awk '/^MemTotal/ { printf "mem_total_kib\t1\t%d\n", $2 }' /proc/meminfo
if [ -r /sys/kernel/bedplate/stats ]; then
	awk '{ sub(":", "", $1); if ($1 ~ /_bytes$/) printf "%s\t1\t%s\n", $1, $2 }' /sys/kernel/bedplate/stats
fi
exit $status
END
chmod 755 "$overlay/opt/bench/run"

# What becomes the file for programs: a tab between the fields.
lines=$out/$machine.lines
: >"$lines"

# What the peers' figures depend on: the roots, the programs, the machine.
key=$({ cat "$(scripts/lab path manifest)" "${programs[@]}" "$overlay/opt/bench/run"
	echo "$machine ${boots[*]}"; } | sha256sum | cut -c1-16)

# measure UNDER FILE WHAT OPTION...: run the programs once and keep the lines. What
# was measured before a failure is kept for the table, but not as a cache.
complete=1
measure() {
	local under=$1 file=$2 what=$3
	local log=$out/log.$machine.$what.$under try tries=1
	shift 3
	[ "$what" != pair ] || tries=3
	for ((try = 1; ; try++)); do
		echo "bench: measuring under $under: $machine, $what" >&2
		if scripts/lab run --machine "$machine" "$@" --under "$under" --overlay "$overlay" \
			--timeout "$limit" --log "$log" -- /opt/bench/run "$what" "$under" >"$file.new"; then
			break
		fi
		echo "bench: the run under $under did not end well; see $log" >&2
		[ $try -ge $tries ] || continue
		complete=0
		mv "$file.new" "$file.partial"
		return
	done
	rm -f "$file.partial"
	mv "$file.new" "$file"
}

rm -f "$out/$machine".*.bedplate*
for boot in "${boots[@]}"; do
	read -ra options <<<"$boot"
	what=${options[0]}
	for peer in kvm linux; do
		if [ "$what.$peer" != pair.linux ] && [ ! -s "$out/$machine.$what.$key.$peer" ]; then
			measure "$peer" "$out/$machine.$what.$key.$peer" "${options[@]}"
		fi
	done
	measure bedplate "$out/$machine.$what.$key.bedplate" "${options[@]}"
done

# On TCG KVM has to fetch and decode each instruction that exits: its path is longer there.
inside=0.25
[ "$machine" != svm ] || inside=0.15
# The rows: name, peer, highest ratio, what it is.
rows="
cpuid kvm $inside CPUID
rdmsr kvm $inside RDMSR
self_ipi kvm $inside IPI to itself (x2APIC)
ipi_halted kvm 0.20 IPI to a halted vCPU and back
ipi_spinning kvm 0.20 IPI to a running vCPU and back
timer_now kvm $inside TSC deadline of now, taken
timer_halted kvm 1.00 TSC deadline to a halted vCPU: delay
ioeventfd_mmio kvm 0.90 ioeventfd, MMIO
ioeventfd_pio kvm 0.90 ioeventfd, port
ioeventfd_answered kvm 0.90 ioeventfd, port, to a thread asleep on another CPU, and its answer
irqfd_answered kvm 0.90 irqfd and ioeventfd back, one CPU
irqfd_yielding kvm 0.90 irqfd, one CPU, the writer yields
irqfd_halted kvm 0.90 irqfd, halted vCPU on another CPU
irqfd_running kvm 0.90 irqfd, running vCPU on another CPU
port_read_user kvm 0.85 port read answered by user space
mmio_write_user kvm 0.85 MMIO write answered by user space
null_syscall linux 1.01 service VM: null system call
page_fault linux 1.01 service VM: page fault
context_switch linux 1.01 service VM: context switch
pipe_round_trip linux 1.01 service VM: pipe round trip
"

# value UNDER NAME: from the files of all boots, or from what a failed run left.
value() {
	local file files=()
	for file in "$out/$machine".*."$key.$1"{,.partial}; do
		[ ! -s "$file" ] || files+=("$file")
	done
	awk -F '\t' -v name="$2" '$1 == name { print $3; exit }' "${files[@]}" </dev/null
}

printf '\nInstructions per operation, machine %s\n%-38s %12s %12s %7s %7s\n' "$machine" what Bedplate peer ratio target
while read -r name peer target what; do
	[ -n "$name" ] || continue
	ours=$(value bedplate "$name")
	theirs=$(value "$peer" "$name")
	printf 'row\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$what" "$peer" "$ours" "$theirs" "$target" >>"$lines"
	awk -v what="$what" -v ours="$ours" -v theirs="$theirs" -v target="$target" -v peer="$peer" 'BEGIN {
		if (ours == "" || theirs == "") {
			printf "%-38s %12s %12s %7s %7.2f  not measured\n", what,
				ours == "" ? "-" : ours, theirs == "" ? "-" : theirs, "-", target
			exit
		}
		ratio = ours / theirs
		printf "%-38s %12.0f %12.0f %7.2f %7.2f%s\n", what, ours, theirs, ratio, target,
			(ratio > target) ? "  falls short" : ""
	}'
done <<<"$rows"
echo "(the peer is Linux's KVM; for the service VM, Linux on the bare machine)"

printf '\nSizes\n'
row() {
	printf '%-54s %12s\n' "$2" "${3:--}"
	printf 'size\t%s\t%s\t\t%s\n' "$1" "$2" "$3" >>"$lines"
}
row image_bytes "image, bytes loaded" "$(size build/bedplate.elf | awk 'NR == 2 { print $4 }')"
row reserved_bytes "reserved by Bedplate, bytes" "$(value bedplate reserved_bytes)"
bare=$(value linux mem_total_kib)
mine=$(value bedplate mem_total_kib)
row memory_kib "the service VM's memory less than the bare machine's, KiB" "${bare:+${mine:+$((bare - mine))}}"
# Bochs has no IOMMU.
[ "$machine" != svm ] || tests/bench-io.sh "$lines" || complete=0
python3 -B tests/bench_json.py "$machine" "$lines" >"$out/$machine.json"
echo "bench: all of it for programs: $out/$machine.json" >&2
[ "$complete" = 1 ]
