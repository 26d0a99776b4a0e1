"""Small random blocks for the lint of the convertible subset, and what MyHDL's simulator, Icarus and GHDL make of them.

A sample is the body of one generator that drives one output from common inputs. Samples that the lint accepts are simulated many
in a block; those that it flags are simulated one by one.
"""

import random
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from myhdl import Error

from duospike.cosim.errors import CosimError
from duospike.cosim.lint import check_source
from tests.benches.convertible_bench import outputs
from tests.benches.convertible_examples import HEADER, constructor, drive_list, indented

INPUTS = {"a": 8, "b": -8, "c": 4, "d": -4, "e": 1, "h": -11, "w": 33, "x": -34, "s": 0, "t": 0}
"""Width of each input, negative of a signed one, 0 of a bool."""
LISTS = {"m": (8, ("a", "c", "a", "c")), "n": (-8, ("b", "d", "b", "d"))}
CONSTANTS = {"FIVE": 5, "LOW": -3, "BIG": 2**31, "HALF": 128}
SMALL = (-9, -8, -5, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 8, 15, 16)
WIDE = (127, 128, 255, 256, -128, -129, 2**30 - 1, 2**30, 2**31 - 1, 2**31, -(2**31), 2**32, -(2**32), 2**33 + 5)
VECTORS = [name for name, width in INPUTS.items() if width]
BITS = [name for name, width in INPUTS.items() if not width]
LOOP_CHAIN = """\
for i in range(4):
    if i == {}:
        y.next = {}
    elif i == {}:
        y.next = {}
    else:
        y.next = 4"""
FAILURES = (CosimError, Error, ArithmeticError, AttributeError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)
BOUNDLESS = 10**9
"""Width of an output that is not yet chosen."""


@dataclass(frozen=True)
class Sample:
    """body: statements that assign to `y`. width: of y, as in INPUTS. local: elaboration. clocked: how the generator runs."""

    body: str
    width: int
    local: str = ""
    decorator: str = "@always_comb"


