# SPDX-License-Identifier: GPL-2.0-only
#
# Builds $(O)/bedplate.efi, the UEFI application, of boot/efi and of what it shares with
# the hypervisor; $(O)/bedplate.elf is in it. Included by build.mk, after hv/hv.mk. It wants
# gnu-efi: headers, crt0 and the relocator.

EFI_O	:= $(O)/efi
EFI_LIB	?= /usr/lib
EFI_SHARED := $(addprefix $(SRC)/,boot/linux_image.c hv/core/lib/string.c hv/core/lib/printf.c \
	hv/core/machine/cmdline.c hv/core/machine/serial_option.c hv/core/machine/efi_map.c \
	hv/core/machine/memplan.c \
	hv/svm/probe.c hv/vmx/probe.c hv/vmx/caps.c)
EFI_SRCS := $(sort $(wildcard $(SRC)/boot/efi/*.[cS])) $(EFI_SHARED)
EFI_OBJS := $(patsubst $(SRC)/%,$(EFI_O)/%.o,$(EFI_SRCS))

# The firmware's interrupts use our stack: no red zone. What it calls back or hands over keeps
# to no registers but the general ones.
EFI_CFLAGS := -std=gnu11 -O2 -ffreestanding -fPIC -fvisibility=hidden -fshort-wchar \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector -fno-strict-aliasing -fno-common \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-jump-tables \
	$(WARNINGS) -isystem /usr/include/efi -iquote $(SRC) -iquote $(SRC)/hv/core
EFI_LDFLAGS := -nostdlib -shared -Bsymbolic -znocombreloc -z noexecstack -z text --no-undefined \
	--hash-style=sysv --build-id=none -T $(SRC)/boot/efi/efi.ld

# Where whoever builds it tells of its holes; the last field of its line in .sbat.
BP_URL	?= none
BP_VERSION := $(strip $(shell cat $(SRC)/VERSION 2>/dev/null || echo 0))

.PHONY: efi
efi: $(O)/bedplate.efi

$(EFI_O)/%.c.o: $(SRC)/%.c
	@mkdir -p $(@D)
	@echo "  CC      $< (UEFI)"
	$(HV_Q)$(HVCC) $(EFI_CFLAGS) -MMD -MP -c -o $@ $<

$(EFI_O)/%.S.o: $(SRC)/%.S
	@mkdir -p $(@D)
	@echo "  AS      $< (UEFI)"
	$(HV_Q)$(HVCC) $(EFI_CFLAGS) -D__ASSEMBLY__ -DPAYLOAD='"$(EFI_O)/payload.elf"' \
		-DSBAT='"$(EFI_O)/sbat"' -MMD -MP -c -o $@ $<

$(EFI_O)/payload.elf: $(O)/bedplate.elf
	@mkdir -p $(@D)
	$(HV_Q)objcopy --strip-all $< $@

# The second number goes up when versions before it are to be refused (shim's SBAT.md).
$(EFI_O)/sbat: $(SRC)/boot/efi/efi.mk $(wildcard $(SRC)/VERSION)
	@mkdir -p $(@D)
	$(HV_Q)printf '%s\n' \
		'sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md' \
		'bedplate,1,Bedplate,bedplate,$(BP_VERSION),$(BP_URL)' >$@

$(EFI_OBJS): $(SRC)/boot/efi/efi.mk
$(EFI_O)/boot/efi/payload.S.o: $(EFI_O)/payload.elf $(EFI_O)/sbat

$(EFI_O)/bedplate.so: $(EFI_OBJS) $(SRC)/boot/efi/efi.ld
	@echo "  LD      $@"
	$(HV_Q)ld $(EFI_LDFLAGS) -o $@ $(EFI_LIB)/crt0-efi-x86_64.o $(EFI_OBJS) $(EFI_LIB)/libgnuefi.a

# NX_COMPAT, bit 8 of DllCharacteristics, says that the firmware may take the sections' rights
# at their word; objcopy has no option for it. The PE header is where objcopy always puts it.
$(O)/bedplate.efi: $(EFI_O)/bedplate.so
	@echo "  PE      $@"
	$(HV_Q)objcopy -j .text -j .rodata -j .data -j .dynamic -j .rela -j .reloc -j .sbat \
		--target=efi-app-x86_64 --file-alignment=512 --section-alignment=4096 $< $@.new
	$(HV_Q)printf '\001' | dd of=$@.new bs=1 seek=$$((0x80 + 4 + 20 + 71)) conv=notrunc status=none
	$(HV_Q)mv $@.new $@

-include $(EFI_OBJS:.o=.d)
