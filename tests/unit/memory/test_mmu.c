// SPDX-License-Identifier: GPL-2.0-only
/* Domain 0's table and guests', and access to their memory. */
// SOURCES: hv/core/memory/frames.c hv/core/memory/mmu.c hv/core/memory/mmu_dom0.c hv/core/memory/dommem.c hv/ept/npt.c hv/ept/format.c tests/unit/rig/mm_rig.c
// CFLAGS: -include mm_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mmu_guest.h"
#include "hv/core/lib/errno.h"
#include "hv/core/memory/frames.h"
#include "hv/core/machine/memmap.h"

static void expect_dom0(u64 pfn, u32 order, bool device)
{
	struct npt_leaf leaf;

	assert_int_equal(mmu_lookup(&dom0, pfn << PAGE_SHIFT, &leaf), NPT_MAPPED);
	assert_int_equal(leaf.pfn, pfn);
	assert_int_equal(leaf.order, order);
	assert_int_equal(leaf.attr, NPT_WRITE | NPT_EXEC | (device ? NPT_DEVICE : 0));
}

static void expect_hidden(u64 pfn)
{
	struct npt_leaf leaf;

	assert_int_equal(mmu_lookup(&dom0, pfn << PAGE_SHIFT, &leaf), NPT_ABSENT);
}

static void identity_of_dom0(void **state __unused)
{
	u64 done, i, lost = 0;
	struct npt_leaf leaf;

	expect_dom0(0x9e, 0, false);
	expect_dom0(0x9f, 0, true);
	expect_dom0(0xff, 0, true);
	expect_dom0(0x100, 0, false);
	expect_dom0(0x200, 9, false);
	expect_dom0(RIG_ACPI >> PAGE_SHIFT, 0, true);
	expect_dom0((RIG_ACPI >> PAGE_SHIFT) + 1, 0, false);
	expect_dom0(0x40000, 9, false);
	expect_dom0((RIG_POOL >> PAGE_SHIFT) - 1, 9, false);
	expect_dom0(0x80000, 18, true);
	expect_dom0(0xfee01, 0, true);
	expect_hidden(0xfee00);
	expect_dom0(PFN, 18, false);
	expect_dom0(RIG_TOP >> PAGE_SHIFT, 18, true);
	for (i = 0; i < RIG_TOP >> PAGE_SHIFT; i++)
		if (mmu_lookup(&dom0, i << PAGE_SHIFT, &leaf) == NPT_ABSENT)
			lost++;
	assert_int_equal(lost, ((RIG_POOL_END - RIG_POOL) >> PAGE_SHIFT) + 1);
	for (i = RIG_POOL; i < RIG_POOL_END; i += PAGE_SIZE)
		expect_hidden(i >> PAGE_SHIFT);
	/* Nothing of domain 0's table can be changed by hypercall. */
	assert_int_equal(map1(&dom0, PFN, PFN, 0, RW), -EINVAL);
	assert_int_equal(mmu_unmap(&dom0, PFN, 1, &done), -EINVAL);
}

static u64 entry_of(const struct domain *d, u64 gfn)
{
	u64 *t = phys_to_virt(d->npt.table);
	u32 l;

	for (l = 3; l; l--)
		t = phys_to_virt(t[(gfn >> 9 * l) % 512] & rig_npt->addr);
	return t[gfn % 512];
}

static void memory_types_of_dom0(void **state __unused)
{
	rig_init(true);
	assert_int_equal(entry_of(&dom0, 0x100), 0x100337);		/* RAM: WB */
	assert_int_equal(entry_of(&dom0, 0xa0), 0x100000000a0307);	/* device: UC */
	assert_int_equal(entry_of(&dom0, RIG_ACPI >> PAGE_SHIFT), 0x10000000700337);
}