class Writer:
    """Draws bodies of generators."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def constant(self):
        if self.random.random() < 0.2:
            return self.pick(*CONSTANTS)
        return str(self.pick(*SMALL, *SMALL, *WIDE))

    def leaf(self):
        kind = self.random.random()
        if kind < 0.45:
            return self.pick(*VECTORS)
        if kind < 0.6:
            return self.constant()
        if kind < 0.7:
            return self.part()
        if kind < 0.75:
            return f"{self.part()}.signed()"
        if kind < 0.85:
            return f"{self.pick(*LISTS)}[{self.pick(0, 1, 2, 3)}]"
        if kind < 0.93:
            return self.bit()
        return f"concat({self.join()}, {self.join()})"

    def part(self):
        if self.random.random() < 0.2:
            return f"{self.pick(*LISTS)}[{self.pick(1, 'c[2:]')}][{self.pick('4:', '7:2', '8:4', 'FIVE:1')}]"
        name = self.pick(*(name for name in VECTORS if abs(INPUTS[name]) > 2))
        low = self.random.randrange(abs(INPUTS[name]) - 1)
        high = self.random.randint(low + 1, abs(INPUTS[name]))
        return f"{name}[{high}:{low}]" if low or self.pick(True, False) else f"{name}[{high}:]"

    def bit(self):
        if self.pick(True, False):
            return self.pick(*BITS)
        name = self.pick("a", "b", "c", "d")
        if self.random.random() < 0.1:
            return f"{self.pick(*LISTS)}[1][{self.pick(0, 3, 'c[2:]')}]"
        if self.random.random() < 0.3:
            return f"a[{self.pick('a', 'h', 'w')}[3:]]"
        return f"{name}[{self.random.randrange(abs(INPUTS[name]))}]"

    def join(self):
        return self.pick(*VECTORS, *BITS, self.part(), "m[1]", "'01'")

    def value(self, depth):
        """An expression for a number."""
        if depth == 0 or self.random.random() < 0.15:
            return self.leaf()
        kind = self.random.random()
        if kind < 0.55:
            return f"({self.value(depth - 1)} {self.pick('+', '-', '*', '&', '|', '^', '+', '-')} {self.value(depth - 1)})"
        if kind < 0.7:
            return f"({self.value(depth - 1)} {self.pick('>>', '<<', '>>')} {self.pick(1, 2, 3, 'c', 'e', 'FIVE')})"
        if kind < 0.8:
            return f"(-{self.value(depth - 1)})"
        if kind < 0.87:
            return f"(~{self.value(depth - 1)})"
        if kind < 0.9:
            return f"({self.value(depth - 1)} {self.pick('//', '%')} {self.pick(2, 3, 4, 5, 7)})"
        if kind < 0.93:
            return f"bool({self.value(depth - 1)})"
        return self.test(depth - 1)

    def test(self, depth):
        """An expression for a condition."""
        kind = self.random.random()
        if depth <= 0 or kind < 0.5:
            compare = self.pick("==", "!=", "<", "<=", ">", ">=")
            return f"({self.value(max(depth - 1, 0))} {compare} {self.value(max(depth - 1, 0))})"
        if kind < 0.7:
            return f"({self.test(depth - 1)} {self.pick('and', 'or')} {self.test(depth - 1)})"
        if kind < 0.8:
            return f"(not {self.test(depth - 1)})"
        return self.value(depth - 1)

    def sample(self):
        kinds = [self.conditional, self.branches, self.chain, self.chain, self.variable, self.loop, self.parts, self.update]
        kinds += [self.flag, self.wrapping, self.shared, self.enum, self.match, self.constants]
        draw = self.pick(*[self.assignment] * 6, *kinds)
        return draw()

    def assignment(self):
        return Sample(f"y.next = {self.value(self.pick(1, 2, 2, 3))}", BOUNDLESS)

    def constants(self):
        """A vector and a constant near the edges of something."""
        operator = self.pick("+", "-", "*", "&", "|", "^", "==", "<", ">=", ">")
        sides = [self.pick(*VECTORS, self.part()), str(self.pick(*WIDE, *CONSTANTS))]
        self.random.shuffle(sides)
        return Sample(f"y.next = {sides[0]} {operator} {sides[1]}", BOUNDLESS)

    def conditional(self):
        return Sample(f"y.next = {self.value(1)} if {self.test(1)} else {self.value(1)}", BOUNDLESS)

    def branches(self):
        tests = [f"{word} {self.test(2)}:\n    y.next = {self.value(1)}\n" for word in ("if", "elif")[: self.pick(1, 2)]]
        return Sample("".join(tests) + f"else:\n    y.next = {self.value(1)}", BOUNDLESS)

    def chain(self):
        """Comparisons of one name, of which MyHDL makes a case statement."""
        name = self.pick(*VECTORS, *BITS, *VECTORS)
        width = abs(INPUTS[name])
        edges = (0, 1, 2, 3, -1, -2, 2 ** max(width - 1, 0), 2**width - 1, 2**width, -(2 ** max(width - 1, 0)))
        lines = []
        for number, word in enumerate(("if", "elif", "elif", "elif")[: self.random.randint(2, 4)]):
            item = self.pick(
                *edges, *edges, "LOW", "FIVE", "-FIVE", "FIVE - 1", "c", "c[0]", "c > 3", "len(a)", "m[1]", "bool(c)"
            )
            lines.append(f"{word} {name} == {item}:\n    y.next = {number}\n")
        return Sample("y.next = 9\n" + "".join(lines) + self.pick("", "else:\n    y.next = 7"), BOUNDLESS)

    def variable(self):
        wide = f"intbv(0, min={-(2**60)}, max={2**60})"
        kind = self.pick(wide, wide, "intbv(0)[9:]", "intbv(0)[16:]", "intbv(0, min=-256, max=256)")
        return Sample(
            f"v = {kind}\nv[:] = {self.value(2)}\ny.next = {self.pick('v', 'v + a', 'b - v', '(v >> 1) + b', 'v > b')}", BOUNDLESS
        )

    def flag(self):
        """A variable for a condition."""
        start = self.pick("", "flag = bool(0)\n", "flag = False\n", "flag = 0\n", "flag = s\n")
        use = self.pick(
            "y.next = flag", "if flag:\n    y.next = a\nelse:\n    y.next = c", "y.next = a + flag", "y.next = flag and s"
        )
        return Sample(f"{start}flag = {self.test(2)}\n{use}", BOUNDLESS)

    def wrapping(self):
        """A modbv, which takes every value."""
        local = f"wrap = Signal({self.pick('modbv(0)[6:]', 'modbv(0, min=-32, max=32)')})\n"
        register = Sample(f"wrap.next = {self.value(2)}\ny.next = wrap", BOUNDLESS, local, "@always_seq(clk.posedge, reset=rst)")
        kind = self.pick("modbv(0)[9:]", "modbv(0, min=-256, max=256)")
        return self.pick(register, Sample(f"v = {kind}\nv[:] = {self.value(2)}\ny.next = {self.pick('v', 'v + b')}", BOUNDLESS))

    def loop(self):
        body = self.pick(
            "for i in range(8):\n    if a[i]:\n        y.next = i",
            "for i in range(4):\n    if m[i] > {}:\n        y.next = m[i]",
            LOOP_CHAIN.format(2, "{}", 0, 3),
            LOOP_CHAIN.format(0, 1, 1, "a"),
            "for i in range(8):\n    if a > i:\n        y.next = i + 1",
            "for i in range(4):\n    if b == i - 2:\n        y.next = n[i]",
            "for i in downrange(4):\n    if c[i] and {}:\n        y.next = a << i",
            "for i in range(4):\n    if c[i]:\n        y.next = 2 ** i",
            "v = intbv(0)[12:]\nfor i in range(4):\n    v[:] = v + m[i]\ny.next = v",
            "v = intbv(0, min=-1024, max=1024)\nfor i in range(4):\n    v[:] = v + n[i]\ny.next = v",
            "v = intbv(0)[12:]\nfor i in range(4):\n    v += m[i]\ny.next = v",
            "for i in range(3):\n    if m[i + 1] > m[i]:\n        y.next = i",
        )
        return Sample("y.next = 0\n" + body.replace("{}", self.value(1)), BOUNDLESS)

    def parts(self):
        return Sample(
            self.pick(
                f"y.next = 0\ny.next[4:] = {self.value(1)}",
                f"y.next = 0\ny.next[8:4] = {self.value(1)}\ny.next[0] = {self.test(1)}",
                f"y.next = 0\ny.next[{self.pick('c[3:]', 'c & 3', 'c >> 1', 'a[2:] + 1', 'e + 1')}] = {self.test(1)}",
            ),
            self.pick(9, 12),
        )

    def update(self):
        kind = self.pick("intbv(0)[40:]", f"intbv(0, min={-(2**50)}, max={2**50})")
        operator = self.pick("+=", "+=", "-=", "*=", "&=", "|=", ">>=")
        return Sample(f"v = {kind}\nv[:] = {self.pick('a', '200', 'c')}\nv {operator} {self.value(1)}\ny.next = v", BOUNDLESS)

    def shared(self):
        """A list to which two generators assign."""
        local = (
            "part = [Signal(intbv(0)[8:]) for _ in range(4)]\n"
            f"{self.pick('@always(clk.posedge)', '@always(clk.posedge)', '@always_comb')}\ndef fill():\n"
            f"    {self.pick('part[0].next = a', 'part[0].next = a' + chr(10) + '    part[1].next = c')}\n"
        )
        body = self.pick(
            "part[2].next = c", "for i in range(2):\n    part[i + 2].next = c", "part[c[1:] + 2].next = a", "part[3].next = a"
        )
        decorator = self.pick("@always(clk.posedge)", "@always_seq(clk.posedge, reset=rst)", "@always_comb")
        return Sample(f"{body}\ny.next = part[0] + part[2]", 10, local, decorator)

    def enum(self):
        items = self.random.sample(
            ["IDLE", "GO", "STOP", "OPEN", "A", "WAIT", "HALT_", "X__Y", "go", "Run", "COMPUTE", "Y", "NEXT_1"], 3
        )
        first, second, third = items
        local = f"op = enum({', '.join(repr(item) for item in items)})\nstate = Signal(op.{first})\n"
        last = self.pick("else", f"elif state == op.{third}")
        step = self.pick(
            f"state.next = op.{second}",
            f"state.next = op.{second} if s else op.{third}",
            f"if s:\n        state.next = op.{third}",
        )
        body = (
            f"if state == op.{first}:\n    {step}\n    y.next = 1\nelif state == op.{second}:\n    state.next = op.{third}\n"
            f"    y.next = 2\n{last}:\n    state.next = op.{first}\n    y.next = 3"
        )
        return Sample(body, 4, local, "@always_seq(clk.posedge, reset=rst)")

    def match(self):
        name = self.pick("c", "d", "a", "b")
        items = self.random.sample([0, 1, 2, 3, 7, 8, 15, 16, 128, 255, 256], 2)
        cases = "".join(f"    case {item}:\n        y.next = {self.value(1)}\n" for item in items)
        return Sample(f"y.next = 0\nmatch {name}:\n{cases}    case _:\n        y.next = 5", BOUNDLESS)


def numbered(text, i):
    """Text with names of its own for sample i."""
    return re.sub(r"\b(y|part|fill|op|state|wrap)\b(?!')", rf"\1_{i}", text)


def text_of(samples):
    """Source of a block with one generator and one output for each sample."""
    widths = INPUTS | {f"y_{i}": sample.width for i, sample in enumerate(samples)}
    types = {name: constructor(str(width or "")) for name, width in widths.items()}
    if is_clocked(samples):
        types = {"clk": "Signal(bool(0))", "rst": "ResetSignal(0, active=1, isasync=False)"} | types
    code = "".join(f"{name} = {value}\n" for name, value in CONSTANTS.items())
    for name, (width, sources) in LISTS.items():
        code += drive_list(name, str(width), *sources)
    for i, sample in enumerate(samples):
        body = numbered(sample.body, i)
        code += f"{numbered(sample.local, i)}{sample.decorator}\ndef compute_{i}():\n{indented(body, 1)}"
    signals = ", ".join(f"{name}={kind}" for name, kind in types.items())
    return (
        f"{HEADER}from myhdl import enum\n\n\n"
        f"@block\ndef top({', '.join(types)}):\n{indented(code, 1)}    return instances()\n\n\n"
        f"def signals():\n    return dict({signals})\n"
    )


def stimuli(seed, clocked, count=50):
    """Inputs: edges of their ranges and random values; a reset first."""
    draw = random.Random(seed)
    vectors = []
    for i in range(count):
        vector = {}
        for name, width in INPUTS.items():
            low, high = (0, max(1, 2**width - 1)) if width >= 0 else (-(2 ** (-width - 1)), 2 ** (-width - 1) - 1)
            edges = [value for value in (low, high, 0, 1, -1, low + 1, high - 1, 2, 3) if low <= value <= high]
            vector[name] = draw.choice(edges) if draw.random() < 0.6 else draw.randint(low, high)
        if clocked:
            vector["rst"] = int(i < 2 or draw.random() < 0.1)
        vectors.append(vector)
    return vectors


def is_clocked(samples):
    return any("clk" in sample.decorator + sample.local for sample in samples)


def simulated(samples, simulator, vpi, seed, folder):
    """The outputs by vector; None where there is no HDL or the simulator refuses or stops."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return outputs(text_of(samples), stimuli(seed, is_clocked(samples)), simulator, Path(mkdtemp(dir=folder)), vpi)
        except FAILURES:
            return None


