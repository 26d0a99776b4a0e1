"""The lint of MyHDL's convertible subset: its rules on blocks that break and keep them, and that they tell the truth of MyHDL."""

import ast
from pathlib import Path

import pytest
from myhdl import ConversionError

from duospike.cosim.conversion.convert import convert, write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.lint import RULES, blocks_of, check_file, check_source, table
from duospike.cosim.synthesis.yosys import run_yosys
from tests.benches.convertible_bench import load, outputs
from tests.benches.convertible_examples import DIFFERS, ERROR, EXAMPLES, HEADER, REFUSED, SAME, clocked, design, drive, drive_list
from tests.benches.convertible_random import Sample, differing, flagged, is_clocked, samples

ROOT = Path(__file__).parents[3]
RTL = sorted((ROOT / "rtl").glob("*.py"))
PROVED = [example for example in EXAMPLES if example.vectors and example.rule != "signed-range"]


def by_rule(examples):
    return [pytest.param(example, id=example.rule) for example in examples]


def rules_of(text):
    return {finding.rule.name for finding in check_source(text, "example.py")}


def outcome(text, vectors, language, folder, vpi):
    """What becomes of a block in `language`, next to MyHDL's simulator."""
    simulator = {"verilog": "icarus", "vhdl": "ghdl"}[language]
    for name in ("python", "hdl"):
        (folder / name).mkdir()
    try:
        expected = outputs(text, vectors, "myhdl", folder / "python", vpi)
    except TypeError:
        # MyHDL's simulator takes no numpy integers either.
        expected = None
    try:
        seen = outputs(text, vectors, simulator, folder / "hdl", vpi)
    except (CosimError, ValueError):
        # ValueError: a simulator that stops while it runs.
        return REFUSED
    except (ConversionError, AttributeError, AssertionError, KeyError, TypeError):
        return ERROR
    return SAME if seen == expected else DIFFERS


@pytest.mark.parametrize("path", RTL, ids=lambda path: path.name)
def test_the_rtl_keeps_all_rules(path):
    assert [str(finding) for finding in check_file(path)] == []


@pytest.mark.parametrize("example", by_rule(EXAMPLES))
def test_a_rule_finds_the_bad_block_and_no_rule_the_good_one(example):
    assert rules_of(example.bad) == {example.rule}
    assert rules_of(example.good) == set()


def test_each_rule_has_an_example_and_each_example_a_rule():
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert {example.rule for example in EXAMPLES} == set(names)


@pytest.mark.parametrize("language", ["verilog", "vhdl"])
@pytest.mark.parametrize("example", by_rule(PROVED))
def test_bad_blocks_come_to_what_the_rule_says_and_good_ones_are_right(example, language, tmp_path, vpi):
    (tmp_path / "bad").mkdir()
    (tmp_path / "good").mkdir()
    assert outcome(example.bad, example.vectors, language, tmp_path / "bad", vpi) == getattr(example, language)
    assert outcome(example.good, example.vectors, language, tmp_path / "good", vpi) == SAME


def test_each_kind_of_rule_is_proved_as_such():
    worst = {"S": DIFFERS, "T": REFUSED, "E": ERROR}
    for rule in RULES:
        seen = {result for example in PROVED if example.rule == rule.name for result in (example.verilog, example.vhdl)}
        assert not seen or worst[rule.kind] in seen, rule.name


def test_a_range_that_is_one_short_stops_the_simulation_but_not_the_hdl(tmp_path, vpi):
    example = next(e for e in EXAMPLES if e.rule == "signed-range")
    with pytest.raises(ValueError, match="intbv value 127 >= maximum 127"):
        outputs(example.bad, example.vectors, "myhdl", tmp_path, vpi)
    assert outputs(example.bad, example.vectors, "icarus", tmp_path, vpi) == [{"y": 127}]
    assert outputs(example.good, example.vectors, "myhdl", tmp_path, vpi) == [{"y": 127}]


