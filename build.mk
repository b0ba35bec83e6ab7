# SPDX-License-Identifier: GPL-2.0-only
#
# What Makefile runs inside the lab's root: compiles everything there is.
# Kbuild writes its objects beside the sources, so the shim is built from a
# copy under build/shim.

SRC := .
O := build
RELEASE := $(notdir $(firstword $(wildcard /lib/modules/*+deb*-amd64 /lib/modules/*-amd64)))
KDIR := /lib/modules/$(RELEASE)/build
SHIM := $(O)/shim
MODULES := $(O)/bedplate.ko $(O)/bedplate_iommu.ko
CHANNEL := compat/kvm-abi/channel.h compat/kvm-abi/channel_nested.h
SHIM_SRC := $(CHANNEL) hv/svm/vmcb.h $(shell find dom0-shim -name '*.[ch]' -o -name Kbuild -o -name '*.mk')

# What packages and "make install" want; the shim is built where it is installed.
PACKAGED := bedplate efi $(O)/tools/bedplate $(O)/tools/on-bedplate

# Modules of the tests, likewise.
HOSTILE := $(O)/hostile
HOSTILE_KO := $(addprefix $(HOSTILE)/tests/hostile/,bp_hostile.ko bp_failing.ko bp_once.ko)
HOSTILE_SRC := $(CHANNEL) dom0-shim/compat.h dom0-shim/channel/hypercall.h \
	$(wildcard tests/hostile/*.[ch]) tests/hostile/Kbuild

.PHONY: everything packaged vmm
everything: $(PACKAGED) $(MODULES)
packaged: $(PACKAGED)

include hv/hv.mk
include boot/efi/efi.mk

$(MODULES) &: $(SHIM_SRC)
	@mkdir -p $(SHIM)/dom0-shim
	@cp -u --parents $(SHIM_SRC) $(SHIM)/
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(SHIM)/dom0-shim modules
	@cp $(patsubst $(O)/%,$(SHIM)/dom0-shim/%,$(MODULES)) $(O)/

# The lab lays module and tool over the service VM's image.
include tools/tools.mk

# Asks CPUID whether this is the service VM.
$(O)/tools/on-bedplate: packaging/on-bedplate.c $(CHANNEL)
	@mkdir -p $(@D)
	$(CC) -O2 $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $<

# The programs that tests and benchmarks run in the service VM.
vmm: $(O)/profile/count.so $(HOSTILE_KO)
	@$(MAKE) --no-print-directory -C tests/vmm OUT=$(CURDIR)/$(O)/vmm

# What QEMU loads for tests/profile.
$(O)/profile/count.so: tests/profile.d/count.c hv/warnings.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 $(WARNINGS) -shared -fPIC -fvisibility=hidden -o $@ $<

$(HOSTILE_KO) &: $(HOSTILE_SRC)
	@mkdir -p $(HOSTILE)
	@cp -u --parents $(HOSTILE_SRC) $(HOSTILE)/
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(HOSTILE)/tests/hostile modules