static void memory_type_of_guests(void **state __unused)
{
	const u64 mask = npt_format_ept.memtype_mask, *type = npt_format_ept.memtype;
	struct domain *d;

	rig_init(true);
	d = domain_get(make_guest());
	assert_int_equal(map1(d, 5, PFN + 5, 0, RW), 1);
	assert_int_equal(entry_of(d, 5) & mask, type[NPT_MT_WB_ONLY]);
	assert_int_equal(map1(d, 6, PFN + 6, 0, RW | BP_MAP_GUEST_PAT), 1);
	assert_int_equal(entry_of(d, 6) & mask, type[NPT_MT_WB]);
	/* Not while it is there in another way. */
	assert_int_equal(map1(d, 5, PFN + 5, 0, RW | BP_MAP_GUEST_PAT), -EEXIST);
	domain_put(d);
}

static void copies(void **state __unused)
{
	struct domain *d = domain_get(make_guest());
	u8 in[PAGE_SIZE], out[PAGE_SIZE], was;
	u32 i;

	for (i = 0; i < sizeof(in); i++)
		in[i] = i * 7;
	assert_int_equal(map1(d, 5, PFN + 9, 0, BP_MAP_WRITE), 1);
	assert_int_equal(map1(d, 6, PFN + 3, 0, 0), 1);
	assert_int_equal(map1(d, 7, 0, 0, BP_MAP_MMIO), 1);
	assert_int_equal(guest_write(d, 0x5800, in, 0x800), 0);
	assert_memory_equal((u8 *)phys_to_virt((PFN + 9) << PAGE_SHIFT) + 0x800, in, 0x800);
	assert_int_equal(guest_read(d, 0x5c00, out, 0x1000), 0);
	assert_memory_equal(out, in + 0x400, 0x400);
	assert_memory_equal(out + 0x400, phys_to_virt((PFN + 3) << PAGE_SHIFT), 0xc00);
	assert_int_equal(guest_write(d, 0x5ffe, in, 4), -EFAULT);	/* read-only */
	assert_int_equal(guest_xchg(d, 0x5803, 0x5a, &was), 0);
	assert_int_equal(was, in[3]);
	assert_int_equal(guest_xchg(d, 0x5803, in[3], &was), 0);
	assert_int_equal(was, 0x5a);
	assert_int_equal(guest_xchg(d, 0x6003, 1, &was), -EFAULT);	/* read-only */
	assert_int_equal(guest_read(d, 0x6ffe, out, 4), -EFAULT);	/* marked */
	assert_int_equal(guest_read(d, 0x4fff, out, 2), -EFAULT);
	assert_int_equal(guest_read(d, ~0ull, out, 1), -EFAULT);
	assert_int_equal(guest_read(d, BIT(48) | 0x5000, out, 1), -EFAULT);
	assert_int_equal(guest_read(d, 0x7000, out, 0), 0);

	/* Domain 0: its RAM, not devices, Bedplate or a guest's frames. */
	assert_int_equal(guest_write(&dom0, (PFN + 20) << PAGE_SHIFT, in, PAGE_SIZE), 0);
	assert_int_equal(guest_read(&dom0, 0xa0000, out, 1), -EFAULT);
	assert_int_equal(guest_read(&dom0, 0xfee00000, out, 1), -EFAULT);
	assert_int_equal(guest_read(&dom0, RIG_POOL, out, 1), -EFAULT);
	assert_int_equal(guest_read(&dom0, 0xe0000000, out, 1), -EFAULT);
	assert_int_equal(guest_read(&dom0, RIG_TOP, out, 1), -EFAULT);
	assert_int_equal(guest_write(&dom0, (PFN + 0x1000) << PAGE_SHIFT, in, 1), -EFAULT);
	domain_put(d);
}

