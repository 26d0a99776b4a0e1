"""Names and their values: inference from assignments."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace

from .values import (
    BIT,
    CONSTANT,
    INTEGER,
    INTEGER_FUNCTIONS,
    OBJECT,
    PORT,
    SIGNALS,
    UNKNOWN,
    Kind,
    Value,
    bits_of,
    called,
    calls,
    merged,
    number_of,
    root_of,
)
from .walk import elaboration_of, own_nodes

BITWISE = (ast.BitAnd, ast.BitOr, ast.BitXor)
COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp)
NUMPY = ("np", "numpy")
SIGNAL_ATTRIBUTES = {"signed", "min", "max", "val", "next", "posedge", "negedge", "driven", "read"}
TO_PYTHON = ("int", "tolist", "item", "bool", "len", "float")


class Scope:
    """Values of names. outer: the scope around it. in_generator: a call may then convert, such as concat()."""

    def __init__(self, functions: dict, outer: Scope | None = None, values: dict[str, Value] | None = None, in_generator=False):
        self.functions, self.outer, self.in_generator = functions, outer, in_generator
        self.values = dict(values or {})

    def __getitem__(self, name: str) -> Value:
        if name in self.values:
            return self.values[name]
        return self.outer[name] if self.outer else UNKNOWN

    def assign(self, statement: ast.stmt):
        """Note the names that a statement assigns to."""
        if isinstance(statement, ast.Import | ast.ImportFrom):
            # What is imported and not called is a constant: signals belong to blocks.
            self.values |= {alias.asname or alias.name.split(".")[0]: CONSTANT for alias in statement.names}
        elif isinstance(statement, ast.For) and isinstance(statement.target, ast.Name):
            self.values[statement.target.id] = self._element_of(statement.iter)
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                self._assign(target, statement.value)
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            self.values[statement.target.id] = replace(self[statement.target.id], number=None)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self._assign(statement.target, statement.value)

    def _assign(self, target: ast.expr, value: ast.expr):
        if isinstance(target, ast.Name):
            self._note(target.id, self.value_of(value))
        elif isinstance(target, ast.Tuple | ast.List):
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else None
            for i, part in enumerate(target.elts):
                if values is not None and len(values) == len(target.elts):
                    self._assign(part, values[i])
                elif isinstance(part, ast.Name):
                    self._note(part.id, self.value_of(value).element or UNKNOWN)

    def _note(self, name: str, value: Value):
        self.values[name] = merged(self.values.get(name), value)

    def value_of(self, node: ast.expr) -> Value:
        """The value of an expression."""
        bits = bits_of(node, self.number)
        if bits is not None and not isinstance(node, ast.Constant):
            return bits
        match node:
            case ast.Constant() | ast.UnaryOp(operand=ast.Constant()) | ast.JoinedStr() | ast.Lambda():
                return self._constant(node)
            case ast.Name(id=name):
                return self[name]
            case ast.Attribute(value=value, attr=attr):
                return self._attribute(value, attr)
            case ast.Call():
                return self._call(node)
            case ast.Subscript(value=value, slice=index):
                return self._subscript(value, index)
            case ast.ListComp() | ast.GeneratorExp():
                return self._comprehension(node)
            case ast.List() | ast.Tuple():
                return self._display(node)
            case ast.IfExp(body=body, orelse=orelse):
                return merged(self.value_of(body), self.value_of(orelse))
            case ast.UnaryOp(op=ast.Not()) | ast.Compare() | ast.BoolOp():
                return BIT if self.in_generator else CONSTANT
            case ast.UnaryOp(op=op, operand=operand):
                return self._unary(op, self.value_of(operand))
            case ast.BinOp():
                return self._binary(node)
        return UNKNOWN

    def number(self, name: str) -> int | None:
        """The number of a constant."""
        value = self[name]
        return value.number if value.is_constant else None

    def _distance(self, high: ast.expr | None, low: ast.expr) -> int | None:
        """Bits of a slice."""
        ends = number_of(high, self.number), number_of(low, self.number)
        return None if ends[0] is None or ends[1] is None else ends[0] - ends[1]

    def _constant(self, node: ast.expr) -> Value:
        is_bool = isinstance(node, ast.Constant) and isinstance(node.value, bool)
        return Value(Kind.CONSTANT, number=number_of(node, self.number), logic=is_bool)

    def _attribute(self, value: ast.expr, attr: str) -> Value:
        owner = self.value_of(value)
        if owner.is_vector and attr in ("next", "val"):
            return owner
        if owner.is_vector or owner.is_constant:
            return CONSTANT
        # Members of an interface carry the interface's own name, see parameter_values().
        return self[ast.unparse(ast.Attribute(value, attr, ast.Load()))]

    def _call(self, node: ast.Call) -> Value:
        name = called(node)
        if isinstance(node.func, ast.Attribute) and name == "signed" and not node.args:
            return Value(Kind.VARIABLE, signed=True)
        if root_of(node) in NUMPY and name not in TO_PYTHON:
            return Value(Kind.NUMPY)
        if name == "ResetSignal" and node.args:
            return Value(Kind.SIGNAL, signed=False, width=1, logic=True)
        if name in ("Signal", "ResetSignal", "Constant") and (node.args or node.keywords):
            return self._signal(node.args[0] if node.args else node.keywords[0].value)
        if name == "ConcatSignal":
            return Value(Kind.CONCAT, signed=False)
        if name == "concat":
            return Value(Kind.VARIABLE, signed=False)
        if name in ("tuple", "list") and len(node.args) == 1:
            return self._converted(name, node.args[0])
        if name in ("reversed", "sorted") and node.args:
            return self.value_of(node.args[0])
        return self._called_function(node, name)

    def _called_function(self, node: ast.Call, name: str | None) -> Value:
        """A function whose source is known, or a shadow slice `signal(4, 0)`."""
        target = self.value_of(node.func)
        if target.kind in SIGNALS or (target.kind is Kind.PORT and 1 <= len(node.args) <= 2):
            width = self._distance(*node.args) if len(node.args) == 2 else 1
            return Value(Kind.SLICE, signed=False, width=width, logic=len(node.args) == 1)
        match self.functions.get(name) if isinstance(node.func, ast.Name) else None:
            case ast.FunctionDef(decorator_list=[], body=[*before, ast.Return(value=ast.expr() as made)]):
                inner = Scope({})
                for statement in before:
                    inner.assign(statement)
                return inner.value_of(made)
        return CONSTANT if name in INTEGER_FUNCTIONS else UNKNOWN

    def _signal(self, initial: ast.expr) -> Value:
        bits = bits_of(initial, self.number) or self.value_of(initial)
        if bits.kind is not Kind.BITS:
            return Value(Kind.SIGNAL)
        number = bits.number
        if bits.logic:
            number = None
        return Value(Kind.SIGNAL, bits.signed, bits.width, bits.logic, number, wraps=bits.wraps)

    def _converted(self, name: str, argument: ast.expr) -> Value:
        value = self.value_of(argument)
        if value.kind is Kind.LIST or value.kind is Kind.NUMPY:
            return value
        if value.kind in (Kind.ROM, Kind.INTEGERS):
            return Value(Kind.ROM if name == "tuple" else Kind.INTEGERS, element=value.element)
        return Value(Kind.ROM) if name == "tuple" else UNKNOWN

    def _subscript(self, value: ast.expr, index: ast.expr) -> Value:
        base = self.value_of(value)
        if base.kind is Kind.LIST:
            if isinstance(index, ast.Slice):
                return Value(Kind.LIST, element=base.element, origin=base.origin or root_of(value))
            return base.element or UNKNOWN
        if base.kind in (Kind.ROM, Kind.INTEGERS):
            return INTEGER if self.in_generator else CONSTANT
        if isinstance(index, ast.Slice) and (base.is_vector or (self.in_generator and base.kind is Kind.PORT)):
            return Value(Kind.VARIABLE, signed=False, width=self._distance(index.lower, index.upper or ast.Constant(0)))
        if base.is_vector:
            return BIT
        return base if base.kind in (Kind.NUMPY, Kind.CONSTANT) else UNKNOWN

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> Value:
        inner = Scope(self.functions, self, in_generator=self.in_generator)
        for part in node.generators:
            if isinstance(part.target, ast.Name):
                inner.values[part.target.id] = self._element_of(part.iter)
        element = inner.value_of(node.elt)
        origin = root_of(node.elt) if isinstance(node.elt, ast.Subscript) else None
        return self._sequence(node, element, origin)

    def _display(self, node: ast.List | ast.Tuple) -> Value:
        values = [self.value_of(element) for element in node.elts]
        if not values or any(value.kind is not values[0].kind for value in values):
            return UNKNOWN
        origins = {root_of(element) for element in node.elts if isinstance(element, ast.Subscript)}
        return self._sequence(node, values[0], min((name for name in origins if name), default=None))

    def _sequence(self, node: ast.expr, element: Value, origin: str | None) -> Value:
        if element.kind in SIGNALS or element.kind is Kind.LIST:
            return Value(Kind.LIST, element=element, origin=origin)
        if element.kind in (Kind.CONSTANT, Kind.ROM):
            return Value(Kind.INTEGERS if isinstance(node, ast.List | ast.ListComp) else Kind.ROM, element=element)
        return Value(Kind.LIST, element=element) if element.kind is Kind.BITS else UNKNOWN

    def _element_of(self, iterable: ast.expr) -> Value:
        value = self.value_of(iterable)
        if called(iterable) in ("range", "downrange"):
            return CONSTANT
        return value.element or (CONSTANT if value.kind in (Kind.ROM, Kind.INTEGERS, Kind.CONSTANT) else UNKNOWN)

    def _unary(self, op: ast.unaryop, value: Value) -> Value:
        if not isinstance(op, ast.USub) or value.is_constant:
            return value
        if value.kind is Kind.INTEGER:
            return Value(Kind.INTEGER, signed=True)
        # To MyHDL an unsigned vector stays unsigned.
        return Value(Kind.VARIABLE, signed=value.signed) if value.is_vector else value

    def _binary(self, node: ast.BinOp) -> Value:
        left, right = self.value_of(node.left), self.value_of(node.right)
        if left.is_constant and right.is_constant:
            return Value(Kind.CONSTANT, number=number_of(node, self.number))
        if not self.in_generator:
            return CONSTANT
        if isinstance(node.op, ast.LShift | ast.RShift):
            return Value(Kind.VARIABLE, left.signed) if left.is_vector else left
        if left.is_vector or right.is_vector:
            return Value(Kind.VARIABLE, signed=_either_signed(left, right))
        kinds = {left.kind, right.kind}
        if kinds <= {Kind.CONSTANT, Kind.INTEGER}:
            return INTEGER
        return PORT if kinds <= {Kind.PORT, Kind.CONSTANT} else UNKNOWN


def _either_signed(left: Value, right: Value) -> bool | None:
    signs = {value.signed for value in (left, right) if not value.is_constant and value.kind is not Kind.INTEGER}
    if any(value.number is not None and value.number < 0 for value in (left, right) if value.is_constant):
        return True
    return True if True in signs else None if None in signs else False


def parameter_values(
    function: ast.FunctionDef,
    parameters: list[str],
    elaboration: Iterable[ast.stmt],
    generators: list[ast.FunctionDef],
    functions: dict[str, ast.FunctionDef],
) -> dict[str, Value]:
    """What the parameters of a block are: constants where the elaboration computes with them, else ports.

    A parameter with attributes is an OBJECT. Its members are ports, under names such as `src.valid`, if the block shows it
    to be an interface: it assigns to a member or slices one.
    """
    constants = _declared_constants(function)
    for statement in elaboration:
        constants |= _computed_with(statement, functions)
    values: dict[str, Value] = {}
    for generator in generators:
        constants |= _bounds(generator)
    members = _members(function)
    for name in parameters:
        is_object = bool(members.get(name, set()) - SIGNAL_ATTRIBUTES)
        values[name] = CONSTANT if name in constants else OBJECT if is_object else PORT
    for name in _interfaces(function):
        if values.get(name) is OBJECT:
            values |= {f"{name}.{member}": PORT for member in members[name]}
    return values


def _declared_constants(function: ast.FunctionDef) -> set[str]:
    arguments = [*function.args.posonlyargs, *function.args.args]
    with_default = [*reversed(arguments), *function.args.kwonlyargs]
    defaults = [*reversed(function.args.defaults), *[None] * (len(arguments) - len(function.args.defaults))]
    pairs = zip(with_default, [*defaults, *function.args.kw_defaults], strict=True)
    constants = {argument.arg for argument, default in pairs if isinstance(default, ast.Constant) and default.value is not None}
    return constants | {
        argument.arg for argument in with_default if getattr(argument.annotation, "id", None) in ("int", "bool", "str")
    }


def _computed_with(statement: ast.stmt, functions: dict[str, ast.FunctionDef]) -> set[str]:
    """Names that a statement of the elaboration computes with, itself or in a function of which the source is known."""
    names = _names([statement.test]) if isinstance(statement, ast.If | ast.While) else set()
    for parent in own_nodes(statement):
        match parent:
            case ast.BinOp() | ast.UnaryOp() | ast.Compare() | ast.BoolOp() | ast.Slice() | ast.FormattedValue():
                names |= _names(ast.iter_child_nodes(parent))
            case ast.Subscript(slice=index) | ast.IfExp(test=index) | ast.comprehension(iter=index):
                names |= _names([index])
            case ast.Call() if called(parent) in {*INTEGER_FUNCTIONS - {"len"}, "intbv", "modbv", "range"}:
                names |= _names([*parent.args, *(given.value for given in parent.keywords)])
            case ast.Call(func=ast.Name(id=name)) if name in functions:
                names |= _names(_computed_arguments(parent, functions[name]))
    return names


def _computed_arguments(call: ast.Call, function: ast.FunctionDef) -> list[ast.expr]:
    """The arguments that a plain function computes with; a block's own elaboration does not count, nor do further calls."""
    if function.decorator_list:
        return []
    computed = set().union(*(_computed_with(statement, {}) for statement in elaboration_of(function.body)))
    parameters = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    given = [*zip(parameters, call.args, strict=False), *((keyword.arg, keyword.value) for keyword in call.keywords)]
    return [argument for name, argument in given if name in computed]