def sized(sample, draw, folder):
    """The sample with an output that holds its values; None if MyHDL's simulator refuses it."""
    if sample.width != BOUNDLESS:
        return sample if simulated([sample], "myhdl", None, 0, folder) is not None else None
    wide = Sample(sample.body, -200, sample.local, sample.decorator)
    seen = simulated([wide], "myhdl", None, 0, folder)
    if seen is None:
        return None
    values = [row["y_0"] for row in seen]
    low, high = min(values), max(values)
    bits = max((-low - 1).bit_length() if low < 0 else 0, high.bit_length())
    if low >= 0 and high <= 1 and draw.random() < 0.5:
        width = 0
    elif low < 0 or draw.random() < 0.4:
        width = -(bits + 1 + draw.choice((0, 0, 1, 7)))
    else:
        width = max(bits, 1) + draw.choice((0, 0, 1, 7))
    made = Sample(sample.body, width, sample.local, sample.decorator)
    return made if simulated([made], "myhdl", None, 0, folder) is not None else None


def samples(seed, count, folder):
    """Random samples that MyHDL's simulator runs."""
    writer, found = Writer(seed), []
    while len(found) < count:
        sample = sized(writer.sample(), writer.random, folder)
        if sample is not None:
            found.append(sample)
    return found


def flagged(sample):
    """The rules that find something in a sample by itself."""
    return {finding.rule.name for finding in check_source(text_of([sample]), "sample.py")}


def differing(samples, vpi, seed, folder):
    """Those that Verilog or VHDL computes in another way than MyHDL's simulator, or not at all: halves until each is found."""
    expected = simulated(samples, "myhdl", vpi, seed, folder)
    if expected is None:
        # The seed's values leave the range of some output.
        return [] if len(samples) == 1 else [s for half in halves(samples) for s in differing(half, vpi, seed, folder)]
    if all(simulated(samples, simulator, vpi, seed, folder) == expected for simulator in ("icarus", "ghdl")):
        return []
    return samples if len(samples) == 1 else [s for half in halves(samples) for s in differing(half, vpi, seed, folder)]


def halves(samples):
    return samples[: len(samples) // 2], samples[len(samples) // 2 :]
