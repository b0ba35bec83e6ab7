// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSR and I/O bitmaps (SDM vol. 3, 25.6.9, 25.6.4).  A set bit makes the access exit, as
 * does any MSR outside of the two ranges; guests' ports all exit, without a bitmap.  Domain
 * 0's MSR bitmap, and those that all guests share: with or without x2APIC, and with or
 * without the vCPU's own MSRs.  All are constant once vCPUs run.
 */
#include "guest/io_dom0.h"
#include "guest/msr.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/paging.h"
#include "memory/domain.h"
#include "vcpu/speculation.h"
#include "vmx.h"

#define MSR_RANGE	0x2000u
#define MSR_HIGH	0xc0000000u

/* One bit for each MSR of a range. */
struct msr_bitmap {
	u8 read_low[MSR_RANGE / 8];
	u8 read_high[MSR_RANGE / 8];
	u8 write_low[MSR_RANGE / 8];
	u8 write_high[MSR_RANGE / 8];
};

static_assert(sizeof(struct msr_bitmap) == PAGE_SIZE, "hardware format");

static struct msr_bitmap service_msrs __aligned(4096);
/* By BP_RULE_MSR_TRAP, and by x2APIC virtualised. */
static struct msr_bitmap guest_msrs[2][2] __aligned(4096);

/* Bitmaps A and B: one bit for each port of domain 0. */
static u8 service_ports[2 * PAGE_SIZE] __aligned(4096);

static void set_bit(u8 *map, u32 n, bool on)
{
	if (on)
		map[n / 8] |= 1u << n % 8;
	else
		map[n / 8] &= ~(1u << n % 8);
}

static void catch_read(struct msr_bitmap *m, u32 msr, bool on)
{
	if (msr < MSR_RANGE)
		set_bit(m->read_low, msr, on);
	else if (msr - MSR_HIGH < MSR_RANGE)
		set_bit(m->read_high, msr - MSR_HIGH, on);
}

static void catch_write(struct msr_bitmap *m, u32 msr, bool on)
{
	if (msr < MSR_RANGE)
		set_bit(m->write_low, msr, on);
	else if (msr - MSR_HIGH < MSR_RANGE)
		set_bit(m->write_high, msr - MSR_HIGH, on);
}

/* The running vCPU's own values, in the VMCS or (KernelGSBase) saved by put. */
static const u32 own[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
	MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};

/* IA32_VMX_BASIC and the other capability MSRs. */
static const struct msr_range capabilities = { MSR_VMX_BASIC, MSR_VMX_BASIC + 0x1f };

static void catch_reads(struct msr_bitmap *m, const struct msr_range *r)
{
	u32 msr;

	for (msr = r->first; msr <= r->last; msr++)
		catch_read(m, msr, true);
}

/* The system-call MSRs are written through us, so that we know them. */
static void pass_own(struct msr_bitmap *m)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(own); i++) {
		catch_read(m, own[i], false);
		catch_write(m, own[i], false);
	}
	for (i = 0; i < NR_SYS; i++)
		catch_read(m, vmx_sys_msr[i], false);
}

/* Speculation controls are domain 0's to write where the CPU has them. */
static void pass_speculation(struct msr_bitmap *m)
{
	if (spec_pass_ctrl())
		catch_write(m, MSR_SPEC_CTRL, false);
	if (spec_pass_pred())
		catch_write(m, MSR_PRED_CMD, false);
}

static void init_service_ports(void)
{
	u32 i, port;

	for (i = 0; i < dom0_ports_len; i++)
		for (port = dom0_ports[i].first; port <= dom0_ports[i].last; port++)
			set_bit(service_ports, port, true);
}

static void init_service_msrs(struct msr_bitmap *m)
{
	u32 i;

	memset(m->write_low, 0xff, sizeof(m->write_low));
	memset(m->write_high, 0xff, sizeof(m->write_high));
	for (i = 0; i < dom0_virtual_msrs_len; i++)
		catch_reads(m, &dom0_virtual_msrs[i]);
	catch_reads(m, &capabilities);
	pass_own(m);
	pass_speculation(m);
}

#define X2APIC(offset)	(MSR_X2APIC_BASE + ((offset) >> 4))

/*
 * Registers that read as they stand in the page.  Not so: the timer's count; ICR,
 * whose upper half is elsewhere; those that cannot be read.
 */
static const struct {
	u16 first, last;
} x2apic_plain[] = {
	{ APIC_REG_ID, APIC_REG_VERSION },
	{ APIC_REG_LDR, APIC_REG_LDR },
	{ APIC_REG_SVR, APIC_REG_ESR },
	{ APIC_REG_LVT_TIMER, APIC_REG_TIMER_INIT },
	{ APIC_REG_TIMER_DIV, APIC_REG_TIMER_DIV },
};

/* What the CPU virtualises without us (SDM vol. 3, 31.5). */
static void pass_x2apic(struct msr_bitmap *m, u32 apic)
{
	u32 i, r;

	catch_read(m, X2APIC(APIC_REG_TPR), false);
	catch_write(m, X2APIC(APIC_REG_TPR), false);
	for (i = 0; i < ARRAY_SIZE(x2apic_plain) && (apic & PROC2_APIC_REGS); i++)
		for (r = x2apic_plain[i].first; r <= x2apic_plain[i].last; r += 0x10)
			catch_read(m, X2APIC(r), false);
	if (apic & PROC2_DELIVERY) {
		catch_read(m, X2APIC(APIC_REG_PPR), !(apic & PROC2_APIC_REGS));
		catch_write(m, X2APIC(APIC_REG_EOI), false);
		catch_write(m, X2APIC(APIC_REG_SELF_IPI), false);
	}
}

void vmx_perm_init(void)
{
	init_service_ports();
	init_service_msrs(&service_msrs);
	memset(guest_msrs, 0xff, sizeof(guest_msrs));
	pass_own(&guest_msrs[0][0]);
	pass_own(&guest_msrs[0][1]);
	pass_x2apic(&guest_msrs[0][1], vmx.ctl.apic);
	pass_x2apic(&guest_msrs[1][1], vmx.ctl.apic);
}

hpa_t vmx_msr_bitmap(const struct vcpu *v, bool x2apic)
{
	if (domain_is_dom0(v->dom))
		return virt_to_phys(&service_msrs);
	return virt_to_phys(&guest_msrs[!!(v->rules.flags & BP_RULE_MSR_TRAP)][x2apic]);
}

hpa_t vmx_io_bitmap(u32 half)
{
	return virt_to_phys(service_ports + half * PAGE_SIZE);
}
