"""Which measured tables are old: in this repository, and in a copy in which something was changed."""

import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from benchmarks.figures import __main__ as command_module
from benchmarks.figures import tables
from benchmarks.figures.old import Old, old_figures
from benchmarks.figures.page import page_with, write_section
from benchmarks.figures.record import UNKNOWN, comment, joined, recorded
from benchmarks.figures.tables import BY_HAND, FIGURES
from duospike.cosim.sources import ROOT, closure, code_digest, digests

CODE = ("rtl", "reference", "cosim", "scripts", "duospike", "benchmarks", "verification", "tests")


def test_old_figures_are_named():
    """A warning only: work on the code is not held up by figures that are measured later."""
    if old := ", ".join(old.figures.name for old in old_figures()):
        warnings.warn(f"old figures in docs/: {old}; `python -m benchmarks.figures --check` says why", stacklevel=1)


@pytest.mark.slow
def test_no_figure_is_old():
    assert not list(map(str, old_figures()))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository's sources, with a page on which every table is current."""
    root = tmp_path_factory.mktemp("copy")
    for name in CODE:
        shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "models", root / "models")
    (root / "docs" / "deep").mkdir(parents=True)
    lines = [comment(each.name, {"seconds": 7, "sources": each.sources(root)}) for each in (*FIGURES, *BY_HAND)]
    (root / "docs" / "deep" / "page.md").write_text("\n".join(lines))
    return root


@pytest.fixture
def edit(copy):
    """edit(file, before, after): change a file of the copy for the length of a test."""
    kept = {}

    def change(file, before, after):
        path = copy / file
        text = kept.setdefault(path, path.read_text())
        assert before in text
        path.write_text(text.replace(before, after, 1))

    yield change
    for path, text in kept.items():
        path.write_text(text)


def names(root):
    return {old.figures.name for old in old_figures(root)}


def test_nothing_is_old_in_a_copy_that_nobody_changed(copy):
    assert names(copy) == set()


def test_a_line_of_a_block_makes_what_was_measured_of_it_old(copy, edit):
    edit("rtl/pool.py", "\n@block", "\nUNUSED = 1\n\n\n@block")
    found = names(copy)
    assert found >= {"demo", "cycles", "vgg9", "synthesis", "loadable", "times", "scale"}
    assert found >= {"mutation", "proofs", "timing", "random-networks"}
    assert not found & {"quantization", "tests", "imports", "damaged-files", "kills"}


def test_comments_docstrings_and_line_breaks_are_no_changes(copy, edit):
    edit("rtl/pool.py", "def pool(", "# What a comment says.\n\n\ndef pool(\n")
    edit("rtl/lif.py", '"""', '"""Other words. ')
    assert names(copy) == set()


@pytest.mark.parametrize(
    "file, before, after, expected",
    [
        ("models/fashion-study.toml", "cycle_images", "# more\ncycle_images", {"study", "pairs"}),
        ("benchmarks/quantization.py", "RATE", "RATE = 1\nRATE", {"quantization"}),
        ("verification/properties/pool.sv", "\n", "\n\n", {"proofs"}),
        ("tests/cosim/test_folder.py", "import ", "import ast\nimport ", {"tests"}),
        ("tests/benchmarks/test_figures.py", "CODE = ", "OTHER = 1\nCODE = ", set()),
        ("cosim/study/report.py", "def ", "UNUSED = 1\n\n\ndef ", {"pairs", "tutorial"}),
    ],
)
def test_what_depends_on_a_file(copy, edit, file, before, after, expected):
    edit(file, before, after)
    assert names(copy) == expected


def test_the_message_says_what_changed_and_what_to_do(copy, edit):
    edit("benchmarks/quantization.py", "RATE", "RATE = 1\nRATE")
    (old,) = old_figures(copy)
    command = "python -m benchmarks.quantization --write (7 s when last measured)"
    assert str(old) == f"docs/deep/page.md, quantization: benchmarks changed; to measure it again: {command}"


