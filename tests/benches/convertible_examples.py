"""For each rule of duospike.cosim.lint a block that breaks it, one that keeps it, and the effect of the first."""

from dataclasses import dataclass, field

DIFFERS = "other outputs than MyHDL's simulator"
REFUSED = "refused by the HDL simulator"
ERROR = "no conversion"
SAME = "the outputs of MyHDL's simulator"

HEADER = """\
from collections import namedtuple
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from myhdl import (
    ConcatSignal, ResetSignal, Signal, always, always_comb, always_seq, block, concat, downrange, instance, instances, intbv,
    modbv,
)

"""


@dataclass(frozen=True)
class Example:
    """rule: its name. vectors: inputs one after the other, the same for both blocks; none where there is a test of its own.
    verilog, vhdl: the effect of the bad block in Icarus and GHDL."""

    rule: str
    bad: str
    good: str
    vectors: list = field(default_factory=list)
    verilog: str = SAME
    vhdl: str = SAME


def indented(text, levels):
    return "".join("    " * levels + line + "\n" for line in text.splitlines())


def constructor(width):
    """`8`: unsigned, `-8`: signed, empty: bool."""
    if not width:
        return "Signal(bool(0))"
    bits = int(width)
    return f"Signal(intbv(0)[{bits}:])" if bits > 0 else f"Signal(intbv(0, min={-(2 ** (-bits - 1))}, max={2 ** (-bits - 1)}))"


def design(ports, body, local="", extra="", decorator="@always_comb", name="compute"):
    """Source of a block with one generator. ports: such as `a:8 b:-4 s y:8`. local: its elaboration. extra: before the block."""
    if decorator != "@always_comb":
        ports = f"clk {ports}"
    pairs = [port.partition(":")[::2] for port in ports.split()]
    signals = ", ".join(f"{name}={constructor(width)}" for name, width in pairs)
    return (
        f"{HEADER}{extra}\n\n@block\ndef top({', '.join(name for name, _ in pairs)}):\n{indented(local, 1)}"
        f"    {decorator}\n    def {name}():\n{indented(body, 2)}    return instances()\n\n\n"
        f"def signals():\n    return dict({signals})\n"
    )


def clocked(ports, body, local="", extra="", decorator="@always(clk.posedge)"):
    return design(ports, body, local, extra, decorator)


def resettable(ports, body, local="", extra=""):
    """With a reset, which the simulator drives by the name rst."""
    text = design(ports, body, local, extra, "@always_seq(clk.posedge, reset=rst)")
    return text.replace("def top(clk, ", "def top(clk, rst, ").replace(
        "dict(clk=Signal(bool(0)), ", "dict(clk=Signal(bool(0)), rst=ResetSignal(0, active=1, isasync=False), "
    )


def pair(rule, ports, bad, good, vectors, local="", extra="", make=design, **outcome):
    """An example whose blocks differ in a generator's body."""
    return Example(rule, make(ports, bad, local, extra), make(ports, good, local, extra), vectors, **outcome)


def local_pair(rule, ports, body, bad, good, vectors, common="", extra="", make=design, **outcome):
    """An example whose blocks differ in the elaboration."""
    return Example(rule, make(ports, body, common + bad, extra), make(ports, body, common + good, extra), vectors, **outcome)


def drive(**signals):
    """Elaboration that copies ports to signals of the block: name="8 a" is a signal of 8 bits that follows a."""
    lines = []
    for name, (width, _, source) in {name: text.partition(" ") for name, text in signals.items()}.items():
        lines += [f"{name} = {constructor(width)}", "@always_comb", f"def follow_{name}():", f"    {name}.next = {source}"]
    return "\n".join(lines) + "\n"


def drive_list(name, width, *sources):
    lines = [f"{name} = [{constructor(width)} for _ in range({len(sources)})]", "@always_comb", f"def follow_{name}():"]
    lines += [f"    {name}[{i}].next = {source}" for i, source in enumerate(sources)]
    return "\n".join(lines) + "\n"


