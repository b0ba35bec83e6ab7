# SPDX-License-Identifier: GPL-2.0-only
"""Which instructions cost more than others on a processor, by their bytes."""

PREFIXES = frozenset((0x66, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x67, 0xf0))

# 0F 01 with these bytes behind.
GROUP7 = {0xc2: "VMLAUNCH", 0xc3: "VMRESUME", 0xc4: "VMXOFF", 0xc1: "VMCALL", 0xd1: "XSETBV", 0xd8: "VMRUN",
          0xd9: "VMMCALL", 0xda: "VMLOAD", 0xdb: "VMSAVE", 0xdc: "STGI", 0xdd: "CLGI", 0xdf: "INVLPGA",
          0xf8: "SWAPGS", 0xf9: "RDTSCP"}
TWO_BYTES = {0x05: "SYSCALL", 0x07: "SYSRET", 0x08: "INVD", 0x09: "WBINVD", 0x20: "MOV from CR",
             0x21: "MOV from DR", 0x22: "MOV to CR", 0x23: "MOV to DR", 0x30: "WRMSR", 0x31: "RDTSC",
             0x32: "RDMSR", 0x78: "VMREAD", 0x79: "VMWRITE", 0xa2: "CPUID"}
# 0F AE with a memory operand, by the field reg.
GROUP15 = ("FXSAVE", "FXRSTOR", None, None, "XSAVE", "XRSTOR", "XSAVE", None)
ONE_BYTE = {0xcf: "IRET", 0xf4: "HLT"}


def of_group9(prefixes, reg):
    """0F C7 with a memory operand."""
    if reg == 6:
        return "VMCLEAR" if 0x66 in prefixes else "VMXON" if 0xf3 in prefixes else "VMPTRLD"
    return {1: "locked" if 0xf0 in prefixes else None, 3: "XRSTOR", 4: "XSAVE", 5: "XSAVE"}.get(reg)


def of_two_bytes(prefixes, code):
    """What comes behind 0F."""
    second, rest = code[0], code[1:]
    memory, reg = rest and rest[0] < 0xc0, (rest[0] >> 3) & 7 if rest else 0
    if second == 0x01:
        return ("INVLPG" if memory and reg == 7 else None) if memory else GROUP7.get(rest[0])
    if second == 0xae and memory:
        return GROUP15[reg]
    if second == 0xae and rest and reg in (5, 6, 7):
        return ("LFENCE", "MFENCE", "SFENCE")[reg - 5]
    if second == 0x00 and reg == 5:
        return "VERW"
    if second == 0xc7 and memory:
        return of_group9(prefixes, reg)
    if second == 0x38 and rest and rest[0] in (0x80, 0x81, 0x82):
        return ("INVEPT", "INVVPID", "INVPCID")[rest[0] - 0x80]
    return TWO_BYTES.get(second)


def kind(code):
    """The name of what stands out in this instruction; None for all others."""
    at = 0
    while at < len(code) and (code[at] in PREFIXES):
        at += 1
    prefixes = code[:at]
    if at < len(code) and code[at] & 0xf0 == 0x40:
        at += 1
    code = code[at:]
    if not code:
        return None
    found = of_two_bytes(prefixes, code[1:]) if code[0] == 0x0f and len(code) > 1 else ONE_BYTE.get(code[0])
    if found is None and (0xf0 in prefixes or (code[0] in (0x86, 0x87) and code[1] < 0xc0)):
        return "locked"
    return found
