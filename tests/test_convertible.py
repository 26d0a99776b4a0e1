"""The lint of MyHDL's convertible subset: its rules on blocks that break and keep them, and that they tell the truth of MyHDL."""

from pathlib import Path

import pytest
from convertible_bench import load, outputs
from convertible_examples import DIFFERS, ERROR, EXAMPLES, HEADER, REFUSED, SAME, clocked, design, drive, drive_list
from myhdl import ConversionError

from cosim.conversion.convert import convert, write
from cosim.convertible import RULES, check_file, check_source, table
from cosim.errors import CosimError
from cosim.system import run_tool

ROOT = Path(__file__).parents[1]
RTL = sorted((ROOT / "rtl").glob("*.py"))
PROVED = [example for example in EXAMPLES if example.vectors and example.rule != "signed-range"]
SILENT = {rule.name for rule in RULES if rule.kind == "S"}


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


@pytest.mark.parametrize("example", by_rule(e for e in PROVED if e.rule in SILENT and e.verilog == DIFFERS))
def test_the_verilog_of_a_silent_error_is_wrong(example, tmp_path, vpi):
    assert outcome(example.bad, example.vectors, "verilog", tmp_path, vpi) == DIFFERS


@pytest.mark.slow
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
    files = write(convert(module.top(**module.signals()), "top"), folder)
    read = "read_verilog " + " ".join(file.name for file in files)
    log = run_tool(["yosys", "-p", f"{read}; synth_ecp5 -top top; select -count t:DP16KD t:TRELLIS_DPR16X4"], folder)
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
        f"rtl/x.py:{line}: conditional-in-expression: `1 if s else 0`: {finding.rule.effect}; {finding.rule.mend}"
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


@pytest.mark.parametrize("text, message", [("def f(:\n", "x.py:1: not Python: "), ("a = 1\n\0", "x.py: not Python: ")])
def test_what_is_not_python_is_refused(text, message):
    with pytest.raises(CosimError, match=message):
        check_source(text, "x.py")


def test_the_page_has_the_table():
    page = (ROOT / "docs" / "convertible.md").read_text()
    assert table() in page, "write cosim.convertible.table() to docs/convertible.md"
