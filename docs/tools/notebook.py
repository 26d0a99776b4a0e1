"""Writes the notebooks of examples/ from their pages: `python -m docs.tools.notebook`.

A program of the page becomes a cell that writes its file, a command a cell that runs it, with the output that the page shows.
What needs Vivado or a board stays text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    ROOT / "examples" / "tutorial.ipynb": ROOT / "docs" / "start" / "tutorial.md",
    ROOT / "examples" / "own-loop.ipynb": ROOT / "docs" / "how-to" / "train-in-your-own-loop.md",
}
"""Each notebook, and the page that it is."""

FIRST = """*This notebook is `{page}`; `python -m docs.tools.notebook` writes it.
Start Jupyter in an empty folder, from a shell in which `duospike` is found, and run the cells in their order.*"""
NOT_HERE = ("vivado", "board.py", "block_design.tcl", "pynq")
"""What a block names that cannot run without Vivado or a board."""
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)


def notebook(page: Path) -> str:
    """The notebook of a page, as JSON."""
    cells = list(cells_of(page.read_text(encoding="utf-8"), FIRST.format(page=page.relative_to(ROOT))))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def cells_of(text: str, first: str) -> Iterator[dict]:
    """The cells in their order; the text between two programs or commands is one. first: what the first one begins with."""
    prose, command = first + "\n\n", None
    for kind, language, body in pieces(text):
        if kind == "block" and language == "text" and command is not None:
            command["outputs"].append({"name": "stdout", "output_type": "stream", "text": lines(body)})
        elif kind == "block" and language in ("python", "sh") and not any(word in body for word in NOT_HERE):
            if prose.strip():
                yield {"cell_type": "markdown", "metadata": {}, "source": lines(prose.strip())}
            prose, command = "", code(language, body)
            yield command
        else:
            prose += body if kind == "prose" else f"```{language}\n{body}```\n"
    if prose.strip():
        yield {"cell_type": "markdown", "metadata": {}, "source": lines(prose.strip())}


def pieces(text: str) -> Iterator[tuple[str, str, str]]:
    """Prose and blocks in turn: ("prose", "", text) and ("block", language, text)."""
    end = 0
    for match in BLOCK.finditer(text):
        yield "prose", "", outside(text[end : match.start()])
        yield "block", match[1], match[2]
        end = match.end()
    yield "prose", "", outside(text[end:])


def outside(text: str) -> str:
    """Prose whose links to other pages are names: the notebook lies elsewhere."""
    return re.sub(r"\[([^\]]+)\]\((?!https?:)([^)]+)\)", r"\1", text)


def code(language: str, body: str) -> dict:
    """A cell that writes a program to its file, or runs a command."""
    if language == "python":
        [name] = re.findall(r"\A# (\w+\.py)\n", body)
        source = f"%%writefile {name}\n{body}"
    else:
        source = f"%%bash\n{body}"
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": lines(source.rstrip("\n"))}


def lines(text: str) -> list[str]:
    """A text as notebooks hold it."""
    return text.splitlines(keepends=True)


if __name__ == "__main__":
    for written, page in PAGES.items():
        written.write_text(notebook(page), encoding="utf-8")