CHILD = """
@block
def copy(src, dst):
    @always_comb
    def hand_on():
        dst.next = src

    return hand_on
"""
USER_CODE = """
@block
def copy(src, dst):
    @always_comb
    def hand_on():
        dst.next = src
{flags}
    return hand_on


copy.verilog_code = "assign $dst = $src;"
copy.vhdl_code = "$dst <= $src;"
"""
SLOTS = """
class Pair:
    {slots}

    def __init__(self):
        self.left = Signal(intbv(0)[8:])
        self.right = Signal(intbv(0)[8:])
"""
DATACLASS = """
@dataclass({slots})
class Pair:
    left: Signal = field(default_factory=lambda: Signal(intbv(0)[8:]))
    right: Signal = field(default_factory=lambda: Signal(intbv(0)[8:]))
"""
NAMED_TUPLE = """
class Fields(NamedTuple):
    left: object
    right: object


def Pair():
    return Fields(Signal(intbv(0)[8:]), Signal(intbv(0)[8:]))
"""
SIMPLE = """
class Fields:
    def __init__(self, left, right):
        self.left = left
        self.right = right


def Pair():
    return Fields(Signal(intbv(0)[8:]), Signal(intbv(0)[8:]))
"""


def interface(classes):
    """A block with an interface of the class Pair."""
    return f"""{HEADER}{classes}

@block
def top(a, src, y):
    @always_comb
    def compute():
        y.next = a + src.left

    return compute


def signals():
    return dict(a=Signal(intbv(0)[8:]), src=Pair(), y=Signal(intbv(0)[9:]))
"""


def compared(good, bad, total=""):
    """The bad and the good body, `if test: y.next = 1`; total: what the good one first adds up, in 10 bits with a sign."""
    add_up = f"total = intbv(0, min=-512, max=512)\ntotal[:] = {total}\n" if total else ""
    return [f"{first}y.next = 0\nif {test}:\n    y.next = 1" for first, test in (("", bad), (add_up, good))]


CARRY = [{"a": 200, "b": 100}, {"a": 255, "b": 255}]
SIGNED = [{"a": -7, "b": 3}, {"a": -100, "b": 100}]
COUNT = [{"a": value} for value in (5, 0, 3)]
MIXED = drive_list("n", "-8", "a", "b") + drive_list("m", "8", "b", "b") + drive(u="8 b", s="-8 a")
MEMORY = "mem = [Signal(intbv(0)[8:]) for _ in range(64)]\n"
INTERFACE_VECTORS = [{"a": 3, "src_left": 90, "src_right": 0}]

SIGNS = [{"a": value} for value in range(-8, 8)]
RESETS = [{"rst": rst, "a": value} for value in (1, 7, 3) for rst in (1, 0)]
SHARED = "m = [Signal(intbv(0)[4:]) for _ in range(2)]\nn = Signal(intbv(0)[4:])\n"
FILL = "@always(clk.posedge)\ndef fill():\n    m[0].next = a\n"
UNREAD = f"{HEADER}from .elsewhere import hidden\n\n\n@block\ndef top(a, y):\n    {{body}}\n\n    return instances()\n"
READ = UNREAD.format(body="@always_comb\n    def compute():\n        y.next = a")

