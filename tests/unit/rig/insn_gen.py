#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""insn_gen.py > insn_cases.h: MOVs as the assembler encodes them, with what
the decoder must say.  Run it by hand when forms are added."""
import re
import subprocess
import tempfile

R64 = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
R32 = "eax ecx edx ebx esp ebp esi edi".split() + [f"r{i}d" for i in range(8, 16)]
R16 = "ax cx dx bx sp bp si di".split() + [f"r{i}w" for i in range(8, 16)]
R8 = "al cl dl bl spl bpl sil dil".split() + [f"r{i}b" for i in range(8, 16)]
HIGH = "ah ch dh bh".split()
NONE, RIP = 0xff, 0xfe
cases = []


def add(bits, text, **want):
    cases.append((bits, text, want))


def addresses():
    """AT&T operand, base, index, scale, disp: one that every form is tried with."""
    for b in range(16):
        yield f"({R64[b]})".replace("(", "(%"), b, NONE, 0, 0
        yield f"0x40(%{R64[b]})", b, NONE, 0, 0x40
        yield f"-0x12345(%{R64[b]})", b, NONE, 0, -0x12345
    for i in [0, 5, 9, 12, 13, 15]:
        for s in range(4):
            yield f"-8(%{R64[3]},%{R64[i]},{1 << s})", 3, i, s, -8
            yield f"0x1000(,%{R64[i]},{1 << s})", NONE, i, s, 0x1000
    yield "(%r13,%r12,8)", 13, 12, 3, 0
    yield "0x7654(%rip)", RIP, NONE, 0, 0x7654
    yield "-0x7654(%rip)", RIP, NONE, 0, -0x7654


def regs(size):
    return {1: R8, 2: R16, 4: R32, 8: R64}[size]


def forms64(op, base, index, scale, disp, which):
    a = dict(flat=1, base=base, index=index, scale=scale, disp=disp)
    suffix = {1: "b", 2: "w", 4: "l", 8: "q"}
    for size in (1, 2, 4, 8):
        r = which % 16
        add(64, f"mov %{regs(size)[r]}, {op}", size=size, write=1, reg=r, reg_size=size, **a)
        add(64, f"mov {op}, %{regs(size)[r]}", size=size, reg=r, reg_size=size, **a)
        imm = {1: 0x80, 2: 0x8001, 4: 0x80000001, 8: -5}[size]
        add(64, f"mov{suffix[size]} ${imm}, {op}", size=size, write=1, imm=1,
            imm_val=imm & ((1 << 8 * size) - 1), reg=0, reg_size=size, **a)
    for size in (1, 2):
        for to in (2, 4, 8):
            if to <= size:
                continue
            for sign in (0, 1):
                r = (which + 3) % 16
                add(64, f"mov{'s' if sign else 'z'}{suffix[size]}{suffix[to]} {op}, %{regs(to)[r]}",
                    size=size, reg=r, reg_size=to, sign_extend=sign, **a)


for n, (op, b, i, s, d) in enumerate(addresses()):
    first = len(cases)
    forms64(op, b, i, s, d, n)
    # All forms at two addresses, at each other one two forms in turn.
    if n > 1:
        cases[first:] = [c for k, c in enumerate(cases[first:]) if k % 11 == n % 11]
for n, h in enumerate(HIGH):
    add(64, f"mov %{h}, (%rbx)", size=1, write=1, reg=n, reg_size=1, high_byte=1, flat=1, base=3, index=NONE)
    add(64, f"mov 5(%rsi), %{h}", size=1, reg=n, reg_size=1, high_byte=1, flat=1, base=6, index=NONE, disp=5)
A = 0xfee00300
add(64, f"movabs %eax, {A}", size=4, write=1, reg=0, reg_size=4, flat=1, base=NONE, index=NONE, disp=A)
add(64, f"movabs {A}, %rax", size=8, reg=0, reg_size=8, flat=1, base=NONE, index=NONE, disp=A)
add(64, f"movabs %al, {A}", size=1, write=1, reg=0, reg_size=1, flat=1, base=NONE, index=NONE, disp=A)
add(64, "mov %eax, %fs:(%rbx)", size=4, write=1, reg=0, reg_size=4, base=NONE, index=NONE)
add(64, "mov %ecx, %gs:0x10(%rbx,%rdi,4)", size=4, write=1, reg=1, reg_size=4, base=NONE, index=NONE)
add(64, "mov %edx, (%ebx)", size=4, write=1, reg=2, reg_size=4, base=NONE, index=NONE)
for op in ("(%ebx)", "0x40(%ebp)", "0x12345678", "8(%eax,%ecx,4)", "(%esp)"):
    for size, r in ((1, "dl"), (2, "dx"), (4, "edx")):
        add(32, f"mov %{r}, {op}", size=size, write=1, reg=2, reg_size=size, base=NONE, index=NONE)
        add(32, f"mov {op}, %{r}", size=size, reg=2, reg_size=size, base=NONE, index=NONE)
for op in ("(%bx)", "(%bx,%si)", "0x40(%bp)", "0x1234", "0x1234(%di)"):
    for size, r in ((1, "dl"), (2, "dx"), (4, "edx")):
        add(16, f"mov %{r}, {op}", size=size, write=1, reg=2, reg_size=size, base=NONE, index=NONE)
        add(16, f"mov {op}, %{r}", size=size, reg=2, reg_size=size, base=NONE, index=NONE)
add(16, "movw $0x1234, (%bx)", size=2, write=1, imm=1, imm_val=0x1234, reg=0, reg_size=2, base=NONE,
    index=NONE)
add(16, "movl $0x12345678, (%bx)", size=4, write=1, imm=1, imm_val=0x12345678, reg=0, reg_size=4, base=NONE,
    index=NONE)
add(16, "movl $1, (%ebx)", size=4, write=1, imm=1, imm_val=1, reg=0, reg_size=4, base=NONE, index=NONE)


def assemble():
    with tempfile.TemporaryDirectory() as d:
        with open(f"{d}/x.s", "w") as f:
            for bits, text, _ in cases:
                text = re.sub(r"%%", "%", text)
                f.write(f".code{bits}\n\t{text}\n")
        out = subprocess.run(["as", "--64", "-aln", "--listing-lhs-width=8", f"{d}/x.s", "-o", f"{d}/x.o"],
                             check=True, capture_output=True, text=True).stdout
    lines = {}
    for line in out.splitlines():
        m = re.match(r"\s*(\d+) [0-9a-f]{4} ([0-9A-F ]+?)\s*\t", line)
        if m:
            lines[int(m[1])] = m[2].replace(" ", "")
    return [lines[2 * n + 2] for n in range(len(cases))]


print("/* SPDX-License-Identifier: GPL-2.0-only */")
print("/* Made by insn_gen.py with the GNU assembler. */")
for (bits, text, want), code in zip(cases, assemble()):
    w = dict(want, len=len(code) // 2)
    init = ", ".join(f".{k} = {hex(v) + 'ull' if k == 'imm_val' else str(v) + 'll' if k == 'disp' else v}"
                     for k, v in w.items() if v)
    print(f'{{ {bits}, "{text}", "{code}", {{ {init} }} }},')
