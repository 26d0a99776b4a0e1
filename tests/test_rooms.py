"""The rooms of the house: imports between them go one way, none is crowded, and no function is long."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ORDER = (
    "rtl",
    "reference",
    "reference/data",
    "reference/training",
    "reference/exchange",
    "reference/exchange/quantization",
    "reference/exchange/modules",
    "reference/exchange/nir",
    "cosim",
    "cosim/conversion",
    "cosim/lint/source",
    "cosim/lint/targets",
    "cosim/lint",
    "cosim/design",
    "cosim/cycles",
    "cosim/simulation",
    "cosim/block_simulation",
    "cosim/axi",
    "cosim/synthesis",
    "cosim/energy",
    "cosim/timing",
    "cosim/board",
    "cosim/exploration",
    "cosim/pages",
    "cosim/study",
    "scripts",
)
"""A room imports from those above it only, and rtl/ from none."""

TOPS = ("rtl", "reference", "cosim", "scripts")
LISTS = ("rtl", "scripts")
"""Not rooms but lists: a file for each block of the figure, a file for each command."""

PROGRAMS = ("benchmarks", "benchmarks/figures", "verification", "verification/mutation")
"""Rooms of programs that measure; they may import from everywhere."""

FILES = 12
FUNCTION_LINES, BLOCK_LINES = 80, 150
"""A block of rtl/ is a function with generators in it."""


def rooms() -> set[str]:
    return {str(file.parent.relative_to(ROOT)) for top in TOPS for file in (ROOT / top).rglob("*.py")}


def room_of(module: list[str]) -> str:
    """The room of a module of the package, given by the parts of its name behind `duospike`."""
    path = ROOT.joinpath(*module)
    return "/".join(module if path.is_dir() else module[:-1])


def imports(file: Path) -> set[str]:
    """The rooms that a file imports from, its own included."""
    own = [*file.relative_to(ROOT).parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = ["duospike", *own][: 2 + len(own) - node.level] if node.level else []
            module = above + (node.module.split(".") if node.module else [])
            names = [[*module, alias.name] for alias in node.names]
        else:
            continue
        for name in names:
            assert name[0] not in TOPS, f"{file}: a module has one name, duospike.{'.'.join(name)}"
            if name[0] == "duospike":
                exists = ROOT.joinpath(*name[1:]).with_suffix(".py").exists() or ROOT.joinpath(*name[1:]).is_dir()
                found.add(room_of(name[1:] if exists else name[1:-1]))
    return found


def test_the_order_names_every_room():
    assert rooms() == set(ORDER)


@pytest.mark.parametrize("room", ORDER)
def test_imports_go_one_way(room):
    allowed = ORDER[: ORDER.index(room) + 1] if room != "rtl" else ("rtl",)
    for file in (ROOT / room).glob("*.py"):
        assert imports(file) <= set(allowed), f"{file.relative_to(ROOT)} imports from a room below its own"


@pytest.mark.parametrize("room", sorted({*ORDER, *PROGRAMS} - set(LISTS)))
def test_no_room_is_crowded(room):
    assert len([file for file in (ROOT / room).glob("*.py") if file.name != "__init__.py"]) <= FILES


def long_functions(source: str, place: str) -> Iterator[str]:
    """The functions of a file that have more lines than they may."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            is_block = any(isinstance(decorator, ast.Name) and decorator.id == "block" for decorator in node.decorator_list)
            assert node.end_lineno is not None
            if node.end_lineno - node.lineno + 1 > (BLOCK_LINES if is_block else FUNCTION_LINES):
                yield f"{place}: {node.name}"


def test_no_function_is_long():
    files = [file for top in (*TOPS, "benchmarks", "verification") for file in (ROOT / top).rglob("*.py")]
    found = {one for file in files for one in long_functions(file.read_text(), str(file.relative_to(ROOT)))}
    assert not found


def test_a_long_function_is_seen():
    def source(lines, decorator=""):
        return f"{decorator}\ndef f():\n" + "    pass\n" * (lines - 1)

    assert list(long_functions(source(81), "a.py")) == ["a.py: f"]
    assert not list(long_functions(source(80), "a.py")) and not list(long_functions(source(150, "@block"), "a.py"))
    assert list(long_functions(source(151, "@block"), "a.py")) == ["a.py: f"]


def test_an_import_from_below_is_seen():
    assert imports(ROOT / "cosim" / "simulation" / "report.py") >= {"cosim/cycles", "cosim/simulation", "rtl"}