/* The same frame number in both, with other memory, and gone with the domain. */
static void address_space_of_smm(void **state __unused)
{
	struct frame_stats before, after;
	u64 id = make_guest(), done, list[32];
	struct domain *d = domain_get(id);
	struct npt_leaf leaf;
	struct guest_view w;
	u8 b;

	frames_stats(&before);
	memset(phys_to_virt((PFN + 1) << PAGE_SHIFT), 0x11, PAGE_SIZE);
	memset(phys_to_virt((PFN + 2) << PAGE_SHIFT), 0x22, PAGE_SIZE);
	assert_int_equal(mmu_unmap(d, GFN_SMM | 5, 3, &done), 0);	/* there is none */
	assert_int_equal(done, 3);
	assert_int_equal(mmu_lookup(d, GPA_SMM | 0x5000, &leaf), NPT_ABSENT);
	assert_int_equal(guest_read(d, GPA_SMM | 0x5000, &b, 1), -EFAULT);
	assert_int_equal(map1(d, 5, PFN + 1, 0, RW), 1);
	assert_int_equal(map1(d, GFN_SMM | 5, PFN + 2, 0, RW), 1);
	assert_int_equal(map1(d, GFN_SMM | BIT(NPT_GFN_BITS), PFN + 2, 0, RW), -EINVAL);
	assert_int_equal(guest_read(d, 0x5000, &b, 1), 0);
	assert_int_equal(b, 0x11);
	guest_view_begin(&w, d, GPA_SMM);
	assert_int_equal(guest_view_read(&w, 0x5000, &b, 1), 0);
	guest_view_end(&w);
	assert_int_equal(b, 0x22);
	assert_int_equal(mmu_protect(d, GFN_SMM | 5, 1, BP_PROTECT_SPLIT, &done), 0);
	assert_int_equal(mmu_lookup(d, GPA_SMM | 0x5000, &leaf), NPT_MAPPED);
	assert_int_equal(leaf.attr, NPT_EXEC);
	assert_int_equal(mmu_lookup(d, 0x5000, &leaf), NPT_MAPPED);
	assert_int_equal(leaf.attr, NPT_EXEC | NPT_WRITE);
	assert_int_equal(mmu_protect(d, GFN_SMM | BIT(NPT_GFN_BITS), 1, BP_PROTECT_SPLIT, &done), -EINVAL);
	/* No address that a guest can name leads there. */
	assert_int_equal(guest_read(d, GPA_SMM | 0x5000, &b, 1), -EFAULT);
	assert_int_equal(mmu_unmap(d, 5, 1, &done), 0);
	assert_int_equal(mmu_lookup(d, GPA_SMM | 0x5000, &leaf), NPT_MAPPED);
	assert_int_equal(mmu_smm_init(d), 0);
	assert_int_equal(map1(d, 6, PFN + 2, 0, RW), 1);
	domain_put(d);
	while (domain_destroy(id))
		;
	frames_stats(&after);
	assert_int_equal(before.mapped, after.mapped);
	assert_int_equal(domain_reclaim(id, list, 32), 31);
}

/* Bedplate's own page in a guest: without reference, out of reach of copies. */
static void page_of_the_apic(void **state __unused)
{
	const gpa_t at = 0xfee00000;
	const hpa_t own = RIG_POOL;
	struct frame_stats before, after;
	struct domain *d = domain_get(make_guest());
	struct npt_leaf leaf;
	u64 done;
	u8 b = 0;

	frames_stats(&before);
	assert_int_equal(mmu_map_apic(d, at, own), 0);
	assert_int_equal(mmu_map_apic(d, at, own), 0);
	assert_int_equal(mmu_lookup(d, at, &leaf), NPT_MAPPED);
	assert_int_equal(leaf.pfn, own >> PAGE_SHIFT);
	assert_int_equal(leaf.attr & (NPT_WRITE | NPT_EXEC | NPT_DEVICE), NPT_WRITE | NPT_DEVICE);
	assert_int_equal(guest_read(d, at, &b, 1), -EFAULT);
	assert_int_equal(guest_write(d, at, &b, 1), -EFAULT);
	/* The service VM can neither replace it nor take it for its own. */
	assert_int_equal(map1(d, at >> PAGE_SHIFT, PFN, 0, RW), -EEXIST);
	assert_int_equal(map1(d, 0xfee01, PFN, 0, RW), 1);
	/* It goes with an unmap of what is around it, and comes again. */
	assert_int_equal(mmu_unmap(d, 0xfee00, 2, &done), 0);
	assert_int_equal(mmu_lookup(d, at, &leaf), NPT_ABSENT);
	assert_int_equal(mmu_map_apic(d, at, own), 0);
	assert_int_equal(npt_mapped(&d->npt), 1);
	assert_int_equal(mmu_unmap(d, 0xfee00, 1, &done), 0);
	frames_stats(&after);
	assert_int_equal(before.mapped, after.mapped);
	domain_put(d);
}

