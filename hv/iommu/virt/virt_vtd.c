// SPDX-License-Identifier: GPL-2.0-only
#include "virt.h"

void virt_vtd_init(struct virt_unit *u __unused, u32 index __unused) { }
