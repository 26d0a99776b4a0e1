"""Rules on names, which the HDLs spell and reserve in their own ways."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from duospike.cosim.lint.source.source import Block, Source
from duospike.cosim.lint.source.values import SIGNALS, Kind, Value, called

from .keywords import SYSTEM_VERILOG, VERILOG, VHDL
from .rule import Rule

RESERVED = VERILOG | SYSTEM_VERILOG | VHDL
VISIBLE = {*SIGNALS, Kind.LIST}

Named = tuple[str, ast.AST]


def reserved_word(source: Source) -> Iterator[ast.AST]:
    objects = {name for block in source.blocks for name, value in block.scope.values.items() if value.kind is Kind.OBJECT}
    for name, node in _names(source):
        # VHDL does not distinguish upper and lower case. An interface's name only begins those of its members.
        if (name in RESERVED or name.lower() in VHDL) and name not in objects:
            yield _at(name, node)


def underscore(source: Source) -> Iterator[ast.AST]:
    for name, node in (*_names(source), *_members(source)):
        if name.startswith("_") or name.endswith("_") or "__" in name:
            yield _at(name, node)


def case_only(source: Source) -> Iterator[ast.AST]:
    for block in source.blocks:
        outer: dict[str, str] = {}
        for name, node in _block_names(block):
            if outer.setdefault(name.lower(), name) != name:
                yield _at(name, node)
        for generator in block.generators:
            inner: dict[str, str] = dict(outer)
            for name, node in _local_names(generator.nodes):
                if inner.setdefault(name.lower(), name) != name:
                    yield _at(name, node)


def _at(name: str, node: ast.AST) -> ast.AST:
    return ast.Name(name, ast.Load(), lineno=getattr(node, "lineno", 0))


def _names(source: Source) -> Iterator[Named]:
    """All names of a file that come into HDL."""
    for block in source.blocks:
        yield block.node.name, block.node
        yield from _block_names(block)
        for generator in block.generators:
            yield from _local_names(generator.nodes)


def _block_names(block: Block) -> Iterator[Named]:
    """Ports, signals, instances and the labels of generators, each once."""
    arguments = [*block.node.args.posonlyargs, *block.node.args.args, *block.node.args.kwonlyargs]
    seen = set()
    for argument in arguments:
        if argument.arg != "self" and not block.scope[argument.arg].is_constant:
            seen.add(argument.arg)
            yield argument.arg, argument
    for statement in block.elaboration:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                for name, node in _targets(target):
                    if name not in seen and (block.scope[name].kind in VISIBLE or _is_instance(block, statement.value)):
                        seen.add(name)
                        yield name, node
    yield from ((generator.node.name, generator.node) for generator in block.generators)


def _targets(target: ast.expr) -> Iterator[Named]:
    if isinstance(target, ast.Name):
        yield target.id, target
    elif isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _targets(part)


def _is_instance(block: Block, value: ast.expr) -> bool:
    """A call, or a list of calls, that takes signals and is not one of MyHDL's."""
    node = value.elt if isinstance(value, ast.ListComp) else value
    if not isinstance(node, ast.Call) or called(node) in ("len", "instances", "list", "tuple", "reversed", "sorted", "zip"):
        return False
    values: list[Value] = []
    for argument in node.args:
        values += [block.scope.value_of(part) for part in (argument, *_subscripted(argument)) if isinstance(part, ast.expr)]
    return block.scope.value_of(value).kind is Kind.UNKNOWN and any(v.kind in VISIBLE or v.kind is Kind.PORT for v in values)


def _subscripted(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Subscript):
        yield node.value


def _local_names(nodes: list[ast.AST]) -> Iterator[Named]:
    """Variables and loop variables of a generator, each once."""
    seen = set()
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in seen:
            seen.add(node.id)
            yield node.id, node


def _members(source: Source) -> Iterator[Named]:
    """Members of interfaces, which come after the interface's name and an underscore."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and source.scope.value_of(node.value).kind in SIGNALS:
            for target in node.targets:
                if isinstance(target, ast.Attribute):
                    yield target.attr, target


RULES = (
    Rule(
        "reserved-word",
        "T",
        "it is a word of Verilog, SystemVerilog or VHDL",
        "take another name",
        "ports, signals, lists, variables, blocks, instances that take signals, and generators, whose names become labels",
        reserved_word,
    ),
    Rule(
        "underscore",
        "T",
        "VHDL allows no underscore at the beginning or end of a name and no two in a row",
        "take another name",
        "as reserved-word, and members of interfaces; a name gets a suffix or prefix with an underscore in the HDL",
        underscore,
    ),
    Rule(
        "case-only",
        "S",
        "VHDL does not distinguish upper and lower case: two names become one",
        "take another name",
        "ports, signals, lists, instances and generators of a block, and variables against these",
        case_only,
    ),
)