static u64 guest_entry(struct domain *d, u64 gfn)
{
	u64 *t = phys_to_virt(d->npt.table);
	u32 l;

	for (l = 3; l; l--)
		t = phys_to_virt(t[(gfn >> 9 * l) % 512] & rig_npt->addr);
	return t[gfn % 512];
}

/* Devices that are domain 0's: uncached, without reference, out of reach of copies. */
static void devices_of_dom0(void **state __unused)
{
	struct frame_stats before, after;
	struct domain *d;
	struct npt_leaf leaf;
	u64 done;
	u8 b = 0;

	rig_init(true);
	d = domain_get(make_guest());
	frames_stats(&before);
	assert_int_equal(map1(d, 0x500, 0xfd000, 0, RW), 1);
	assert_int_equal(guest_entry(d, 0x500), 0x100000fd000307);	/* UC, PAT applies */
	assert_int_equal(map1(d, 0x501, 0xfd001, 0, BP_MAP_EXEC), 1);
	assert_int_equal(mmu_lookup(d, 0x501000, &leaf), NPT_MAPPED);
	assert_int_equal(leaf.attr, NPT_EXEC | NPT_DEVICE);
	assert_int_equal(map1(d, 0x800, 0xfd200, 9, RW), 1);
	assert_int_equal(map1(d, 0x700, RIG_TOP >> PAGE_SHIFT, 0, RW), 1);
	assert_int_equal(guest_read(d, 0x500000, &b, 1), -EFAULT);
	assert_int_equal(guest_write(d, 0x500000, &b, 1), -EFAULT);
	assert_int_equal(guest_xchg(d, 0x500000, b, &b), -EFAULT);
	/* Again, and with more rights; but neither RAM nor another frame in its place. */
	assert_int_equal(map1(d, 0x501, 0xfd001, 0, RW), 1);
	assert_int_equal(map1(d, 0x500, 0xfd001, 0, RW), -EEXIST);
	assert_int_equal(map1(d, 0x500, PFN, 0, RW), -EEXIST);
	frames_stats(&after);
	assert_int_equal(before.mapped, after.mapped);
	assert_int_equal(mmu_unmap(d, 0, 0x1000, &done), 0);
	assert_int_equal(mmu_lookup(d, 0x500000, &leaf), NPT_ABSENT);
	assert_int_equal(npt_mapped(&d->npt), 0);
	domain_put(d);
}

/* Whatever domain 0 has not itself. */
static void devices_of_others(void **state __unused)
{
	struct domain *d = domain_get(make_guest());

	assert_int_equal(map1(d, 5, 0xfee00, 0, RW), -EPERM);		/* local APIC */
	assert_int_equal(map1(d, 0x200, 0xfee00, 9, RW), -EPERM);	/* with it */
	assert_int_equal(map1(d, 5, RIG_POOL >> PAGE_SHIFT, 0, RW), -EPERM);
	assert_int_equal(map1(d, 5, PFN + 0x1000, 0, RW), -EPERM);	/* donated */
	assert_int_equal(map1(d, 0x200, 0, 9, RW), -EPERM);		/* RAM and a hole */
	assert_int_equal(map1(d, 0x200, 0x80001, 9, RW), -EINVAL);
	assert_int_equal(map1(d, 5, BIT(36), 0, RW), -EPERM);		/* beyond the limit */
	assert_int_equal(map1(d, 5, BIT(52) | 0xfd000, 0, RW), -EINVAL);
	assert_int_equal(map1(d, 5, ~0ull, 0, RW), -EPERM);
	assert_int_equal(map1(d, 5, 0xfd001, 0, RW), 1);
	assert_int_equal(npt_mapped(&d->npt), 1);
	domain_put(d);
}

