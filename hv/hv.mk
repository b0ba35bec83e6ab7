# SPDX-License-Identifier: GPL-2.0-only
#
# Builds $(O)/bedplate.elf from every .c and .S in boot/ (but for boot/efi), hv/ and compat/;
# objects go to $(O)/obj. To be included with SRC = the root of the tree, or
# used alone: make -f hv/hv.mk. DEBUG=1 adds checks (hv/core/machine/debug), COVERAGE=1
# counts lines for gcov, V=1 shows the commands.

SRC	?= .
O	?= build
HVCC	?= $(if $(filter default,$(origin CC)),gcc,$(CC))
NM	?= nm
V	?= 0
HV_Q	:= $(if $(filter 1,$(V)),,@)
HV_STACK_PROTECTOR := -fno-stack-protector
ifeq ($(DEBUG),1)
HV_DEBUG_CFLAGS := -DBP_DEBUG -fsanitize=undefined -fno-sanitize-recover=all \
	-fstrict-flex-arrays=3
HV_STACK_PROTECTOR := -fstack-protector-strong -mstack-protector-guard=global
endif
ifeq ($(COVERAGE),1)
HV_DEBUG_CFLAGS += -DBP_COVERAGE
HV_COVERAGE := --coverage -fprofile-info-section -fprofile-update=atomic
endif

# No indirect branch in root mode is predicted (docs/speculation.md): retpolines, and
# no jump tables, which would only be more of them.
HV_RETPOLINE := -mindirect-branch=thunk -mindirect-branch-register -fno-jump-tables

# Nothing after a RET is executed ahead (straight-line speculation, AMD's): INT3 follows each.
HV_RETPOLINE += -mharden-sls=return

# The version in the log's first line; a bare word, for C makes a string of it.
HV_VERSION := -DBP_VERSION=$(shell cat $(SRC)/VERSION)

include $(SRC)/hv/warnings.mk

HV_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -mcmodel=kernel \
	-mno-red-zone -mgeneral-regs-only $(HV_STACK_PROTECTOR) -fstack-usage \
	-fno-omit-frame-pointer -fno-strict-aliasing -fno-common \
	-fno-asynchronous-unwind-tables -fcf-protection=none $(HV_RETPOLINE) \
	$(WARNINGS) $(HV_VERSION) \
	-iquote $(SRC) -iquote $(SRC)/hv/core $(HV_DEBUG_CFLAGS) $(HV_EXTRA_CFLAGS)
HV_ASFLAGS := $(HV_CFLAGS) -D__ASSEMBLY__
HV_LDFLAGS := -nostdlib -static -no-pie -Wl,-T,$(SRC)/linker.ld \
	-Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--build-id=none \
	-Wl,--warn-rwx-segments -Wl,--fatal-warnings

HV_SRCS := $(sort $(foreach d,boot hv compat,$(shell find $(SRC)/$(d) -name '*.[cS]' -not -path '*/boot/efi/*' \
	-not -name '*.prove.c' $(if $(filter 1,$(DEBUG)),,-not -path '*/machine/debug/*'))))
HV_OBJS := $(patsubst $(SRC)/%,$(O)/obj/%.o,$(HV_SRCS)) $(O)/obj/font.o

.PHONY: bedplate
bedplate: $(O)/bedplate.elf

$(O)/obj/%.c.o: $(SRC)/%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(HV_Q)$(HVCC) $(HV_CFLAGS) $(if $(filter %/coverage.c,$<),,$(HV_COVERAGE)) -MMD -MP -c -o $@ $<

$(O)/obj/%.S.o: $(SRC)/%.S
	@mkdir -p $(@D)
	@echo "  AS      $<"
	$(HV_Q)$(HVCC) $(HV_ASFLAGS) -MMD -MP -c -o $@ $<

# Flags or the list of sources changed: start again, or link again.
$(O)/obj/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(HVCC) $(HV_CFLAGS) $(HV_LDFLAGS)' | cmp -s - $@ || \
		echo '$(HVCC) $(HV_CFLAGS) $(HV_LDFLAGS)' >$@
$(O)/obj/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(HV_OBJS)' | cmp -s - $@ || echo '$(HV_OBJS)' >$@
.PHONY: FORCE
FORCE:
$(HV_OBJS): $(O)/obj/flags

# The frame buffer's glyphs, of Debian's package console-setup-linux: VGA's, public domain.
FONT ?= /usr/share/consolefonts/Uni2-VGA16.psf.gz
$(O)/obj/font.o: $(SRC)/hv/font $(FONT) $(O)/obj/flags
	@echo "  FONT    $(FONT)"
	$(HV_Q)$(SRC)/hv/font $(FONT) >$(O)/obj/font.S
	$(HV_Q)$(HVCC) -c -o $@ $(O)/obj/font.S

# First link without symbols, then with the table made from it: functions
# precede it in the image and so do not move.
$(O)/obj/bedplate.nosym: $(HV_OBJS) $(SRC)/linker.ld $(O)/obj/sources
	@echo "  LD      $@"
	$(HV_Q)$(HVCC) $(HV_LDFLAGS) -o $@ $(HV_OBJS)

$(O)/obj/symbols.S: $(O)/obj/bedplate.nosym $(SRC)/hv/symbols.awk
	$(HV_Q)$(NM) -n $< | awk -f $(SRC)/hv/symbols.awk >$@

$(O)/bedplate.elf: $(O)/obj/symbols.S
	@echo "  LD      $@"
	$(HV_Q)$(HVCC) -c -o $(O)/obj/symbols.o $<
	$(HV_Q)$(HVCC) $(HV_LDFLAGS) -o $@ $(HV_OBJS) $(O)/obj/symbols.o

-include $(HV_OBJS:.o=.d)
