"""Rules on chains of comparisons, enums, and lists that several generators assign to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from duospike.cosim.lint.source.expression import limits
from duospike.cosim.lint.source.source import Block, Generator, Source
from duospike.cosim.lint.source.values import SIGNALS, Kind, Value, called, calls, keyword

from .keywords import VHDL
from .rule import Rule, in_blocks, in_generators

# Chains


def constant_chain(generator: Generator) -> Iterator[ast.AST]:
    inner = {id(node.orelse[0]) for node in generator.nodes if isinstance(node, ast.If) and len(node.orelse) == 1}
    for node in generator.nodes:
        if isinstance(node, ast.If) and id(node) not in inner:
            tests, has_default = _chain(node)
            yield from _wrong_cases(generator, tests, has_default)


def _chain(node: ast.If) -> tuple[list[ast.expr], bool]:
    """The conditions of if and elif, and whether there is an else."""
    tests = [node.test]
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
        tests.append(node.test)
    return tests, bool(node.orelse)


def _wrong_cases(generator: Generator, tests: list[ast.expr], has_default: bool) -> Iterator[ast.AST]:
    """The conditions that the case statement, which MyHDL makes of the chain, does not test."""
    sides = [_compared(generator, test) for test in tests]
    pairs = [side for side in sides if side is not None]
    if len(pairs) < 2 or len(pairs) < len(tests) or len({ast.unparse(name) for name, _ in pairs}) > 1:
        return
    name = pairs[0][0]
    numbers = [_number_seen(generator, item) for _, item in pairs]
    known = [number for number in numbers if number is not None]
    if len(set(known)) < len(known):
        return
    value = generator.value_of(name)
    is_integer = value.kind in (Kind.INTEGER, Kind.CONSTANT) or (value.kind is Kind.VARIABLE and value.logic)
    for position, (test, (_, item), number) in enumerate(zip(tests, pairs, numbers, strict=True)):
        is_wrong = not _is_taken_as_it_is(generator, item) or (number is not None and not _holds(value, number))
        if is_wrong or (is_integer and number != position):
            yield test
    if is_integer and not has_default:
        yield tests[-1]


def _compared(generator: Generator, test: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """The name and the item of `name == item`, where MyHDL takes the item for a constant."""
    match test:
        case ast.Compare(left=ast.Name() | ast.Attribute() as left, ops=[ast.Eq()], comparators=[item]):
            return (left, item) if _is_constant_to_myhdl(generator, item) else None
    return None


def _is_constant_to_myhdl(generator: Generator, item: ast.expr) -> bool:
    """Expressions count as constants too."""
    if isinstance(item, ast.Name | ast.Attribute):
        return generator.value_of(item).kind in (Kind.CONSTANT, Kind.INTEGER)
    if isinstance(item, ast.Subscript):
        base = generator.value_of(item.value)
        return not isinstance(item.slice, ast.Slice) and base.kind is not Kind.LIST
    return called(item) not in ("concat", "signed", "intbv", "modbv")


def _number_seen(generator: Generator, item: ast.expr) -> int | None:
    """The number that MyHDL takes an item for: -1 for most expressions."""
    match item:
        case ast.Constant(value=int() as number):
            return int(number)
        case ast.Name() if item.id in generator.loops:
            return -1
        case ast.Name() | ast.Attribute():
            return generator.value_of(item).number
        case ast.Compare() | ast.BoolOp() | ast.Subscript() | ast.UnaryOp(op=ast.Not()):
            return 0
        case ast.Call():
            return 0 if called(item) in ("len", "bool") else -1
    return -1


def _is_taken_as_it_is(generator: Generator, item: ast.expr) -> bool:
    if isinstance(item, ast.Constant):
        return True
    value = generator.value_of(item)
    return isinstance(item, ast.Name | ast.Attribute) and value.is_constant


def _holds(value: Value, number: int) -> bool:
    """The number is one of the vector's; a negative one is never itself."""
    if number < 0:
        return False
    if not value.is_vector or value.width is None or value.signed is None:
        return True
    return number <= limits(value.width, value.signed)[1]


def match_number(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.Match):
            value = generator.value_of(node.subject)
            for case in node.cases:
                match case.pattern:
                    case ast.MatchValue(value=ast.Constant(value=int() as number)) if not _holds(value, number):
                        yield case.pattern


# Lists


def shared_list(block: Block) -> Iterator[ast.AST]:
    writers: dict[str, list[Generator]] = {}
    for generator in block.generators:
        for name in {name for name, _, _ in writes(generator)}:
            writers.setdefault(name, []).append(generator)
    for name, generators in writers.items():
        for generator in generators:
            others = [g for g in generators if g is not generator and block.can_run_together(g, generator)]
            if others:
                yield from _clashing(generator, name, others)


