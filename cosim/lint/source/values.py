"""The values of the names and expressions of a block, as far as its source gives them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum


class Kind(Enum):
    """CONSTANT: known before simulation. INTEGER: a loop variable or another integer of a generator. BITS: an intbv that is
    neither a Signal nor a variable. SLICE, CONCAT: MyHDL's shadow signals. ROM: tuple of integers. INTEGERS: list of integers.
    PORT: a parameter of the block that nothing shows to be a constant. OBJECT: a parameter with attributes."""

    CONSTANT = "constant"
    INTEGER = "integer"
    SIGNAL = "signal"
    SLICE = "slice"
    CONCAT = "concat"
    VARIABLE = "variable"
    BITS = "bits"
    LIST = "list"
    ROM = "rom"
    INTEGERS = "integers"
    NUMPY = "numpy"
    PORT = "port"
    OBJECT = "object"
    UNKNOWN = "unknown"


VECTORS = {Kind.SIGNAL, Kind.SLICE, Kind.CONCAT, Kind.VARIABLE}
SIGNALS = {Kind.SIGNAL, Kind.SLICE, Kind.CONCAT}


@dataclass(frozen=True)
class Value:
    """signed, width: of a vector, or of BITS; None where unknown. logic: a bool, not an intbv. number: of a CONSTANT, or the
    initial value of a vector. element: of a LIST. origin: the list whose elements a LIST holds too. wraps: a modbv."""

    kind: Kind
    signed: bool | None = None
    width: int | None = None
    logic: bool = False
    number: int | None = None
    element: Value | None = None
    origin: str | None = None
    wraps: bool = False

    @property
    def is_vector(self) -> bool:
        return self.kind in VECTORS

    @property
    def is_constant(self) -> bool:
        return self.kind is Kind.CONSTANT


UNKNOWN = Value(Kind.UNKNOWN)
CONSTANT = Value(Kind.CONSTANT)
INTEGER = Value(Kind.INTEGER)
PORT = Value(Kind.PORT)
OBJECT = Value(Kind.OBJECT)
BIT = Value(Kind.VARIABLE, signed=False, width=1, logic=True)

INTEGER_FUNCTIONS = {"len", "int", "max", "min", "sum", "abs", "ord", "round", "range"}


def merged(first: Value | None, second: Value) -> Value:
    """The value of a name that is assigned twice."""
    if first is None or first == second:
        return second
    if first.kind is not second.kind:
        return UNKNOWN
    signed = first.signed if first.signed == second.signed else None
    width = first.width if first.width == second.width else None
    return replace(first, signed=signed, width=width, logic=first.logic and second.logic, number=None)


Numbers = Callable[[str], int | None]
"""The number of a name."""


def number_of(node: ast.expr | None, numbers: Numbers = lambda name: None) -> int | None:
    """The value of an integer literal, of a name of known number and of what the operators of arithmetic make of them."""
    match node:
        case ast.Constant(value=int() as value):
            return int(value)
        case ast.Name(id=name):
            return numbers(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = number_of(operand, numbers)
            return None if number is None else -number
        case ast.BinOp(left=left, op=op, right=right):
            return _computed(number_of(left, numbers), op, number_of(right, numbers))
    return None


def _computed(left: int | None, op: ast.operator, right: int | None) -> int | None:
    if left is None or right is None:
        return None
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.FloorDiv() if right:
            return left // right
        case ast.Pow() if 0 <= right < 1024 and abs(left) < 1024:
            return left**right
        case ast.LShift() if 0 <= right < 1024:
            return left << right
    return None


def called(node: ast.AST) -> str | None:
    """Name of the function that a call calls, without its module."""
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name
    return None


def calls(nodes: Iterable[ast.AST], *names: str) -> Iterator[ast.Call]:
    """The calls of these functions among nodes."""
    return (node for node in nodes if isinstance(node, ast.Call) and called(node) in names)


def root_of(node: ast.AST) -> str | None:
    """The name at the beginning of `a.b[c](d)`."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def bits_of(node: ast.AST, numbers: Numbers = lambda name: None) -> Value | None:
    """The value that an expression with intbv or modbv makes, or a bool; None for other expressions."""
    match node:
        case ast.Subscript(value=ast.Call() as call, slice=ast.Slice(lower=lower)) if called(call) in ("intbv", "modbv"):
            return Value(
                Kind.BITS,
                signed=False,
                width=number_of(lower, numbers),
                number=_initial(call, numbers),
                wraps=called(call) == "modbv",
            )
        case ast.Call() if called(node) in ("intbv", "modbv"):
            return _ranged(node, numbers)
        case ast.Call(func=ast.Name(id="bool")) | ast.Constant(value=bool()):
            return Value(Kind.BITS, signed=False, width=1, logic=True)
    return None


def _initial(call: ast.Call, numbers: Numbers) -> int | None:
    return number_of(call.args[0], numbers) if call.args else 0


def keyword(call: ast.Call, name: str, position: int) -> ast.expr | None:
    """An argument of a call, by keyword or position."""
    for given in call.keywords:
        if given.arg == name:
            return given.value
    return call.args[position] if position < len(call.args) else None


def _ranged(call: ast.Call, numbers: Numbers) -> Value:
    low, high = keyword(call, "min", 1), keyword(call, "max", 2)
    signed = _is_negative(low, numbers)
    lowest, end = number_of(low, numbers), number_of(high, numbers)
    width = None
    if lowest is not None and end is not None:
        width = (end - 1).bit_length() if lowest >= 0 else max((-lowest - 1).bit_length(), (end - 1).bit_length()) + 1
    return Value(Kind.BITS, signed=signed, width=width, number=_initial(call, numbers), wraps=called(call) == "modbv")


def _is_negative(low: ast.expr | None, numbers: Numbers) -> bool | None:
    value = number_of(low, numbers)
    if value is not None:
        return value < 0
    return True if isinstance(low, ast.UnaryOp) and isinstance(low.op, ast.USub) else None
