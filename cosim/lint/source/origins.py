"""Where names come from: MyHDL under other names, and functions of other files."""

from __future__ import annotations

import ast
from pathlib import Path

from duospike.reference.errors import InputError
from duospike.reference.files import read_bytes

MYHDL = (
    "block", "always", "always_comb", "always_seq", "instance", "instances", "Signal", "ResetSignal", "ConcatSignal", "Constant",
    "concat", "intbv", "modbv", "downrange", "enum", "delay", "now", "toVerilog", "toVHDL",
)  # fmt: skip
"""Names of MyHDL that the rules know."""


def with_own_names(tree: ast.Module) -> ast.Module:
    """The tree with MyHDL's own name for each thing of MyHDL, whatever the file calls it."""
    aliases, modules = _aliases(tree)
    return ast.fix_missing_locations(_Renaming(aliases, modules).visit(tree))


def _aliases(tree: ast.Module) -> tuple[dict[str, str], set[str]]:
    """MyHDL's name of each other name, and the names of MyHDL as a module."""
    aliases: dict[str, str] = {}
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == "myhdl"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "myhdl" and not node.level:
            aliases |= {alias.asname: alias.name for alias in node.names if alias.asname and alias.name in MYHDL}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other)) if aliases.get(other, other) in MYHDL:
                aliases[name] = aliases.get(other, other)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(value=ast.Name(id=module), attr=other)):
                if module in modules and other in MYHDL:
                    aliases[name] = other
    return aliases, modules


class _Renaming(ast.NodeTransformer):
    def __init__(self, aliases: dict[str, str], modules: set[str]):
        self.aliases, self.modules = aliases, modules

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self.aliases:
            return ast.copy_location(ast.Name(self.aliases[node.id], node.ctx), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self.modules and node.attr in MYHDL:
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        self.generic_visit(node)
        return node


def functions_of(path: Path, tree: ast.Module, depth: int = 0) -> dict[str, ast.FunctionDef]:
    """The functions that a file defines or imports from files beside it or above it, by the names that it has for them."""
    found: dict[str, ast.FunctionDef] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and depth < 3:
            source = _file_of(path, node)
            if source is not None:
                known = functions_of(source, _parsed(source), depth + 1)
                for alias in node.names:
                    if alias.name == "*":
                        found |= known
                    elif alias.name in known:
                        found[alias.asname or alias.name] = known[alias.name]
    return found | {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _parsed(path: Path) -> ast.Module:
    try:
        return with_own_names(ast.parse(read_bytes(path)))
    except (InputError, SyntaxError, ValueError):
        return ast.Module([], [])


def _file_of(path: Path, node: ast.ImportFrom) -> Path | None:
    """The file of a module, found beside the importing file or in a folder above it."""
    parts = (node.module or "__init__").split(".")
    folders = [path.parent, *path.parent.parents]
    starts = folders[node.level - 1 : node.level] if node.level else folders[:6]
    for start in starts:
        target = start.joinpath(*parts)
        for candidate in (target.with_suffix(".py"), target / "__init__.py"):
            if candidate.is_file() and candidate != path:
                return candidate
    return None
