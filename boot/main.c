// SPDX-License-Identifier: GPL-2.0-only
/* From the loader to hv_start(): the order of things. docs/boot.md tells it. */
#include "devices.h"
#include "hv/core/lib/string.h"
#include "hv/core/machine/acpi.h"
#include "hv/core/machine/boot_info.h"
#include "hv/core/machine/cmdline.h"
#include "hv/core/machine/console.h"
#include "hv/core/machine/debug/debug.h"
#include "hv/core/machine/idle.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/machine/last_log.h"
#include "hv/core/machine/log.h"
#include "hv/core/machine/memmap.h"
#include "hv/core/machine/microcode.h"
#include "hv/core/machine/paging.h"
#include "hv/core/machine/panic.h"
#include "hv/core/machine/screen.h"
#include "hv/core/machine/serial.h"
#include "hv/core/machine/smp.h"
#include "hv/core/machine/trap.h"
#include "hv/core/machine/tsc.h"
#include "hv/core/memory/frames.h"
#include "hv/core/vcpu/ops.h"
#include "linux_loader.h"
#include "multiboot2.h"
#include "start.h"

static struct boot_info boot_info;

/* Ours, since the loader's copy lies in memory that becomes domain 0's. */
static u8 mbi_copy[MB2_MAX_SIZE] __aligned(8);

/* Before the loader's information is understood. */
static noreturn void refuse(const char *what, const char *why)
{
	const struct serial_option usual = { .kind = SERIAL_AUTO };

	serial_init(&usual, &boot_info.map);
	vga_text_init(80, 25);
	fatal("%s%s", what, why);
}

static void read_loader_info(u32 magic, u32 info)
{
	const char *err;
	u32 size;

	if (magic != MB2_BOOT_MAGIC)
		refuse("the loader does not speak multiboot2", "");
	size = *(u32 *)phys_to_virt(info);
	if (size <= sizeof(mbi_copy))
		memcpy(mbi_copy, phys_to_virt(info), size);
	err = size <= sizeof(mbi_copy) ? mb2_parse(mbi_copy, size, &boot_info)
				       : "it is too long";
	if (err)
		refuse("the loader's information is torn: ", err);
}

static void read_options(void)
{
	struct cmdline_report rep;
	int err = cmdline_parse(boot_info.cmdline, &hv_options, &rep);
	u32 i;

	serial_init(&hv_options.serial, &boot_info.map);
	screen_init(&boot_info);
	log_level = (int)hv_options.loglevel;
	log_info("Bedplate " STRING_OF(BP_VERSION) ", loaded by %s, options \"%s\"",
		 boot_info.loader, boot_info.cmdline);
	if (err)
		fatal("malformed option \"%s\"", rep.bad);
	if (boot_info.nr_wrapped)
		log_warn("firmware's memory map has %u ranges that cannot be", boot_info.nr_wrapped);
	for (i = 0; i < min(rep.nr_unknown, (u32)ARRAY_SIZE(rep.unknown)); i++)
		log_warn("unknown option \"%s\"", rep.unknown[i]);
}

/* On CPU 0's own stack, our page tables, with exceptions reported. */
static void main_on_own_stack(void)
{
	hpa_t rsdp;

	acpi_init(&boot_info, &rsdp);
	serial_init_spcr();
	devices_find_units();
	linux_loader_set_rsdp(rsdp);
	lapic_init(acpi_info.lapic_addr);
	lapic_init_cpu();
	tsc_init(acpi_info.pm_timer);
	lapic_timer_init(!hv_options.timer_apic);
	idle_init();
	microcode_init(back_end()->microcode, &boot_info);
	smp_start_aps(&acpi_info, &boot_info);
	microcode_report();
	frames_start();
	hv_start(&boot_info);
}

noreturn void hv_main(u32 magic, u32 info)
{
	tsc_mark_boot();
	smp_init_boot_cpu();
	trap_init_early();
	cpu_init_control_registers();
	debug_start();
	read_loader_info(magic, info);
	read_options();
	memmap_init(&boot_info, frames_bytes);
	paging_init();
	console_remap();
	if (memmap_last_log())
		last_log_init(memmap_last_log());
	smp_enter_boot_cpu(main_on_own_stack);
}
