"""Walks over the source of a block."""

from __future__ import annotations

import ast
from collections.abc import Iterator

DECORATORS = ("always", "always_comb", "always_seq", "instance")


def decorators_of(function: ast.FunctionDef) -> list[str]:
    """Names of a function's decorators, without modules and arguments."""
    names = []
    for node in function.decorator_list:
        called = node.func if isinstance(node, ast.Call) else node
        names.append(called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", ""))
    return names


def elaboration_of(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when a block is called; those inside compound ones come as statements of their own too."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        yield statement
        for name in ("body", "orelse", "finalbody"):
            yield from elaboration_of(getattr(statement, name, []))


def generators_of(statements: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """The decorated functions among statements and those inside them."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef):
            if any(name in DECORATORS for name in decorators_of(statement)):
                yield statement
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from generators_of(getattr(statement, name, []))


def own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement without those of the statements inside it."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.expr | ast.withitem):
            yield from ast.walk(child)