/* It is there while no vCPU bars it: not before the last of them is back. */
static void page_of_the_apic_comes_and_goes(void **state __unused)
{
	const gpa_t at = 0xfee00000;
	struct domain *d = domain_get(make_guest());
	struct npt_leaf leaf;
	u64 gen;

	assert_int_equal(mmu_map_apic(d, at, RIG_POOL), 0);
	gen = d->tlb_gen;
	mmu_bar_apic(d, at);
	assert_true(d->tlb_gen > gen);
	assert_int_equal(mmu_lookup(d, at, &leaf), NPT_ABSENT);
	assert_int_equal(mmu_map_apic(d, at, RIG_POOL), -EEXIST);
	mmu_bar_apic(d, at);
	mmu_unbar_apic(d);
	assert_int_equal(mmu_map_apic(d, at, RIG_POOL), -EEXIST);
	/* The shim has seen an access to it meanwhile. */
	assert_int_equal(map1(d, at >> PAGE_SHIFT, 0, 0, BP_MAP_MMIO), 1);
	assert_int_equal(mmu_map_apic(d, at, RIG_POOL), -EEXIST);
	assert_int_equal(mmu_lookup(d, at, &leaf), NPT_MARKED);
	mmu_unbar_apic(d);
	assert_int_equal(mmu_map_apic(d, at, RIG_POOL), 0);
	assert_int_equal(mmu_lookup(d, at, &leaf), NPT_MAPPED);
	assert_int_equal(leaf.pfn, RIG_POOL >> PAGE_SHIFT);
	mmu_bar_apic(d, at);
	mmu_unbar_apic(d);
	domain_put(d);
}

/* A guest's memory at that place, small or in the midst of a large page, is memory. */
static void memory_instead_of_the_apic(void **state __unused)
{
	const gpa_t at = 0xfee00000;
	struct domain *d = domain_get(make_guest());
	struct frame_stats before, after;
	struct npt_leaf leaf;
	u32 order;
	u64 done;

	frames_stats(&before);
	for (order = 0; order <= 9; order += 9) {
		u64 first = (at >> PAGE_SHIFT) & ~(BIT(order) - 1);

		assert_int_equal(map1(d, first, PFN + 0x200, order, RW), 1);
		assert_int_equal(mmu_map_apic(d, at, RIG_POOL), -EEXIST);
		mmu_bar_apic(d, at);
		assert_int_equal(mmu_lookup(d, at, &leaf), NPT_MAPPED);
		assert_int_equal(leaf.pfn, PFN + 0x200 + (at >> PAGE_SHIFT) - first);
		mmu_unbar_apic(d);
		assert_int_equal(mmu_unmap(d, first, BIT(order), &done), 0);
	}
	/* The page is in the way of a large one. */
	assert_int_equal(mmu_map_apic(d, at, RIG_POOL), 0);
	assert_int_equal(map1(d, 0xfee00, PFN + 0x200, 9, RW), -EEXIST);
	frames_stats(&after);
	assert_int_equal(before.mapped, after.mapped);
	domain_put(d);
}

