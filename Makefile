# SPDX-License-Identifier: GPL-2.0-only
#
# make          hypervisor (build/bedplate.elf) and shim (build/bedplate.ko)
# make demo     the main job on a terminal, from a bare Debian machine
# make check    every test; closes with "N passed, N failed, N skipped"
# make check-all  also what takes long: within two hours
# make bench    instructions per round trip, Bedplate and KVM side by side, on
#               AMD's SVM; MACHINE=vmx: on Intel's VMX in Bochs (make bench MACHINE=vmx)
# make size     lines of code by room
# make run      a shell in the service VM
#
# Everything is compiled inside the lab's own Debian root (scripts/lab), so
# the result does not depend on the host; build.mk is what runs there.

MAKEFLAGS += --no-print-directory
.PHONY: all demo check check-all bench run lab programs size unit clean

all:
	@scripts/lab up --only-root
	@scripts/lab exec -- make -f build.mk -j$$(nproc)

lab: all
	@scripts/lab up

run: lab
	@scripts/lab run

demo: lab
	@scripts/demo

programs: lab
	@scripts/lab exec -- make -f build.mk vmm

check: programs
	@tests/check

check-all: programs
	@tests/check --all

bench: MACHINE ?= svm
bench: programs
	@tests/bench.sh --machine $(MACHINE)

size:
	@scripts/lab up --only-root
	@scripts/lab exec -- scripts/size

unit:
	@scripts/lab up --only-root
	@scripts/lab exec -- make -j$$(nproc) -C tests/unit OUT=$(CURDIR)/build/unit

clean:
	rm -rf build/obj build/unit build/shim build/vmm build/tools build/check \
		build/bedplate.elf build/bedplate.ko
