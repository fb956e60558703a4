#!/usr/bin/env python3
"""Flash, scratch and stack bytes of every function of the Cortex-M4 archive, as a Markdown table.

    scripts/size_table.py                   prints the table
    scripts/size_table.py --write FILE...   puts it between the markers of each file
    scripts/size_table.py --check FILE...   exit 1 if a file's table is not what was measured

Where each column comes from:

flash    A program that refers to this one function is linked from the shipped archive with --gc-sections;
         the bytes of its loaded sections (code, constants, unwind index) are the figure. Functions share
         code, so the figures do not add up; the last row is the whole archive. Functions of networks
         (`hq_layers_*`) call the kinds of layers through tables, and a program holds the kinds that it names:
         a row of a kind (`hq_layer_*`) is forward and backward of networks of this kind alone.
scratch  What the function's workspace-size query answers on the emulated device, for the stated shape.
stack    The deepest chain of calls. A function's frame is the sum of all its stack-pointer decrements, read
         from the archive's disassembly: an upper bound. A call through a register may reach every function
         whose address the archive takes (it accepts no function from its caller). The tool stops at anything
         it cannot bound: recursion, a jump through a register, an instruction that moves the stack pointer
         in another way.
         The selftests are also measured on the emulated device (its stack painted, then inspected), and the
         tool stops if that is more than the bound.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

BEGIN, END = "<!-- sizes:begin -->", "<!-- sizes:end -->"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = "thumbv7em-none-eabihf"
PREFIX = "arm-none-eabi-"

# `push {r4, lr}`, `stmdb sp!, {...}`, `vpush {d8-d9}`, with a condition or width behind the name.
PUSH = re.compile(r"^(v?push|v?stmdb)(?:[a-z]{2})?(?:\.w|\.n)?$")
SUB = re.compile(r"^subw?(?:[a-z]{2})?(?:\.w|\.n)?$")
STORE = re.compile(r"^(?:str|strd|strh|strb|vstr)(?:[a-z]{2})?(?:\.w|\.n)?$")
# Instructions that give stack back, when it is the stack pointer that they change.
RELEASE = re.compile(r"^(add|addw|v?pop|v?ldmia|ldr|ldrd)(?:[a-z]{2})?(?:\.w|\.n)?$")


# The tables of functions that the kinds of layers are, and the code that calls what is in them: src/capi/learn/layers_kinds.rs,
# where the fields are private, and networks, into which that is inlined.
KIND = re.compile(r"\.hq_layer_[a-z_]+$")
LAYERS = re.compile(r"layers_kinds|learn6layers8sequence|\.hq_layers_")


class Stop(Exception):
    """Something that must not be passed over: printed as one line."""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Stop(f"{' '.join(command)}\n{done.stderr.strip()}")
    return done.stdout


def register_bytes(operands):
    """Bytes that a register list such as `{r4, r6-r8, lr}` or `{d8-d9}` takes."""
    names = {"sb": 9, "sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}
    total = 0
    for part in operands[operands.index("{") + 1 : operands.index("}")].split(","):
        ends = [end.strip() for end in part.split("-")]
        size = {"d": 8, "s": 4}.get(ends[0][0], 4) if ends[0] not in names else 4
        numbers = [names[end] if end in names else int(end[1:]) for end in ends]
        total += size * (numbers[-1] - numbers[0] + 1)
    return total


def sp_decrement(mnemonic, operands):
    """How far one instruction lowers the stack pointer; 0 if it does not. Stops where it cannot tell."""
    operands = operands.split(";")[0].split("@")[0].strip()
    if PUSH.match(mnemonic) and ("push" in mnemonic or operands.startswith("sp!")):
        return register_bytes(operands)
    if STORE.match(mnemonic) and (found := re.search(r"\[sp, #-(\d+)\]!", operands)):
        return int(found[1])
    if SUB.match(mnemonic) and (found := re.match(r"sp(?:, sp)?, #(\d+)$", operands)):
        return int(found[1])
    if mnemonic.startswith(("st", "ld", "vst", "vld")):
        writes_sp = operands.startswith("sp!") or re.search(r"\[sp\],|\[sp, [^\]]*\]!", operands)
    else:
        writes_sp = re.match(r"sp\b", operands) and not mnemonic.startswith(("cmp", "cmn", "tst"))
    if writes_sp and not RELEASE.match(mnemonic):
        raise Stop(f"cannot bound the stack: {mnemonic} {operands}")
    return 0


class Archive:
    """The one object in the shipped archive, section by section: the Rust compiler gives each function its
    own, and the prelinking keeps them."""

    def __init__(self, path, work):
        run(PREFIX + "ar", "x", "--output", work, path)
        members = [os.path.join(work, name) for name in sorted(os.listdir(work))]
        if len(members) != 1:
            raise Stop(f"{path} holds {len(members)} objects; a prelinked archive holds one")
        self.path, self.object = path, members[0]
        self.frame, self.calls, self.indirect = {}, {}, set()
        self.section_of, self.exports, self.address_taken, self.of_kinds = {}, [], set(), {}
        self.read_symbols()
        self.read_addresses()
        self.read_code()

    def read_symbols(self):
        for line in run(PREFIX + "objdump", "-t", self.object).splitlines():
            # 00000001 g     F .text.hq_dot	00000162 .hidden hq_dot
            found = re.match(r"[0-9a-f]{8} (.{7}) (\S+)\t[0-9a-f]{8} (?:\.hidden )?(\S+)$", line)
            if found and KIND.search(found[2]):
                self.of_kinds[found[3]] = set()
            if not found or not found[2].startswith(".text"):
                continue
            self.section_of[found[3]] = found[2]
            if "g" in found[1] and "F" in found[1]:
                self.exports.append(found[3])
        self.exports.sort()
        if not self.exports:
            raise Stop(f"{self.path} exports nothing")
        if len(set(self.section_of[name] for name in self.exports)) != len(self.exports):
            raise Stop("exports share sections: was the archive built without one section per function?")

    def read_code(self):
        section = None
        for line in run(PREFIX + "objdump", "-dr", "--no-show-raw-insn", self.object).splitlines():
            if line.startswith("Disassembly of section "):
                section = line[len("Disassembly of section ") : -1]
                self.frame[section], self.calls[section] = 0, set()
                continue
            relocation = re.search(r"R_ARM_THM_(?:CALL|JUMP24|JUMP19)\t(\S+)", line)
            if relocation:
                self.calls[section].add(self.target(relocation[1]))
                continue
            found = re.match(r"\s+[0-9a-f]+:\t(\S+)(?:\t(.*))?$", line)
            if not found or found[1].startswith("."):
                continue
            mnemonic, operands = found[1], found[2] or ""
            self.frame[section] += sp_decrement(mnemonic, operands)
            if re.match(r"blx?(?:[a-z]{2})?$", mnemonic) and re.match(r"(r\d+|ip|lr|fp|sl|sb)$", operands):
                self.indirect.add(section)
            if re.match(r"bx", mnemonic) and operands.strip() != "lr":
                raise Stop(f"{section} jumps through a register ({mnemonic} {operands}): its stack has no bound")
        if self.indirect and not self.address_taken:
            raise Stop(f"calls through a register in {sorted(self.indirect)}, but no function's address is taken")
        self.through_kinds = {section: self.calls[section] for section in self.indirect if LAYERS.search(section)}
        for section in self.indirect - self.through_kinds.keys():
            self.calls[section] |= self.address_taken
        self.call_kinds(self.of_kinds)

    def call_kinds(self, kinds):
        """Networks have layers of these kinds."""
        for section, own in self.through_kinds.items():
            self.calls[section] = own.union(*(self.of_kinds[kind] for kind in kinds))

    def read_addresses(self):
        """Functions that something else than a call refers to: what a call through a register may reach."""
        where = ""
        for line in run(PREFIX + "objdump", "-r", self.object).splitlines():
            if found := re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line):
                where = found[1]
            found = re.match(r"[0-9a-f]{8} (R_ARM_\S+)\s+(\S+)$", line)
            # The unwind index names every function.
            if not found or where.startswith(".ARM.ex") or found[1].startswith(("R_ARM_THM_CALL", "R_ARM_THM_JUMP")):
                continue
            symbol = re.sub(r"[+-]0x[0-9a-f]+$", "", found[2])
            if section := self.section_of.get(symbol, symbol if symbol.startswith(".text") else None):
                kind = KIND.search(where)
                (self.of_kinds[kind[0][1:]] if kind else self.address_taken).add(section)

    def target(self, symbol):
        """The section a call goes to; None for the C library's memory functions."""
        symbol = re.sub(r"[+-]0x[0-9a-f]+$", "", symbol)
        if symbol in self.section_of:
            return self.section_of[symbol]
        if symbol in self.frame or symbol.startswith(".text"):
            return symbol
        if symbol in ("memcpy", "memmove", "memset", "memcmp", "bcmp"):
            return None
        raise Stop(f"a call to {symbol}, which is not in the archive")

    def stack(self, section, path=()):
        """Frame and deepest callee of a section, and the chain."""
        if section in path:
            raise Stop("recursion: " + " -> ".join(path[path.index(section) :] + (section,)))
        deepest, chain = 0, ()
        for callee in sorted(self.calls[section] - {None, section}):
            depth, below = self.stack(callee, path + (section,))
            if depth > deepest:
                deepest, chain = depth, below
        return self.frame[section] + deepest, (section,) + chain

    def flash(self, names):
        """Bytes of a program's loaded sections that refers to these functions alone."""
        with tempfile.TemporaryDirectory() as work:
            elf = os.path.join(work, "a.elf")
            wanted = [word for name in names for word in ("-u", name)]
            run(PREFIX + "ld", "--gc-sections", "-z", "noexecstack", "-e", names[0], *wanted, self.path, "-o", elf)
            total = 0
            for line in run(PREFIX + "objdump", "-hw", elf).splitlines():
                fields = line.split()
                if len(fields) > 6 and fields[0].isdigit() and "ALLOC" in line and "LOAD" in line:
                    total += int(fields[2], 16)
            return total


