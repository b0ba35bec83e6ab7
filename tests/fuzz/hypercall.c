// SPDX-License-Identifier: GPL-2.0-only
/*
 * All of the hypercalls on one CPU: sequences of them and of guests' exits, with shared pages that
 * change between calls and, as the fuzzer is built, at each single load that Bedplate makes of
 * them. Then all guests are destroyed: no frame is missing, no reference is left.
 */
// SOURCES: tests/fuzz/rig/machine.c tests/fuzz/rig/machine_ops.c tests/fuzz/rig/calls.c
// SOURCES: hv/core/memory/frames.c hv/core/memory/mmu.c hv/core/memory/mmu_dom0.c hv/core/memory/dommem.c hv/core/memory/io.c
// SOURCES: hv/ept/npt.c hv/ept/format.c hv/core/machine/timer.c hv/core/machine/log.c hv/core/machine/cmos.c hv/core/lib/printf.c
// SOURCES: hv/core/vcpu/vcpu.c hv/core/vcpu/halt.c hv/core/vcpu/sched.c hv/core/vcpu/sched_math.c hv/core/lib/tree.c hv/core/vcpu/event.c hv/core/vcpu/sregs.c hv/core/vcpu/exit_name.c hv/core/vcpu/speculation.c
// SOURCES: hv/core/run/run.c hv/core/run/exit.c hv/core/run/nested.c hv/core/run/exit_cr.c hv/core/run/exit_msr.c hv/core/run/exit_task.c hv/core/run/npf.c hv/core/run/vcpu_create.c
// SOURCES: hv/core/apic/*.c hv/core/guest/cpuid.c hv/core/guest/cpuid_allow.c hv/core/guest/gwalk.c hv/core/guest/insn.c hv/core/guest/skip.c hv/core/guest/msr.c hv/core/guest/msr_dom0.c hv/core/guest/pv.c hv/core/guest/io_dom0.c
// SOURCES: compat/kvm-abi/*.c
// CFLAGS: -include machine_host.h
// FUZZER: -fsanitize-coverage=trace-loads
#include "calls.h"

#include "hv/core/machine/lapic.h"
#include "hv/core/machine/timer.h"
#include "hv/core/apic/irq.h"
#include "hv/core/memory/frames.h"
#include "hv/core/vcpu/run.h"

#define CHECK_EVERY	24	/* calls */

static struct caller caller;

/* ---- domain 0's other CPUs, which write what Bedplate is about to read ---- */

static u64 tamper_seed;
static bool tampering;

static u64 tamper_random(void)
{
	tamper_seed ^= tamper_seed << 13;
	tamper_seed ^= tamper_seed >> 7;
	tamper_seed ^= tamper_seed << 17;
	return tamper_seed;
}

static u64 other_value(u64 was, u64 random)
{
	switch (random & 7) {
	case 0: return random >> 8;
	case 1: return 0;
	case 2: return ~0ull;
	case 3: return M_POOL >> PAGE_SHIFT;
	case 4: return (random >> 8) & 0xfff;
	default: return was ^ BIT(random >> 8 & 63);
	}
}

/* Before a load of @size bytes: only of memory that domain 0 has. */
static inline void before_load(void *at, u32 size)
{
	u64 offset = (u64)((u8 *)at - machine_memory), random, val = 0;

	if (!tamper_seed || tampering || !in_hypervisor || !machine_memory || offset >= M_POOL)
		return;
	tampering = true;
	random = tamper_random();
	if (!(random >> 60) && frame_owner(offset >> PAGE_SHIFT) == BP_OWNER_DOM0) {
		memcpy(&val, at, size);
		val = other_value(val, random);
		memcpy(at, &val, size);
	}
	tampering = false;
}

void __sanitizer_cov_load1(uint8_t *at);
void __sanitizer_cov_load2(uint16_t *at);
void __sanitizer_cov_load4(uint32_t *at);
void __sanitizer_cov_load8(uint64_t *at);
void __sanitizer_cov_load16(void *at);
void __sanitizer_cov_load1(uint8_t *at) { before_load(at, 1); }
void __sanitizer_cov_load2(uint16_t *at) { before_load(at, 2); }
void __sanitizer_cov_load4(uint32_t *at) { before_load(at, 4); }
void __sanitizer_cov_load8(uint64_t *at) { before_load(at, 8); }
void __sanitizer_cov_load16(void *at __unused) { }

/* ---- the steps ---- */

void step_dom0(struct vcpu *v)
{
	if (caller.done)
		machine_leave();
	if (caller.calls && !(caller.calls % CHECK_EVERY) && !caller.ending)
		machine_check(false);
	calls_dom0(&caller, v);
}

void step_guest(struct vcpu *v)
{
	calls_guest(&caller, v);
}

/* Nobody can run: domain 0 hears of something. */
void step_idle(struct cpu *c)
{
	machine_tick(100000);
	c->dom0->nmi_pending = true;
	vcpu_kick(c->dom0);
}

/* There is no other CPU. */
void step_wait(void)
{
	REQUIRE(!"waits for itself");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool booted;
	u8 how;

	if (size > 4096)
		return 0;
	if (!booted)
		machine_boot(1);
	booted = true;
	machine_rewind();
	calls_begin(false);
	caller = (struct caller){ .in = { data, size }, .list = M_NAMED + 3 };
	how = take8(&caller.in);
	caller.begins = how & 6;
	tamper_seed = how & 1 ? take16(&caller.in) : 0;
	machine_run(0);
	in_hypervisor = false;
	machine_check(true);
	return 0;
}