EXAMPLES = (
    pair(
        "conditional-in-expression",
        "a:-8 b:-8 s y:-10",
        "y.next = a + (b if s else 0)",
        "if s:\n    y.next = a + b\nelse:\n    y.next = a",
        [{"a": 100, "b": 5, "s": 0}, {"a": -3, "b": 4, "s": 1}],
        verilog=DIFFERS,
        vhdl=ERROR,
    ),
    pair(
        "conditional-in-expression",
        "a:8 b:8 s t y:8",
        "y.next = a if (s if t else True) else b",
        "y.next = a if s or not t else (b if t else a)",
        [{"a": 3, "b": 5, "s": 0, "t": 1}],
        verilog=DIFFERS,
        vhdl=REFUSED,
    ),
    pair(
        "lost-carry",
        "a:8 b:8 y:8",
        "y.next = (a + b) >> 1",
        "total = intbv(0)[9:]\ntotal[:] = a + b\ny.next = total >> 1",
        CARRY,
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    pair(
        "lost-carry",
        "a:8 y:8",
        "y.next = (a + 100) >> 1",
        "total = intbv(0)[9:]\ntotal[:] = a + 100\ny.next = total >> 1",
        [{"a": 200}],
        vhdl=DIFFERS,
    ),
    pair(
        "lost-carry",
        "a:8 b:8 c:8 y:1",
        *compared("total > c", "a + b > c", "a + b"),
        [{"a": 200, "b": 100, "c": 150}],
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    pair("lost-carry", "a:8 b:8 y:1", *compared("b < total", "b < a + 100", "a + 100"), CARRY, vhdl=DIFFERS),
    pair("lost-carry", "a:8 b:8 y:1", *compared("total < b", "a - 1 < b", "a - 1"), [{"a": 0, "b": 3}], verilog=DIFFERS),
    pair(
        "lost-carry",
        "a:8 b:8 y:1",
        *compared("total != 0", "a + b", "a + b"),
        [{"a": 128, "b": 128}],
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    pair(
        "lost-carry",
        "a:3 b:3 x:16 y:1",
        "y.next = x[a + b]",
        "total = intbv(0)[4:]\ntotal[:] = a + b\ny.next = x[total]",
        [{"a": 7, "b": 5, "x": 0x1000}],
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    pair("lost-carry", "a:8 y:8", "y.next = (a << 2) >> 3", "y.next = a >> 1", [{"a": 200}], verilog=DIFFERS, vhdl=DIFFERS),
    pair(
        "lost-carry",
        "a:8 b:8 y:-12",
        "y.next = -(a + b)",
        "total = intbv(0, min=0, max=511)\ntotal[:] = a + b\ny.next = -total",
        CARRY,
        vhdl=DIFFERS,
    ),
    pair(
        "lost-carry",
        "a:8 y:-12",
        "y.next = (-a) >> 3",
        "total = intbv(0, min=-255, max=1)\ntotal[:] = -a\ny.next = total >> 3",
        COUNT,
        verilog=DIFFERS,
    ),
    pair("constant-product", "a:2 y:12", "y.next = k * a", "y.next = a * k", [{"a": 3}], "k = 300\n", vhdl=DIFFERS),
    pair(
        "constant-product",
        "a:2 y:12",
        "total = intbv(5)[12:]\ntotal[:] = total + a * k\ny.next = total",
        "total = intbv(0)[12:]\ntotal[:] = a * k\ntotal[:] = total + 5\ny.next = total",
        [{"a": 3}],
        "k = 300\n",
        vhdl=DIFFERS,
    ),
    pair("constant-product", "a:1 y:8", "y.next = 0\ny.next[7:3] = a * k", "y.next = a * k", [{"a": 1}], "k = 9\n", vhdl=DIFFERS),
    pair("constant-product", "a:3 y:12", "y.next = 300 * x", "y.next = x * 300", [{"a": 7}], drive(x="3 a"), vhdl=DIFFERS),
    pair("mixed-signs", "a:-8 b:-8 y:-20", "y.next = n[0] * m[0]", "y.next = m[0] * n[0]", SIGNED, MIXED, verilog=DIFFERS),
    pair("mixed-signs", "a:-8 b:-8 y:-20", "y.next = n[0] + b[4:]", "y.next = b[4:] + n[0]", SIGNED, MIXED, verilog=DIFFERS),
    pair("mixed-signs", "a:-8 b:-8 y:-20", "y.next = s * (u + 1)", "y.next = s * u + s", SIGNED, MIXED, verilog=DIFFERS),
    pair("mixed-signs", "a:-8 b:-8 y:-20", "y.next = (s >> 1) + u", "y.next = u + (s >> 1)", SIGNED, MIXED, verilog=DIFFERS),
    pair(
        "mixed-signs",
        "a:-8 b:-8 y:-20",
        "y.next = s + concat(b[0], b[1])",
        "v = intbv(0, min=-4, max=4)\nv[:] = concat(b[0], b[1])\ny.next = s + v",
        SIGNED,
        MIXED,
        verilog=DIFFERS,
    ),
    pair("mixed-signs", "a:-8 b:-8 y:1", *compared("s < m[0]", "n[0] < m[0]"), SIGNED, MIXED, verilog=DIFFERS),
    pair("signed-division", "a:-8 b:-8 y:-8", "y.next = s // 2", "y.next = s >> 1", SIGNED, MIXED, verilog=DIFFERS, vhdl=DIFFERS),
    pair("signed-division", "a:-8 b:-8 y:3", "y.next = s % 4", "y.next = s[2:]", SIGNED, MIXED, verilog=DIFFERS),
    pair(
        "widened-inversion",
        "a:8 y:9",
        "y.next = ~a + 1",
        "v = intbv(0)[8:]\nv[:] = ~a\ny.next = v + 1",
        [{"a": 3}],
        verilog=DIFFERS,
    ),
    pair("widened-inversion", "a:8 y:1", *compared("a == 3", "~a == 252"), [{"a": 3}], verilog=DIFFERS),
    pair(
        "wide-constant",
        "a:4 y:8",
        "y.next = x | k",
        "v = intbv(0)[8:]\nv[:] = x\ny.next = v | k",
        [{"a": 5}],
        "k = 0xF0\n" + drive(x="4 a"),
        vhdl=DIFFERS,
    ),
    pair(
        "negative-index",
        "a:8 y:8",
        "y.next = m[-1]",
        "y.next = m[last]",
        [{"a": 5}],
        drive_list("m", "8", "a", "a", "a") + "last = len(m) - 1\n",
        verilog=DIFFERS,
        vhdl=REFUSED,
    ),
    pair("shifted-constant", "a:3 y:8", "y.next = 1 << a", "y.next = 0\ny.next[a] = 1", COUNT, vhdl=REFUSED),
    pair(
        "shifted-constant",
        "a:8 y:8",
        "y.next = 0\nfor i in range(8):\n    if a[i]:\n        y.next = k << i",
        "y.next = 0\nfor i in range(8):\n    if a[i]:\n        y.next = k * 2 ** i",
        COUNT,
        "k = 1\n",
        vhdl=REFUSED,
    ),
    pair(
        "vector-in-logic",
        "a:8 y:1",
        *compared("flag and x != 0", "flag and x"),
        COUNT,
        drive(flag=" a > 3", x="8 a"),
        verilog=ERROR,
        vhdl=ERROR,
    ),
    local_pair(
        "numpy-value",
        "a:2 y:8",
        "y.next = table_of[a]",
        "table_of = tuple(np.array([3, 5, 7, 9]))",
        "table_of = tuple(np.array([3, 5, 7, 9]).tolist())",
        COUNT[1:],
        verilog=REFUSED,
        vhdl=REFUSED,
    ),
    local_pair(
        "integer-list",
        "a:2 y:8",
        "y.next = words[a]",
        "words = [3, 5, 7, 9]",
        "words = (3, 5, 7, 9)",
        COUNT[1:],
        verilog=ERROR,
        vhdl=ERROR,
    ),
    pair(
        "rom-in-expression",
        "a:2 y:8",
        "y.next = words[a] + 1",
        "v = intbv(0)[8:]\nv[:] = words[a]\ny.next = v + 1",
        COUNT[1:],
        "words = (3, 5, 7, 9)\n",
        verilog=REFUSED,
        vhdl=REFUSED,
    ),
    Example(
        "rom-in-expression",
        design("a:2 y:8", "y.next = words[1][a]", "words = ((3, 5, 7, 9), (1, 2, 3, 4))\n"),
        design("a:2 y:8", "k = intbv(0)[3:]\nk[:] = a + 4\ny.next = words[k]", "words = (3, 5, 7, 9, 1, 2, 3, 4)\n"),
        COUNT[1:],
        verilog=REFUSED,
        vhdl=REFUSED,
    ),
    local_pair(
        "undriven-list",
        "a:2 y:8",
        "y.next = words[a]",
        "words = [Signal(intbv(w)[8:]) for w in (3, 5, 7, 9)]",
        "words = (3, 5, 7, 9)",
        COUNT[1:],
        vhdl=DIFFERS,
    ),
    local_pair(
        "negative-constant",
        "a:8 y:-10",
        "y.next = a + k",
        "k = Signal(intbv(-3, min=-8, max=8))",
        "k = -3",
        COUNT,
        verilog=REFUSED,
    ),
    local_pair(
        "list-of-shadows",
        "a:8 y:8",
        "y.next = concat(low[0], low[1])",
        "low = [a(4 * k + 4, 4 * k) for k in range(2)]",
        drive_list("low", "4", "a[4:0]", "a[8:4]"),
        COUNT,
        verilog=DIFFERS,
    ),
    Example(
        "slice-of-element",
        design("a:8 y:9", "y.next = low + m[0]", drive_list("m", "8", "a", "a") + "low = m[1](4, 0)\n"),
        design("a:8 y:9", "y.next = m[1][4:0] + m[0]", drive_list("m", "8", "a", "a")),
        COUNT,
        verilog=DIFFERS,
        vhdl=REFUSED,
    ),
    Example(
        "list-of-lists",
        clocked("a:8 y:8", "m[0][1].next = a\ny.next = a", "m = [[Signal(intbv(0)[8:]) for _ in range(2)] for _ in range(2)]\n"),
        clocked("a:8 y:8", "m[1].next = a\ny.next = a", "m = [Signal(intbv(0)[8:]) for _ in range(4)]\n"),
        COUNT,
        verilog=ERROR,
        vhdl=ERROR,
    ),
    Example(
        "signal-in-two-lists",
        design("a:8 y:9", "y.next = m[0] + even[1]", drive_list("m", "8", "a", "a", "a", "a") + "even = m[::2]\n"),
        design("a:8 y:9", "y.next = m[0] + m[2]", drive_list("m", "8", "a", "a", "a", "a")),
        COUNT,
        verilog=ERROR,
        vhdl=ERROR,
    ),
    local_pair(
        "nested-concat",
        "a:8 y:24",
        "y.next = joined",
        "inner = ConcatSignal(a, a)\njoined = ConcatSignal(inner, a)",
        "joined = ConcatSignal(a, a, a)",
        COUNT,
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    Example(
        "slice-of-concat",
        design("a:8 y:8", "y.next = middle", "joined = ConcatSignal(a, a)\nmiddle = joined(12, 4)\n"),
        design("a:8 y:8", "y.next = joined[12:4]", "joined = ConcatSignal(a, a)\n"),
        COUNT,
        verilog=ERROR,
        vhdl=ERROR,
    ),
    local_pair("free-intbv", "a:8 y:9", "y.next = a + k", "k = intbv(12)[8:]", "k = 12", COUNT, verilog=REFUSED, vhdl=REFUSED),
    Example(
        "memory-reset",
        clocked(
            "rst a:6 b:6 y:8",
            "if rst:\n    for i in range(64):\n        mem[i].next = 0\nelse:\n    mem[a].next = b\ny.next = mem[b]",
            MEMORY,
        ),
        clocked("rst a:6 b:6 y:8", "if rst:\n    y.next = 0\nelse:\n    mem[a].next = b\n    y.next = mem[b]", MEMORY),
    ),
    Example(
        "memory-reset",
        clocked(
            "rst a:6 b:6 y:8",
            "mem[a].next = b\ny.next = mem[b]",
            MEMORY + drive(reset=" rst").replace("Signal(bool(0))", "ResetSignal(0, active=1, isasync=False)"),
            decorator="@always_seq(clk.posedge, reset=reset)",
        ),
        clocked("rst a:6 b:6 y:8", "mem[a].next = b\ny.next = mem[b]", MEMORY, decorator="@always_seq(clk.posedge, reset=None)"),
    ),
    Example(
        "undriven-user-code",
        design("a:8 y:8", "y.next = z", "z = Signal(intbv(0)[8:])\nchild = copy(a, z)\n", USER_CODE.format(flags="")),
        design(
            "a:8 y:8",
            "y.next = z",
            "z = Signal(intbv(0)[8:])\nchild = copy(a, z)\n",
            USER_CODE.format(flags="\n    src.read = True\n    dst.driven = 'wire'"),
        ),
        COUNT,
        verilog=DIFFERS,
        vhdl=REFUSED,
    ),
    pair(
        "signed-range",
        "a:-8 y:-8",
        "v = intbv(0, min=-2**(n - 1), max=2**(n - 1) - 1)\nv[:] = a\ny.next = v",
        "v = intbv(0, min=-2**(n - 1), max=2**(n - 1))\nv[:] = a\ny.next = v",
        [{"a": 127}],
        "n = 8\n",
    ),
    local_pair(
        "modbv-range",
        "a:8 y:4",
        "k.next = k + 1\ny.next = a[4:]",
        "k = Signal(modbv(0, min=0, max=10))",
        "k = Signal(modbv(0, min=0, max=16))",
        COUNT,
        make=clocked,
        verilog=ERROR,
        vhdl=ERROR,
    ),
    Example(
        "hidden-interface",
        interface(SLOTS.format(slots='__slots__ = ("left", "right")')),
        interface(SLOTS.format(slots="pass")),
        INTERFACE_VECTORS,
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    Example(
        "hidden-interface",
        interface(DATACLASS.format(slots="slots=True")),
        interface(DATACLASS.format(slots="")),
        INTERFACE_VECTORS,
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    Example("hidden-interface", interface(NAMED_TUPLE), interface(SIMPLE), INTERFACE_VECTORS, verilog=DIFFERS, vhdl=DIFFERS),
    pair(
        "match-form",
        "a:3 y:8",
        "match a:\n    case 1 | 2:\n        y.next = 3\n    case _:\n        y.next = 2",
        "if a == 1 or a == 2:\n    y.next = 3\nelse:\n    y.next = 2",
        [{"a": 1}, {"a": 3}],
        verilog=DIFFERS,
    ),
    pair(
        "match-form",
        "a:3 s y:8",
        "match a:\n    case 1 if s:\n        y.next = 3\n    case _:\n        y.next = 2",
        "match a:\n    case 1:\n        y.next = 3\n    case _:\n        y.next = 2",
        [{"a": 1, "s": 0}, {"a": 1, "s": 1}],
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    pair(
        "match-form",
        "a:3 y:8",
        "y.next = 0\nmatch a:\n    case 1:\n        y.next = 3",
        "y.next = 0\nmatch a:\n    case 1:\n        y.next = 3\n    case _:\n        y.next = 0",
        COUNT,
        vhdl=REFUSED,
    ),
    pair(
        "builtin-function",
        "a:8 b:8 y:8",
        "y.next = min(a, b)",
        "y.next = a if a < b else b",
        CARRY,
        verilog=REFUSED,
        vhdl=REFUSED,
    ),
    pair(
        "for-iterator",
        "a:8 y:8",
        "for i, m in enumerate(range(3)):\n    y.next = a",
        "for i in range(3):\n    y.next = a",
        COUNT,
        make=clocked,
        verilog=ERROR,
        vhdl=ERROR,
    ),
    pair(
        "range-step",
        "a:8 y:8",
        "y.next = 0\nfor i in range(7, -1, -1):\n    if a[i]:\n        y.next = i",
        "y.next = 0\nfor i in downrange(8):\n    if a[i]:\n        y.next = i",
        COUNT,
        verilog=ERROR,
        vhdl=ERROR,
    ),
    pair("chained-comparison", "a:8 y", "y.next = 2 < a < 6", "y.next = 2 < a and a < 6", COUNT, verilog=ERROR, vhdl=ERROR),
    pair(
        "augmented-next",
        "a:8 y:8",
        "y.next = 0\nk.next += 1",
        "y.next = 0\nk.next = k + 1",
        COUNT,
        "k = Signal(modbv(0)[8:])\n",
        make=clocked,
        verilog=ERROR,
        vhdl=ERROR,
    ),
    pair("f-string", "a:8 y:8", "y.next = a\nprint(f'{a}')", "y.next = a", COUNT, verilog=ERROR, vhdl=ERROR),
    Example(
        "list-element-attribute",
        clocked("a:8 y:8", "pairs[0].left.next = a\ny.next = a", "pairs = [Pair(), Pair()]\n", DATACLASS.format(slots="")),
        clocked(
            "a:8 y:8",
            "lefts[0].next = a\ny.next = a",
            "pairs = [Pair(), Pair()]\nlefts = [p.left for p in pairs]\n",
            DATACLASS.format(slots=""),
        ),
        COUNT,
        verilog=ERROR,
        vhdl=ERROR,
    ),
    pair(
        "shadow-in-generator", "a:8 y:4", "y.next = x(4, 0)", "y.next = x[4:0]", COUNT, drive(x="8 a"), verilog=ERROR, vhdl=ERROR
    ),
    pair(
        "shadow-in-generator",
        "a:8 y:16",
        "y.next = ConcatSignal(a, a)",
        "y.next = concat(a, a)",
        COUNT,
        verilog=ERROR,
        vhdl=REFUSED,
    ),
    pair(
        "unconvertible-syntax",
        "a:8 y:8",
        "low, high = 1, 2\ny.next = a",
        "low = 1\nhigh = 2\ny.next = a",
        COUNT,
        verilog=ERROR,
        vhdl=ERROR,
    ),
    pair("unconvertible-syntax", "a:8 y", "y.next = a in (1, 5)", "y.next = a == 1 or a == 5", COUNT, verilog=ERROR, vhdl=ERROR),
    pair("unconvertible-syntax", "a:4 y:8", "y.next = a ** 2", "y.next = a * a", COUNT, vhdl=ERROR),
    local_pair("reserved-word", "a:8 y:8", "y.next = a", drive(signal="8 a"), drive(value="8 a"), COUNT, vhdl=REFUSED),
    local_pair("reserved-word", "a:8 y:8", "y.next = a", drive(reg="8 a"), drive(register_1="8 a"), COUNT, verilog=REFUSED),
    Example(
        "reserved-word",
        design("a:8 y:8", "if a > 3:\n    y.next = a\nelse:\n    y.next = 0", name="process"),
        design("a:8 y:8", "if a > 3:\n    y.next = a\nelse:\n    y.next = 0", name="processed"),
        COUNT,
        vhdl=REFUSED,
    ),
    Example(
        "underscore",
        design(
            "a:8 y:8", "y.next = z", "z = Signal(intbv(0)[8:])\nchild = _copy(a, z)\n", CHILD.replace("def copy", "def _copy")
        ),
        design("a:8 y:8", "y.next = z", "z = Signal(intbv(0)[8:])\nchild = copy(a, z)\n", CHILD),
        COUNT,
        vhdl=REFUSED,
    ),
    local_pair("underscore", "a:8 y:8", "y.next = a", drive(_x="8 a"), drive(x="8 a"), COUNT, vhdl=REFUSED),
    pair(
        "underscore",
        "a:8 y:8",
        "y.next = a\nfor _ in range(3):\n    y.next = a",
        "y.next = a\nfor i in range(3):\n    y.next = a",
        COUNT,
        vhdl=REFUSED,
    ),
    pair(
        "case-only",
        "a:8 y:8",
        "A = intbv(0)[8:]\nA[:] = a + 0\ny.next = A",
        "v = intbv(0)[8:]\nv[:] = a\ny.next = v",
        COUNT,
        vhdl=DIFFERS,
    ),
    Example(
        "case-only",
        design("a:8 y:8", "y.next = B + b", drive(B="7 a[7:]", b="7 a[8:1]")),
        design("a:8 y:8", "y.next = c + b", drive(c="7 a[7:]", b="7 a[8:1]")),
        COUNT,
        vhdl=REFUSED,
    ),
    pair(
        "undriven-element",
        "a:4 y:8",
        "m[1].next = a\ny.next = m[0] + m[1]",
        "m[1].next = a\nm[0].next = 0\ny.next = m[0] + m[1]",
        COUNT,
        SHARED,
        make=clocked,
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    pair(
        "inexact-expression",
        "a:8 b:4 y",
        "y.next = a[0] == b",
        "y.next = (a[0] and b == 1) or (not a[0] and b == 0)",
        [{"a": 1, "b": 1}, {"a": 1, "b": 3}],
        vhdl=DIFFERS,
    ),
    pair("inexact-expression", "a:8 s y", "y.next = s == len(a)", "y.next = s and len(a) == 1", [{"a": 0, "s": 1}], vhdl=DIFFERS),
    pair("inexact-expression", "a:8 y", "y.next = bool(a)", "y.next = a != 0", COUNT + [{"a": 8}], vhdl=DIFFERS),
    pair("inexact-expression", "a:8 y", "y.next = a & 1", "y.next = a[0]", COUNT, vhdl=REFUSED),
    pair(
        "inexact-expression",
        "a:4 b:4 c:8 y:12",
        "y.next = (a + b) * c",
        "total = intbv(0)[5:]\ntotal[:] = a + b\ny.next = total * c",
        [{"a": 15, "b": 9, "c": 100}],
        vhdl=DIFFERS,
    ),
    pair(
        "inexact-expression",
        "a:8 b:-8 y:-12",
        "y.next = a[4:] - (-b)",
        "y.next = a[4:] + b",
        [{"a": 5, "b": -128}],
        vhdl=DIFFERS,
    ),
    pair(
        "big-constant",
        "a:-40 y:-42",
        "y.next = a + 2147483648",
        "k = intbv(0)[32:]\nk[:] = 2147483648\ny.next = k + a",
        [{"a": -5}, {"a": 5}],
        verilog=DIFFERS,
        vhdl=REFUSED,
    ),
    pair(
        "big-constant",
        "a:-40 y",
        "y.next = a < -4294967296",
        "k = intbv(0, min=-(2**39), max=2**39)\nk[:] = -4294967296\ny.next = a < k",
        [{"a": 0}, {"a": -4294967297}],
        verilog=DIFFERS,
        vhdl=REFUSED,
    ),
    pair(
        "constant-chain",
        "a:-4 y:4",
        "if a == -1:\n    y.next = 1\nelif a == 3:\n    y.next = 2\nelse:\n    y.next = 0",
        "y.next = 0\nif a == -1:\n    y.next = 1\nif a == 3:\n    y.next = 2",
        SIGNS,
        verilog=DIFFERS,
    ),
    pair(
        "constant-chain",
        "a:-4 y:4",
        "if a == low:\n    y.next = 1\nelif a == high:\n    y.next = 2\nelse:\n    y.next = 0",
        "if a == low:\n    y.next = 1\nelif high == a:\n    y.next = 2\nelse:\n    y.next = 0",
        SIGNS,
        "low, high = -5, 3\n",
        verilog=DIFFERS,
    ),
    pair(
        "constant-chain",
        "a:-4 y:4",
        "if a == 15:\n    y.next = 1\nelif a == 3:\n    y.next = 2\nelse:\n    y.next = 0",
        "if a == 7:\n    y.next = 1\nelif a == 3:\n    y.next = 2\nelse:\n    y.next = 0",
        SIGNS,
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    pair(
        "constant-chain",
        "a:4 b:3 y:4",
        "if a == b >> 1:\n    y.next = 1\nelif a == 3:\n    y.next = 2\nelse:\n    y.next = 0",
        "v = intbv(0)[4:]\nv[:] = b >> 1\nif a == v:\n    y.next = 1\nelif a == 3:\n    y.next = 2\nelse:\n    y.next = 0",
        [{"a": 3, "b": 7}, {"a": 1, "b": 2}, {"a": 15, "b": 0}],
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    pair(
        "constant-chain",
        "a:4 y:4",
        "y.next = 0\nfor i in range(4):\n    if i == 2:\n        y.next[2] = a[i]\n    elif i == 0:\n        y.next[0] = a[i]\n"
        "    else:\n        y.next[3] = a[1]",
        "y.next = 0\nfor i in range(4):\n    if i == 0:\n        y.next[0] = a[i]\n    elif i == 1:\n        y.next[3] = a[1]\n"
        "    else:\n        y.next[2] = a[2]",
        [{"a": value} for value in range(16)],
        vhdl=DIFFERS,
    ),
    pair(
        "match-number",
        "a:-4 y:4",
        "match a:\n    case 15:\n        y.next = 1\n    case _:\n        y.next = 2",
        "match a:\n    case 7:\n        y.next = 1\n    case _:\n        y.next = 2",
        SIGNS,
        verilog=DIFFERS,
        vhdl=DIFFERS,
    ),
    pair(
        "shared-list",
        "a:4 y:8",
        "m[1].next = a\ny.next = m[0] + m[1]",
        "n.next = a\ny.next = m[0] + n",
        [{"rst": int(i == 0), "a": 7} for i in range(4)],
        SHARED + FILL,
        make=resettable,
        vhdl=DIFFERS,
    ),
    pair(
        "shared-list",
        "a:4 y:8",
        "for i in range(1):\n    m[i + 1].next = a\ny.next = m[0] + m[1]",
        "m[1].next = a\ny.next = m[0] + m[1]",
        COUNT,
        SHARED + FILL,
        make=clocked,
        vhdl=DIFFERS,
    ),
    pair(
        "shared-list",
        "a:4 y:8",
        "m[1].next = a\ny.next = m[0] + m[1]",
        "m[1].next = a\ny.next = m[0] + m[1]\nv = intbv(0)[1:]",
        COUNT,
        SHARED
        + FILL.replace("@always(clk.posedge)", "@always_comb").replace("m[0].next = a", "v = intbv(0)[1:]\n    m[0].next = a"),
        verilog=REFUSED,
    ),
    local_pair(
        "enum-item",
        "a:4 y:4",
        "if state == op.GO:\n    state.next = first\n    y.next = 1\nelse:\n    state.next = op.GO\n    y.next = 2",
        "op = enum('OPEN', 'GO')\nfirst = op.OPEN\nstate = Signal(op.GO)",
        "op = enum('IDLE', 'GO')\nfirst = op.IDLE\nstate = Signal(op.GO)",
        RESETS,
        extra="from myhdl import enum\n",
        make=resettable,
        vhdl=REFUSED,
    ),
    local_pair(
        "enum-item",
        "a:4 y:4",
        "if state == op.GO:\n    y.next = a\nelse:\n    state.next = op.GO\n    y.next = 2",
        "op = enum('A', 'GO')\nstate = Signal(op.A)",
        "op = enum('FIRST', 'GO')\nstate = Signal(op.FIRST)",
        RESETS,
        extra="from myhdl import enum\n",
        make=resettable,
        vhdl=REFUSED,
    ),
    pair(
        "enum-conditional",
        "a:4 y:4",
        "state.next = op.GO if a > 3 else op.IDLE\nif state == op.GO:\n    y.next = 1\nelse:\n    y.next = 2",
        "if a > 3:\n    state.next = op.GO\nelse:\n    state.next = op.IDLE\n"
        "if state == op.GO:\n    y.next = 1\nelse:\n    y.next = 2",
        RESETS,
        "op = enum('IDLE', 'GO')\nstate = Signal(op.IDLE)\n",
        "from myhdl import enum\n",
        make=resettable,
        vhdl=REFUSED,
    ),
    local_pair(
        "signed-in-concat",
        "a:-4 y:8",
        "y.next = both",
        "both = ConcatSignal(a, a)",
        "plain = Signal(intbv(0)[4:])\n@always_comb\ndef unsign():\n    plain.next = a[4:]\nboth = ConcatSignal(plain, plain)",
        SIGNS,
        vhdl=REFUSED,
    ),
    Example("unread-assignment", UNREAD.format(body="@hidden\n    def compute():\n        y.next = a"), READ),
    Example("unread-function", UNREAD.format(body="@always_comb\n    def compute():\n        y.next = hidden(a)"), READ),
    Example("unread-generator", UNREAD.format(body="compute = always_comb(hidden)"), READ),
)
