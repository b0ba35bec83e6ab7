// SPDX-License-Identifier: GPL-2.0-only
/* The machine of machine.h, but for its back end (machine_ops.c). */
#include <setjmp.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "machine.h"
#include "machine_priv.h"

#include "hv/core/apic/irq.h"
#include "hv/core/guest/io_dom0.h"
#include "hv/core/guest/pci_cfg.h"
#include "hv/core/guest/sleep.h"
#include "hv/core/machine/acpi.h"
#include "hv/core/machine/cmdline.h"
#include "hv/core/machine/console.h"
#include "hv/core/machine/idle.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/machine/log.h"
#include "hv/core/machine/memmap.h"
#include "hv/core/machine/mtrr.h"
#include "hv/core/machine/timer.h"
#include "hv/core/machine/trap.h"
#include "hv/core/machine/tsc.h"
#include "hv/core/memory/frames.h"
#include "hv/core/run/loop.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/switch.h"
#include "hv/iommu/iommu.h"
#include "hv/iommu/virt/virt.h"

#define POOL_FRAMES	((M_TOP - M_POOL) >> PAGE_SHIFT)
#define FRAMES		(M_TOP >> PAGE_SHIFT)

u8 *machine_memory;
_Thread_local bool in_hypervisor;
_Thread_local struct cpu *machine_cpu;
static _Thread_local jmp_buf out;

/* ---- CPUs ---- */

struct cpu *cpus[MAX_CPUS];
u32 nr_cpus;
static struct cpu cpu[M_CPUS];
static u64 timer_at[M_CPUS];
static bool kicked[M_CPUS];
u64 tsc_khz = 1000000;
bool tsc_alike = true;
u64 host_tsc = 1000000;

struct cpu *this_cpu(void) { return machine_cpu; }
u64 machine_tsc(void) { return __atomic_load_n(&host_tsc, __ATOMIC_RELAXED); }
void machine_tick(u64 ticks) { __atomic_fetch_add(&host_tsc, ticks, __ATOMIC_RELAXED); }
u64 hv_tsc(void) { return rdtsc(); }
u64 tsc_uptime_us(void) { return 0; }

void lapic_send_ipi(u32 apic_id, u8 vector)
{
	REQUIRE(apic_id < nr_cpus && (vector == VECTOR_KICK || vector == VECTOR_POSTED));
	__atomic_store_n(&kicked[apic_id], true, __ATOMIC_SEQ_CST);
}

void lapic_send_self(u8 vector) { lapic_send_ipi(machine_cpu->index, vector); }
void lapic_timer_program(u64 deadline) { timer_at[machine_cpu->index] = deadline; }
void lapic_eoi(void) { }
u32 lapic_read(u32 reg __unused) { return LAPIC_LVT_MASKED; }
void lapic_write(u32 reg __unused, u32 val __unused) { }
bool lapic_has_lvt(u32 reg __unused) { return true; }
bool lapic_isr_test(u8 vector __unused) { return false; }
bool lapic_isr_tmr_test(u8 vector) { return vector & 1; }
bool lapic_is_x2apic(void) { return false; }
int lapic_enable_x2apic(void) { return 0; }

u8 machine_irq(struct cpu *c)
{
	if (__atomic_exchange_n(&kicked[c->index], false, __ATOMIC_SEQ_CST))
		return VECTOR_KICK;
	if (timer_at[c->index] && timer_at[c->index] <= rdtsc()) {
		timer_at[c->index] = 0;
		return VECTOR_TIMER;
	}
	return 0;
}

static void take_irq(void)
{
	u8 vector = machine_irq(machine_cpu);

	if (vector)
		irq_dispatch(vector);
}

void host_irq_window(void) { take_irq(); }
void host_pause(void) { step_wait(); }
void idle_wait(void)
{
	step_idle(machine_cpu);
	take_irq();
}

void host_xsetbv(u32 reg, u64 val)
{
	REQUIRE(!reg && xcr0_valid(val));
}

void host_verw(void) { }
void host_divider(void) { }
void host_return_stack(void) { }
void host_wbinvd(void) { }

