"""Rules on what a block makes before its generators run: lists, tables, shadow signals, ranges and interfaces."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from duospike.cosim.lint.source.source import Block, Generator, Source, passed_by
from duospike.cosim.lint.source.values import SIGNALS, Kind, Value, called, calls, keyword, number_of
from duospike.cosim.lint.source.walk import own_nodes

from .choices import has_reset, writes
from .rule import Rule, in_blocks, in_generators

RESETS = ("rst", "reset", "rst_n", "rstn", "reset_n", "resetn")


def assignments(block: Block) -> Iterator[tuple[str, ast.expr, Value]]:
    """(name, expression, value) of each assignment of the elaboration to a name."""
    for statement in block.elaboration:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, statement.value, block.scope.value_of(statement.value)


def _used_lists(block: Block) -> Iterator[tuple[str, ast.expr, Value]]:
    """Lists of signals that a generator of the block uses."""
    for name, node, value in assignments(block):
        if value.kind is Kind.LIST and name in block.used:
            yield name, node, value


def numpy_value(block: Block) -> Iterator[ast.AST]:
    yield from (node for name, node, value in assignments(block) if value.kind is Kind.NUMPY and name in block.used)


def integer_list(block: Block) -> Iterator[ast.AST]:
    yield from (node for name, node, value in assignments(block) if value.kind is Kind.INTEGERS and name in block.used)


def rom_in_expression(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.Subscript) and generator.value_of(node.value).kind is Kind.ROM:
            parent = generator.parents[node]
            if _is_nested(generator, node.value) or not (isinstance(parent, ast.Assign) and parent.value is node):
                yield node


def _is_nested(generator: Generator, table: ast.expr) -> bool:
    element = generator.value_of(table).element
    return element is not None and element.kind is Kind.ROM


def undriven_list(block: Block) -> Iterator[ast.AST]:
    for name, node, value in _used_lists(block):
        is_made = isinstance(node, ast.ListComp | ast.List) and value.origin is None
        if is_made and name not in block.driven and value.element is not None and value.element.kind is Kind.SIGNAL:
            yield node


def undriven_element(block: Block) -> Iterator[ast.AST]:
    handed_on = set().union(*(passed_by(statement) for statement in block.elaboration))
    for name, node, value in _used_lists(block):
        length = _length(block, node)
        indices = [generator.number_of(index) for generator in block.generators for index in _written(generator, name)]
        if length and indices and value.element is not None and value.element.kind is Kind.SIGNAL and name not in handed_on:
            read = {number for generator in block.generators for number in _read(generator, name, length)}
            if None not in indices and not set(indices) >= read:
                yield node


def _written(generator: Generator, name: str) -> Iterator[ast.expr]:
    yield from (index for written, index, _ in writes(generator) if written == name)


def _read(generator: Generator, name: str, length: int) -> Iterator[int]:
    """Indices of the elements that a generator may read."""
    targets = {id(node) for written, _, attribute in writes(generator) if written == name for node in ast.walk(attribute)}
    for node in generator.nodes:
        match node:
            case ast.Subscript(value=ast.Name(id=found), slice=index) if found == name and id(node) not in targets:
                number = generator.number_of(index)
                yield from range(length) if number is None else (number,)


def _length(block: Block, node: ast.expr) -> int | None:
    """Of a list that is written out, or made over a range of known length."""
    match node:
        case ast.List(elts=elements):
            return len(elements)
        case ast.ListComp(generators=[ast.comprehension(iter=ast.Call(func=ast.Name(id="range"), args=[end]), ifs=[])]):
            return block.scope.value_of(end).number
    return None


def negative_constant(block: Block) -> Iterator[ast.AST]:
    for name, node, value in assignments(block):
        if value.kind is Kind.SIGNAL and name in block.used - block.driven and value.number is not None and value.number < 0:
            yield node


def list_of_shadows(block: Block) -> Iterator[ast.AST]:
    for _, node, value in _used_lists(block):
        if value.element is not None and value.element.kind in (Kind.SLICE, Kind.CONCAT):
            yield node


def slice_of_element(block: Block) -> Iterator[ast.AST]:
    lists = {name for name, _, _ in _used_lists(block)}
    for statement in block.elaboration:
        for node in own_nodes(statement):
            match node:
                case ast.Call(func=ast.Subscript(value=ast.Name(id=name)), args=[_, *_]) if name in lists:
                    yield node


def list_of_lists(block: Block) -> Iterator[ast.AST]:
    for _, node, value in _used_lists(block):
        if value.element is not None and value.element.kind is Kind.LIST:
            yield node


def signal_in_two_lists(block: Block) -> Iterator[ast.AST]:
    lists = {name for name, _, _ in _used_lists(block)}
    yield from (node for _, node, value in _used_lists(block) if value.origin in lists)


def nested_concat(block: Block) -> Iterator[ast.AST]:
    for statement in block.elaboration:
        for node in calls(own_nodes(statement), "ConcatSignal"):
            for argument in node.args:
                used = isinstance(argument, ast.Name) and argument.id in block.used
                if block.scope.value_of(argument).kind is Kind.CONCAT and not used:
                    yield argument


def signed_in_concat(block: Block) -> Iterator[ast.AST]:
    for statement in block.elaboration:
        for node in calls(own_nodes(statement), "ConcatSignal"):
            values = [(argument, block.scope.value_of(argument)) for argument in node.args]
            yield from (argument for argument, value in values if value.kind is Kind.SIGNAL and value.signed)


def slice_of_concat(block: Block) -> Iterator[ast.AST]:
    for statement in block.elaboration:
        for node in own_nodes(statement):
            if isinstance(node, ast.Call) and block.scope.value_of(node.func).kind is Kind.CONCAT:
                yield node


def free_intbv(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.names:
        if generator.value_of(node).kind is Kind.BITS and not generator.value_of(node).logic and isinstance(node.ctx, ast.Load):
            yield node


def memory_reset(block: Block) -> Iterator[ast.AST]:
    memories = {name for generator in block.generators for name, index, _ in writes(generator) if _is_address(generator, index)}
    for generator in block.generators:
        for name, _, node in writes(generator):
            if name in memories and (has_reset(generator) or _is_under_reset(generator, node)):
                yield node


def _is_address(generator: Generator, index: ast.expr) -> bool:
    value = generator.value_of(index)
    return value.is_vector or value.kind is Kind.PORT


def _is_under_reset(generator: Generator, node: ast.AST) -> bool:
    for child, parent in generator.up(node):
        if isinstance(parent, ast.If) and child in parent.body:
            test = parent.test.operand if isinstance(parent.test, ast.UnaryOp) else parent.test
            if isinstance(test, ast.Name) and test.id in RESETS:
                return True
    return False


def undriven_user_code(source: Source) -> Iterator[ast.AST]:
    for block in source.blocks:
        attributes = [node for node in ast.walk(block.node) if isinstance(node, ast.Attribute)]
        is_driven = any(node.attr == "driven" and isinstance(node.ctx, ast.Store) for node in attributes)
        if block.has_user_code and not is_driven:
            yield ast.Name(block.node.name, ast.Load(), lineno=block.node.lineno)


def _intbv_calls(source: Source) -> Iterator[tuple[ast.Call, ast.expr, ast.expr]]:
    """(call, min, max) of each intbv and modbv with a range."""
    for node in calls(ast.walk(source.tree), "intbv", "modbv"):
        low, high = keyword(node, "min", 1), keyword(node, "max", 2)
        if low is not None and high is not None:
            yield node, low, high


def signed_range(source: Source) -> Iterator[ast.AST]:
    for node, low, high in _intbv_calls(source):
        lowest, end = number_of(low), number_of(high)
        if lowest is not None and end is not None:
            is_short = lowest < -1 and end == -lowest - 1 and (-lowest) & (-lowest - 1) == 0
        else:
            is_short = _is_one_below_the_negative(low, high)
        if is_short:
            yield node


def _is_one_below_the_negative(low: ast.expr, high: ast.expr) -> bool:
    match low, high:
        case ast.UnaryOp(op=ast.USub(), operand=power), ast.BinOp(left=left, op=ast.Sub(), right=ast.Constant(value=1)):
            is_power = isinstance(power, ast.BinOp) and isinstance(power.op, ast.Pow | ast.LShift)
            return is_power and ast.dump(power) == ast.dump(left)
    return False


def modbv_range(source: Source) -> Iterator[ast.AST]:
    for node, low, high in _intbv_calls(source):
        lowest, end = number_of(low), number_of(high)
        if called(node) == "modbv" and lowest is not None and end is not None and not _wraps(lowest, end):
            yield node


def _wraps(lowest: int, end: int) -> bool:
    return lowest in (0, -end) and end > 0 and end & (end - 1) == 0


def hidden_interface(source: Source) -> Iterator[ast.AST]:
    nodes = list(ast.walk(source.tree))
    filled = {called(node) for node in nodes if isinstance(node, ast.Call) and _takes_a_signal(source, node)}
    for node in nodes:
        match node:
            case ast.ClassDef(name=name) if _hides_members(node) and (_holds_signals(source, node) or name in filled):
                yield ast.Name(name, ast.Load(), lineno=node.lineno)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if name in filled:
                if called(call) == "namedtuple":
                    yield call


def _takes_a_signal(source: Source, call: ast.Call) -> bool:
    arguments = [*call.args, *(given.value for given in call.keywords)]
    return any(source.scope.value_of(argument).kind in SIGNALS for argument in arguments)


def _hides_members(node: ast.ClassDef) -> bool:
    """Members are not in the `__dict__` of an instance, where MyHDL looks for them."""
    if any(getattr(base, "attr", getattr(base, "id", "")) == "NamedTuple" for base in node.bases):
        return True
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and called(decorator) == "dataclass":
            slots = [given.value for given in decorator.keywords if given.arg == "slots"]
            if any(isinstance(value, ast.Constant) and value.value is True for value in slots):
                return True
    targets = [target for statement in node.body if isinstance(statement, ast.Assign) for target in statement.targets]
    return any(isinstance(target, ast.Name) and target.id == "__slots__" for target in targets)


def _holds_signals(source: Source, node: ast.ClassDef) -> bool:
    for child in ast.walk(node):
        if isinstance(child, ast.Call) and source.scope.value_of(child).kind in SIGNALS:
            return True
        if isinstance(child, ast.AnnAssign) and "Signal" in ast.unparse(child.annotation):
            return True
    return False


RULES = (
    Rule(
        "numpy-value",
        "T",
        "MyHDL takes no numpy integers: an error, or an undeclared `rom` in the HDL",
        "make Python integers of them, with int() or .tolist()",
        "names assigned from a call of numpy",
        in_blocks(numpy_value),
    ),
    Rule(
        "integer-list",
        "E",
        "MyHDL refuses a list of integers",
        "make it a tuple",
        "lists and list comprehensions of constants",
        in_blocks(integer_list),
    ),
    Rule(
        "rom-in-expression",
        "T",
        "the table is not declared in the HDL: only a bare `q.next = rom[address]` becomes a case statement",
        "assign the word to a signal or variable first; make one tuple of a nested one",
        "tuples of the block and of the file",
        in_generators(rom_in_expression),
    ),
    Rule(
        "undriven-list",
        "S",
        "Verilog initialises the list, in VHDL it is undefined",
        "use a tuple of integers or a ROM with a hex file",
        "lists of signals to which no generator of the block assigns, and that go to no other block",
        in_blocks(undriven_list),
    ),
    Rule(
        "undriven-element",
        "S",
        "an element that no generator drives is undefined in the HDL, not at its first value",
        "drive it, or make the list shorter",
        "lists of known length of which the generators of the block read an element, and assign to others alone, by constants",
        in_blocks(undriven_element),
    ),
    Rule(
        "negative-constant",
        "T",
        "Verilog `8'd-3` is a syntax error",
        "use an int, or drive the signal",
        "undriven signals of the block, and Constant(), with a negative literal",
        in_blocks(negative_constant),
    ),
    Rule(
        "list-of-shadows",
        "S",
        "Verilog gives the elements the constant 0",
        "drive a list of plain signals, one generator or block for each element",
        "lists of slices, and of ConcatSignals, that a generator uses as a list",
        in_blocks(list_of_shadows),
    ),
    Rule(
        "slice-of-element",
        "S",
        "the slice is the constant 0, or GHDL refuses it",
        "slice in the generator, `m[1][4:0]`",
        "lists of signals of the block that a generator uses",
        in_blocks(slice_of_element),
    ),
    Rule(
        "list-of-lists",
        "E",
        "MyHDL refuses it, or finds no sensitivity list",
        "make one list and compute the index",
        "nested lists and comprehensions that a generator uses",
        in_blocks(list_of_lists),
    ),
    Rule(
        "signal-in-two-lists",
        "E",
        "MyHDL refuses a signal that is in two lists",
        "use one list and compute the index",
        "lists made of elements of another one, where generators use both",
        in_blocks(signal_in_two_lists),
    ),
    Rule(
        "nested-concat",
        "S",
        "the inner ConcatSignal is 0 or undefined",
        "join all parts in one ConcatSignal",
        "ConcatSignals of the block that no generator reads",
        in_blocks(nested_concat),
    ),
    Rule(
        "signed-in-concat",
        "T",
        "VHDL cannot join a signed vector",
        "copy it to an unsigned signal first",
        "signed signals in a ConcatSignal",
        in_blocks(signed_in_concat),
    ),
    Rule(
        "slice-of-concat",
        "E",
        "MyHDL raises AttributeError",
        "slice it in the generator, or slice its parts",
        "ConcatSignals of the block",
        in_blocks(slice_of_concat),
    ),
    Rule(
        "free-intbv",
        "T",
        "the HDL does not declare it",
        "use an int",
        "names of the block and of the file",
        in_generators(free_intbv),
    ),
    Rule(
        "memory-reset",
        "S",
        "the whole memory is reset, so it becomes registers and no block RAM",
        "write the memory in a generator of its own with `@always(clk.posedge)` and no reset",
        f"lists written with an address; in @always_seq with a reset, or under `if` of {', '.join(RESETS)}",
        in_blocks(memory_reset),
    ),
    Rule(
        "undriven-user-code",
        "S",
        "the outputs of user-defined HDL count as undriven: MyHDL ties them to 0 or makes them inputs",
        "set `.driven` of each output and `.read` of each input",
        "blocks with verilog_code or vhdl_code that set no `.driven` at all",
        undriven_user_code,
    ),
    Rule(
        "signed-range",
        "S",
        "`max` is exclusive: the simulation stops at the highest value, which the HDL takes",
        "write max=2 ** (n - 1)",
        "a `max` that is one below the negative of `min`, a power of two",
        signed_range,
    ),
    Rule(
        "modbv-range",
        "E",
        "MyHDL refuses a modbv that does not wrap at a power of two",
        "use `modbv(0)[n:]`",
        "literal ranges",
        modbv_range,
    ),
    Rule(
        "hidden-interface",
        "S",
        "MyHDL does not find the members of an instance: its ports vanish and read as 0",
        "use a plain class or an ordinary dataclass",
        "classes of the file with __slots__, slots=True or NamedTuple that hold signals",
        hidden_interface,
    ),
)
