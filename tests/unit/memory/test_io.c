// SPDX-License-Identifier: GPL-2.0-only
/* What devices reach: domain 0's table for them, I/O domains, and who is attached to which. */
// SOURCES: hv/core/memory/frames.c hv/core/memory/mmu.c hv/core/memory/mmu_dom0.c hv/core/memory/dommem.c hv/core/memory/io.c hv/ept/npt.c hv/ept/format.c tests/unit/rig/mm_rig.c
// CFLAGS: -include mm_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/lib/errno.h"
#include "hv/core/memory/dommem.h"
#include "hv/core/memory/frames.h"
#include "hv/core/memory/io.h"
#include "hv/core/memory/mmu.h"

#define BASE	0x100000ull	/* first frame of the playground */
#define N	64

static const struct npt_format *const formats[] = { &npt_format_vtd, &npt_format_vtd_snoop,
						     &npt_format_amdvi };

static void start(const struct npt_format *f)
{
	rig_io_format = f;
	rig_max_order = 18;
	rig_init(false);
}

static int make_at(u64 pfn, bool io)
{
	u64 list[N];
	u32 i;

	for (i = 0; i < N; i++)
		list[i] = pfn + i;
	return domain_create(list, N, io);
}

static void end(u32 id)
{
	u64 out[BP_LIST_MAX];

	while (domain_destroy(id))
		;
	while (domain_reclaim(id, out, BP_LIST_MAX))
		;
}

static int map(u32 id, u64 gfn, u64 pfn, u32 order, u32 flags)
{
	struct bp_map m = { gfn, pfn, order, flags };
	struct domain *d = domain_get(id);
	int ret = mmu_map(d, &m, 1);

	domain_put(d);
	return ret;
}

static int unmap(u32 id, u64 gfn, u64 n, u64 *done)
{
	struct domain *d = domain_get(id);
	int ret = mmu_unmap(d, gfn, n, done);

	domain_put(d);
	return ret;
}

static void without_iommu(void **state __unused)
{
	rig_io_format = NULL;
	rig_init(false);
	assert_int_equal(make_at(BASE, true), -EOPNOTSUPP);
	assert_int_equal(frame_owner(BASE), BP_OWNER_DOM0);
	assert_int_equal(io_attach(0, (struct pci_id){ 0, 1 }), -EOPNOTSUPP);
	assert_int_equal(io_info(), -EOPNOTSUPP);
}

/* RAM that domain 0 owns and what firmware reserves, but for Bedplate's: nothing else. */
static void domain_0s_devices(void **state __unused)
{
	struct npt_leaf leaf;
	bool mine, reserved;
	u64 pfn;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		start(formats[i]);
		for (pfn = 0; pfn < (RIG_TOP >> PAGE_SHIFT) + 1024; pfn++) {
			mine = frame_owner(pfn) == BP_OWNER_DOM0;
			reserved = pfn == RIG_ACPI >> PAGE_SHIFT;
			assert_int_equal(rig_io_lookup(pfn, &leaf),
					 mine || reserved ? NPT_MAPPED : NPT_ABSENT);
			if (mine || reserved)
				assert_int_equal(leaf.pfn, pfn);
		}
		assert_int_equal(rig_io_lookup(BASE, &leaf), NPT_MAPPED);
		assert_int_equal(leaf.order, 18);
		assert_int_equal(io_info() & BP_IO_CONFINED, BP_IO_CONFINED);
		assert_int_equal(io_info() >> BP_IO_ORDER_SHIFT, 18);
	}
}

static u64 watched;

/* At the flush the table has no way to the frame any more, and nobody uses it yet. */
static void at_flush(u16 tag)
{
	struct npt_leaf leaf;

	assert_int_equal(tag, IOMMU_TAG(0));
	assert_int_equal(rig_io_lookup(watched, &leaf), NPT_ABSENT);
	assert_int_equal(*(u64 *)phys_to_virt(watched << PAGE_SHIFT), 0x5a5a);
}

