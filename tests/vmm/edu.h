/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's device for teaching (its docs/specs/edu.rst), driven from user space: it copies
 * to and from any address that it is told, and sends any message. Its one buffer of
 * a page cannot be read directly; each copy takes 100 ms of the machine's time.
 */
#ifndef EDU_H
#define EDU_H

#include <stdbool.h>
#include <stdint.h>

#define EDU_PAGE	4096

/* Where it is, as Bedplate's log writes it: "0000:00:05.0"; before all else. */
const char *edu_open(void);

/* Memory at @addr into its buffer and back, at most a page, and when that is done. */
void edu_load_start(uint64_t addr, uint32_t len);
void edu_wait(void);
bool edu_busy(void);
void edu_load(uint64_t addr, uint32_t len);
void edu_store(uint64_t addr, uint32_t len);
/* By way of a page of this process: what the device reads at @addr, and writes there. */
void edu_read(uint64_t addr, void *to, uint32_t len);
void edu_write(uint64_t addr, const void *from, uint32_t len);

/* Its message, whatever the kernel gave it; and sent. */
void edu_message(uint64_t addr, uint32_t data);
void edu_send(void);

/* A page of this process that stays where it is, and the address of that. */
void *own_page(uint64_t *addr);

#endif