def _clashing(generator: Generator, name: str, others: list[Generator]) -> Iterator[ast.AST]:
    is_mixed = any(_is_wired(other) != _is_wired(generator) for other in others)
    for written, index, node in writes(generator):
        is_fixed = generator.value_of(index).is_constant
        if written == name and (is_mixed or has_reset(generator) or not is_fixed):
            yield node


def _is_wired(generator: Generator) -> bool:
    """MyHDL makes wires of a combinational generator that only assigns to signals."""
    decorated = any(getattr(node, "id", "") == "always_comb" for node in generator.node.decorator_list)
    return decorated and all(isinstance(s, ast.Assign) and not isinstance(s.targets[0], ast.Name) for s in generator.node.body)


def writes(generator: Generator) -> Iterator[tuple[str, ast.expr, ast.AST]]:
    """(list, index, node) of each assignment to an element of a list of signals."""
    for node in generator.nodes:
        match node:
            case ast.Attribute(value=ast.Subscript(value=ast.Name(id=name), slice=index), attr="next"):
                if generator.scope[name].kind is Kind.LIST:
                    yield name, index, node


def has_reset(generator: Generator) -> bool:
    """It is an @always_seq with a reset."""
    for node in generator.node.decorator_list:
        if isinstance(node, ast.Call) and called(node) == "always_seq":
            reset = keyword(node, "reset", 1)
            return not (isinstance(reset, ast.Constant) and reset.value is None)
    return False


# Enums


def _enums(source: Source) -> Iterator[tuple[str, ast.Call]]:
    """(name, call) of each enum of the file."""
    for statement in ast.walk(source.tree):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            for call in calls([statement.value], "enum"):
                yield statement.targets[0].id, call


def enum_item(source: Source) -> Iterator[ast.AST]:
    taken = {name.lower() for block in source.blocks for name in _hardware_names(block)}
    for _, call in _enums(source):
        seen: set[str] = set()
        for item in call.args:
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                name = item.value.lower()
                is_name = not (name.startswith("_") or name.endswith("_") or "__" in name)
                if not is_name or name in VHDL or name in taken or name in seen:
                    yield item
                seen.add(name)


def _hardware_names(block: Block) -> Iterator[str]:
    """Ports, signals, variables and generators, which become names of the HDL."""
    for name, value in block.scope.values.items():
        if value.kind in (*SIGNALS, Kind.LIST, Kind.PORT):
            yield name
    for generator in block.generators:
        yield generator.node.name
        yield from generator.locals


def enum_conditional(generator: Generator) -> Iterator[ast.AST]:
    enums = {name for name, _ in _enums(generator.block.source)}
    for node in generator.nodes:
        if isinstance(node, ast.IfExp):
            for branch in (node.body, node.orelse):
                if isinstance(branch, ast.Attribute) and isinstance(branch.value, ast.Name) and branch.value.id in enums:
                    yield node
                    break


RULES = (
    Rule(
        "constant-chain",
        "S",
        "MyHDL makes a case statement of the chain, in which negative numbers, numbers that the vector does not hold and "
        "expressions stand for other ones",
        "compare with constants from 0 on that the vector holds, or put the tests into separate signals or variables",
        "if and elif that compare one name by `==` with constants or expressions; the range where the width is seen",
        in_generators(constant_chain),
    ),
    Rule(
        "match-number",
        "S",
        "a number that the vector does not hold matches another one, or VHDL refuses it",
        "match the numbers of the vector",
        "numbers in `match` of a vector of known width",
        in_generators(match_number),
    ),
    Rule(
        "shared-list",
        "S",
        "several processes drive a whole list in VHDL, or Verilog declares it for one kind of process: unknown bits or an error",
        "make a list for each generator, or assign to all elements in one",
        "lists of the block to which two generators assign: one has a reset or an index that is no constant, or only one of them "
        "makes wires",
        in_blocks(shared_list),
    ),
    Rule(
        "enum-item",
        "T",
        "VHDL makes a name of each item: it is a word of VHDL, no name of VHDL, or already taken",
        "take another name",
        "enums of the file; other names are those of ports, signals, variables and generators of its blocks",
        enum_item,
    ),
    Rule(
        "enum-conditional",
        "T",
        "VHDL has no conditional for enums",
        "write an if statement",
        "conditionals with an item of an enum of the file",
        in_generators(enum_conditional),
    ),
)