static void map_says_what_is_wrong(void **state __unused)
{
	struct domain *d = domain_get(make_guest());
	struct bp_map m[3] = {
		{ .gfn = 1, .pfn = PFN + 1 }, { .gfn = 2, .pfn = 0xfee00 },
		{ .gfn = 3, .pfn = PFN + 3 },
	};
	struct frame_stats s;
	u64 done;

	assert_int_equal(mmu_map(d, m, 0), -EINVAL);
	assert_int_equal(mmu_map(d, m, BP_MAP_MAX + 1), -EINVAL);
	assert_int_equal(mmu_map(d, m, 3), 1);
	assert_int_equal(mmu_map(d, m + 1, 2), -EPERM);
	assert_int_equal(map1(d, 9, PFN + 0x1003, 0, 0), -EPERM);	/* donated */
	assert_int_equal(map1(d, 9, RIG_POOL >> PAGE_SHIFT, 0, 0), -EPERM);
	assert_int_equal(map1(d, 9, PFN, 0, 0x10), -EINVAL);
	assert_int_equal(map1(d, 9, PFN, 0, BP_MAP_MMIO | BP_MAP_WRITE), -EINVAL);
	assert_int_equal(map1(d, 0x200, 0, 9, BP_MAP_MMIO), -EINVAL);
	assert_int_equal(map1(d, 0x200, PFN + 1, 9, 0), -EINVAL);
	assert_int_equal(map1(d, 0x201, PFN, 9, 0), -EINVAL);
	assert_int_equal(map1(d, 0x200, PFN, 3, 0), -EINVAL);
	assert_int_equal(map1(d, 0x200, PFN, 64, 0), -EINVAL);
	assert_int_equal(map1(d, BIT(36), PFN, 0, 0), -EINVAL);
	assert_int_equal(map1(d, ~0ull, PFN, 0, 0), -EINVAL);
	assert_int_equal(map1(d, 0x200, ~0ull << 9, 9, 0), -EPERM);
	assert_int_equal(map1(d, 0x40000, PFN, 18, 0), -EPERM);	/* donated ones in it */
	assert_int_equal(map1(d, 1, PFN + 2, 0, 0), -EEXIST);
	frames_stats(&s);
	assert_int_equal(s.mapped, 1);
	assert_int_equal(mmu_unmap(d, 0, 0, &done), -EINVAL);
	assert_int_equal(mmu_unmap(d, BIT(36) - 1, 2, &done), -EINVAL);
	assert_int_equal(mmu_unmap(d, 5, ~0ull, &done), -EINVAL);
	domain_put(d);
}

/* Protecting asks for no flush; what becomes of a large page keeps its frames all the while. */
static void protect_and_split(void **state __unused)
{
	struct domain *d = domain_get(make_guest());
	struct frame_stats s;
	u64 done, gen, i;
	u8 b = 1;

	assert_int_equal(map1(d, 0x200, PFN + 0x200, 9, RW), 1);
	assert_int_equal(guest_write(d, 0x2ff000, &b, 1), 0);
	gen = d->tlb_gen;
	assert_int_equal(mmu_protect(d, 0x2ff, 2, BP_PROTECT_SPLIT, &done), 0);
	assert_int_equal(done, 2);
	assert_int_equal(d->tlb_gen, gen);
	frames_stats(&s);
	assert_int_equal(s.mapped, 512);
	assert_int_equal(frame_count(PFN + 0x200), 1);
	assert_int_equal(frame_count(PFN + 0x3ff), 1);
	assert_int_equal(frame_donate(PFN + 0x234, 9), -EBUSY);
	assert_int_equal(guest_write(d, 0x2fe000, &b, 1), 0);
	assert_int_equal(guest_write(d, 0x2ff000, &b, 1), -EFAULT);
	assert_int_equal(guest_write(d, 0x300fff, &b, 1), -EFAULT);
	/* Who still wants the large page is told that it is not one. */
	assert_int_equal(map1(d, 0x200, PFN + 0x200, 9, RW), -EEXIST);
	assert_int_equal(map1(d, 0x2ff, PFN + 0x2ff, 0, RW), 1);
	assert_int_equal(guest_write(d, 0x2ff000, &b, 1), 0);
	assert_int_equal(d->tlb_gen, gen);
	/* A part goes, with a flush for the large page that TLBs may have. */
	assert_int_equal(mmu_unmap(d, 0x234, 1, &done), 0);
	assert_true(d->tlb_gen > gen);
	assert_int_equal(frame_donate(PFN + 0x234, 9), 0);
	frame_return(PFN + 0x234, 9);
	for (i = 0; i < 0x200; i += done)
		assert_int_equal(mmu_unmap(d, 0x200 + i, 0x200 - i, &done), 0);
	frames_stats(&s);
	assert_int_equal(s.mapped, 0);
	assert_int_equal(map1(d, 0x200, PFN + 0x200, 9, RW), 1);

	assert_int_equal(mmu_protect(d, 0, 0, BP_PROTECT_SPLIT, &done), -EINVAL);
	assert_int_equal(mmu_protect(d, BIT(36) - 1, 2, BP_PROTECT_SPLIT, &done), -EINVAL);
	assert_int_equal(mmu_protect(&dom0, PFN, 1, BP_PROTECT_SPLIT, &done), -EINVAL);
	while (domain_page_alloc(d))
		;
	assert_int_equal(mmu_protect(d, 0x200, 1, BP_PROTECT_SPLIT, &done), -ENOMEM);
	assert_int_equal(guest_write(d, 0x200000, &b, 1), 0);
	assert_int_equal(mmu_protect(d, 0x200, 1, 0, &done), 0);
	assert_int_equal(guest_write(d, 0x3ff000, &b, 1), -EFAULT);
	domain_put(d);
}

