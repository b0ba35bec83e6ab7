/* SPDX-License-Identifier: GPL-2.0-only */
/* bp-fuzz: the state of a virtual CPU. */
#include "fuzz.h"

#define STACK		0x90000

#define CR0_PE		0x1ull
#define CR0_TS		0x8
#define CR0_ET		0x10
#define CR0_NE		0x20
#define CR0_WP		0x10000
#define CR0_NW_CD	0x60000000
#define CR0_PG		0x80000000
#define CR4_PSE		0x10
#define CR4_PAE		0x20ull
#define CR4_MCE		0x40
#define CR4_PGE		0x80
#define CR4_SSE		0x600
#define CR4_PCIDE	0x20000
#define EFER_SCE	1
#define EFER_LONG	0x500
#define EFER_NX		0x800
#define FLAG_TF		0x100
#define FLAG_IF		0x200
#define FLAG_NT		0x4000
#define FLAG_RF		0x10000

/* The call succeeds, unless another vCPU has ended the VM for good. */
#define CHECK_ALIVE(call) CHECK(!(call) || errno == EIO)

static struct kvm_segment real_segment(int type, uint16_t sel)
{
	return (struct kvm_segment){
		.base = sel << 4, .selector = sel, .limit = 0xffff, .type = type, .s = 1, .present = 1,
	};
}

static struct kvm_segment flat_segment(int type, uint16_t sel, int dpl)
{
	return (struct kvm_segment){
		.limit = 0xffffffff, .selector = sel | dpl, .type = type, .present = 1, .dpl = dpl, .s = 1, .g = 1,
		.db = sel != SEL_CODE64, .l = sel == SEL_CODE64,
	};
}

static void segments_set(struct kvm_sregs *s, enum mode mode)
{
	int dpl = once_in(3) ? 3 : 0;

	if (mode == REAL) {
		s->cs = real_segment(11, (FUZZ_CODE - 0x10000) >> 4);
		s->ds = real_segment(3, 0);
	} else {
		s->cs = flat_segment(11, mode == LONG ? SEL_CODE64 : SEL_CODE32, dpl);
		s->ds = flat_segment(3, SEL_DATA, dpl);
	}
	s->es = s->fs = s->gs = s->ss = s->ds;
	s->gdt = (struct kvm_dtable){ .base = GPA_GDT, .limit = 127 };
	s->idt = (struct kvm_dtable){ .base = GPA_IDT, .limit = 2047 };
	s->tr = (struct kvm_segment){ .base = GPA_TSS, .limit = 0x67, .selector = SEL_TSS, .type = 11, .present = 1 };
	if (mode != LONG && once_in(5))
		s->tr.type = 3;
	s->ldt = (struct kvm_segment){
		.base = GPA_LDT, .limit = 0xfff, .selector = SEL_LDT, .type = 2, .present = once_in(2),
	};
}

static uint64_t maybe(uint64_t bits, uint64_t n)
{
	return once_in(n) ? bits : 0;
}

static void control_set(struct kvm_sregs *s, enum mode mode)
{
	s->cr0 = CR0_ET | maybe(CR0_NE, 2) | maybe(CR0_NW_CD, 4) | maybe(CR0_WP, 4) | maybe(CR0_TS, 8);
	s->cr4 = maybe(CR4_PAE, 2) | maybe(CR4_SSE, 2) | maybe(CR4_MCE, 3) | maybe(CR4_PSE, 3) | maybe(CR4_PGE, 3);
	s->efer = EFER_SCE | maybe(EFER_NX, 2);
	s->cr3 = GPA_TABLES;
	s->cr8 = once_in(10) ? below(16) : 0;
	if (mode != REAL)
		s->cr0 |= CR0_PE;
	if (mode >= PAGED)
		s->cr0 |= CR0_PG;
	if (mode == PAGED) {
		s->cr4 = (s->cr4 & ~CR4_PAE) | CR4_PSE;
		s->cr3 = GPA_TABLES32;
	} else if (mode >= PAE) {
		s->cr4 |= CR4_PAE;
	}
	if (mode == PAE)
		s->cr3 = GPA_PAE;
	if (mode == LONG) {
		s->efer |= EFER_LONG;
		s->cr4 |= maybe(CR4_PCIDE, 4);
	}
}

