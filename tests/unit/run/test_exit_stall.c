// SPDX-License-Identifier: GPL-2.0-only
/* Exits by which a guest is kept from holding up a CPU, or all of them; and MOV DR. */
// SOURCES: hv/core/run/exit.c hv/core/vcpu/exit_name.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/memory/domain.h"
#include "hv/core/run/loop.h"
#include "hv/core/run/exit_cr.h"
#include "hv/core/run/exit_msr.h"
#include "hv/core/run/exit_task.h"
#include "hv/core/run/npf.h"
#include "hv/core/apic/irq.h"
#include "hv/core/guest/cpuid.h"
#include "hv/core/guest/io_dom0.h"
#include "hv/core/machine/log.h"
#include "hv/core/machine/panic.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"
#include "compat/kvm-abi/hypercall.h"
#include "compat/kvm-abi/ioeventfd.h"

static struct domain guest = { .id = 1 };
static struct vcpu v;
static int served, windows;

void vcpu_service(struct vcpu *w, u8 exit)
{
	assert_ptr_equal(w, &v);
	assert_int_equal(served, 0);
	served = exit;
}

void host_irq_window(void)
{
	windows++;
}

/* What the other exits call is not tried here. */
static struct cpu cpu;
struct domain dom0;
const struct hv_ops *ops;
struct cpu *this_cpu(void) { return &cpu; }
void log_printf(int level __unused, const char *fmt __unused, ...) { fail(); }
void host_xsetbv(u32 xcr __unused, u64 val __unused) { fail(); }
void host_wbinvd(void) { fail(); }
noreturn void dom0_shutdown(void) { fail(); abort(); }
bool dom0_port(const struct exit_io *io __unused, u32 *val __unused) { return false; }
void exit_cr0(struct vcpu *w __unused) { fail(); }
void nested_exit(struct vcpu *w __unused) { fail(); }
void exit_cr4(struct vcpu *w __unused) { fail(); }
void exit_cr8(struct vcpu *w __unused) { fail(); }
void exit_hypercall(struct vcpu *w __unused) { fail(); }
void exit_npf(struct vcpu *w __unused) { fail(); }
void exit_rdmsr(struct vcpu *w __unused) { fail(); }
void exit_wrmsr(struct vcpu *w __unused) { fail(); }
void exit_task_switch(struct vcpu *w __unused) { fail(); }
bool npf_need_page(struct vcpu *w __unused, gpa_t gpa __unused) { return false; }
bool halt_poll(struct vcpu *w __unused) { fail(); return false; }
void ring_look(struct vcpu *w __unused, struct cpu *c __unused) { fail(); }
struct cpu *ioeventfd_signal(struct vcpu *w __unused, u64 addr __unused, u8 size __unused,
			     u64 data __unused, bool pio __unused) { return NULL; }
void irq_dispatch(u8 vector __unused) { fail(); }
void vcpu_block(struct vcpu *w __unused) { fail(); }
bool vcpu_has_work(struct vcpu *w __unused) { return false; }
void vcpu_kick(struct vcpu *w __unused) { fail(); }

static int used_drs;

void vcpu_use_drs(struct vcpu *w)
{
	assert_ptr_equal(w, &v);
	used_drs++;
}

void vcpu_skip(struct vcpu *w __unused) { fail(); }
void vcpu_exception(struct vcpu *w __unused, u8 vector __unused, bool has_error __unused,
		    u32 error __unused) { fail(); }
bool vcpu_debug_service(struct vcpu *w __unused, u8 vector __unused, u64 dr6 __unused)
{
	return false;
}
bool xcr0_valid(u64 val __unused) { return false; }
void vlapic_ended(struct vcpu *w __unused, u8 vector __unused) { fail(); }
void vlapic_written(struct vcpu *w __unused, u32 offset __unused) { fail(); }
struct cpuid vcpu_cpuid(struct vcpu *w __unused, u32 leaf __unused, u32 sub __unused)
{
	return (struct cpuid){ 0 };
}

void cpuid_execute(struct vcpu *w __unused) { fail(); }

static int setup(void **state __unused)
{
	memset(&v, 0, sizeof(v));
	v.dom = &guest;
	served = windows = used_drs = 0;
	return 0;
}

/* The shim makes it wait; nothing else is done for it. */
static void bus_lock(void **state __unused)
{
	v.exit.reason = VM_EXIT_BUS_LOCK;
	vcpu_handle_exit(&v);
	assert_int_equal(served, BP_EXIT_BUS_LOCK);
	assert_int_equal(windows, 0);
	assert_int_equal(v.exits[VM_EXIT_BUS_LOCK], 1);
	assert_string_equal(vm_exit_name(VM_EXIT_BUS_LOCK), "bus lock");
}

/* A MOV DR is made again with the guest's own in the CPU; with a debugger's there it is the shim's. */
static void mov_dr(void **state __unused)
{
	v.exit.reason = VM_EXIT_MOV_DR;
	vcpu_handle_exit(&v);
	assert_int_equal(used_drs, 1);
	assert_int_equal(served, 0);
	v.rules.flags = BP_RULE_DEBUG;
	vcpu_handle_exit(&v);
	assert_int_equal(used_drs, 1);
	assert_int_equal(served, BP_EXIT_MOV_DR);
}

/* Interrupts that the instruction has held back are taken; then it goes on, if others let it. */
static void endless(void **state __unused)
{
	v.exit.reason = VM_EXIT_NOTIFY;
	vcpu_handle_exit(&v);
	assert_int_equal(windows, 1);
	assert_int_equal(served, 0);
	assert_int_equal(v.exits[VM_EXIT_NOTIFY], 1);
	assert_string_equal(vm_exit_name(VM_EXIT_NOTIFY), "endless instruction");
}

/* One whose state is lost is over, as after a triple fault. */
static void lost(void **state __unused)
{
	v.exit.reason = VM_EXIT_SHUTDOWN;
	vcpu_handle_exit(&v);
	assert_true(v.shutdown_sticky);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bus_lock, setup), cmocka_unit_test_setup(mov_dr, setup),
		cmocka_unit_test_setup(endless, setup),
		cmocka_unit_test_setup(lost, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
