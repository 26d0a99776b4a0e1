"""The parts of a Python file that MyHDL deals with: blocks, their generators, and the classes of interfaces."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from .scope import Scope, parameter_values
from .values import INTEGER, Kind, Value, called, merged
from .walk import DECORATORS, decorators_of, elaboration_of, generators_of, own_nodes

USER_CODE = ("verilog_code", "vhdl_code", "verilog_instance", "vhdl_instance")


class Source:
    """A parsed file.

    blocks: all of its @block functions. user_code: names of those with user-defined HDL, whose generators are not converted.
    scope: the file's own names.
    """

    def __init__(self, tree: ast.Module):
        self.tree = tree
        self.functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.user_code = {
            target.value.id
            for target in _targets(tree.body)
            if isinstance(target, ast.Attribute) and target.attr in USER_CODE and isinstance(target.value, ast.Name)
        }
        self.scope = Scope(self.functions)
        for statement in tree.body:
            self.scope.assign(statement)
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and "block" in decorators_of(node)]
        self.blocks = [Block(self, node) for node in functions]


class Block:
    """A @block function. elaboration: its statements outside of generators and other functions, in order."""

    def __init__(self, source: Source, node: ast.FunctionDef):
        self.source, self.node = source, node
        self.has_user_code = node.name in source.user_code
        self.elaboration = list(elaboration_of(node.body))
        functions = list(generators_of(node.body))
        self.parameters = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs) if a.arg != "self"]
        values = parameter_values(node, self.parameters, self.elaboration, functions)
        self.scope = Scope(source.functions, source.scope, values)
        for statement in self.elaboration:
            self.scope.assign(statement)
        self.generators = [] if self.has_user_code else [Generator(self, function) for function in functions]

    @cached_property
    def used(self) -> set[str]:
        """Names that the generators use."""
        return {name.id for generator in self.generators for name in generator.names}

    @cached_property
    def driven(self) -> set[str]:
        """Names that a generator assigns to, and those that the elaboration hands on, so that others may assign to them."""
        attributes = [node for g in self.generators for node in g.nodes if isinstance(node, ast.Attribute)]
        found = {_base(node.value) for node in attributes if node.attr == "next"}
        for statement in self.elaboration:
            found |= _handed_on(statement)
        return found


class Generator:
    """A decorated function of a block: what MyHDL converts. nodes: all nodes of its body. parents: of each node."""

    def __init__(self, block: Block, node: ast.FunctionDef):
        self.block, self.node = block, node
        self.decorator = next(name for name in decorators_of(node) if name in DECORATORS)
        self.nodes = [child for statement in node.body for child in ast.walk(statement)]
        self.parents = {child: parent for parent in (node, *self.nodes) for child in ast.iter_child_nodes(parent)}
        self.names = [child for child in self.nodes if isinstance(child, ast.Name)]
        self.locals = self._locals()
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

    def value_of(self, node: ast.expr) -> Value:
        """What an expression of the generator stands for."""
        return self.scope.value_of(node)

    def up(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """(child, parent) from a node to the function."""
        while node is not self.node:
            yield node, self.parents[node]
            node = self.parents[node]


def _variable(value: Value) -> Value:
    if value.kind is Kind.BITS:
        return Value(Kind.VARIABLE, value.signed, value.width, value.logic)
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


def _handed_on(statement: ast.stmt) -> set[str]:
    """Names that a statement passes to a call or gives another name to; a return statement does not count."""
    if isinstance(statement, ast.Return):
        return set()
    found = {node.id for node in own_nodes(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return found - {called(node) for node in own_nodes(statement)}