static struct kvm_regs regs_new(enum mode mode)
{
	struct kvm_regs r;

	for (size_t i = 0; i < sizeof(r) / 8; i++)
		((uint64_t *)&r)[i] = rnd_value();
	r.rip = (mode == REAL ? 0 : FUZZ_CODE) + below(FUZZ_CODE_SIZE);
	r.rsp = (mode == REAL ? 0x8000 : STACK) + below(64);
	r.rflags = 2 | maybe(FLAG_IF, 2) | maybe(FLAG_TF, 6) | maybe(FLAG_RF, 12) | maybe(FLAG_NT, 12);
	return r;
}

static void mutate(struct kvm_sregs *s, struct kvm_regs *r)
{
	switch (below(13)) {
	case 0: s->cr0 = rnd_value(); break;
	case 1: s->cr3 = rnd_value(); break;
	case 2: s->cr4 = rnd_value(); break;
	case 3: s->cr4 ^= 1ull << below(26); break;
	case 4: s->efer = rnd_value(); break;
	case 5: s->cs.type = below(16); break;
	case 6: s->ss.dpl = below(4); break;
	case 7: ((uint8_t *)s)[below(offsetof(struct kvm_sregs, gdt))] = rnd(); break;	/* of a segment */
	case 8: s->gdt = (struct kvm_dtable){ .base = rnd_value(), .limit = rnd_value() }; break;
	case 9: s->idt = (struct kvm_dtable){ .base = rnd_value(), .limit = rnd_value() }; break;
	case 10: r->rip = rnd_value(); break;
	case 11: r->rflags = rnd_value(); break;
	case 12: s->apic_base ^= once_in(2) ? 0x400 : 0x800; break;		/* x2APIC, APIC on */
	}
}

void state_rest(struct vcpu *v)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_vcpu_events ev = { .flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW };
	struct kvm_debugregs dr = { .dr6 = 0xffff0ff0, .dr7 = 0x400 };

	CHECK_ALIVE(ioctl(v->fd, KVM_SET_MP_STATE, &mp));
	if (once_in(2))
		return;
	CHECK_ALIVE(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &ev));
	CHECK_ALIVE(ioctl(v->fd, KVM_SET_DEBUGREGS, &dr));
}

struct setting state_set(struct vcpu *v, const struct kvm_sregs *fresh)
{
	struct setting set = { .mode = below(MODES) };
	struct kvm_sregs s = *fresh;
	struct kvm_regs r;

	segments_set(&s, set.mode);
	control_set(&s, set.mode);
	r = regs_new(set.mode);
	if (once_in(20))
		s.interrupt_bitmap[below(4)] = 1ull << below(64);
	for (; once_in(2); set.mutated = true)
		mutate(&s, &r);
	if (ioctl(v->fd, KVM_SET_SREGS, &s) < 0)
		set.error = -errno;
	CHECK_ALIVE(ioctl(v->fd, KVM_SET_REGS, &r));
	return set;
}

static void events_set(struct vcpu *v)
{
	struct kvm_vcpu_events e = {
		.exception = { .injected = once_in(3), .nr = below(34), .has_error_code = once_in(2),
			       .error_code = rnd_value() },
		.interrupt = { .injected = once_in(4), .nr = rnd(), .shadow = below(4) },
		.nmi = { .injected = once_in(5), .pending = once_in(4), .masked = once_in(3) },
		.flags = below(8),
	};

	ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e);
}

