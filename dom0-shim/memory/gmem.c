// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory, for the instruction emulator: through the VMM's own mapping,
 * which is current in the thread that is in KVM_RUN; private memory, through
 * its file.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <asm/asm.h>

#include "gmem.h"
#include "memslot.h"
#include "mmu.h"
#include "private.h"

/* ---- one access ---- */

#define TRIES	4	/* of a page that has gone again each time, or is broken */

struct access {
	void __user *p;
	void *to;		/* what is read goes here, */
	const void *from;	/* what is written comes from here */
	const void *old;	/* what has to be there before */
	u32 len;
	bool begun;		/* a part has been written */
	u8 bits;
	int (*once)(struct access *a);	/* -EIO: not with the page as it is */
};

static int read_once(struct access *a)
{
	return copy_from_user(a->to, a->p, a->len) ? -EIO : 0;
}

static int write_once(struct access *a)
{
	unsigned long left = copy_to_user(a->p, a->from, a->len);

	a->begun = left < a->len;
	return left ? -EIO : 0;
}

/* 1: somebody has set them before. */
static int or_once(struct access *a)
{
	u8 __user *p = a->p;
	u8 old;

	if (copy_from_user(&old, p, sizeof(old)))
		return -EIO;
	if ((old & a->bits) == a->bits)
		return 1;
	if (!user_access_begin(p, sizeof(*p)))
		return -EIO;
	asm goto("1: lock orb %[bits], %[mem]\n"
		 _ASM_EXTABLE_UA(1b, %l[fault])
		 : : [mem] "m" (*p), [bits] "iq" (a->bits) : "memory" : fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EIO;
}

/* The user address is valid: it was checked when the slot was made. */
#define CMPXCHG_USER(type) ({						\
	type __user *ptr_ = p;						\
	type old_ = *(const type *)old, val_ = *(const type *)val;	\
	bool done_;							\
	if (!user_access_begin(ptr_, sizeof(type)))			\
		return -EIO;						\
	done_ = unsafe_try_cmpxchg_user(ptr_, &old_, val_, fault);	\
	user_access_end();						\
	done_ ? 0 : 1;							\
})

/* Linux has none of 16 bytes for user memory; every CPU with SVM or VMX has. */
static int cmpxchg16_user(void __user *p, const void *old, const void *val)
{
	struct { u64 lo, hi; } o, v;
	struct { u8 byte[16]; } __user *mem = p;
	bool done;

	memcpy(&o, old, sizeof(o));
	memcpy(&v, val, sizeof(v));
	if (!user_access_begin(p, sizeof(o)))
		return -EIO;
	asm_goto_output("1: lock cmpxchg16b %[mem]\n"
			_ASM_EXTABLE_UA(1b, %l[fault])
			: "=@ccz" (done), [mem] "+m" (*mem),
			  "+a" (o.lo), "+d" (o.hi)
			: "b" (v.lo), "c" (v.hi)
			: "memory"
			: fault);
	user_access_end();
	return done ? 0 : 1;
fault:
	user_access_end();
	return -EIO;
}

static int cmpxchg_once(struct access *a)
{
	const void *old = a->old, *val = a->from;
	void __user *p = a->p;

	switch (a->len) {
	case 1:
		return CMPXCHG_USER(u8);
	case 2:
		return CMPXCHG_USER(u16);
	case 4:
		return CMPXCHG_USER(u32);
	case 8:
		return CMPXCHG_USER(u64);
	case 16:
		return cmpxchg16_user(p, old, val);
	default:
		return -EOPNOTSUPP;
	}
fault:
	user_access_end();
	return -EIO;
}

/* 0: it was there.  -EINTR: a signal came first.  Else it is none that could be waited for. */
static int bring_page(const void __user *p, bool write)
{
	unsigned int flags = FOLL_INTERRUPTIBLE | FOLL_HONOR_NUMA_FAULT;
	long n = get_user_pages_unlocked((unsigned long)p, 1, NULL,
					 write ? flags | FOLL_WRITE : flags);

	return n == 1 ? 0 : n < 0 ? n : -EFAULT;
}

/*
 * A page may be on its way for as long as somebody likes (userfaultfd), and Linux's own
 * accesses wait for it whatever comes: with a signal that does not kill they try for ever.
 * So in KVM_RUN it is waited for here.  A part of a write is not left behind.
 */
static int do_access(enum bp_wait wait, struct access *a)
{
	int i, ret;

	for (i = 0; i < TRIES && wait != BP_WAIT; i++) {
		pagefault_disable();
		ret = a->once(a);
		pagefault_enable();
		if (ret != -EIO)
			return ret;
		if (wait == BP_WAIT_NOT)
			return -EWOULDBLOCK;
		if (a->begun)
			break;
		ret = bring_page(a->p, a->from != NULL);
		if (ret == -EINTR)
			return ret;
		if (ret)
			break;
	}
	/* User space has its turn then: what Linux has found out meanwhile is done there. */
	return i < TRIES ? a->once(a) : -EINTR;
}

static enum bp_wait wait_of(const struct bp_vcpu *vcpu)
{
	return vcpu->in_run ? BP_WAIT_IN_RUN : BP_WAIT;
}

/* Nothing of it yet, but what may take time. */
static int prepare(const struct bp_vcpu *vcpu, const void __user *p, bool write)
{
	return vcpu->in_run && bring_page(p, write) == -EINTR ? -EINTR : 0;
}

