// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hypercalls on two CPUs at once, as two threads, under the thread sanitizer: what locks or
 * atomic operations do not guard is found. A guest keeps a translation while it runs, and the frame must stay
 * domain 0's for as long. At the end as hypercall.c.
 */
// SOURCES: tests/fuzz/rig/machine.c tests/fuzz/rig/machine_ops.c tests/fuzz/rig/calls.c
// SOURCES: hv/core/memory/frames.c hv/core/memory/mmu.c hv/core/memory/mmu_dom0.c hv/core/memory/dommem.c hv/core/memory/io.c
// SOURCES: hv/ept/npt.c hv/ept/format.c hv/core/machine/timer.c hv/core/machine/log.c hv/core/machine/cmos.c hv/core/lib/printf.c
// SOURCES: hv/core/vcpu/vcpu.c hv/core/vcpu/halt.c hv/core/vcpu/sched.c hv/core/vcpu/sched_math.c hv/core/lib/tree.c hv/core/vcpu/event.c hv/core/vcpu/sregs.c hv/core/vcpu/exit_name.c hv/core/vcpu/speculation.c
// SOURCES: hv/core/run/run.c hv/core/run/exit.c hv/core/run/nested.c hv/core/run/exit_cr.c hv/core/run/exit_msr.c hv/core/run/exit_task.c hv/core/run/npf.c hv/core/run/vcpu_create.c
// SOURCES: hv/core/apic/*.c hv/core/guest/cpuid.c hv/core/guest/cpuid_allow.c hv/core/guest/gwalk.c hv/core/guest/insn.c hv/core/guest/skip.c hv/core/guest/msr.c hv/core/guest/msr_dom0.c hv/core/guest/pv.c hv/core/guest/io_dom0.c
// SOURCES: compat/kvm-abi/*.c
// CFLAGS: -include machine_host.h -pthread
// CHECKS: thread
// FUZZER: -mllvm -tsan-distinguish-volatile=1
#include <pthread.h>
#include <sched.h>

#include "calls.h"

#include "hv/core/memory/frames.h"
#include "hv/core/vcpu/run.h"

static struct caller caller[M_CPUS];
static bool over;

/*
 * READ_ONCE() and WRITE_ONCE() say that others read or write at the same time: not looked at, as
 * KCSAN does not. gcc has no such option: replays() looks at no races.
 */
#define VOLATILE(n) \
	void __tsan_volatile_read##n(void *p); \
	void __tsan_volatile_write##n(void *p); \
	void __tsan_unaligned_volatile_read##n(void *p); \
	void __tsan_unaligned_volatile_write##n(void *p); \
	void __tsan_volatile_read##n(void *p __unused) { } \
	void __tsan_volatile_write##n(void *p __unused) { } \
	void __tsan_unaligned_volatile_read##n(void *p __unused) { } \
	void __tsan_unaligned_volatile_write##n(void *p __unused) { }
VOLATILE(1)
VOLATILE(2)
VOLATILE(4)
VOLATILE(8)
VOLATILE(16)

/* Statistics, which by their contract may be of different moments: aligned words, and nothing follows from them. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:vcpu_counters\nrace:get_domain_stats\nrace:get_hv_stats\n";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "report_signal_unsafe=0";	/* libFuzzer's own, when it tells of a failure */
}

static bool is_over(void)
{
	return __atomic_load_n(&over, __ATOMIC_ACQUIRE);
}

static bool at_end(const struct caller *c)
{
	return __atomic_load_n(&c->finished, __ATOMIC_ACQUIRE);
}

/* In guest mode until somebody interrupts, or the other CPU has come to its end. */
static void stay(struct caller *c, struct vcpu *v)
{
	u8 vector;

	while (!(vector = machine_irq(machine_cpu)) && !is_over() && (c->cpu || !at_end(&caller[1]))) {
		machine_tick(1000);
		sched_yield();
	}
	v->exit.reason = VM_EXIT_INTR;
	v->exit.taken = vector ? 0x100 | vector : 0;
}

void step_dom0(struct vcpu *v)
{
	struct caller *c = &caller[machine_cpu->index];

	if (is_over())
		machine_leave();
	if (c->done) {
		__atomic_store_n(&over, true, __ATOMIC_RELEASE);
		machine_leave();
	}
	if (!c->in.left && !c->ending && c->cpu) {
		c->ending = true;
		calls_drop_ring(v);
		return;
	}
	if (!c->in.left) {
		__atomic_store_n(&c->finished, true, __ATOMIC_RELEASE);
		/* The first CPU cleans up when both have come to their end. */
		if (c->cpu || !at_end(&caller[1])) {
			stay(c, v);
			return;
		}
	}
	calls_dom0(c, v);
}

/* A translation that the CPU has is good until it leaves the guest. */
static void use_translation(struct vcpu *v, struct input *in)
{
	u64 gfn = take8(in), pfn;
	u32 turns = take8(in) % 8, owner;

	if (!machine_translate(v->dom, gfn, &pfn))
		return;
	owner = frame_owner(pfn);
	REQUIRE(owner == BP_OWNER_DOM0 || owner == BP_OWNER_NONE);
	while (turns--) {
		sched_yield();
		REQUIRE(frame_owner(pfn) == owner);
	}
}

void step_guest(struct vcpu *v)
{
	struct caller *c = &caller[machine_cpu->index];

	if (is_over())
		machine_leave();
	if (c->in.left)
		use_translation(v, &c->in);
	calls_guest(c, v);
}

void step_idle(struct cpu *c)
{
	if (is_over())
		machine_leave();
	machine_tick(100000);
	WRITE_ONCE(c->dom0->nmi_pending, true);
	vcpu_kick(c->dom0);
	sched_yield();
}

void step_wait(void)
{
	sched_yield();
}

static void *other(void *arg __unused)
{
	machine_run(1);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool booted;
	pthread_t thread;
	u32 i;

	if (size > 2048)
		return 0;
	if (!booted)
		machine_boot(M_CPUS);
	booted = true;
	machine_rewind();
	calls_begin(true);
	over = false;
	for (i = 0; i < M_CPUS; i++)
		caller[i] = (struct caller){ .in = { data + i * (size / 2), size / 2 }, .cpu = i, .list = M_NAMED + 2 + i,
					       .begins = size && (data[0] & 7) };
	REQUIRE(!pthread_create(&thread, NULL, other, NULL));
	machine_run(0);
	REQUIRE(!pthread_join(thread, NULL));
	machine_check(true);
	return 0;
}
