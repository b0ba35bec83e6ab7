# SPDX-License-Identifier: GPL-2.0-only
#
# "make help" lists the targets. Everything is compiled inside the lab's own
# Debian root (scripts/lab), so the result does not depend on the host; build.mk
# is what runs there.

MAKEFLAGS += --no-print-directory
.PHONY: all help demo check check-all conformance bench bench-work bench-count scale run lab programs coverage size stack unit \
	lint fuzz prove prove-mutants debug install deb clean

# Of the debug build, what the other targets want is built besides.
all: $(if $(filter 1,$(DEBUG)),debug) ## hypervisor (build/bedplate.elf, build/bedplate.efi) and shim (build/bedplate.ko)
	@scripts/lab up --only-root
	@scripts/lab exec -- make -f build.mk DEBUG= -j$$(nproc)

debug: ## or DEBUG=1: a hypervisor that checks itself, build/debug/bedplate.elf (docs/assurance.md)
	@scripts/lab up --only-root
	@scripts/lab exec -- make -f build.mk bedplate O=build/debug DEBUG=1 -j$$(nproc)

# What is missing is built first, in the lab's root; "make -f build.mk packaged" builds it with
# the machine's own compiler.
install: PREFIX ?= /usr/local
install: ## DESTDIR= PREFIX=: hypervisor, shim's source for DKMS, tools, GRUB's generator (docs/install.md)
	@[ -e build/bedplate.elf ] && [ -e build/tools/on-bedplate ] || $(MAKE) all
	@$(MAKE) -f install.mk install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)

deb: ## Debian packages in build/deb (docs/install.md)
	@scripts/lab up --packaging
	@scripts/deb

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
		awk -F '|' '{ printf "%-18s %s\n", $$1, $$2 }'

lab: all
	@scripts/lab up

run: lab ## a shell in the service VM on Bedplate; DEBUG=1: on the debug build
	@scripts/lab run $(if $(filter 1,$(DEBUG)),--debug)

# BOOT: grub-bios, grub-efi or efi.
demo: lab ## the main job on a terminal, from a bare Debian machine; BOOT=efi: from UEFI
	@scripts/demo $(BOOT)

programs: lab
	@scripts/lab exec -- make -f build.mk vmm

check: programs ## the tests, in a quarter of an hour; the last line is "N passed, N failed, N skipped"
	@scripts/lab up --selftests
	@tests/check

check-all: programs debug ## also what takes long: within two hours
	@scripts/lab up --selftests
	@scripts/lab up --vmms || echo "check-all: no VMMs but QEMU: their tests are skipped"
	@scripts/lab up --libvirt
	@scripts/lab up --prove
	@tests/check --all

# CONFORMANCE: options and patterns, such as --machine vmx 'x86_64/hyperv*'.
conformance: programs ## KVM's own tests on Bedplate and on Linux's KVM; writes docs/conformance.md
	@scripts/lab up --selftests
	@tests/conformance $(CONFORMANCE)

unit: ## the tests of pure code only, on the host
	@scripts/lab up --only-root
	@scripts/lab exec -- make -j$$(nproc) -C tests/unit OUT=$(CURDIR)/build/unit

# PROOFS: patterns of their names; all otherwise.
prove: ## proofs by bounded model checking (CBMC); the last line is "N proved, N failed"
	@scripts/lab up --prove
	@scripts/lab exec --in prove -- scripts/prove $(PROOFS)

prove-mutants: ## each proof with faults seeded into the code, which it must find
	@scripts/lab up --prove
	@scripts/lab exec --in prove -- scripts/prove --mutants $(PROOFS)

fuzz: TARGETS ?= *
fuzz: ## each parser, decoder and the hypercalls under a fuzzer; SECONDS=n each, TARGETS=pattern
	@scripts/lab up --prove
	@scripts/lab exec --in prove -- tests/fuzz/run --seconds $(or $(SECONDS),60) '$(TARGETS)'

scale: ## what scheduler, timers and memory cost as the machine grows, in instructions
	@scripts/lab up --only-root
	@scripts/lab exec -- make -s -C tests/unit OUT=$(CURDIR)/build/unit build \
		TESTS="test_scale test_terabytes"
	@scripts/lab exec -- build/unit/test_scale --table
	@scripts/lab exec -- build/unit/test_terabytes --table

lint: ## what checkers find: rooms, gcc, clang-tidy, cppcheck, sparse, checkpatch, shell, Python
	@scripts/lab up --lint
	@scripts/lab exec --in lint -- scripts/lint

# COVERAGE_TESTS: patterns of tests/check; all of the first tier otherwise.
coverage: programs ## what tests reach, line by line: build/cov/html, and a line a room
	@scripts/lab up --lint
	@scripts/lab exec -- make -f build.mk bedplate O=build/cov COVERAGE=1 -j$$(nproc)
	@scripts/lab exec --in lint -- make -j$$(nproc) -C tests/unit OUT=$(CURDIR)/build/cov/unit COVERAGE=1
	@rm -f build/check/*/coverage
	@CHECK_COVERAGE=build/cov/bedplate.elf tests/check $(COVERAGE_TESTS)
	@scripts/lab exec --in lint -- scripts/coverage

stack: ## the deepest stack of every entry path, in bytes (hv/stacks); fails where it is too deep
	@scripts/lab up --only-root
	@scripts/lab exec -- scripts/stack

size: ## lines of code by room, trusted and not
	@scripts/lab up --only-root
	@scripts/lab exec -- scripts/size

bench: MACHINE ?= svm
bench: programs ## instructions per round trip, beside KVM's; MACHINE=vmx or svm-bochs: in Bochs
	@tests/bench.sh --machine $(MACHINE)

bench-work: programs ## whole work beside KVM's: starts, disk, network, memory, migration; a quarter of an hour
	@tests/bench-work.sh

bench-count: MACHINE ?= svm
bench-count: programs ## what expensive instructions each round trip of make bench has, beside KVM's
	@tests/profile --ops --machine $(MACHINE)

clean: ## remove what was built, but not the lab
	rm -rf build/prove build/obj build/efi build/unit build/shim build/vmm build/tools build/check build/lint build/cov build/debug build/deb \
		build/bedplate.elf build/bedplate.efi build/bedplate.ko build/bedplate_iommu.ko
