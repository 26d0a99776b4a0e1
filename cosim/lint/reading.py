"""Rules on what the lint does not read: it reports that."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from duospike.cosim.lint.source.origins import MYHDL
from duospike.cosim.lint.source.source import Generator, Source
from duospike.cosim.lint.source.values import Kind, called
from duospike.cosim.lint.source.walk import called_decorator

from .rule import Rule

METHODS = ("signed", "posedge", "negedge", "format")
FUNCTIONS = {*MYHDL, *dir(builtins), "posedge", "negedge"}


def unread_assignment(source: Source) -> Iterator[ast.AST]:
    read = {id(node) for block in source.blocks for generator in block.generators for node in generator.nodes}
    skipped = {id(node) for block in source.blocks if block.has_user_code for node in ast.walk(block.node)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign | ast.AugAssign) and id(node) not in read | skipped:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(_is_next(target) for target in targets):
                yield node


def _is_next(target: ast.expr) -> bool:
    while isinstance(target, ast.Subscript):
        target = target.value
    return isinstance(target, ast.Attribute) and target.attr == "next"


def unread_function(source: Source) -> Iterator[ast.AST]:
    for block in source.blocks:
        for generator in block.generators:
            yield from (call for call in generator.calls if not _is_read(generator, call))


def _is_read(generator: Generator, call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id=name):
            is_object = generator.value_of(call.func).kind in (Kind.PORT, Kind.SIGNAL, Kind.SLICE, Kind.CONCAT, Kind.LIST)
            return name in FUNCTIONS or is_object or generator.block.function(call) is not None
        case ast.Attribute(attr=name):
            return name in METHODS or generator.value_of(call.func.value).kind is not Kind.UNKNOWN
    return False


def unread_generator(source: Source) -> Iterator[ast.AST]:
    """Decorators that are called with something else than a function of the file."""
    functions = {function.name for function in ast.walk(source.tree) if isinstance(function, ast.FunctionDef)}
    for node in ast.walk(source.tree):
        if called_decorator(node) is not None and isinstance(node, ast.Call):
            if called(node) not in functions and getattr(node.args[0], "id", None) not in functions:
                yield node
        elif isinstance(node, ast.Call) and called(node) in ("exec", "eval"):
            yield node


RULES = (
    Rule(
        "unread-assignment",
        "N",
        "not read: the function that assigns to this signal is no generator of a block that the lint knows",
        "use MyHDL's decorators by name, or check the block by co-simulation",
        "assignments to `.next` outside of generators: functions under other decorators, plain functions",
        unread_assignment,
    ),
    Rule(
        "unread-function",
        "N",
        "not read: MyHDL converts the function that the generator calls, and the lint does not find it in this file",
        "write the function in this file, or check the block by co-simulation",
        "calls in generators of functions that are neither MyHDL's, Python's nor of the file",
        unread_function,
    ),
    Rule(
        "unread-generator",
        "N",
        "not read: what is made a generator or block here is no function of this file",
        "decorate a function",
        "MyHDL's decorators called with a lambda, an element or another file's function; exec() and eval()",
        unread_generator,
    ),
)
