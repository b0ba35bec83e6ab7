// SPDX-License-Identifier: GPL-2.0-only
#include "npf.h"

#include "apic/irq.h"
#include "apic/vlapic.h"
#include "compat/kvm-abi/ioeventfd.h"
#include "compat/kvm-abi/ring.h"
#include "guest/insn.h"
#include "guest/pci_cfg.h"
#include "guest/sleep.h"
#include "hv/iommu/virt/virt.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/log.h"
#include "memory/domain.h"
#include "memory/mmu.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"

static bool decode(struct vcpu *v, struct insn_mov *m)
{
	struct vcpu_paging p;
	u8 buf[INSN_BUF];
	int n;

	ops->get_paging(v, &p);
	n = insn_fetch(v, &p, buf);
	return n > 0 && !insn_decode_mov(buf, n, p.cs_long, p.cs_big, m);
}

static bool within_page(u64 addr, u32 size)
{
	return (addr & ~PAGE_MASK) + size <= PAGE_SIZE;
}

static u64 mov_value(struct vcpu *v, const struct insn_mov *m)
{
	u64 val = m->imm ? m->imm_val : v->regs.gpr[m->reg];

	if (m->high_byte)
		val >>= 8;
	return m->size == 8 ? val : val & (BIT(8 * m->size) - 1);
}

static void mov_store(struct vcpu *v, const struct insn_mov *m, u64 val)
{
	u64 *r = &v->regs.gpr[m->reg];

	if (m->sign_extend)
		val = (s64)(val << (64 - 8 * m->size)) >> (64 - 8 * m->size);
	switch (m->reg_size) {
	case 1:
		if (m->high_byte)
			*r = (*r & ~0xff00ull) | (val & 0xff) << 8;
		else
			*r = (*r & ~0xffull) | (val & 0xff);
		break;
	case 2:
		*r = (*r & ~0xffffull) | (val & 0xffff);
		break;
	case 4:
		*r = (u32)val;
		break;
	default:
		*r = val;
	}
}

static void done(struct vcpu *v, const struct insn_mov *m)
{
	v->exit.insn_len = m->len;
	vcpu_skip(v);
}

/*
 * The xAPIC page.  Registers are 32 bits wide on 16-byte boundaries; narrower
 * reads within one are served, other shapes read 0 and write nothing (SDM
 * vol. 3, 11.4.1 leaves them undefined).
 */
static void apic_access(struct vcpu *v, u32 offset, const struct insn_mov *m)
{
	u32 reg = offset & ~15u, shift = (offset & 15) * 8;
	u64 val = 0;

	if (m->write) {
		if (m->size == 4 && !(offset & 15))
			vlapic_write(v, reg, mov_value(v, m));
	} else {
		if (vlapic_read(v, reg, &val) || shift >= 32)
			val = 0;
		val >>= shift;
		if (m->size < 8)
			val &= BIT(8 * m->size) - 1;
		mov_store(v, m, val);
	}
	done(v, m);
}

/* Where the CPU can take such accesses on itself: let it, from this one on. */
static bool map_apic(struct vcpu *v, gpa_t gpa)
{
	hpa_t page = v->apic.access_page;

	if (!page || (gpa & PAGE_MASK) != APIC_BASE_DEFAULT || v->space ||
	    (v->exit.npf.flags & NPF_PRESENT) || READ_ONCE(v->dom->apic_bars))
		return false;
	return !mmu_map_apic(v->dom, gpa, page);
}

static void to_shim(struct vcpu *v, u32 flags, const struct insn_mov *m)
{
	struct bp_exit_npf *x = &v->page->npf;
	const struct exit_npf *f = &v->exit.npf;

	memset(x, 0, sizeof(*x));
	x->gpa = f->gpa;
	if (f->flags & NPF_WRITE)
		flags |= BP_NPF_WRITE;
	if (f->flags & NPF_EXEC)
		flags |= BP_NPF_EXEC;
	if (f->flags & NPF_PRESENT)
		flags |= BP_NPF_PRESENT;
	if (f->flags & NPF_PT)
		flags |= BP_NPF_PT;
	if (m) {
		flags |= BP_NPF_DECODED;
		x->insn_len = m->len;
		x->size = m->size;
		x->reg = m->reg;
		x->reg_size = m->reg_size;
		x->sign_extend = m->sign_extend;
		x->high_byte = m->high_byte;
		if (m->write)
			x->data = mov_value(v, m);
	} else if (READ_ONCE(v->page->run_flags) & BP_RUN_WANT_SREGS) {
		ops->get_sregs(v, &v->page->sregs);
	}
	x->flags = flags;
	vcpu_service(v, BP_EXIT_NPF);
}