static void donation_flushes_first(void **state __unused)
{
	struct npt_leaf leaf;
	int id;

	start(&npt_format_vtd);
	watched = BASE + 1;
	*(u64 *)phys_to_virt(watched << PAGE_SHIFT) = 0x5a5a;
	rig_on_io_flush = at_flush;
	id = make_at(BASE, false);
	assert_true(id > 0);
	assert_true(rig_io_flushes > 0);
	rig_on_io_flush = NULL;
	assert_int_equal(rig_io_lookup(BASE + N, &leaf), NPT_MAPPED);
	end(id);
	assert_int_equal(rig_io_lookup(watched, &leaf), NPT_MAPPED);
	assert_int_equal(leaf.order, 18);
}

static void io_domain(void **state __unused)
{
	u32 i;
	u64 done;
	int id;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		start(formats[i]);
		id = make_at(BASE, true);
		assert_true(id > 0);
		assert_int_equal(map(id, 0x10, BASE + 1000, 0, BP_MAP_WRITE), 1);
		assert_int_equal(map(id, 0x200, BASE + 1024, 9, 0), 1);
		assert_int_equal(frame_count(BASE + 1000), 1);
		/* Not what is donated, Bedplate's, or marks and SMM's space, which vCPUs have. */
		assert_int_equal(map(id, 0x11, BASE, 0, 0), -EPERM);
		assert_int_equal(map(id, 0x11, RIG_POOL >> PAGE_SHIFT, 0, 0), -EPERM);
		assert_int_equal(map(id, 0x11, 0, 0, BP_MAP_MMIO), -EINVAL);
		assert_int_equal(map(id, 0x11 | BP_GFN_SMM, BASE + 1001, 0, 0), -EINVAL);
		assert_int_equal(unmap(id, 0x11 | BP_GFN_SMM, 1, &done), -EINVAL);
		/* What devices have cached of a right no vCPU's flush takes. */
		assert_int_equal(mmu_protect(domains[id], 0x10, 1, 0, &done), -EINVAL);
		/* A frame that a device reaches is not to be donated. */
		assert_int_equal(make_at(BASE + 1000, false), -EINVAL);
		rig_io_flushes = 0;
		assert_int_equal(unmap(id, 0x10, 1, &done), 0);
		assert_int_equal(rig_io_flushes, 1);
		assert_int_equal(frame_count(BASE + 1000), 0);
		end(id);
		assert_int_equal(domain_count(), 0);
	}
}

static void attaching(void **state __unused)
{
	const struct pci_id dev = { 0, 1 }, none = { 0, RIG_DEVICES };
	int io, guest;

	start(&npt_format_amdvi);
	io = make_at(BASE, true);
	guest = make_at(BASE + N, false);
	assert_int_equal(io_attach(io, none), -ENODEV);
	assert_int_equal(io_attach(guest, dev), -EINVAL);
	assert_int_equal(io_attach(guest + 1, dev), -ENOENT);
	assert_int_equal(io_attach(MAX_DOMAINS, dev), -ENOENT);
	assert_int_equal(io_attach(io, dev), 0);
	assert_int_equal(rig_device[1].tag, IOMMU_TAG(io));
	assert_int_equal(rig_device[1].root, domains[io]->npt.table);
	assert_int_equal(rig_device[2].root, dom0_io_root());
	/* Twice is once; and as long as it is, the domain stays. */
	assert_int_equal(io_attach(io, dev), 0);
	assert_int_equal(domain_destroy(io), -EBUSY);
	assert_int_equal(map(io, 1, BASE + 1000, 0, 0), 1);
	assert_int_equal(io_attach(BP_IO_BLOCKED, dev), 0);
	assert_int_equal(rig_device[1].root, 0);
	assert_int_equal(domain_destroy(io), 0);
	assert_int_equal(io_attach(io, dev), -EINVAL);
	end(io);
	assert_int_equal(io_attach(io, dev), -ENOENT);
	assert_int_equal(io_attach(0, dev), 0);
	assert_int_equal(rig_device[1].tag, IOMMU_TAG(0));
	end(guest);
	assert_int_equal(frame_count(BASE + 1000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_iommu),
		cmocka_unit_test(domain_0s_devices),
		cmocka_unit_test(donation_flushes_first),
		cmocka_unit_test(io_domain),
		cmocka_unit_test(attaching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
