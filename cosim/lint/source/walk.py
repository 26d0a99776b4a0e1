"""Walks over the source of a block."""

from __future__ import annotations

import ast
from collections.abc import Iterator

DECORATORS = ("always", "always_comb", "always_seq", "instance")
PLAIN_DECORATORS = ("always_comb", "instance")
"""Those that take the function itself; the others take the signals to wait for."""


def decorators_of(function: ast.FunctionDef) -> list[str]:
    """Names of a function's decorators, without modules and arguments."""
    names = []
    for node in function.decorator_list:
        called = node.func if isinstance(node, ast.Call) else node
        names.append(called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", ""))
    return names


def is_generator(function: ast.FunctionDef) -> bool:
    """It is decorated as a generator of MyHDL."""
    return any(name in DECORATORS for name in decorators_of(function))


def inner_statements(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements inside a compound statement: bodies, handlers and cases."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from child.body


def elaboration_of(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when a block is called; those inside compound ones come as statements of their own too."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        yield statement
        yield from elaboration_of(list(inner_statements(statement)))


def functions_in(statements: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """The functions among statements and those inside compound ones, not those inside functions."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef):
            yield statement
        elif not isinstance(statement, ast.AsyncFunctionDef):
            yield from functions_in(list(inner_statements(statement)))


Arms = tuple[tuple[int, int], ...]
"""(line of an if or match, arm) of all around a function."""


def arms_of(statements: list[ast.stmt], around: Arms = ()) -> Iterator[tuple[ast.FunctionDef, Arms]]:
    """The functions that functions_in() gives, with the arms of conditions in which they are defined."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef):
            yield statement, around
        elif isinstance(statement, ast.If):
            yield from arms_of(statement.body, (*around, (statement.lineno, 0)))
            yield from arms_of(statement.orelse, (*around, (statement.lineno, 1)))
            if isinstance(statement.body[-1], ast.Return | ast.Raise):
                around = (*around, (statement.lineno, 1))
        elif isinstance(statement, ast.Match):
            for arm, case in enumerate(statement.cases):
                yield from arms_of(case.body, (*around, (statement.lineno, arm)))
        else:
            yield from arms_of(list(inner_statements(statement)), around)


def exclude_each_other(first: Arms, second: Arms) -> bool:
    """They are in different arms of one condition."""
    return any(line == other and arm != arm_2 for line, arm in first for other, arm_2 in second)


def own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement without those of the statements inside it."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.expr | ast.withitem):
            yield from ast.walk(child)


def decorate_called(tree: ast.Module):
    """Note a decorator that is called, `compute = always_comb(body)` or `top = block(function)`, with its function."""
    _decorate(tree.body, {})


def _decorate(statements: list[ast.stmt], outer: dict[str, ast.FunctionDef]):
    functions = {**outer, **{function.name: function for function in functions_in(statements)}}
    for statement in elaboration_of(statements):
        for node in own_nodes(statement):
            decorator = called_decorator(node)
            if decorator is not None:
                function = functions.get(getattr(node.args[0], "id", ""))  # type: ignore[attr-defined]
                if function is not None:
                    function.decorator_list.append(decorator)
    for function in functions_in(statements):
        _decorate(function.body, functions)


def called_decorator(node: ast.AST) -> ast.expr | None:
    """The decorator that a call applies to its one argument."""
    match node:
        case ast.Call(func=ast.Name(id=name) as decorator, args=[_], keywords=[]) if name in (*PLAIN_DECORATORS, "block"):
            return decorator
        case ast.Call(func=ast.Call(func=ast.Name(id="always" | "always_seq")) as decorator, args=[_], keywords=[]):
            return decorator
    return None