static u64 linear_address(const struct vcpu *v, const struct insn_mov *m)
{
	u64 a = m->disp;

	if (m->base == INSN_RIP)
		a += v->regs.rip + m->len;
	else if (m->base != INSN_NONE)
		a += v->regs.gpr[m->base];
	if (m->index != INSN_NONE)
		a += v->regs.gpr[m->index] << m->scale;
	return a;
}

/*
 * Is the decoded MOV the whole of the access that faulted?  Not if it
 * crosses into or out of the page: a fault on a page's first byte may be the
 * second half of one, unless its address says otherwise.
 */
static bool agrees(const struct vcpu *v, const struct insn_mov *m)
{
	u32 offset = v->exit.npf.gpa & ~PAGE_MASK;

	if (m->write != !!(v->exit.npf.flags & NPF_WRITE) ||
	    (v->exit.npf.flags & (NPF_PT | NPF_EXEC)))
		return false;
	if (!within_page(offset, m->size))
		return false;
	return offset || m->size == 1 ||
	       (m->flat && !(linear_address(v, m) & ~PAGE_MASK));
}

/* Registers that domain 0 does not have to itself: PCI configuration space, sleep control. */
static bool guarded_access(struct vcpu *v)
{
	gpa_t gpa = v->exit.npf.gpa;
	bool config = pci_cfg_hit(gpa);
	struct insn_mov m;
	u64 val;

	if (!config && !sleep_hit(gpa))
		return false;
	if (!decode(v, &m) || !agrees(v, &m) || (gpa & (m.size - 1)))
		return false;
	val = m.write ? mov_value(v, &m) : 0;
	(config ? pci_cfg_access : sleep_access)(gpa, m.size, m.write, &val);
	if (!m.write)
		mov_store(v, &m, m.size == 8 ? val : val & (BIT(8 * m.size) - 1));
	done(v, &m);
	return true;
}

/*
 * Noted for the shim, which looks there when the VMM asks what was written, and the guest may
 * write: one step under the lock, so that a PROTECT of who has seen the note comes behind both.
 */
static bool log_write(struct vcpu *v, gpa_t gpa)
{
	struct bp_vcpu_page *p = v->page;
	bool room;

	spin_lock(&v->dom->lock);
	room = v->log_head - READ_ONCE(p->log_tail) < BP_LOG_SLOTS;
	if (room) {
		p->log[v->log_head % BP_LOG_SLOTS] = gpa >> PAGE_SHIFT;
		smp_store_release(&p->log_head, ++v->log_head);
		mmu_log_end(v->dom, gpa);
	}
	spin_unlock(&v->dom->lock);
	return room;
}

static void guest_npf(struct vcpu *v)
{
	gpa_t gpa = v->exit.npf.gpa;
	struct npt_leaf leaf;
	enum npt_kind kind = mmu_lookup(v->dom, gpa | v->space, &leaf);
	struct insn_mov m;
	struct cpu *looks = NULL;
	bool event;

	if (kind == NPT_MAPPED && (leaf.attr & NPT_LOGGED) && !leaf.order &&
	    (v->exit.npf.flags & NPF_WRITE) && log_write(v, gpa | v->space))
		return;
	event = (v->exit.npf.flags & NPF_WRITE) && ioeventfd_may_match(v->dom, gpa);
	if (kind != NPT_MARKED && !event) {
		to_shim(v, 0, NULL);
		return;
	}
	if (!decode(v, &m) || !agrees(v, &m)) {
		to_shim(v, kind == NPT_MARKED ? BP_NPF_MARKED : 0, NULL);
		return;
	}
	if (event)
		looks = ioeventfd_signal(v, gpa, m.size, mov_value(v, &m), false);
	if (looks) {
		done(v, &m);
		ring_look(v, looks);
		return;
	}
	to_shim(v, kind == NPT_MARKED ? BP_NPF_MARKED : 0, &m);
}

/*
 * Frame, gate or table of an event that is being delivered: no instruction makes
 * the access, so it can be nothing but memory.
 */
