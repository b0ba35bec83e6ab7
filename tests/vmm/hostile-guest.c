/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-hostile guest: guests/hostile.c, of which a CPU that has come to its end, or stands still, is started
 * anew; accesses are answered at random.
 */
#include "hostile.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define EXITS		64
#define LOOK_MS		10
#define NMI_AFTER	3		/* looks without a step */
#define START_AFTER	8
#define STUCK_S		15

static struct vm *vm;
static uint64_t seed;
static struct kvm_sregs fresh;
static struct kvm_lapic_state fresh_lapic;
static uint64_t exits[EXITS], starts, bad;
static bool over, dead, start_anew[VMM_MAX_VCPUS];
static struct kvm_run *pages[VMM_MAX_VCPUS];

extern const uint8_t guest_image[], guest_image_end[];

static void on_signal(int sig)
{
	(void)sig;
}

/* Its own page is left out of this: another CPU may be there. */
static void start(struct vcpu *v)
{
	struct kvm_regs r = { .rflags = 2 };
	struct kvm_mp_state mp = { KVM_MP_STATE_RUNNABLE };
	struct kvm_vcpu_events ev = { .flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW };

	__atomic_fetch_add(&starts, 1, __ATOMIC_RELAXED);
	memcpy(vm->mem + GPA_IMAGE, guest_image, guest_image_end - guest_image);
	vm->p->guest = G_hostile;
	vm->p->mode = MODE_64;
	vm->p->cpus = 0;
	vm->p->arg[0] = seed;
	vm->p->x2apic = once_in(2);
	ioctl(v->fd, KVM_SET_VCPU_EVENTS, &ev);
	ioctl(v->fd, KVM_SET_SREGS, &fresh);
	ioctl(v->fd, KVM_SET_LAPIC, &fresh_lapic);
	ioctl(v->fd, KVM_SET_REGS, &r);
	ioctl(v->fd, KVM_SET_MP_STATE, &mp);
}

/* False: the CPU cannot go on. */
static bool answer(struct kvm_run *r)
{
	uint8_t *data = r->mmio.data;
	size_t n = sizeof(r->mmio.data);

	if (r->exit_reason == KVM_EXIT_IO) {
		data = (uint8_t *)r + r->io.data_offset;
		n = r->io.direction == KVM_EXIT_IO_IN ? (size_t)r->io.size * r->io.count : 0;
	} else if (r->exit_reason != KVM_EXIT_MMIO) {
		return r->exit_reason == KVM_EXIT_IRQ_WINDOW_OPEN;
	}
	while (n--)
		*data++ = rnd();
	return true;
}

static void *cpu_main(void *arg)
{
	struct vcpu *v = arg;
	int err;

	rnd_begin(seed, 32, v->id);
	start(v);
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		err = run_once(v);
		if (__atomic_exchange_n(&start_anew[v->id], false, __ATOMIC_RELAXED)) {
			start(v);
			continue;
		}
		if (err == -EINTR || err == -EAGAIN)
			continue;
		/* An SMI has found no memory for the state: that ends the VM. */
		if (err == -EIO) {
			__atomic_store_n(&dead, true, __ATOMIC_RELAXED);
			break;
		}
		if (err) {
			if (__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED) < 5)
				printf("# KVM_RUN of CPU %d fails with %d\n", v->id, err);
			start(v);
			continue;
		}
		__atomic_fetch_add(&exits[v->run->exit_reason % EXITS], 1, __ATOMIC_RELAXED);
		if (!answer(v->run))
			start(v);
	}
	return NULL;
}