/* ---- where it is ---- */

/* NULL: it is not there. */
static struct bp_memslot *find_slot(struct bp_vm *vm, u64 space, u64 gpa, bool write)
{
	struct bp_memslot *slot;

	if (gpa & BP_GPA_SMM)
		return NULL;
	slot = bp_slot_find(vm, (gpa | space) >> PAGE_SHIFT);
	return slot && write && slot->flags & KVM_MEM_READONLY ? NULL : slot;
}

static void __user *user_at(const struct bp_memslot *slot, u64 gpa)
{
	return (void __user *)(bp_slot_hva(slot, gpa >> PAGE_SHIFT) + offset_in_page(gpa));
}

static int read_at(struct bp_vcpu *vcpu, u64 space, u64 gpa, void *buf, u32 len)
{
	struct bp_memslot *slot = find_slot(vcpu->vm, space, gpa, false);
	struct access a = { .to = buf, .len = len, .once = read_once };

	if (!slot || len > PAGE_SIZE - offset_in_page(gpa))
		return -EFAULT;
	gpa |= space;
	if (bp_is_private(vcpu->vm, gpa >> PAGE_SHIFT))
		return bp_private_read(slot, gpa, buf, len);
	a.p = user_at(slot, gpa);
	return len ? do_access(wait_of(vcpu), &a) : prepare(vcpu, a.p, false);
}

/* Why it cannot be written: as bp_fault() takes it, it is no RAM, or it is the VMM's affair. */
static int not_written(void __user *p)
{
	bool writable;
	u64 pfn;

	return bp_pfnmap_lookup((unsigned long)p, true, &pfn, &writable) == -EROFS ? -EFAULT : -EIO;
}

static int write_at(struct bp_vcpu *vcpu, u64 space, u64 gpa, const void *buf, u32 len)
{
	struct bp_memslot *slot = find_slot(vcpu->vm, space, gpa, true);
	struct access a = { .from = buf, .len = len, .once = write_once };
	int ret;

	if (!slot || len > PAGE_SIZE - offset_in_page(gpa))
		return -EFAULT;
	gpa |= space;
	if (bp_is_private(vcpu->vm, gpa >> PAGE_SHIFT))
		return len ? bp_private_write(slot, gpa, buf, len) : 0;
	a.p = user_at(slot, gpa);
	if (!len)
		return prepare(vcpu, a.p, true);
	ret = do_access(wait_of(vcpu), &a);
	if (!ret)
		bp_dirty_mark(vcpu, slot, gpa >> PAGE_SHIFT);
	return ret == -EIO ? not_written(a.p) : ret;
}

int bp_gmem_read(struct bp_vcpu *vcpu, u64 gpa, void *buf, u32 len)
{
	return read_at(vcpu, 0, gpa, buf, len);
}

int bp_gmem_write(struct bp_vcpu *vcpu, u64 gpa, const void *buf, u32 len)
{
	return write_at(vcpu, 0, gpa, buf, len);
}

int bp_gmem_write_smm(struct bp_vcpu *vcpu, u64 gpa, const void *buf, u32 len)
{
	return write_at(vcpu, BP_GPA_SMM, gpa, buf, len);
}

int bp_vcpu_read(struct bp_vcpu *vcpu, u64 gpa, void *buf, u32 len)
{
	return read_at(vcpu, bp_vcpu_space(vcpu), gpa, buf, len);
}

int bp_vcpu_write(struct bp_vcpu *vcpu, u64 gpa, const void *buf, u32 len)
{
	return write_at(vcpu, bp_vcpu_space(vcpu), gpa, buf, len);
}

int bp_vcpu_cmpxchg(struct bp_vcpu *vcpu, u64 gpa, const void *old, const void *val,
		    u32 len)
{
	struct bp_memslot *slot = find_slot(vcpu->vm, bp_vcpu_space(vcpu), gpa, true);
	struct access a = { .from = val, .old = old, .len = len, .once = cmpxchg_once };
	int ret;

	if (!slot || gpa & (len - 1))
		return -EFAULT;
	gpa |= bp_vcpu_space(vcpu);
	if (bp_is_private(vcpu->vm, gpa >> PAGE_SHIFT))
		return bp_private_cmpxchg(slot, gpa, old, val, len);
	a.p = user_at(slot, gpa);
	ret = do_access(wait_of(vcpu), &a);
	if (!ret)
		bp_dirty_mark(vcpu, slot, gpa >> PAGE_SHIFT);
	return ret;
}

/* ---- at an address of the VMM's ---- */

int bp_user_read(void __user *p, void *buf, u32 len, enum bp_wait wait)
{
	struct access a = { .p = p, .to = buf, .len = len, .once = read_once };

	return do_access(wait, &a);
}

int bp_user_write(void __user *p, const void *buf, u32 len, enum bp_wait wait)
{
	struct access a = { .p = p, .from = buf, .len = len, .once = write_once };

	return do_access(wait, &a);
}

int bp_user_or(u8 __user *p, u8 bits, enum bp_wait wait)
{
	/* Set, it is to be brought for writing. */
	struct access a = { .p = p, .from = &bits, .bits = bits, .once = or_once };

	return do_access(wait, &a);
}
