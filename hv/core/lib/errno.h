/* SPDX-License-Identifier: GPL-2.0-only */
/* Error numbers, with Linux's values: they cross the channel unchanged. */
#ifndef BP_CORE_ERRNO_H
#define BP_CORE_ERRNO_H

#ifdef BP_HOST_TEST
#include <errno.h>
#else
#define EPERM		1
#define ENOENT		2
#define ESRCH		3
#define EINTR		4
#define EIO		5
#define ENXIO		6
#define E2BIG		7
#define ENOEXEC		8
#define EBADF		9
#define EAGAIN		11
#define ENOMEM		12
#define EACCES		13
#define EFAULT		14
#define EBUSY		16
#define EEXIST		17
#define ENODEV		19
#define EINVAL		22
#define EMFILE		24
#define ENOSPC		28
#define EDOM		33
#define ERANGE		34
#define ENOSYS		38
#define EBADMSG		74
#define EOVERFLOW	75
#define EILSEQ		84
#define EOPNOTSUPP	95
#define ETIMEDOUT	110
#define EALREADY	114
#endif

#endif
