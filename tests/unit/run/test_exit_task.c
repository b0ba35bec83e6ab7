// SPDX-License-Identifier: GPL-2.0-only
/* Task switches that exit: what the shim is told of a guest's, what domain 0 gets. */
// SOURCES: hv/core/run/exit_task.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "compat/kvm-abi/channel.h"
#include "hv/core/memory/domain.h"
#include "hv/core/run/exit_task.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"

struct domain dom0;
static struct domain guest = { .id = 1 };
static struct bp_vcpu_page page;
static struct vcpu v;
static struct vcpu_paging paging;
static int served, vector;
static u32 error;

void vcpu_service(struct vcpu *w, u8 exit)
{
	assert_ptr_equal(w, &v);
	served = exit;
}

void vcpu_exception(struct vcpu *w __unused, u8 vec, bool has_error, u32 err)
{
	assert_true(has_error);
	vector = vec;
	error = err;
}

static void get_paging(struct vcpu *w __unused, struct vcpu_paging *p)
{
	*p = paging;
}

static const struct hv_ops test_ops = { .get_paging = get_paging };
const struct hv_ops *ops = &test_ops;

static int setup(void **state __unused)
{
	memset(&v, 0, sizeof(v));
	memset(&page, 0xee, sizeof(page));
	memset(&paging, 0, sizeof(paging));
	v.dom = &guest;
	v.page = &page;
	v.exit.task = (struct exit_task){ .selector = 0x2b, .source = TASK_CALL };
	v.exit.insn_len = 7;
	served = vector = -1;
	return 0;
}

static void instruction(void **state __unused)
{
	const struct bp_exit_task *x = &page.task;
	static const u8 zeroes[32];

	/* What injection left behind is no event. */
	v.inject = (struct vcpu_event){ .type = EVENT_NONE, .vector = 13, .has_error = true };
	exit_task_switch(&v);
	assert_int_equal(served, BP_EXIT_TASK_SWITCH);
	assert_int_equal(x->selector, 0x2b);
	assert_int_equal(x->source, TASK_CALL);
	assert_int_equal(x->insn_len, 7);
	assert_int_equal(x->event, EVENT_NONE);
	assert_int_equal(x->vector, 0);
	assert_int_equal(x->pdptes_known, 0);
	assert_memory_equal(x->pdpte, zeroes, 32);
	assert_int_equal(vector, -1);
}

/* An event stays to be delivered: an exit that nobody serves begins anew. */
static void event(void **state __unused)
{
	const struct bp_exit_task *x = &page.task;

	v.exit.task.source = TASK_GATE;
	v.exit.insn_len = 0;
	v.inject = (struct vcpu_event){
		.type = EVENT_EXC, .vector = 13, .has_error = true, .error = 0x1234,
	};
	exit_task_switch(&v);
	assert_int_equal(served, BP_EXIT_TASK_SWITCH);
	assert_int_equal(x->source, TASK_GATE);
	assert_int_equal(x->event, EVENT_EXC);
	assert_int_equal(x->vector, 13);
	assert_int_equal(x->insn_len, 0);
	assert_int_equal(v.inject.type, EVENT_EXC);
	v.inject = (struct vcpu_event){ .type = EVENT_NMI, .vector = 2 };
	exit_task_switch(&v);
	assert_int_equal(x->event, EVENT_NMI);
}

static void top_entries(void **state __unused)
{
	u32 i;

	paging.pdptes = true;
	for (i = 0; i < 4; i++)
		paging.pdpte[i] = 0x1001 * (i + 1);
	exit_task_switch(&v);
	assert_int_equal(page.task.pdptes_known, 1);
	for (i = 0; i < 4; i++)
		assert_int_equal(page.task.pdpte[i], 0x1001 * (i + 1));
}

/* The service VM has no shim to ask: it gets what long mode would give it. */
static void service_vm(void **state __unused)
{
	v.dom = &dom0;
	v.page = NULL;
	exit_task_switch(&v);
	assert_int_equal(served, -1);
	assert_int_equal(vector, X86_TRAP_GP);
	assert_int_equal(error, 0x28);
	v.exit.task.source = TASK_GATE;
	v.inject.type = EVENT_INTR;
	exit_task_switch(&v);
	assert_int_equal(error, 0x29);
	v.inject.type = EVENT_NONE;			/* INT n */
	exit_task_switch(&v);
	assert_int_equal(error, 0x28);
	assert_int_equal(served, -1);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(instruction), T(event), T(top_entries), T(service_vm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
