"""The pages that are made from other files, or must keep up with them, do so."""

import inspect
import json
import re
from pathlib import Path

import pytest

import duospike
from docs.tools import command_page, notebook
from duospike import api

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "start" / "tutorial.md"


def test_the_reference_of_the_commands_is_that_of_their_parsers():
    written = command_page.PAGE.read_text(encoding="utf-8")
    assert written == command_page.page(), "write it anew: python -m docs.tools.command_page"


def test_the_reference_names_every_option():
    text = command_page.section("cosim")
    assert "| `MODEL` |" in text and "| `--simulator {icarus,verilator,ghdl}` |" in text and "| `--waves` |" in text


@pytest.mark.parametrize("name, page", notebook.PAGES.items(), ids=lambda path: path.name)
def test_a_notebook_is_that_of_its_page(name, page):
    assert name.read_text(encoding="utf-8") == notebook.notebook(page), "write it anew: python -m docs.tools.notebook"


def test_the_notebook_has_every_program_and_command_that_needs_no_board():
    [written] = (name for name, page in notebook.PAGES.items() if page == TUTORIAL)
    cells = json.loads(written.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    text = TUTORIAL.read_text(encoding="utf-8")
    programs = set(re.findall(r"^```python\n# (\w+\.py)$", text, re.MULTILINE)) - {"board.py"}
    assert {match[1] for source in code if (match := re.match(r"%%writefile (\S+)", source))} == programs
    commands = set(re.findall(r"^(?:duospike|python) [^\\\n]+", text, re.MULTILINE)) - {"python board.py"}
    assert {line for source in code for line in re.findall(r"^(?:duospike|python) [^\\\n]+", source, re.MULTILINE)} == commands
    assert "create_bd_design" in "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def test_the_reference_of_the_python_api_names_every_public_name():
    page = (ROOT / "docs" / "reference" / "python-api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^### (\w+)$", page, re.MULTILINE)) == sorted(duospike.__all__)


def test_the_reference_of_the_python_api_names_every_argument():
    page = (ROOT / "docs" / "reference" / "python-api.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+)$(.*?)(?=^##)", page, re.DOTALL | re.MULTILINE))
    for name in set(duospike.__all__) - {"InputError", "Network"}:
        parameters = inspect.signature(getattr(duospike, name)).parameters.values()
        own = [one.name for one in parameters if one.kind != one.VAR_KEYWORD]
        assert [one for one in own if not re.search(rf"\b{one}\b", sections[name])] == [], name
    for keyword in [*api.Shape.__annotations__, *api.ImageFormat.__annotations__]:
        assert re.search(rf"^\| .*`{keyword}`.* \|", page, re.MULTILINE), keyword


def test_the_tutorial_uses_public_names_only():
    programs = "".join(re.findall(r"^```python\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
    assert "duospike.load(" in programs and not re.search(r"from duospike|import duospike\.", programs)
    assert set(re.findall(r"\bduospike\.(\w+)", programs)) <= set(duospike.__all__)
