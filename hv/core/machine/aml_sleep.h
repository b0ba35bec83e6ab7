/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sleeping states in AML, the code in ACPI's tables (ACPI 6.5, 7.4.2 and ch. 20). Most tables that
 * define one do it by Name(_S3_, Package(){...}), some by Method(_S3_) or an alias: so the name
 * itself is looked for, byte by byte, and nothing is executed. Only S5's values are read, which
 * must be in a package of its own. Pure and bounded: tables are firmware's, and may be torn.
 */
#ifndef BP_CORE_AML_SLEEP_H
#define BP_CORE_AML_SLEEP_H

#include "lib/types.h"

/* What goes into SLP_TYP for a state. */
struct aml_sleep_type {
	bool known;
	u8 a, b;		/* of PM1a and PM1b, 0 to 7 */
};

/*
 * In the table at @table, of @len bytes with its header, states S1 to S4 get other names: _S3_
 * becomes XS3_, wherever it is, so that one table's references to another still match. The table's sum stays what it was. Result: bit n: Sn was there. If *s5 is not
 * known yet and the table has _S5_, it is from then on.
 */
u32 aml_hide_sleep(u8 *table, u32 len, struct aml_sleep_type *s5);

#endif