/* A processor with AVX, 40 address bits, pages of 1 GiB. */
struct cpuid host_cpuid(u32 leaf, u32 sub)
{
	switch (leaf) {
	case 0: return (struct cpuid){ 0x10, 0x68747541, 0x444d4163, 0x69746e65 };
	case 1: return (struct cpuid){ 0xa20f12, 0x800, 0xfffa3203, 0x178bfbff };
	case 7: return (struct cpuid){ 0, sub ? 0 : 0x219c97a9, sub ? 0 : 0x0040069c, 0 };
	case 0xd: return sub ? (struct cpuid){ sub == 2 ? 0x100 : 0xf, sub == 2 ? 0x240 : 0, 0, 0 } :
			       (struct cpuid){ 7, 0x340, 0x340, 0 };
	case 0x80000000: return (struct cpuid){ 0x80000021, 0x68747541, 0x444d4163, 0x69746e65 };
	case 0x80000001: return (struct cpuid){ 0xa20f12, 0, 0x75c237ff, 0x2fd3fbff };
	case 0x80000008: return (struct cpuid){ 0x3028, 0x111ef657, 0x400a, 0x10000 };
	default: return (struct cpuid){ 0, 0, 0, 0 };
	}
}

int host_rdmsr(u32 msr __unused, u64 *val)
{
	*val = 0;
	return 0;
}

int host_wrmsr(u32 msr, u64 val)
{
	REQUIRE(msr != MSR_TSC_AUX || !(val >> 32));
	return 0;
}

u8 host_inb(u16 port __unused) { return 0; }
void host_outb(u16 port __unused, u8 val __unused) { }
u32 host_in(u16 port __unused, u32 size __unused) { return 0; }
void host_out(u16 port __unused, u32 size __unused, u32 val __unused) { }
u64 host_read_cr(int n __unused) { return 0; }
void host_write_cr(int n __unused, u64 val __unused) { }

/* ---- what else of the machine the core asks for ---- */

struct hv_options hv_options;
char image_start[1], image_end[1];
struct mem_range bp_ranges[5];
u32 nr_bp_ranges;
u32 pci_cfg_unconfined;
hpa_t memmap_top = M_TOP;
struct mem_map machine_map;

void console_seize(void) { }
void console_write(const char *s __unused, u32 len __unused) { }
void panic_describe_exit(void) { }
u32 limits_phys_bits(void) { return 34; }
void mtrr_read(struct mtrr_state *m __unused) { }
u8 mtrr_run(const struct mtrr_state *m __unused, hpa_t pa, hpa_t *end)
{
	*end = pa < M_TOP ? M_TOP : BIT(52);
	return pa < M_TOP ? MEMTYPE_WB : MEMTYPE_UC;
}

void *memmap_frame_table(void) { return NULL; }
void last_log_write(const char *s __unused, u32 len __unused) { }
void last_log_end(enum log_end how __unused) { }
u32 last_log_copy(u64 pos, char *buf __unused, u32 len __unused, u64 *start, u64 *next)
{
	*start = *next = pos;
	return 0;
}

bool pci_cfg_hit(gpa_t gpa __unused) { return false; }
void pci_cfg_access(gpa_t gpa __unused, u32 size __unused, bool write __unused, u64 *val __unused) { }
bool sleep_hit(gpa_t gpa __unused) { return false; }
void sleep_access(gpa_t gpa __unused, u32 size __unused, bool write __unused, u64 *val __unused) { }
bool virt_iommu_hit(gpa_t gpa __unused) { return false; }
bool virt_iommu_access(gpa_t gpa __unused, u32 size __unused, bool write __unused, u64 *val __unused) { return false; }

/* Domain 0 has no way to this: only its own triple fault has, and it makes none. */
noreturn void machine_reset(void)
{
	REQUIRE(!"the machine is reset");
	abort();
}

/* ---- IOMMUs ---- */

struct iommu_caps iommu_caps;
static struct {
	hpa_t root;
	u16 tag;
} device[M_DEVICES];

void iommu_flush(u16 tag) { REQUIRE(tag); }
void iommu_interrupt(void) { }
u64 iommu_fault_count(void) { return 0; }

