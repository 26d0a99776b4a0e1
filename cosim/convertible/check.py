"""The lint itself."""

from __future__ import annotations

import ast
from pathlib import Path

from ..errors import CosimError
from .rule import Finding
from .rules import RULES
from .source import Source

CODE_LENGTH = 60
"""Characters of a construct that a finding quotes."""


def check_file(path: Path | str) -> list[Finding]:
    """Findings in a Python file, in the order of its lines; CosimError if it is not Python in UTF-8."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CosimError(f"{path}: not a text in UTF-8") from error
    return check_source(text, str(path))


def check_source(text: str, name: str) -> list[Finding]:
    """Findings in Python source, in the order of its lines. name: what a finding calls the file."""
    try:
        source = Source(ast.parse(text), Path(name).absolute())
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise CosimError(f"{name}{f':{line}' if line else ''}: not Python: {getattr(error, 'msg', error)}") from error
    findings = {
        Finding(name, getattr(node, "lineno", 0), rule, _quoted(node)): None for rule in RULES for node in rule.find(source)
    }
    return sorted(findings, key=lambda finding: finding.line)


def _quoted(node: ast.AST) -> str:
    code = " ".join(ast.unparse(node).split())
    return code if len(code) <= CODE_LENGTH else code[: CODE_LENGTH - 3] + "..."
