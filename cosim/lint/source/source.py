"""The parts of a Python file that MyHDL deals with: blocks, their generators, and the classes of interfaces."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from .origins import functions_of, with_own_names
from .scope import Scope, parameter_values
from .values import BIT, INTEGER, PORT, SIGNALS, Kind, Value, called, merged
from .walk import (
    arms_of,
    called_decorator,
    decorate_called,
    decorators_of,
    elaboration_of,
    exclude_each_other,
    functions_in,
    is_generator,
    own_nodes,
)

USER_CODE = ("verilog_code", "vhdl_code", "verilog_instance", "vhdl_instance")
PORT_TYPES = "signals"
"""Name of the function of a file whose `dict(port=Signal(...))` says which types the ports of its blocks have."""

Types = dict[str, Value]


class Source:
    """A parsed file.

    blocks: its @block functions, and others that make generators; one for each set of types that the ports are seen to have.
    user_code: names of those with user-defined HDL, whose generators are not converted. scope: the file's own names.
    """

    def __init__(self, tree: ast.Module, path: Path):
        self.tree = with_own_names(tree)
        decorate_called(self.tree)
        outside_of_classes = [statement for statement in self.tree.body if not isinstance(statement, ast.ClassDef)]
        self.own_functions = {node.name: node for node in functions_in(outside_of_classes)}
        self.functions = functions_of(path, self.tree) | self.own_functions
        self.user_code = {
            target.value.id
            for target in _targets(self.tree.body)
            if isinstance(target, ast.Attribute) and target.attr in USER_CODE and isinstance(target.value, ast.Name)
        }
        self.scope = Scope(self.functions)
        for statement in self.tree.body:
            self.scope.assign(statement)
        untyped = list(_blocks_in(self, self.tree.body, self.scope))
        self.blocks = [variant for block in untyped for variant in _variants(self, block, untyped)]


def _blocks_in(source: Source, statements: list[ast.stmt], scope: Scope) -> Iterator[Block]:
    for function in functions_in(statements):
        inner = scope
        if "block" in decorators_of(function) or any(is_generator(node) for node in functions_in(function.body)):
            block = Block(source, function, scope, {})
            inner = block.scope
            yield block
        yield from _blocks_in(source, function.body, inner)


def _variants(source: Source, block: Block, blocks: list[Block]) -> Iterator[Block]:
    """The block with the types of ports that the file gives it; without any where the file does not say that these are all."""
    declared = _declared_types(source, block)
    if declared:
        yield Block(source, block.node, block.outer, declared)
        return
    yield block
    seen: list[Types] = []
    for types in _called_types(block, blocks):
        if types not in seen:
            seen.append(types)
            yield Block(source, block.node, block.outer, types)


def _declared_types(source: Source, block: Block) -> Types:
    """Those of the function `signals()`, if all of them are parameters of the block."""
    match source.own_functions.get(PORT_TYPES):
        case ast.FunctionDef(body=[*_, ast.Return(value=ast.Call(func=ast.Name(id="dict"), args=[], keywords=given))]):
            types = {port.arg: source.scope.value_of(port.value) for port in given if port.arg}
            return _typed(types) if set(types) <= set(block.parameters) else {}
    return {}


def _called_types(block: Block, blocks: list[Block]) -> Iterator[Types]:
    """Those of each call of the block in other blocks of the file."""
    for caller in blocks:
        for statement in caller.elaboration:
            for node in own_nodes(statement):
                if isinstance(node, ast.Call) and called(node) == block.node.name:
                    given = [*zip(block.parameters, node.args, strict=False), *((k.arg, k.value) for k in node.keywords if k.arg)]
                    types = _typed({name: caller.scope.value_of(argument) for name, argument in given})
                    if types:
                        yield types


def _typed(types: Types) -> Types:
    return {name: value for name, value in types.items() if value.kind in (*SIGNALS, Kind.LIST) and _is_known(value)}


def _is_known(value: Value) -> bool:
    vector = value.element if value.kind is Kind.LIST else value
    return vector is not None and vector.kind in SIGNALS and vector.width is not None and vector.signed is not None


class Block:
    """A function that makes generators. elaboration: its statements outside of generators and other functions, in order.

    outer: the scope around it. types: of ports, where they are known.
    """

    def __init__(self, source: Source, node: ast.FunctionDef, outer: Scope, types: Types):
        self.source, self.node, self.outer = source, node, outer
        self.has_user_code = node.name in source.user_code
        self.elaboration = list(elaboration_of(node.body))
        self.functions = {function.name: function for function in functions_in(node.body)}
        functions = [function for function in functions_in(node.body) if is_generator(function)]
        functions += _called_elsewhere(source, self, functions)
        self.arms = {id(function): arms for function, arms in arms_of(node.body)}
        self.parameters = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs) if a.arg != "self"]
        values = parameter_values(node, self.parameters, self.elaboration, functions, source.functions)
        values |= {name: value for name, value in types.items() if values.get(name) is PORT}
        self.scope = Scope(source.functions, outer, values)
        for statement in self.elaboration:
            self.scope.assign(statement)
        self.generators = [] if self.has_user_code else self._generators(functions)

    @property
    def has_types(self) -> bool:
        """No port is of unknown type."""
        return self.has_user_code or not any(self.scope[name].kind in (Kind.PORT, Kind.OBJECT) for name in self.parameters)

    def _generators(self, functions: list[ast.FunctionDef]) -> list[Generator]:
        """The generators and the functions of the file that they call, which MyHDL converts with them."""
        generators: list[Generator] = []
        waiting, seen = list(functions), set()
        while waiting:
            function = waiting.pop(0)
            if id(function) in seen:
                continue
            seen.add(id(function))
            generators.append(Generator(self, function))
            called_functions = [self.function(node) for node in generators[-1].calls]
            waiting += [function for function in called_functions if function is not None]
        return generators

    def can_run_together(self, first: Generator, second: Generator) -> bool:
        """Both generators can be part of one instance: no condition has them in different arms."""
        return not exclude_each_other(self.arms.get(id(first.node), ()), self.arms.get(id(second.node), ()))

    def function(self, call: ast.Call) -> ast.FunctionDef | None:
        """The function of this file that a call calls by its name."""
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        return self.functions.get(name) or self.source.own_functions.get(name)

    @cached_property
    def used(self) -> set[str]:
        """Names that the generators use."""
        return {name.id for generator in self.generators for name in generator.names}

    @cached_property
    def driven(self) -> set[str]:
        """Names that a generator assigns to, and those that the elaboration passes on, so that others may assign to them."""
        attributes = [node for g in self.generators for node in g.nodes if isinstance(node, ast.Attribute)]
        found = {_base(node.value) for node in attributes if node.attr == "next"}
        for statement in self.elaboration:
            found |= passed_by(statement)
        return found


def _called_elsewhere(source: Source, block: Block, functions: list[ast.FunctionDef]) -> list[ast.FunctionDef]:
    """Functions of the file, outside of the block, that the block makes generators of."""
    names = {node.args[0].id for node in _decorating(block) if isinstance(node.args[0], ast.Name)}
    found = [source.own_functions[name] for name in sorted(names) if name in source.own_functions and name not in block.functions]
    return [function for function in found if function not in functions]


def _decorating(block: Block) -> Iterator[ast.Call]:
    for statement in block.elaboration:
        for node in own_nodes(statement):
            if isinstance(node, ast.Call) and called_decorator(node) is not None:
                yield node


class Generator:
    """A function of a block that MyHDL converts: a generator, or one that a generator calls.

    nodes: all nodes of its body. parents: of each node. calls: its calls of functions by name.
    """

    def __init__(self, block: Block, node: ast.FunctionDef):
        self.block, self.node = block, node
        self.nodes = [child for statement in node.body for child in ast.walk(statement)]
        self.parents = {child: parent for parent in (node, *self.nodes) for child in ast.iter_child_nodes(parent)}
        self.names = [child for child in self.nodes if isinstance(child, ast.Name)]
        self.calls = [child for child in self.nodes if isinstance(child, ast.Call)]
        self.locals = {argument.arg: PORT for argument in node.args.args} | self._locals()
        self.scope = Scope(block.source.functions, block.scope, self.locals, in_generator=True)

    def _locals(self) -> dict[str, Value]:
        """Loop variables and variables; both are assigned to by name."""
        values: dict[str, Value] = {}
        outer = Scope(self.block.source.functions, self.block.scope, in_generator=True)
        for node in self.nodes:
            if isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
                values[node.target.id] = INTEGER
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        values[target.id] = merged(values.get(target.id), _variable(outer.value_of(node.value)))
        return values

    @cached_property
    def loops(self) -> dict[str, list[ast.expr]]:
        """By name of a loop variable what its loops run over."""
        loops: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
                loops.setdefault(node.target.id, []).append(node.iter)
        return loops

    def value_of(self, node: ast.expr) -> Value:
        """The value of an expression of the generator."""
        return self.scope.value_of(node)

    def number_of(self, node: ast.expr) -> int | None:
        """The number of a constant expression, as far as it is known."""
        value = self.value_of(node)
        return value.number if value.is_constant else None

    def up(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """(child, parent) from a node to the function."""
        while node is not self.node:
            yield node, self.parents[node]
            node = self.parents[node]


def _variable(value: Value) -> Value:
    if value.kind is Kind.BITS:
        return Value(Kind.VARIABLE, value.signed, value.width, value.logic, wraps=value.wraps)
    if value == BIT or (value.is_constant and value.logic):
        return BIT
    return value if value.kind is Kind.LIST else INTEGER


def _targets(statements: list[ast.stmt]) -> Iterator[ast.expr]:
    for statement in statements:
        if isinstance(statement, ast.Assign):
            yield from statement.targets


def _base(node: ast.expr) -> str:
    """`m` of `m[i]`, `s.valid` of itself."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return ast.unparse(node)


def passed_by(statement: ast.stmt) -> set[str]:
    """Names that a statement passes to a call or gives another name to; a return statement does not count."""
    if isinstance(statement, ast.Return):
        return set()
    found = {node.id for node in own_nodes(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return found - {called(node) for node in own_nodes(statement)}
