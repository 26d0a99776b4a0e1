"""Whether the HDL computes what a generator computes, where the types of all of its operands are known."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache, partial

from duospike.cosim.lint.source.expression import Term, UnfollowedError, UnknownError, binary_of, term_of, vector_of
from duospike.cosim.lint.source.source import Generator
from duospike.cosim.lint.source.values import INTEGER, Kind, Value

from . import verilog, vhdl

Check = Callable[[], Term | None]
"""Finds the part of an expression that is wrong."""


@cache
def judged(generator: Generator) -> dict[ast.expr, bool]:
    """The expressions of a generator whose types are all known: True if both HDLs are right for all values, else False."""
    verdicts: dict[ast.expr, bool] = {}
    for node in generator.nodes:
        for expression, check in _checks(generator, node):
            try:
                verdicts[expression] = check() is None
            except UnknownError:
                continue
            except UnfollowedError:
                verdicts[expression] = False
    return verdicts


@cache
def proven(generator: Generator) -> set[ast.AST]:
    """The nodes of expressions that both HDLs get right."""
    return {node for expression, is_right in judged(generator).items() if is_right for node in ast.walk(expression)}


def _checks(generator: Generator, node: ast.AST) -> Iterator[tuple[ast.expr, Check]]:
    """(expression, its check) of a statement."""
    match node:
        case ast.Assign(targets=[target], value=value):
            if not _is_declaration(generator, target, value) and not _is_table(generator, value):
                yield value, partial(_wrong_assignment, generator, target, value)
            yield from _indices(generator, target)
        case ast.AugAssign(target=ast.Name() as target, op=op, value=value):
            yield value, partial(_wrong_update, generator, target, op, value)
        case ast.If(test=test) | ast.While(test=test):
            yield test, partial(_wrong_test, generator, test)


def _is_declaration(generator: Generator, target: ast.expr, value: ast.expr) -> bool:
    """Of a variable: where it is an integer its uses are not followed."""
    return isinstance(target, ast.Name) and (generator.value_of(value).kind is Kind.BITS or generator.value_of(target) == INTEGER)


def _is_table(generator: Generator, value: ast.expr) -> bool:
    """A word of a table, or a memory of the generator itself: rules of their own."""
    return isinstance(value, ast.ListComp) or (
        isinstance(value, ast.Subscript) and generator.value_of(value.value).kind in (Kind.ROM, Kind.INTEGERS, Kind.NUMPY)
    )


def _indices(generator: Generator, target: ast.expr) -> Iterator[tuple[ast.expr, Check]]:
    while isinstance(target, ast.Subscript | ast.Attribute):
        if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            yield target.slice, partial(_wrong_index, generator, target.slice)
        target = target.value


def _wrong_index(generator: Generator, index: ast.expr) -> Term | None:
    term = term_of(generator, index)
    return verilog.wrong_test(term) or vhdl.wrong_index(term)


def _wrong_test(generator: Generator, test: ast.expr) -> Term | None:
    return verilog.wrong_test(term_of(generator, test)) or vhdl.wrong_test(term_of(generator, test))


def _wrong_assignment(generator: Generator, target: ast.expr, value: ast.expr) -> Term | None:
    place = _target(generator, target)
    term = term_of(generator, value)
    term.is_right_side = True
    place.hold(term)
    if term.number is not None:
        # MyHDL's simulator refuses a constant that the target does not hold.
        return vhdl.wrong_assignment(term, _type_of(place), None)
    signal = _signal_type(generator, target)
    return verilog.wrong_assignment(term, place.width) or vhdl.wrong_assignment(term, _type_of(place), signal)


def _signal_type(generator: Generator, target: ast.expr) -> vhdl.Type | None:
    """Of the whole signal, or element of a list, that is assigned to in whole or in part."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return _type_of(_target(generator, target)) if isinstance(target, ast.Attribute) else None


def _type_of(place: Term) -> vhdl.Type:
    if place.kind == "bit":
        return vhdl.Type("std", 1)
    return vhdl.Type("signed" if place.signed else "unsigned", place.width)


def _target(generator: Generator, target: ast.expr) -> Term:
    """A signal or variable, or a part of one."""
    match target:
        case ast.Attribute(value=value, attr="next"):
            return _whole(generator, value)
        case ast.Subscript(value=value, slice=ast.Slice() as part):
            whole = _target(generator, value) if isinstance(value, ast.Attribute) else _whole(generator, value)
            return _part_of(generator, target, whole, part)
        case ast.Subscript(value=value):
            whole = _target(generator, value) if isinstance(value, ast.Attribute) else _whole(generator, value)
            if whole.kind == "bit":
                raise UnfollowedError(target)
            return Term(target, "bit", 0, 1, width=1)
        case ast.Name():
            return _whole(generator, target)
    raise UnfollowedError(target)


def _whole(generator: Generator, node: ast.expr) -> Term:
    value = generator.value_of(node)
    if isinstance(node, ast.Subscript):
        base = generator.value_of(node.value)
        if base.kind is Kind.LIST:
            value = base.element or Value(Kind.UNKNOWN)
    return vector_of(node, value, is_name=isinstance(node, ast.Name | ast.Attribute))


def _part_of(generator: Generator, node: ast.expr, whole: Term, part: ast.Slice) -> Term:
    if part.lower is None and part.upper is None:
        return whole
    high = whole.width if part.lower is None else generator.number_of(part.lower)
    low = 0 if part.upper is None else generator.number_of(part.upper)
    if high is None or low is None:
        raise UnknownError
    if part.lower is None or not 0 <= low < high <= whole.width:
        raise UnfollowedError(node)
    end = 1 << high - low
    return Term(node, "slice", -end, end - 1, [], high - low, whole.signed)


def _wrong_update(generator: Generator, target: ast.Name, op: ast.operator, value: ast.expr) -> Term | None:
    place, operand = _whole(generator, target), term_of(generator, value)
    if not isinstance(op, ast.Add | ast.Sub | ast.BitAnd | ast.BitOr | ast.BitXor) or place.kind == "bit":
        raise UnfollowedError(value)
    term = binary_of(ast.copy_location(ast.BinOp(target, op, value), value), _whole(generator, target), operand)
    term.is_right_side = True
    place.hold(term)
    return verilog.wrong_update(term) or vhdl.wrong_update(term, _type_of(place))


def unless_proven(find: Callable[[Generator], Iterator[ast.AST]]) -> Callable[[Generator], Iterator[ast.AST]]:
    """A rule's `find` without the places that both HDLs get right."""

    def find_unproven(generator: Generator) -> Iterator[ast.AST]:
        yield from (node for node in find(generator) if node not in proven(generator))

    return find_unproven


def inexact_expression(generator: Generator) -> Iterator[ast.AST]:
    yield from (expression for expression, is_right in judged(generator).items() if not is_right)
