/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cases of bp-vmm.  Each runs in a process of its own, under a time limit, and passes when its function
 * returns; CHECK() of vmm.h ends it as failed and SKIP() as skipped.
 */
#ifndef TEST_H
#define TEST_H

#include "vmm.h"

struct test {
	const char *name;
	void (*fn)(void);
	int seconds;		/* limit; generous, for emulated machines */
};

#define TEST_LIMIT(group, case_, limit) \
	static void test_##group##_##case_(void); \
	static const struct test desc_##group##_##case_ = { #group "." #case_, test_##group##_##case_, limit }; \
	static const struct test *const entry_##group##_##case_ \
		__attribute__((used, section("tests"))) = &desc_##group##_##case_; \
	static void test_##group##_##case_(void)

#define TEST(group, case_) TEST_LIMIT(group, case_, 30)

/* This /dev/kvm says it lacks what the case is about. */
void test_skip(const char *why) __attribute__((noreturn));
#define SKIP(why) test_skip(why)
/* A measured value, shown before the case's verdict. */
void test_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints what /dev/kvm offers, and what it answers to nonsense; the status to exit with. */
int show_offers(void);
int show_errnos(void);

static inline int check_cap(int fd, int cap) { return ioctl(fd, KVM_CHECK_EXTENSION, cap); }

#endif
