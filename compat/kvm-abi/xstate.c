// SPDX-License-Identifier: GPL-2.0-only
/* FPU and vector state: KVM's structures and the XSAVE area (SDM vol. 1, 13.4). */
#include <linux/kvm.h>

#include "hv/core/lib/errno.h"
#include "hv/core/lib/string.h"
#include "hv/core/lib/x86.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/vcpu.h"
#include "server.h"

struct fxsave {
	u16 fcw, fsw;
	u8 ftw, pad;
	u16 fop;
	u64 rip, rdp;
	u32 mxcsr, mxcsr_mask;
	u8 st[8][16];
	u8 xmm[16][16];
	u8 rest[96];
};
static_assert(sizeof(struct fxsave) == 512, "legacy region");

struct xheader {
	u64 xstate_bv;
	u64 xcomp_bv;
	u64 reserved[6];
};

#define MXCSR_VALID	0xffffu

static struct fxsave *legacy(struct vcpu *v)
{
	return v->xsave;
}

static struct xheader *header(void *area)
{
	return (struct xheader *)((u8 *)area + 512);
}

/* XSAVE may leave a component in its initial state out of the area: put it in. */
static void materialise(struct vcpu *v)
{
	struct fxsave *f = legacy(v);
	struct xheader *h = header(v->xsave);

	if (!(h->xstate_bv & XCR0_FP)) {
		f->fcw = 0x37f;
		f->fsw = 0;
		f->ftw = 0;
		f->fop = 0;
		f->rip = f->rdp = 0;
		memset(f->st, 0, sizeof(f->st));
	}
	if (!(h->xstate_bv & XCR0_SSE))
		memset(f->xmm, 0, sizeof(f->xmm));
	if (!(h->xstate_bv & (XCR0_SSE | XCR0_AVX)))
		f->mxcsr = 0x1f80;
}

void xstate_get_fpu(struct vcpu *v, struct kvm_fpu *k)
{
	const struct fxsave *f = legacy(v);

	materialise(v);
	memset(k, 0, sizeof(*k));
	memcpy(k->fpr, f->st, sizeof(k->fpr));
	k->fcw = f->fcw;
	k->fsw = f->fsw;
	k->ftwx = f->ftw;
	k->last_opcode = f->fop;
	k->last_ip = f->rip;
	k->last_dp = f->rdp;
	memcpy(k->xmm, f->xmm, sizeof(k->xmm));
	k->mxcsr = f->mxcsr;
}

void xstate_set_fpu(struct vcpu *v, const struct kvm_fpu *k)
{
	struct fxsave *f = legacy(v);

	memcpy(f->st, k->fpr, sizeof(f->st));
	f->fcw = k->fcw;
	f->fsw = k->fsw;
	f->ftw = k->ftwx;
	f->fop = k->last_opcode;
	f->rip = k->last_ip;
	f->rdp = k->last_dp;
	memcpy(f->xmm, k->xmm, sizeof(f->xmm));
	f->mxcsr = k->mxcsr & MXCSR_VALID;
	header(v->xsave)->xstate_bv |= XCR0_FP | XCR0_SSE;
}

void xstate_get(struct vcpu *v, struct kvm_xsave *x)
{
	materialise(v);
	memcpy(x, v->xsave, sizeof(x->region));
	/* KVM marks what the VMM may rely on: x87 and SSE always are. */
	header(x)->xstate_bv |= XCR0_FP | XCR0_SSE;
}

int xstate_set(struct vcpu *v, const struct kvm_xsave *x)
{
	struct xheader h;
	u32 mxcsr;
	u32 i;

	/* Copy first, check the copy: XRSTOR raises #GP on anything odd. */
	memcpy(&h, header((void *)x), sizeof(h));
	memcpy(&mxcsr, (const u8 *)x + 24, sizeof(mxcsr));
	if ((h.xstate_bv & ~xcr0_supported) || h.xcomp_bv || (mxcsr & ~MXCSR_VALID))
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(h.reserved); i++)
		if (h.reserved[i])
			return -EINVAL;
	memcpy(v->xsave, x, sizeof(x->region));
	memcpy(header(v->xsave), &h, sizeof(h));
	legacy(v)->mxcsr = mxcsr;
	return 0;
}
