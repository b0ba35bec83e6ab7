# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Machines of other shapes than the usual one of the lab (docs/hardware-machines.md).

# No timer, interrupt controller, keyboard controller or screen of a PC's: the PM timer and
# local APICs are all there is.
reports shapes.no_legacy scripts/lab run --overlay "$overlay" \
	--qemu='-machine pit=off,pic=off,hpet=off,i8042=off,vmport=off -vga none' -- /opt/tests/shape 2 1 2048
# Two nodes, memory above 4 GiB, and a CPU that could have five levels of page tables.
thorough reports shapes.two_nodes scripts/lab run --smp 4 --mem 6G --cpu=+la57 --overlay "$overlay" \
	--qemu="-object memory-backend-ram,id=m0,size=3G -object memory-backend-ram,id=m1,size=3G \
		-smp 4,sockets=2,cores=2 -numa node,memdev=m0,cpus=0-1 -numa node,memdev=m1,cpus=2-3 \
		-numa dist,src=0,dst=1,val=21" -- \
	/opt/tests/shape 4 2 6144 --smp 2
# Many CPUs. With the host's clock their timers alone would be more than one emulating thread can do.
thorough reports shapes.64_cpus scripts/lab run --icount --smp 64 --mem 4G --overlay "$overlay" -- \
	/opt/tests/shape 64 1 4096
# A CPU whose APIC ID is 290: firmware leaves all of them in x2APIC mode, and the IOMMU must
# know such IDs for interrupts to reach it.
thorough reports shapes.high_ids scripts/lab run --overlay "$overlay" \
	--qemu="-device amd-iommu,intremap=on,xtsup=on \
		-smp 2,sockets=300,dies=1,cores=1,threads=1,maxcpus=300 \
		-device EPYC-v4-x86_64-cpu,socket-id=290,die-id=0,core-id=0,thread-id=0" -- \
	/opt/tests/shape 3 1 2048 --smp 2