@pytest.mark.slow
@pytest.mark.parametrize("example", by_rule(e for e in EXAMPLES if e.rule == "memory-reset"))
def test_a_memory_with_a_reset_becomes_registers(example, tmp_path):
    cells = [memory_cells(text, tmp_path / name) for name, text in (("bad", example.bad), ("good", example.good))]
    assert cells[0] == 0 and cells[1] > 0


def memory_cells(text, folder):
    """RAM cells that Yosys makes of a block for an ECP5."""
    folder.mkdir()
    module = load(text, folder)
    files = write_modules(convert(module.top(**module.signals()), "top"), folder)
    read = "read_verilog " + " ".join(file.name for file in files)
    log = run_yosys([read, "synth_ecp5 -top top", "select -count t:DP16KD t:TRELLIS_DPR16X4"], folder)
    return int(log.rsplit(" objects.", 1)[0].split()[-1])


GOOD = {
    "a sum of loop variables as an index": design(
        "a:8 y:8",
        "for i in range(7):\n    y.next[i] = m[i + 1] > m[i * 2 - i]\n    y.next[7] = 0",
        drive_list("m", "8", *["a"] * 8),
    ),
    "a conditional of constants outside of the generator": design(
        "a:8 y:9", "y.next = a + k", "k = 3 + (1 if len(a) > 4 else 2)\n"
    ),
    "a scaled shift": design("a:-8 y:-8", "y.next = (a * k) >> shift", "k, shift = 5, 3\n"),
    "a sum with a constant parameter that is compared with a constant": f"""{HEADER}
@block
def top(a, y, limit=4, offset=3):
    @always_comb
    def compute():
        y.next = offset + 1 > limit

    return compute
""",
    "a memory that is written under an enable": clocked(
        "en a:4 b:8 y:8", "if en:\n    mem[a].next = b\ny.next = mem[a]", "mem = [Signal(intbv(0)[8:]) for _ in range(16)]\n"
    ),
    "registers with a reset": clocked(
        "rst a:8 y:8",
        "if rst:\n    for i in range(2):\n        held[i].next = 0\nelse:\n    "
        "held[0].next = a\n    held[1].next = held[0]\ny.next = held[1]",
        "held = [Signal(intbv(0)[8:]) for _ in range(2)]\n",
    ),
    "bits in logic": design("a:8 b:8 y", "y.next = a[0] and not b[1] and a != b"),
    "a symmetric range": design("a:8 y:8", "v = intbv(0, min=-(2**7 - 1), max=2**7)\nv[:] = a[3:]\ny.next = a"),
    "a named tuple of parameters": f"""{HEADER}
class Shape(NamedTuple):
    height: int
    width: int


Size = namedtuple("Size", "bits")
SHAPE, SIZE = Shape(3, 4), Size(8)
""",
    "shadow slices by name, of slices too": design("a:8 y:4", "y.next = low", "part = a(7, 1)\nlow = part(5, 1)\n"),
    "a list that is passed on": design(
        "a:8 y:8", "y.next = parts[0]", "parts = [Signal(intbv(0)[8:]) for _ in range(2)]\nunpacked = unpack(a, parts)\n"
    ),
    "one list by two names": design("a:8 y:9", "y.next = m[0] + other[1]", drive_list("m", "8", "a", "a") + "other = m\n"),
    "names that only contain reserved words": design("a:8 y:8", "y.next = next_row", drive(next_row="8 a", output_1="8 a")),
    "reserved words as names of constants": design("a:8 y:8", "y.next = a + case", "case, label = 0, 3\ntype = label + 1\n"),
    "plain functions": "def total(m, k):\n    return sum(x if x else -x for x in m) // k if k < 3 < 5 else min(m)\n",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_good_code_has_no_finding(text):
    assert [str(finding) for finding in check_source(text, "good.py")] == []


def test_user_code_is_not_linted_inside():
    text = design("a:8 y:9", "y.next = a + (1 if a > 3 else 0)")
    flags = text.replace("    return instances", "    y.driven = 'wire'\n    return instances")
    assert rules_of(text) == {"conditional-in-expression"}
    assert rules_of(f"{flags}\n\ntop.verilog_code = 'assign $y = $a;'\n") == set()


def test_a_finding_says_where_what_and_how_to_mend_it():
    text = design("a:8 s y:9", "y.next = (\n    a\n    + (1 if s else 0)\n)")
    (finding,) = check_source(text, "rtl/x.py")
    line = next(i for i, code in enumerate(text.splitlines(), 1) if "if s else" in code)
    assert str(finding) == (
        f"rtl/x.py:{line}: conditional-in-expression: `1 if s else 0`: {finding.rule.effect}; {finding.rule.fix}"
    )


def test_findings_come_in_the_order_of_lines():
    text = design("a:8 b:8 y:8", "y.next = min(a, b) % max(a, b)\ny.next = (a + b) >> 1\ny.next = abs(a)")
    findings = check_source(text, "x.py")
    assert [finding.rule.name for finding in findings] == ["builtin-function"] * 2 + ["lost-carry", "builtin-function"]
    assert [f.line for f in findings] == sorted(f.line for f in findings)


@pytest.mark.parametrize("method", [False, True])
def test_blocks_are_found_in_conditions_methods_and_by_module(method):
    body = """\
@myhdl.block
def top(a, b, y, is_wide):
    if is_wide:

        @myhdl.always_comb
        def compute():
            y.next = (a + b) >> 1

    return compute
"""
    text = "class Holder:\n" + "".join(f"    {line}\n" for line in body.splitlines()) if method else body
    assert rules_of("import myhdl\n\n\n" + text) == {"lost-carry"}


FOUND = "y.next = (a + b) >> 1"
SOURCES = {
    "a module by another name": f"""\
import myhdl as hdl
@hdl.block
def top(a, b, y):
    @hdl.always_comb
    def compute():
        {FOUND}
""",
    "decorators by other names": f"""\
from myhdl import block as hardware, always_comb as comb
@hardware
def top(a, b, y):
    @comb
    def compute():
        {FOUND}
""",
    "decorators given another name": f"""\
from myhdl import always_comb, block
logic = always_comb
@block
def top(a, b, y):
    @logic
    def compute():
        {FOUND}
""",
    "everything imported": f"""\
from myhdl import *
@block
def top(a, b, y):
    @always_comb
    def compute():
        {FOUND}
""",
    "a decorator that is called": f"""\
from myhdl import always_comb, block
@block
def top(a, b, y):
    def compute():
        {FOUND}
    logic = always_comb(compute)
    return logic
""",
    "a clocked decorator that is called": f"""\
from myhdl import always_seq, block
@block
def top(clk, rst, a, b, y):
    def compute():
        {FOUND}
    return always_seq(clk.posedge, reset=rst)(compute)
""",
    "a function outside of the block": f"""\
from myhdl import always_comb, block
def compute():
    {FOUND}
@block
def top(a, b, y):
    return always_comb(compute)
""",
    "block as a function": f"""\
from myhdl import always_comb, block
def adder(a, b, y):
    @always_comb
    def compute():
        {FOUND}
    return compute
top = block(adder)
""",
    "no block at all": f"""\
from myhdl import always_comb
def top(a, b, y):
    @always_comb
    def compute():
        {FOUND}
""",
    "a loop, a handler and a case": f"""\
from myhdl import always_comb, block
@block
def top(a, b, y, kind):
    for i in range(2):
        try:
            pass
        except ValueError:
            match kind:
                case 1:
                    @always_comb
                    def compute():
                        {FOUND}
""",
    "a function that makes generators": f"""\
from myhdl import always_comb, block
@block
def top(a, b, y):
    def make():
        @always_comb
        def compute():
            {FOUND}
        return compute
    return [make() for _ in range(2)]
""",
    "a function that the generator calls": """\
from myhdl import always_comb, block
def half(a, b):
    return (a + b) >> 1
@block
def top(a, b, y):
    @always_comb
    def compute():
        y.next = half(a, b)
    return compute
""",
}


@pytest.mark.parametrize("text", SOURCES.values(), ids=SOURCES)
def test_blocks_and_generators_are_found_however_they_are_written(text):
    assert rules_of(text) == {"lost-carry"}


def logic(line, parameters="a, y"):
    return f"@block\ndef top({parameters}):\n    @always_comb\n    def compute():\n        {line}\n"


UNREAD = {
    "a decorator of another file": (
        "unread-assignment",
        "from .kit import wire\n" + logic("y.next = a").replace("@always_comb", "@wire"),
    ),
    "a plain function": ("unread-assignment", "@block\ndef top(a, y):\n    def f():\n        y.next = a\n    return f()\n"),
    "a function of another file": ("unread-function", "from .kit import f\n" + logic("y.next = f(a)")),
    "a method": ("unread-function", logic("y.next = self.f(a)", "self, a, y")),
    "a lambda": ("unread-generator", "@block\ndef top(a, y):\n    return always_comb(lambda: y.next)\n"),
    "an element": ("unread-generator", "@block\ndef top(a, y, f):\n    return always_comb(f[0])\n"),
    "text": ("unread-generator", "exec('from myhdl import *')\n"),
}


@pytest.mark.parametrize("rule, text", UNREAD.values(), ids=UNREAD)
def test_what_the_lint_does_not_read_it_says(rule, text):
    assert rules_of(f"from myhdl import always_comb, block\n{text}") == {rule}


HELPERS = """\
from myhdl import Signal, intbv

def bits(count):
    return max(1, (count - 1).bit_length())

def register(count):
    limit = max(count, 2)
    return Signal(intbv(0, min=0, max=limit))

def number(width):
    return Signal(intbv(0, min=-(2 ** (width - 1)), max=2 ** (width - 1)))
"""


def test_what_a_helper_of_another_file_makes_is_read_from_its_source(tmp_path):
    (tmp_path / "kit.py").write_text(HELPERS)
    (tmp_path / "part.py").write_text(
        "from myhdl import always_comb, block\nfrom .kit import bits, number as value_of, register\n\n\n"
        "@block\ndef top(y, size):\n    s, u = value_of(size), register(size)\n    k = bits(size)\n\n"
        "    @always_comb\n    def compute():\n        y.next = (s >> 1) + k * u\n\n    return compute\n"
    )
    assert {finding.rule.name for finding in check_file(tmp_path / "part.py")} == {"mixed-signs", "constant-product"}
    (tmp_path / "kit.py").write_text(HELPERS.replace("min=-(2 ** (width - 1))", "min=0"))
    assert {finding.rule.name for finding in check_file(tmp_path / "part.py")} == {"constant-product"}


def test_the_lint_knows_no_name_of_the_rtl():
    """What MyHDL itself has under such a name does not count."""
    nodes = [node for path in RTL for node in ast.parse(path.read_text()).body]
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.decorator_list} - {
        "signed"
    }
    assert "counter" in own
    lint = [node for path in (ROOT / "cosim" / "lint").rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    texts = {node.value for node in lint if isinstance(node, ast.Constant)}
    assert own & texts == set()


def test_types_of_ports_come_from_calls_in_the_file_and_do_not_hide_what_the_form_shows():
    block = "@block\ndef top(a, b, y):\n    @always_comb\n    def compute():\n        y.next = a == b\n    return compute\n"
    call = "@block\ndef outer(c, y):\n    s = Signal(intbv(0)[4:])\n    inner = top({}, s, y)\n    return inner\n"
    header = "from myhdl import Signal, always_comb, block, intbv\n"
    narrow, wide = call.format("Signal(bool(0))"), call.format("Signal(intbv(0)[8:])")
    assert rules_of(header + block) == rules_of(header + block + wide) == set()
    typed = "\n\ndef signals():\n    return dict(a=Signal(bool(0)), b=Signal(intbv(0)[4:]), y=Signal(bool(0)))\n"
    assert rules_of(header + block + typed) == {"inexact-expression"}
    with_output = narrow.replace("y)\n    return", "Signal(bool(0)))\n    return")
    assert rules_of(header + block + with_output) == {"inexact-expression"}
    halved = block.replace("a == b", "(a + b) >> 1")
    assert rules_of(header + halved + wide.replace("[8:]", "[8:]").replace("s, y", "s, Signal(intbv(0)[12:])")) == {"lost-carry"}


def test_generators_of_different_arms_do_not_share_a_list():
    arms = (
        "if wide:\n    @always(clk.posedge)\n    def fill():\n        for i in range(2):\n            m[i].next = a\nelse:\n"
        "    @always_comb\n    def clear():\n        m[0].next = 0\n        m[1].next = 0\n"
    )
    made = "m = [Signal(intbv(0)[8:]) for _ in range(2)]\nwide = len(a) > 4\n"
    assert rules_of(clocked("a:8 y:9", "y.next = m[0] + m[1]", made + arms)) == set()
    both = arms.replace("else:", "if not wide:")
    assert rules_of(clocked("a:8 y:9", "y.next = m[0] + m[1]", made + both)) == {"shared-list"}


def accepted_and_wrong(seed, count, folder, vpi):
    """Random samples without a finding that an HDL computes in another way."""
    accepted = [sample for sample in samples(seed, count, folder) if not flagged(sample)]
    groups = [[sample for sample in accepted if is_clocked([sample]) is clocked] for clocked in (False, True)]
    return accepted, [sample for group in groups if group for sample in differing(group, vpi, seed, folder)]


def test_hdl_of_random_blocks_without_a_finding_is_right(tmp_path, vpi):
    accepted, wrong = accepted_and_wrong(5, 24, tmp_path, vpi)
    assert len(accepted) > 3 and wrong == []


def test_a_wrong_sample_among_right_ones_is_found(tmp_path, vpi):
    right, wrong = Sample("y.next = a", 8), Sample("y.next = (a + c) >> 1", 8)
    assert flagged(right) == set() and flagged(wrong) == {"lost-carry"}
    assert differing([right, wrong, right], vpi, 0, tmp_path) == [wrong]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 112))