def device_figures(path):
    """The `scratch NAME BYTES` and `stack NAME BYTES` lines that tests/embedded/selftest.c printed."""
    figures = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if len(words) == 3 and words[0] in ("scratch", "stack") and words[2].isdigit():
                figures[words[0], words[1]] = int(words[2])
    return figures


def table(archive, device):
    rows = []
    for name in archive.exports:
        stack, chain = archive.stack(archive.section_of[name])
        measured = device.get(("stack", name), 0)
        if measured > stack:
            raise Stop(f"{name} used {measured} bytes of stack; the bound {stack} is wrong ({' -> '.join(chain)})")
        scratch = device.get(("scratch", name), 0)
        rows.append(f"| `{name}` | {archive.flash([name])} | {scratch} | {stack} |")
    passes = ["hq_layers_forward", "hq_layers_backward"]
    for kind in sorted(archive.of_kinds):
        archive.call_kinds([kind])
        stack = max(archive.stack(archive.section_of[name])[0] for name in passes)
        rows.append(f"| `{kind}` | {archive.flash([*passes, kind])} | 0 | {stack} |")
    archive.call_kinds(archive.of_kinds)
    unknown = {name for _, name in device} - set(archive.exports)
    if unknown:
        raise Stop(f"the device program speaks of unknown functions: {', '.join(sorted(unknown))}")
    deepest = max(archive.stack(archive.section_of[name])[0] for name in archive.exports)
    most = max(value for (kind, _), value in device.items() if kind == "scratch")
    everything = archive.flash([*archive.exports, *archive.of_kinds])
    rows.append(f"| all {len(archive.exports)} together | {everything} | {most} | {deepest} |")
    head = ["| function | flash bytes | scratch bytes | stack bytes |", "|---|--:|--:|--:|"]
    return "\n".join(head + rows)


