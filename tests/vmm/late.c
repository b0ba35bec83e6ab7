// SPDX-License-Identifier: GPL-2.0-only
#include "late.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#define PAGE		4096ull
#define FREE_SLOT	9
#define FREE_GPA	0x40000000
#define SIGNALS		3

static int open_fd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		SKIP("no userfaultfd");
	CHECK_EQ(ioctl(fd, UFFDIO_API, &api), 0);
	if (!(api.features & UFFD_FEATURE_PAGEFAULT_FLAG_WP))
		SKIP("userfaultfd cannot protect pages");
	return fd;
}

static struct late hold_back(uint8_t *mem, uint64_t pages)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP };
	struct late l = { .mem = mem, .fd = open_fd() };

	reg.range.start = (uintptr_t)mem;
	reg.range.len = pages * PAGE;
	CHECK_EQ(madvise(mem, pages * PAGE, MADV_NOHUGEPAGE), 0);
	CHECK_EQ(ioctl(l.fd, UFFDIO_REGISTER, &reg), 0);
	return l;
}

struct late late_new(uint64_t pages)
{
	return hold_back(mem_new(pages * PAGE), pages);
}

struct late late_again(void *page)
{
	struct late l = hold_back(page, 1);

	late_take(&l, 0);
	return l;
}

void late_take(const struct late *l, uint64_t page)
{
	CHECK_EQ(madvise(l->mem + page * PAGE, PAGE, MADV_DONTNEED), 0);
}

static void bring(const struct late *l, uint64_t page, const void *data, uint64_t mode)
{
	static const uint8_t none[PAGE];
	struct uffdio_copy copy = {
		.dst = (uintptr_t)l->mem + page * PAGE, .src = (uintptr_t)(data ? data : none),
		.len = PAGE, .mode = mode,
	};

	CHECK_EQ(ioctl(l->fd, UFFDIO_COPY, &copy), 0);
}

void late_bring(const struct late *l, uint64_t page, const void *data)
{
	bring(l, page, data, 0);
}

void late_bring_protected(const struct late *l, uint64_t page, const void *data)
{
	bring(l, page, data, UFFDIO_COPY_MODE_WP);
}

void late_unprotect(const struct late *l, uint64_t page)
{
	struct uffdio_writeprotect wp = { .range = { (uintptr_t)l->mem + page * PAGE, PAGE } };

	CHECK_EQ(ioctl(l->fd, UFFDIO_WRITEPROTECT, &wp), 0);
}

uint64_t late_wanted(const struct late *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	struct uffd_msg msg;

	do {
		CHECK_EQ(poll(&p, 1, 20000), 1);
	} while (read(l->fd, &msg, sizeof(msg)) < 0 && errno == EAGAIN);
	CHECK_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
	return (msg.arg.pagefault.address - (uintptr_t)l->mem) / PAGE;
}

/* ---- signals ---- */

struct sender {
	const struct late *l;
	pthread_t to;
	uint64_t page;
};

static void *send_signals(void *arg)
{
	const struct sender *s = arg;

	for (int i = 0; i < SIGNALS; i++) {
		CHECK_EQ(late_wanted(s->l), s->page);
		CHECK_EQ(pthread_kill(s->to, SIGUSR1), 0);
	}
	return NULL;
}

static void nothing(int sig) { (void)sig; }

void late_interrupts(struct vcpu *v, const struct late *l, uint64_t page)
{
	struct sender s = { .l = l, .to = pthread_self(), .page = page };
	struct sigaction act = { .sa_handler = nothing };
	struct kvm_regs first, r;
	pthread_t t;

	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("KVM waits for the page, whatever signals come");
	CHECK_EQ(sigaction(SIGUSR1, &act, NULL), 0);
	CHECK_EQ(pthread_create(&t, NULL, send_signals, &s), 0);
	for (int i = 0; i < SIGNALS; i++) {
		CHECK_EQ(run_once(v), -EINTR);
		CHECK_EQ(v->run->exit_reason, KVM_EXIT_INTR);
		CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &r), 0);
		if (!i)
			first = r;
		CHECK(!memcmp(&first, &r, sizeof(r)));
	}
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(vm_slot(v->vm, FREE_SLOT, FREE_GPA, PAGE, v->vm->mem, 0), 0);
	CHECK_EQ(vm_slot(v->vm, FREE_SLOT, FREE_GPA, 0, v->vm->mem, 0), 0);
}

void late_hold(struct late_page *p, void *page)
{
	memcpy(p->was, page, sizeof(p->was));
	if (p->l.mem)
		late_take(&p->l, 0);
	else
		p->l = late_again(page);
}

void late_waits(struct vcpu *v, const struct late_page *p)
{
	late_interrupts(v, &p->l, 0);
	late_bring(&p->l, 0, p->was);
}
