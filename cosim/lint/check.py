"""The lint itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duospike.cosim.errors import CosimError
from duospike.cosim.lint.source.source import Source
from duospike.reference.files import read_bytes

from .rule import Finding, Rule
from .rules import RULES

GENERAL = "inexact-expression"
"""The rule that gives no finding where another one names the reason."""
CODE_LENGTH = 60
"""Characters of a construct that a finding quotes."""


def check_file(path: Path | str) -> list[Finding]:
    """Findings in a Python file, in the order of its lines; CosimError if it is not Python in UTF-8."""
    return check_source(_text(path), str(path))


def blocks_of(path: Path | str) -> dict[str, bool]:
    """By name of each block in a Python file whether the file gives the types of its ports; see check_file() for errors."""
    found: dict[str, bool] = {}
    with _limited_depth(str(path)):
        for block in _source(_text(path), str(path)).blocks:
            found[block.node.name] = found.get(block.node.name, False) or block.has_types
    return found


def check_source(text: str, name: str) -> list[Finding]:
    """Findings in Python source, in the order of its lines. name: what a finding calls the file."""
    with _limited_depth(name):
        source = _source(text, name)
        found = [(rule, node) for rule in RULES for node in rule.find(source)]
        return _findings(found, name)


def _findings(found: list[tuple[Rule, ast.AST]], name: str) -> list[Finding]:
    named = {_line(node) for rule, node in found if rule.name != GENERAL}
    findings = {
        Finding(name, _line(node), rule, _quoted(node)): None
        for rule, node in found
        if rule.name != GENERAL or named.isdisjoint(_lines(node))
    }
    return sorted(findings, key=lambda finding: finding.line)


@contextmanager
def _limited_depth(name: str) -> Iterator[None]:
    """CosimError where an expression is nested too deep for the stack of Python and of the rules."""
    try:
        yield
    except RecursionError:
        raise CosimError(f"{name}: an expression is nested too deeply to be checked; write it in parts") from None


def _text(path: Path | str) -> str:
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise CosimError(f"{path}: not a text in UTF-8") from error


def _source(text: str, name: str) -> Source:
    try:
        return Source(ast.parse(text), Path(name).absolute())
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise CosimError(f"{name}{f':{line}' if line else ''}: not Python: {getattr(error, 'msg', error)}") from error


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _lines(node: ast.AST) -> range:
    return range(_line(node), (getattr(node, "end_lineno", None) or _line(node)) + 1)


def _quoted(node: ast.AST) -> str:
    code = " ".join(ast.unparse(node).split())
    return code if len(code) <= CODE_LENGTH else code[: CODE_LENGTH - 3] + "..."