def block(path):
    """A file's text before, between and after the markers."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise Stop(f"{path} must hold the lines {BEGIN} and {END} once each")
    before, rest = text.split(BEGIN)
    inside, after = rest.split(END)
    return before, inside, after


def main():
    parser = argparse.ArgumentParser(description="Flash, scratch and stack bytes of every hq_* function on Cortex-M4")
    parser.add_argument("--archive", default=f"{ROOT}/dist/{TARGET}/libhybridq.a")
    parser.add_argument("--device", default=f"{ROOT}/target/embedded/cortex-m4.txt", help="what the device program printed")
    parser.add_argument("--chains", action="store_true", help="also print the deepest call chain of each function")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", nargs="+", metavar="FILE")
    what.add_argument("--check", nargs="+", metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        archive = Archive(options.archive, work)
        measured = table(archive, device_figures(options.device))
        if options.chains:
            for name in archive.exports:
                for section in archive.stack(archive.section_of[name])[1]:
                    print(f"{name}: {archive.frame[section]:6} {section}")
    if not options.write and not options.check:
        print(measured)
    for path in options.write or []:
        before, _, after = block(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{before}{BEGIN}\n{measured}\n{END}{after}")
    for path in options.check or []:
        check(path, measured)
    return 0


def check(path, measured):
    """Stops unless the file's table has the same functions, scratch, and flash and stack within 5 %: another
    patch release of the compiler moves a few bytes, and that is no drift of ours."""
    kept = block(path)[1].strip()
    if kept == measured:
        return

    def parse(text):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
        return {row[0]: [int(cell) for cell in row[1:]] for row in rows}

    old, new = parse(kept), parse(measured)
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            raise Stop(f"{path}: the table and the archive differ in {name}; run `make size-table-write`")
        for column, a, b, slack in zip(("flash", "scratch", "stack"), old[name], new[name], (0.05, 0, 0.05)):
            if abs(a - b) > slack * max(a, b) + (16 if slack else 0):
                raise Stop(f"{path}: {name} has {b} bytes of {column}, not {a}; run `make size-table-write`")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stop as stop:
        print(f"size_table: {stop}", file=sys.stderr)
        sys.exit(1)