/*
 * A place that is remembered: of another address it is none, and after what takes translations
 * away it is looked up anew; so no frame is touched that has another owner.
 */
static void kept_places(void **state __unused)
{
	struct domain *d = domain_get(make_guest());
	struct guest_kept k = { 0 };
	u8 *frame = phys_to_virt((PFN + 3) << PAGE_SHIFT), b = 7;
	u64 done;

	assert_int_equal(guest_write_kept(d, &k, 0x5010, &b, 1), -EFAULT);
	assert_int_equal(map1(d, 5, PFN + 3, 0, RW), 1);
	frame[0x10] = 0;
	assert_int_equal(guest_write_kept(d, &k, 0x5010, &b, 1), 0);
	assert_int_equal(frame[0x10], 7);
	frame[0x10] = 8;
	assert_int_equal(guest_read_kept(d, &k, 0x5010, &b, 1), 0);
	assert_int_equal(b, 8);
	assert_int_equal(guest_write_kept(d, &k, 0x5018, &b, 1), 0);
	assert_int_equal(frame[0x18], 8);

	/* Write-protected: as a TLB has it until the flush, then it can only be read. */
	assert_int_equal(mmu_protect(d, 5, 1, 0, &done), 0);
	mmu_flush_domain(d);
	b = 9;
	assert_int_equal(guest_write_kept(d, &k, 0x5018, &b, 1), -EFAULT);
	assert_int_equal(guest_read_kept(d, &k, 0x5018, &b, 1), 0);
	assert_int_equal(b, 8);
	assert_int_equal(map1(d, 5, PFN + 3, 0, RW), 1);
	b = 9;
	assert_int_equal(guest_write_kept(d, &k, 0x5018, &b, 1), 0);
	assert_int_equal(frame[0x18], 9);

	assert_int_equal(mmu_unmap(d, 5, 1, &done), 0);
	b = 1;
	assert_int_equal(guest_write_kept(d, &k, 0x5018, &b, 1), -EFAULT);
	assert_int_equal(guest_read_kept(d, &k, 0x5018, &b, 1), -EFAULT);
	assert_int_equal(frame[0x18], 9);
	domain_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(identity_of_dom0, setup),
		cmocka_unit_test_setup(memory_types_of_dom0, setup),
		cmocka_unit_test_setup(memory_type_of_guests, setup),
		cmocka_unit_test_setup(copies, setup),
		cmocka_unit_test_setup(address_space_of_smm, setup),
		cmocka_unit_test_setup(devices_of_dom0, setup),
		cmocka_unit_test_setup(devices_of_others, setup),
		cmocka_unit_test_setup(page_of_the_apic, setup),
		cmocka_unit_test_setup(page_of_the_apic_comes_and_goes, setup),
		cmocka_unit_test_setup(memory_instead_of_the_apic, setup),
		cmocka_unit_test_setup(map_says_what_is_wrong, setup),
		cmocka_unit_test_setup(protect_and_split, setup),
		cmocka_unit_test_setup(kept_places, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
