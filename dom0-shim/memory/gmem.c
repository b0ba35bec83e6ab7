// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory, for the instruction emulator: through the VMM's own mapping,
 * which is current in the thread that is in KVM_RUN; private memory, through
 * its file.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/asm.h>

#include "gmem.h"
#include "memslot.h"
#include "mmu.h"
#include "private.h"

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

static int read_at(struct bp_vm *vm, u64 space, u64 gpa, void *buf, u32 len)
{
	struct bp_memslot *slot = find_slot(vm, space, gpa, false);

	if (!slot || len > PAGE_SIZE - offset_in_page(gpa))
		return -EFAULT;
	gpa |= space;
	if (bp_is_private(vm, gpa >> PAGE_SHIFT))
		return bp_private_read(slot, gpa, buf, len);
	return copy_from_user(buf, user_at(slot, gpa), len) ? -EIO : 0;
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

	if (!slot || len > PAGE_SIZE - offset_in_page(gpa))
		return -EFAULT;
	gpa |= space;
	if (!len)
		return 0;
	if (bp_is_private(vcpu->vm, gpa >> PAGE_SHIFT))
		return bp_private_write(slot, gpa, buf, len);
	if (copy_to_user(user_at(slot, gpa), buf, len))
		return not_written(user_at(slot, gpa));
	bp_dirty_mark(vcpu, slot, gpa >> PAGE_SHIFT);
	return 0;
}

int bp_gmem_read(struct bp_vm *vm, u64 gpa, void *buf, u32 len)
{
	return read_at(vm, 0, gpa, buf, len);
}

int bp_gmem_write(struct bp_vcpu *vcpu, u64 gpa, const void *buf, u32 len)
{
	return write_at(vcpu, 0, gpa, buf, len);
}

int bp_vcpu_read(struct bp_vcpu *vcpu, u64 gpa, void *buf, u32 len)
{
	return read_at(vcpu->vm, bp_vcpu_space(vcpu), gpa, buf, len);
}

int bp_vcpu_write(struct bp_vcpu *vcpu, u64 gpa, const void *buf, u32 len)
{
	return write_at(vcpu, bp_vcpu_space(vcpu), gpa, buf, len);
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
			: CC_OUT(z) (done), [mem] "+m" (*mem),
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

int bp_vcpu_cmpxchg(struct bp_vcpu *vcpu, u64 gpa, const void *old, const void *val,
		    u32 len)
{
	struct bp_memslot *slot = find_slot(vcpu->vm, bp_vcpu_space(vcpu), gpa, true);
	void __user *p;
	int ret;

	if (!slot || gpa & (len - 1))
		return -EFAULT;
	gpa |= bp_vcpu_space(vcpu);
	if (bp_is_private(vcpu->vm, gpa >> PAGE_SHIFT))
		return bp_private_cmpxchg(slot, gpa, old, val, len);
	p = user_at(slot, gpa);
	switch (len) {
	case 1:
		ret = CMPXCHG_USER(u8);
		break;
	case 2:
		ret = CMPXCHG_USER(u16);
		break;
	case 4:
		ret = CMPXCHG_USER(u32);
		break;
	case 8:
		ret = CMPXCHG_USER(u64);
		break;
	case 16:
		ret = cmpxchg16_user(p, old, val);
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (!ret)
		bp_dirty_mark(vcpu, slot, gpa >> PAGE_SHIFT);
	return ret;
fault:
	user_access_end();
	return -EIO;
}
