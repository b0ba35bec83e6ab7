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
SHIM_SRC := $(shell find dom0-shim compat/kvm-abi -name '*.[chS]' -o -name Kbuild -o -name '*.mk')

.PHONY: everything shim vmm
everything: bedplate $(O)/bedplate.ko vmm

include hv/hv.mk

$(O)/bedplate.ko: $(SHIM_SRC)
	@mkdir -p $(SHIM)/dom0-shim
	@cp -u --parents $(SHIM_SRC) $(SHIM)/
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(SHIM)/dom0-shim modules
	@cp $(SHIM)/dom0-shim/bedplate.ko $@

vmm:
	@$(MAKE) --no-print-directory -C tests/vmm OUT=$(CURDIR)/$(O)/vmm