def test_hdl_of_many_random_blocks_without_a_finding_is_right(seed, tmp_path, vpi):
    _, wrong = accepted_and_wrong(seed, 60, tmp_path, vpi)
    assert wrong == []


@pytest.mark.slow
def test_most_random_blocks_with_a_finding_are_wrong(tmp_path, vpi):
    found = [sample for sample in samples(7, 60, tmp_path) if flagged(sample)]
    wrong = [sample for sample in found if differing([sample], vpi, 7, tmp_path)]
    print(f"{len(found)} of 60 random blocks have a finding, {len(found) - len(wrong)} of them agree")
    assert len(wrong) > 0.8 * len(found)


@pytest.mark.parametrize("text, message", [("def f(:\n", "x.py:1: not Python: "), ("a = 1\n\0", "x.py: not Python: ")])
def test_what_is_not_python_is_refused(text, message):
    with pytest.raises(CosimError, match=message):
        check_source(text, "x.py")


@pytest.mark.parametrize("expression", ["-" * 5000 + "1", "+".join(3000 * "1")], ids=["parsed", "checked"])
def test_what_is_nested_without_end_is_refused(tmp_path, expression):
    (tmp_path / "x.py").write_text(f"a = {expression}\n")
    for read in (check_file, blocks_of):
        with pytest.raises(CosimError, match=r"x.py: an expression is nested too deeply to be checked"):
            read(tmp_path / "x.py")


def test_the_page_has_the_table():
    page = (ROOT / "docs" / "reference" / "lint.md").read_text()
    assert table() in page, "write duospike.cosim.lint.table() to docs/reference/lint.md"