/* Look after the CPUs until they have made so many steps, or the VM is dead; false: they stand still, whatever is done. */
static bool watch(uint64_t wanted, uint64_t *steps)
{
	uint64_t last[VMM_MAX_VCPUS] = { 0 }, moved = now_ns();
	int still[VMM_MAX_VCPUS] = { 0 }, looks = 0;

	while (*steps < wanted && !__atomic_load_n(&dead, __ATOMIC_RELAXED)) {
		sleep_ms(LOOK_MS);
		for (int i = 0; i < vm->nvcpus; i++) {
			uint64_t inverted = vm->p->res[VMM_MAX_VCPUS + i], now = vm->p->res[i], n = now - last[i];

			/* Random code may have written there; or it is between the two. */
			if (now != ~inverted && now != ~inverted + 1)
				n = 0;
			last[i] = now;
			if (n && n < 10000000) {
				*steps += n;
				moved = now_ns();
				still[i] = 0;
			} else if (++still[i] % START_AFTER == 0) {
				__atomic_store_n(&start_anew[i], true, __ATOMIC_RELAXED);
				pthread_kill(vm->vcpu[i].thread, SIGUSR1);
			} else if (still[i] % NMI_AFTER == 0) {
				/* As a message, for the CPU's own ioctls wait until it is back. */
				signal_msi(vm, 0xfee00000 | i << 12, 0x400);
			}
		}
		if (now_ns() - moved > STUCK_S * 1000000000ull)
			return false;
		if (getenv("BP_VERBOSE") && looks++ % 200 == 0)
			printf("# %llu steps, %llu starts, at %llu %llu %llu %llu\n", (unsigned long long)*steps,
			       (unsigned long long)starts, (unsigned long long)last[0], (unsigned long long)last[1],
			       (unsigned long long)last[2], (unsigned long long)last[3]);
	}
	return true;
}

static void stop(void)
{
	for (int i = 0; i < vm->nvcpus; i++) {
		void *ret;
		struct timespec t;

		/* A signal may come right before KVM_RUN begins. */
		__atomic_store_n(&over, true, __ATOMIC_RELAXED);
		do {
			pages[i]->immediate_exit = 1;
			pthread_kill(vm->vcpu[i].thread, SIGUSR1);
			clock_gettime(CLOCK_REALTIME, &t);
			t.tv_nsec += 100000000;
			t.tv_sec += t.tv_nsec / 1000000000;
			t.tv_nsec %= 1000000000;
		} while (pthread_timedjoin_np(vm->vcpu[i].thread, &ret, &t));
	}
}

/* With the same memory in SMM, where the handler is whatever is there. */
static struct vm *vm_make(int cpus)
{
	struct vm *new = vm_new(G_hostile, cpus, VM_PIT);

	if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_SMM) > 0)
		CHECK_EQ(vm_slot(new, 1 << 16, 0, RAM_SIZE, new->mem, 0), 0);
	CHECK_EQ(ioctl(new->vcpu[0].fd, KVM_GET_SREGS, &fresh), 0);
	CHECK_EQ(ioctl(new->vcpu[0].fd, KVM_GET_LAPIC, &fresh_lapic), 0);
	return new;
}

/*
 * One VM's life.  It may end by writing over its own code, so that no CPU comes to a step any
 * more however often it is started; only one that never made a step is not its own end.
 */
static bool live(int cpus, uint64_t wanted, uint64_t *steps)
{
	uint64_t before = *steps;
	bool moves;

	vm = vm_make(cpus);
	over = dead = false;
	for (int i = 0; i < vm->nvcpus; i++) {
		pages[i] = vm->vcpu[i].run;
		start_anew[i] = false;
		CHECK_EQ(pthread_create(&vm->vcpu[i].thread, NULL, cpu_main, &vm->vcpu[i]), 0);
	}
	moves = watch(wanted, steps) || *steps > before;
	stop();
	vm_free(vm);
	return moves;
}

int hostile_guest(const struct options *opt)
{
	struct sigaction sa = { .sa_handler = on_signal };
	uint64_t begun = now_ns(), steps = 0, vms = 0, ns;
	bool moves = true;

	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	while (moves && steps < opt->calls) {
		seed = opt->seed + vms++;
		moves = live(opt->cpus, opt->calls, &steps);
	}
	ns = now_ns() - begun;
	for (int i = 0; i < EXITS; i++)
		if (exits[i])
			printf("# guest: exit %d: %llu\n", i, (unsigned long long)exits[i]);
	printf("# guest: seed %llu: %llu steps of %d CPUs, %llu VMs, %llu starts, %llu s, %llu steps a second\n",
	       (unsigned long long)opt->seed, (unsigned long long)steps, opt->cpus, (unsigned long long)vms,
	       (unsigned long long)starts, (unsigned long long)ns / 1000000000,
	       (unsigned long long)(steps * 1000 / (ns / 1000000 + 1)));
	if (!moves)
		printf("# guest: it stands still\n");
	if (exits[KVM_EXIT_UNKNOWN])
		printf("# guest: unknown exits\n");
	return !moves || bad || exits[KVM_EXIT_UNKNOWN];
}
