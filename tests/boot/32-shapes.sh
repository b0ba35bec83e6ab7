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
		-numa node,memdev=m0,cpus=0-1 -numa node,memdev=m1,cpus=2-3 -numa dist,src=0,dst=1,val=21" -- \
	/opt/tests/shape 4 2 6144 --smp 2
# APIC IDs with gaps, and CPUs that could be plugged in.
thorough reports shapes.many_cpus scripts/lab run --smp 32 --overlay "$overlay" \
	--qemu='-smp 32,sockets=2,dies=2,cores=5,threads=2,maxcpus=40' -- /opt/tests/shape 32 1 2048
