# SPDX-License-Identifier: GPL-2.0-only
#
# Builds $(O)/tools/bedplate, a program for the service VM and for plain Linux. What
# `bedplate check` says of the CPU and the IOMMUs is judged by Bedplate's own code.

TOOL_SRCS := $(sort $(wildcard tools/*.c)) hv/vmx/caps.c hv/iommu/dmar.c hv/iommu/ivrs.c \
	hv/iommu/ivrs_devs.c hv/core/lib/printf.c
TOOL_OBJS := $(TOOL_SRCS:%=$(O)/tools/obj/%.o)
TOOL_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE $(WARNINGS) \
	-DBP_HOST_TEST -iquote . -iquote hv/core -iquote tools $(EXTRA_CFLAGS)
TOOL_VERSION := $(shell cat VERSION 2>/dev/null || echo unreleased)

$(O)/tools/obj/%.c.o: %.c $(wildcard VERSION)
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(TOOL_CFLAGS) -DBEDPLATE_VERSION='"$(TOOL_VERSION)"' -MMD -MP -c -o $@ $<

$(O)/tools/bedplate: $(TOOL_OBJS)
	@echo "  LD      $@"
	@$(CC) -pie -Wl,-z,relro,-z,now -o $@ $(TOOL_OBJS) -lncursesw -ltinfo

-include $(TOOL_OBJS:.o=.d)