def _bounds(generator: ast.FunctionDef) -> set[str]:
    """Names that MyHDL needs as constants in a generator: of ranges, of slices and of variables' bounds."""
    names = set()
    for node in ast.walk(generator):
        if isinstance(node, ast.Slice):
            names |= _names(ast.iter_child_nodes(node))
    for call in calls(ast.walk(generator), "range", "downrange", "intbv", "modbv"):
        names |= _names([*call.args, *(given.value for given in call.keywords)])
    return names


def _members(function: ast.FunctionDef) -> dict[str, set[str]]:
    """By name the attributes that a function uses of it."""
    members: dict[str, set[str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            members.setdefault(node.value.id, set()).add(node.attr)
    return members


def _interfaces(function: ast.FunctionDef) -> set[str]:
    """Names of which a member is assigned to, `dst.valid.next`, or sliced, `src.data(4, 0)`."""
    names = set()
    for node in ast.walk(function):
        member: ast.AST | None = None
        if isinstance(node, ast.Attribute) and node.attr == "next":
            member = node.value
        elif isinstance(node, ast.Call) and 1 <= len(node.args) <= 2:
            member = node.func
        while isinstance(member, ast.Subscript):
            member = member.value
        if isinstance(member, ast.Attribute) and isinstance(member.value, ast.Name):
            names.add(member.value.id)
    return names


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    """The nodes that are names."""
    return {node.id for node in nodes if isinstance(node, ast.Name)}