def test_a_table_without_a_record_is_old_and_one_without_a_comment_is_an_error(copy, edit):
    page = "docs/deep/page.md"
    edit(page, "<!-- figures kills: 7 s; ", "<!-- figures kills: sources not recorded --> ")
    (old,) = old_figures(copy)
    assert old.figures.name == "kills" and str(old).endswith("&& python -m benchmarks.figures --record kills")
    edit(page, "<!-- figures kills: ", "")
    with pytest.raises(ValueError, match="'<!-- figures kills: ' must be in one page, and is in none"):
        list(old_figures(copy))


def test_a_tool_that_is_not_installed_is_not_compared(copy, monkeypatch):
    monkeypatch.setitem(tables.TOOLS, "yosys", lambda: "99.9")
    assert names(copy) == {each.name for each in FIGURES if "yosys" in each.tools}
    monkeypatch.setattr(tables, "tool_version", lambda name: None)
    assert names(copy) == set()


def test_every_table_has_its_mark_where_a_program_writes_it():
    for each in FIGURES:
        if each.name not in ("tests", "proofs", "mutation"):
            assert page_with(f"<!-- {each.name}: begin -->") == page_with(f"<!-- figures {each.name}: ")


def test_a_section_is_written_wherever_its_page_is(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.figures.page.ROOT", tmp_path)
    page = tmp_path / "docs" / "a" / "b.md"
    page.parent.mkdir(parents=True)
    page.write_text("before\n<!-- x: begin -->\nold\n<!-- x: end -->\nafter\n")
    assert write_section("x", "new") == page
    assert page.read_text() == "before\n<!-- x: begin -->\nnew\n<!-- x: end -->\nafter\n"


def test_a_record_is_read_as_it_was_written():
    record = {"seconds": 12, "sources": {"cosim/design": "01234567", "tests/**/*.py": "89abcdef", "yosys": "0.23"}}
    for each in (record, {**record, "seconds": None}, None):
        assert recorded("x", f"text\n{comment('x', each)}\n{comment('y', None)}") == each


def test_parts_of_a_table_from_different_sources_agree_with_none():
    first, second = ({"seconds": n, "sources": {"rtl": "a", "yosys": str(n)}} for n in (1, 2))
    assert joined([first, first]) == {"seconds": 2, "sources": first["sources"]}
    assert joined([first, second]) == {"seconds": 3, "sources": {"rtl": "a", "yosys": UNKNOWN}}
    assert joined([first, None]) is None and joined([]) is None


def test_the_sources_of_a_module_are_those_that_python_imports():
    """As an interpreter has them that has imported the module. Imports within functions are in the closure alone."""
    code = "import sys, benchmarks.synthesis; print(*(m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    inside = {(ROOT / path).resolve() for path in loaded if ".venv" not in path and (ROOT / path).is_file()}
    ours = {path for path in inside if path.is_relative_to(ROOT.resolve()) and path.suffix == ".py"}
    # The package's own __init__.py only says where its public names are.
    ours.remove(ROOT.resolve() / "duospike" / "__init__.py")
    read = {path for path in ours if code_digest(path.read_bytes()) != code_digest(b"")}
    assert len(read) > 50 and read <= {path.resolve() for path in closure(["benchmarks.synthesis"])}


def test_names_that_stand_for_nothing_are_refused():
    with pytest.raises(ValueError, match="no module duospike.rtl.none"):
        digests(["duospike.rtl.none"])
    with pytest.raises(ValueError, match="no file matches models/none"):
        digests([], ["models/none"])


def test_renewing_skips_what_is_current_and_goes_on_after_a_failure(monkeypatch, capsys):
    old = [each for each in old_figures_of("cycles", "synthesis", "study", "kills")]
    monkeypatch.setattr(command_module, "old_figures", lambda: iter(old))
    run = []
    monkeypatch.setattr(command_module, "run", lambda command: run.append(command) or command != "benchmarks.performance --write")
    assert command_module.renew() == 1
    assert run == ["benchmarks.performance --write", "benchmarks.synthesis --write"]
    printed = capsys.readouterr()
    assert "left out, takes hours: page.md, study" in printed.out and printed.err == "figures: not measured: cycles\n"


def old_figures_of(*wanted):
    return [Old(each, Path("page.md"), ("rtl",), None) for each in (*FIGURES, *BY_HAND) if each.name in wanted]