static void debug_set(struct vcpu *v)
{
	struct kvm_debugregs d = { .dr6 = (uint32_t)rnd_value(), .dr7 = once_in(2) ? 0x4ff : (uint32_t)rnd() };

	for (int i = 0; i < 4; i++)
		d.db[i] = once_in(2) ? rnd_value() : FUZZ_CODE + below(FUZZ_CODE_SIZE);
	ioctl(v->fd, KVM_SET_DEBUGREGS, &d);
}

static void msrs_set(struct vcpu *v)
{
	static const uint32_t msrs[] = {
		0x10, 0x1b, 0x3b, 0x48, 0x49, 0x10b, 0x174, 0x175, 0x176, 0x17a, 0x1a0, 0x1d9,
		0x200, 0x250, 0x277, 0x2ff, 0x6e0, 0xda0, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083,
		0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103,
		0x4b564d00, 0x4b564d01, 0x4b564d03, 0x4b564d04,
	};

	for (int i = 0; i < 8; i++) {
		struct { struct kvm_msrs hdr; struct kvm_msr_entry e; } m = {
			.hdr.nmsrs = 1, .e = { .index = msrs[below(sizeof(msrs) / 4)], .data = rnd_value() },
		};

		ioctl(v->fd, KVM_SET_MSRS, &m);
	}
}

static void lapic_change(struct vcpu *v)
{
	struct kvm_lapic_state l;

	CHECK_ALIVE(ioctl(v->fd, KVM_GET_LAPIC, &l));
	for (int n = 1 + below(20); n; n--)
		l.regs[below(sizeof(l.regs))] = rnd();
	ioctl(v->fd, KVM_SET_LAPIC, &l);
}

static void xsave_change(struct vcpu *v)
{
	struct kvm_xsave x;

	CHECK_ALIVE(ioctl(v->fd, KVM_GET_XSAVE, &x));
	for (int n = 1 + below(5); n; n--)
		((uint8_t *)&x)[below(sizeof(x))] = rnd();
	ioctl(v->fd, KVM_SET_XSAVE, &x);
}

static void xcr_set(struct vcpu *v)
{
	struct kvm_xcrs x = { .nr_xcrs = 1, .xcrs[0].value = once_in(2) ? rnd_value() : 7 };

	ioctl(v->fd, KVM_SET_XCRS, &x);
}

static void mp_state_set(struct vcpu *v)
{
	struct kvm_mp_state m = { .mp_state = below(6) };

	ioctl(v->fd, KVM_SET_MP_STATE, &m);
}

static void msi_send(struct vcpu *v)
{
	signal_msi(v->vm, 0xfee00000 | maybe(rnd_value() & 0xffff, 2), rnd_value());
}

static void nmi_send(struct vcpu *v)
{
	ioctl(v->fd, KVM_NMI, 0);
}

static void smi_send(struct vcpu *v)
{
	ioctl(v->fd, KVM_SMI);
}

static void translate(struct vcpu *v)
{
	struct kvm_translation t = { .linear_address = rnd_value() };

	ioctl(v->fd, KVM_TRANSLATE, &t);
}

/* Take the memory away and give it back, under the other vCPUs. */
static void slot_renew(struct vcpu *v)
{
	if (v->id)
		return;
	CHECK_ALIVE(vm_slot(v->vm, 0, 0, 0, v->vm->mem, 0));
	CHECK_ALIVE(vm_slot(v->vm, 0, 0, GPA_HOLE, v->vm->mem, 0));
}

void ioctls_call(struct vcpu *v)
{
	static const struct {
		void (*call)(struct vcpu *v);
		int once_in;
	} calls[] = {
		{ slot_renew, 30 }, { events_set, 3 }, { debug_set, 4 }, { msrs_set, 3 }, { lapic_change, 6 },
		{ xsave_change, 8 }, { xcr_set, 8 }, { mp_state_set, 8 }, { nmi_send, 10 }, { msi_send, 6 },
		{ translate, 30 }, { smi_send, 10 },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (once_in(calls[i].once_in))
			calls[i].call(v);
}