static void event_npf(struct vcpu *v)
{
	struct npt_leaf leaf;
	bool marked = mmu_lookup(v->dom, v->exit.npf.gpa | v->space, &leaf) == NPT_MARKED;

	to_shim(v, BP_NPF_EVENT | (marked ? BP_NPF_MARKED : 0), NULL);
}

/* What is not done yet faults again. */
static void iommu_mov(struct vcpu *v, gpa_t gpa, const struct insn_mov *m)
{
	u64 val = m->write ? mov_value(v, m) : 0;

	if (!virt_iommu_access(gpa, m->size, m->write, &val))
		return;
	if (!m->write)
		mov_store(v, m, val);
	done(v, m);
}

/* A MOVS that writes to @gpa; *val: what it writes. */
static bool decode_movs(struct vcpu *v, gpa_t gpa, struct insn_movs *m, u64 *val)
{
	const u64 *r = v->regs.gpr;
	struct vcpu_paging p;
	u8 buf[INSN_BUF];
	gpa_t src;
	int n;

	ops->get_paging(v, &p);
	n = insn_fetch(v, &p, buf);
	if (n <= 0 || !p.cs_long || insn_decode_movs(buf, n, m))
		return false;
	if ((v->exit.npf.flags & (NPF_WRITE | NPF_PT)) != NPF_WRITE ||
	    ((r[RDI] ^ gpa) & ~PAGE_MASK) || !within_page(gpa, m->size) ||
	    !within_page(r[RSI], m->size))
		return false;
	*val = 0;
	return !gva_to_gpa(v, &p, r[RSI], &src) && !guest_read(v->dom, src, val, m->size);
}

/* Linux's memcpy_toio(). The next element faults again. */
static bool iommu_movs(struct vcpu *v, gpa_t gpa)
{
	u64 *r = v->regs.gpr, step, val;
	struct insn_movs m;

	if (!decode_movs(v, gpa, &m, &val))
		return false;
	if (!virt_iommu_access(gpa, m.size, true, &val))
		return true;
	step = v->regs.rflags & X86_EFLAGS_DF ? -(u64)m.size : m.size;
	r[RSI] += step;
	r[RDI] += step;
	if (m.rep && --r[RCX])
		return true;
	v->exit.insn_len = m.len;
	vcpu_skip(v);
	return true;
}

/* Domain 0 at an IOMMU's registers. */
static bool iommu_access(struct vcpu *v)
{
	gpa_t gpa = v->exit.npf.gpa;
	struct insn_mov m;

	if (!virt_iommu_hit(gpa))
		return false;
	if (!decode(v, &m) || !agrees(v, &m))
		return iommu_movs(v, gpa);
	iommu_mov(v, gpa, &m);
	return true;
}

static void dom0_npf(struct vcpu *v)
{
	if (guarded_access(v) || iommu_access(v))
		return;
	log_warn("domain 0 vCPU %u: access to %llx (flags %x) at %llx refused", v->index,
		 v->exit.npf.gpa, v->exit.npf.flags, v->regs.rip);
	vcpu_gp(v);
}

void exit_npf(struct vcpu *v)
{
	gpa_t gpa = v->exit.npf.gpa;
	struct insn_mov m;

	if (unlikely(v->inject.type != EVENT_NONE) && !domain_is_dom0(v->dom)) {
		event_npf(v);
		return;
	}
	if (vlapic_mmio_hit(v, gpa)) {
		if (map_apic(v, gpa))
			return;
		if (decode(v, &m) && agrees(v, &m)) {
			apic_access(v, gpa & ~PAGE_MASK, &m);
			return;
		}
	}
	if (domain_is_dom0(v->dom))
		dom0_npf(v);
	else
		guest_npf(v);
}

void npf_want_page(struct vcpu *v, gpa_t gpa, bool write)
{
	v->exit.npf.gpa = gpa;
	v->exit.npf.flags = write ? NPF_WRITE : 0;
	to_shim(v, BP_NPF_HV, NULL);
}

bool npf_need_page(struct vcpu *v, gpa_t gpa)
{
	enum npt_kind kind;
	struct npt_leaf leaf;

	if (domain_is_dom0(v->dom))
		return false;
	kind = mmu_lookup(v->dom, gpa | v->space, &leaf);
	if (kind == NPT_MARKED || (kind == NPT_MAPPED && (leaf.attr & NPT_DEVICE)))
		return false;
	npf_want_page(v, gpa, false);
	return true;
}