int iommu_attach(struct pci_id dev, hpa_t root, u16 tag, u16 *was)
{
	if (dev.segment || dev.bdf >= M_DEVICES)
		return -ENODEV;
	*was = device[dev.bdf].tag;
	device[dev.bdf].root = root;
	device[dev.bdf].tag = tag;
	return 0;
}

/* One of the two ACPI pages; firmware may be wrong, and name Bedplate's memory as well. */
const struct iommu_region *iommu_reserved(u32 i)
{
	static const struct iommu_region r[] = {
		{ M_ACPI, M_ACPI + PAGE_SIZE, IOMMU_READ | IOMMU_WRITE },
		{ M_POOL, M_POOL + PAGE_SIZE, IOMMU_READ },
	};

	return i < ARRAY_SIZE(r) ? &r[i] : NULL;
}

/* ---- Bedplate's pool ---- */

u64 pool_total = POOL_FRAMES, pool_free = POOL_FRAMES;
static bool used[POOL_FRAMES];
static u64 pool_at_boot;
static struct spinlock pool_lock;

void *page_alloc(void)
{
	void *page = NULL;
	u64 i;

	spin_lock(&pool_lock);
	for (i = 0; i < POOL_FRAMES && used[i]; i++)
		;
	if (i < POOL_FRAMES) {
		used[i] = true;
		pool_free--;
		page = phys_to_virt(M_POOL + (i << PAGE_SHIFT));
	}
	spin_unlock(&pool_lock);
	return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

void page_free(void *page)
{
	u64 i = (virt_to_phys(page) - M_POOL) >> PAGE_SHIFT;

	spin_lock(&pool_lock);
	REQUIRE(i < POOL_FRAMES && used[i]);
	memset(page, 0xa5, PAGE_SIZE);
	used[i] = false;
	pool_free++;
	spin_unlock(&pool_lock);
}

/* ---- boot ---- */

static u64 frame_table[FRAMES + FRAMES / 512 + 512];
static struct cpu cpu_at_boot[M_CPUS];
static u64 tsc_at_boot;

/* Domain 0's vCPU: the pages that are its own, and as they were. */
static struct {
	void *page[4], *copy[4];
} kept[M_CPUS];

static void own_frames(void)
{
	REQUIRE(frames_bytes(FRAMES) <= sizeof(frame_table));
	frames_init(frame_table, FRAMES);
	frames_set(1, (M_ACPI >> PAGE_SHIFT) - 1, BP_OWNER_DOM0);
	frames_set((M_ACPI >> PAGE_SHIFT) + 2, (M_POOL - M_ACPI) / PAGE_SIZE - 2, BP_OWNER_DOM0);
	frames_set(M_POOL >> PAGE_SHIFT, POOL_FRAMES, BP_OWNER_HV);
}

static void make_vcpu(u32 i)
{
	struct vcpu *v = page_alloc();
	u32 n;

	machine_cpu = &cpu[i];
	v->dom = &dom0;
	v->index = i;
	v->home = machine_cpu;
	REQUIRE(!vcpu_setup(v, i, !i) && !domain_set_vcpu(&dom0, i, v));
	v->mp_state = KVM_MP_STATE_RUNNABLE;
	v->state = VCPU_RUNNABLE;
	machine_cpu->dom0 = v;
	sched_enqueue(machine_cpu, v, false);
	kept[i].page[0] = v;
	kept[i].page[1] = v->xsave;
	kept[i].page[2] = v->apic.reg;
	kept[i].page[3] = v->arch;
	for (n = 0; n < 4; n++)
		kept[i].copy[n] = malloc(PAGE_SIZE);
}

static void keep(void)
{
	u32 i, n;

	memcpy(cpu_at_boot, cpu, sizeof(cpu));
	for (i = 0; i < nr_cpus; i++)
		for (n = 0; n < 4; n++)
			memcpy(kept[i].copy[n], kept[i].page[n], PAGE_SIZE);
	tsc_at_boot = host_tsc;
	pool_at_boot = pool_free;
}

void machine_boot(u32 n)
{
	static struct npt_format format;
	u32 i;

	machine_memory = mmap(NULL, M_TOP, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	REQUIRE(machine_memory != MAP_FAILED);
	nr_cpus = n;
	for (i = 0; i < n; i++) {
		cpu[i] = (struct cpu){ .self = &cpu[i], .index = i, .apic_id = i, .has_tsc_aux = true };
		cpus[i] = &cpu[i];
		machine_cpu = &cpu[i];
		sched_init_cpu(&cpu[i]);
	}
	machine_cpu = &cpu[0];
	own_frames();
	format = npt_format_amd;
	mmu_init(&format);
	REQUIRE(!dom0_build_npt());
	iommu_caps = (struct iommu_caps){ .name = "rig", .format = &npt_format_vtd, .tags = 65536, .max_order = 9 };
	REQUIRE(!dom0_build_io());
	for (i = 0; i < n; i++)
		make_vcpu(i);
	machine_cpu = &cpu[0];
	keep();
}

static void blank(u32 pfn, u32 n)
{
	memset(phys_to_virt((u64)pfn << PAGE_SHIFT), 0, n * PAGE_SIZE);
}

void machine_rewind(void)
{
	u32 i, n;

	memcpy(cpu, cpu_at_boot, sizeof(cpu));
	for (i = 0; i < nr_cpus; i++)
		for (n = 0; n < 4; n++)
			memcpy(kept[i].page[n], kept[i].copy[n], PAGE_SIZE);
	host_tsc = tsc_at_boot;
	memset(timer_at, 0, sizeof(timer_at));
	memset(kicked, 0, sizeof(kicked));
	for (i = 0; i < M_DEVICES; i++) {
		device[i].root = dom0_io_root();
		device[i].tag = IOMMU_TAG(0);
	}
	blank(M_NAMED, M_NAMED_NR);
	blank(M_GUEST, 16);
}

void machine_run(u32 i)
{
	machine_cpu = &cpu[i];
	if (!setjmp(out))
		run_loop();
}

noreturn void machine_leave(void)
{
	longjmp(out, 1);
}

/* ---- what must hold ---- */

struct census {
	u64 leaves, small[FRAMES];	/* in frames; references to each 4 KiB frame itself */
};
static struct census census;

typedef void (*leaf_fn)(const struct npt_format *f, u64 gfn, u64 pfn, u32 level, u64 entry, const struct domain *d);

static void walk(const struct npt_format *f, hpa_t table, u32 level, u64 gfn, leaf_fn fn, const struct domain *d)
{
	const u64 *e = phys_to_virt(table);
	u32 owner = frame_owner(table >> PAGE_SHIFT);
	u32 i;

	REQUIRE(table && table < M_TOP && owner == (d->id ? d->id : BP_OWNER_HV));
	for (i = 0; i < NPT_ENTRIES; i++) {
		u64 at = gfn + ((u64)i << NPT_ORDER(level));

		if (!(e[i] & f->present))
			continue;
		if (!level || (e[i] & f->leaf_mask) == f->leaf_val)
			fn(f, at, (e[i] & f->addr) >> PAGE_SHIFT, level, e[i], d);
		else
			walk(f, e[i] & f->addr, level - 1, at, fn, d);
	}
}

/* No frame of a mapping is Bedplate's, another domain's or protected. */
static void check_frames(u64 pfn, u32 level)
{
	u64 i, end;

	for (i = pfn; i < pfn + BIT(NPT_ORDER(level)); i++) {
		u32 owner = frame_owner(i);

		REQUIRE(owner == BP_OWNER_DOM0 || owner == BP_OWNER_NONE);
		if (i >= FRAMES)
			break;
	}
	REQUIRE(!frame_mmio_protected(pfn, &end) && end >= pfn + BIT(NPT_ORDER(level)));
}

static void guest_leaf(const struct npt_format *f, u64 gfn __unused, u64 pfn, u32 level, u64 entry,
		       const struct domain *d __unused)
{
	check_frames(pfn, level);
	if (entry & f->device) {
		REQUIRE(frame_owner(pfn) == BP_OWNER_NONE);
		return;
	}
	REQUIRE(frame_owner(pfn) == BP_OWNER_DOM0);
	census.leaves += BIT(NPT_ORDER(level));
	if (!level)
		census.small[pfn]++;
}

static void dom0_leaf(const struct npt_format *f __unused, u64 gfn, u64 pfn, u32 level,
		      u64 entry __unused, const struct domain *d __unused)
{
	REQUIRE(gfn == pfn);
	check_frames(pfn, level);
}

static void share(hpa_t hpa, u64 *shared)
{
	REQUIRE(hpa < M_POOL && frame_owner(hpa >> PAGE_SHIFT) == BP_OWNER_DOM0);
	census.small[hpa >> PAGE_SHIFT]++;
	(*shared)++;
}

static void check_domain(struct domain *d, u64 *shared, u64 *donated)
{
	const struct npt_format *f = d->io ? iommu_caps.format : &npt_format_amd;
	struct vcpu *v;
	u32 i;

	*donated += d->pool.total;
	REQUIRE(frame_owner(virt_to_phys(d) >> PAGE_SHIFT) == d->id);
	if (d->npt.table)
		walk(f, d->npt.table, NPT_LEVELS - 1, 0, guest_leaf, d);
	if (d->smm.table)
		walk(f, d->smm.table, NPT_LEVELS - 1, 0, guest_leaf, d);
	for (i = 0; i < d->nr_vcpus; i++) {
		v = domain_vcpu(d, i);
		if (!v)
			continue;
		share(v->page_hpa, shared);
		share(v->state_hpa, shared);
	}
	for (v = d->dying; v; v = v->dying_next) {
		share(v->page_hpa, shared);
		share(v->state_hpa, shared);
	}
}

static void check_empty(const struct frame_stats *s)
{
	u32 i;

	REQUIRE(!s->donated && !s->mapped && !s->shared);
	REQUIRE(pool_free == pool_at_boot);
	for (i = 1; i < FRAMES; i++)
		REQUIRE(frame_owner(i) == (i - (M_ACPI >> PAGE_SHIFT) < 2 ? BP_OWNER_NONE :
					   i < M_POOL >> PAGE_SHIFT ? BP_OWNER_DOM0 : BP_OWNER_HV));
}

void machine_check(bool empty)
{
	u64 shared = 0, donated = 0;
	struct frame_stats s;
	u32 i;

	memset(&census, 0, sizeof(census));
	walk(&npt_format_amd, dom0.npt.table, NPT_LEVELS - 1, 0, dom0_leaf, &dom0);
	walk(iommu_caps.format, dom0_io_root(), NPT_LEVELS - 1, 0, dom0_leaf, &dom0);
	for (i = 1; i < MAX_DOMAINS; i++) {
		REQUIRE(!empty || !domains[i]);
		if (domains[i])
			check_domain(domains[i], &shared, &donated);
	}
	for (i = 0; i < nr_cpus; i++)
		if (cpu[i].ring)
			share(cpu[i].ring_hpa, &shared);
	frames_stats(&s);
	REQUIRE(s.mapped == census.leaves && s.shared == shared && s.donated == donated);
	for (i = 0; i < FRAMES; i++)
		REQUIRE(frame_count(i) == census.small[i]);
	for (i = 0; i < M_DEVICES; i++)
		REQUIRE(device[i].tag <= IOMMU_TAG(0) ||
			device[i].root == domains[device[i].tag - IOMMU_TAG(0)]->npt.table);
	if (empty)
		check_empty(&s);
}

bool machine_translate(struct domain *d, u64 gfn, u64 *pfn)
{
	const struct npt_format *f = &npt_format_amd;
	hpa_t table = d->npt.table;
	int level;

	for (level = NPT_LEVELS - 1; level >= 0; level--) {
		const u64 *at = (const u64 *)phys_to_virt(table) + (gfn >> NPT_ORDER(level) & (NPT_ENTRIES - 1));
		u64 e = READ_ONCE(*at);

		if (!(e & f->present))
			return false;
		if (!level || (e & f->leaf_mask) == f->leaf_val) {
			*pfn = ((e & f->addr) >> PAGE_SHIFT) + (gfn & (BIT(NPT_ORDER(level)) - 1));
			return true;
		}
		table = e & f->addr;
	}
	return false;
}
