/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-vmm offers: what /dev/kvm offers, a line each, to be compared with another KVM's:
 * "cap NUMBER VALUE", "cpuid LEAF.SUBLEAF REGISTER BIT", "msr INDEX".
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#define CAPS		256
#define MSRS		1024

static const char *const reg_name[] = { "eax", "ebx", "ecx", "edx" };

/* Leaves whose registers are sets of features: bit n of regs is reg_name[n]. */
static const struct { uint32_t leaf, sub, regs; } features[] = {
	{ 1, 0, 0xc }, { 6, 0, 5 }, { 7, 0, 0xe }, { 7, 1, 9 }, { 7, 2, 8 }, { 0xd, 0, 1 }, { 0xd, 1, 1 },
	{ 0x40000001, 0, 0xf }, { 0x80000001, 0, 0xc }, { 0x80000007, 0, 8 }, { 0x80000008, 0, 2 },
	{ 0x8000000a, 0, 8 }, { 0x80000021, 0, 1 },
};

static void caps(void)
{
	int fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);

	CHECK(fd >= 0);
	for (int i = 0; i < CAPS; i++) {
		int value = check_cap(fd, i);

		if (value)
			printf("cap %d %d\n", i, value);
	}
	close(fd);
}

static void cpuid(void)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + CPUID_MAX * sizeof(c->entries[0]));

	c->nent = CPUID_MAX;
	CHECK_EQ(ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, c), 0);
	for (size_t f = 0; f < sizeof(features) / sizeof(features[0]); f++) {
		const struct kvm_cpuid_entry2 *e = cpuid_find(c, features[f].leaf, features[f].sub);

		if (!e)
			continue;
		for (int r = 0; r < 4; r++)
			for (int bit = 0; features[f].regs >> r & 1 && bit < 32; bit++)
				if ((&e->eax)[r] >> bit & 1)
					printf("cpuid %x.%x %s %d\n", e->function, e->index, reg_name[r], bit);
	}
	free(c);
}

static void msrs(void)
{
	struct kvm_msr_list *l = calloc(1, sizeof(*l) + MSRS * sizeof(l->indices[0]));

	l->nmsrs = MSRS;
	CHECK_EQ(ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, l), 0);
	for (uint32_t i = 0; i < l->nmsrs; i++)
		printf("msr %x\n", l->indices[i]);
	free(l);
}

int show_offers(void)
{
	if (vmm_open()) {
		perror("bp-vmm: /dev/kvm");
		return 1;
	}
	caps();
	cpuid();
	msrs();
	return 0;
}
