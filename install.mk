# SPDX-License-Identifier: GPL-2.0-only
#
# What "make install" runs: puts what was built into $(DESTDIR). Image, GRUB's generator and
# options have their places wherever PREFIX is, for GRUB and DKMS look there. What is not
# there (the UEFI application) is left out.

O := build
PREFIX := /usr/local
DESTDIR :=
VERSION := $(shell cat VERSION)
LIBDIR := $(PREFIX)/lib
UNITS := $(LIBDIR)/systemd/system
DKMS := /usr/src/bedplate-$(VERSION)
SHIM_SRC := compat/kvm-abi/channel.h compat/kvm-abi/channel_nested.h hv/svm/vmcb.h $(shell find dom0-shim -name '*.[ch]' -o -name Kbuild -o -name Makefile -o -name '*.mk')

to = $(DESTDIR)$(1)
put = install -D -m $(1) $(2) $(call to,$(3))
# put_if FILE: the same if FILE was built.
put_if = $(if $(wildcard $(2)),$(call put,$(1),$(2),$(3)))
# put_here MODE FILE PLACE: with the directories of this installation in it.
put_here = mkdir -p $(dir $(call to,$(3))) && sed 's|@LIBDIR@|$(LIBDIR)|g; s|/usr/sbin/bedplate|$(PREFIX)/sbin/bedplate|g' $(2) >$(call to,$(3)) && chmod $(1) $(call to,$(3))

.SILENT:
.PHONY: install install-hypervisor install-shim install-tools
install: install-hypervisor install-shim install-tools

install-hypervisor:
	$(call put,644,$(O)/bedplate.elf,/boot/bedplate.elf)
	strip $(call to,/boot/bedplate.elf)
	$(call put_if,644,$(O)/bedplate.efi,$(LIBDIR)/bedplate/bedplate.efi)
	$(call put,755,$(O)/tools/on-bedplate,$(LIBDIR)/bedplate/on-bedplate)
	$(call put,755,packaging/files/load-modules,$(LIBDIR)/bedplate/load-modules)
	$(call put,644,packaging/files/modprobe.conf,$(LIBDIR)/modprobe.d/bedplate.conf)
	$(call put,755,packaging/11_bedplate,/etc/grub.d/11_bedplate)
	$(call put,644,packaging/files/default,/etc/default/bedplate)
	$(call put,644,packaging/files/bedplate.cfg,/etc/default/grub.d/bedplate.cfg)
	$(call put,755,packaging/files/zz-bedplate,/etc/kernel/header_postinst.d/zz-bedplate)
	$(call put,755,packaging/files/zz-bedplate,/etc/kernel/postinst.d/zz-bedplate)
	$(call put,755,packaging/bedplate-efi-install,$(PREFIX)/sbin/bedplate-efi-install)
	$(call put,644,packaging/bedplate-efi-install.8,$(PREFIX)/share/man/man8/bedplate-efi-install.8)
	$(call put_here,644,packaging/files/bedplate.service,$(UNITS)/bedplate.service)
	$(call put_here,644,packaging/files/bedplate-booted.service,$(UNITS)/bedplate-booted.service)

install-shim:
	mkdir -p $(call to,$(DKMS))
	cp --parents $(SHIM_SRC) $(call to,$(DKMS))
	sed 's/#MODULE_VERSION#/$(VERSION)/' packaging/dkms.conf >$(call to,$(DKMS)/dkms.conf)

install-tools:
	$(call put,755,$(O)/tools/bedplate,$(PREFIX)/sbin/bedplate)
	$(call put,644,tools/bedplate.8,$(PREFIX)/share/man/man8/bedplate.8)
	$(call put,644,tools/bedplate.bash,$(PREFIX)/share/bash-completion/completions/bedplate)
	$(call put_here,644,packaging/bedplate-metrics.service,$(UNITS)/bedplate-metrics.service)
