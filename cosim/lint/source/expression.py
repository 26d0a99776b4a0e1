"""Expressions of generators with the values that they have in Python: what Verilog and VHDL have to compute."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from .source import Generator
from .values import UNKNOWN, Kind, Value, called

MAX_SHIFT = 1024
"""Positions that a left shift is followed for."""

BINARY = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%", ast.LShift: "<<", ast.RShift: ">>",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip
COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
UNARY = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "~", ast.Not: "not"}
LEAVES = ("vector", "bit", "constant", "length", "integer", "slice", "element", "text")


class UnknownError(Exception):
    """A type that the source does not show."""


class UnfollowedError(Exception):
    """A form of expression that is not followed, of known types. node: where it is."""

    def __init__(self, node: ast.AST):
        super().__init__(node)
        self.node = node


@dataclass(eq=False)
class Term:
    """A node of an expression.

    kind: of LEAVES, an operator of BINARY or UNARY, or compare, logic, bool, signed, concat, if. low, high: the values it can
    have in Python. width, signed: of a leaf. wraps: it is a modbv. is_name: the HDL has a plain name for it. number: of a
    constant. bits: width of the intbv that it is in Python, None for an int or a bool. index: of an element or a bit.
    is_right_side: it is a whole right-hand side.
    """

    node: ast.AST
    kind: str
    low: int
    high: int
    parts: list[Term] = field(default_factory=list)
    width: int = 0
    signed: bool = False
    is_name: bool = False
    number: int | None = None
    bits: int | None = None
    index: Term | None = None
    is_right_side: bool = False
    wraps: bool = False

    def hold(self, term: Term):
        """Bound a term by this target of it: MyHDL's simulator refuses other values."""
        if not self.wraps:
            term.low, term.high = max(term.low, self.low), min(term.high, self.high)
            for part in term.parts[1:] if term.kind == "if" else ():
                self.hold(part)

    def fits(self, width: int, signed: bool) -> bool:
        """All values are numbers of this width and sign."""
        low, high = limits(width, signed)
        return low <= self.low and self.high <= high


def limits(width: int, signed: bool) -> tuple[int, int]:
    """The lowest and highest number of a vector."""
    return (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)


def term_of(generator: Generator, node: ast.expr) -> Term:
    """The term of an expression; UnknownError or UnfollowedError where there is none."""
    value = generator.value_of(node)
    number = value.number if value.is_constant else None
    if number is not None and _is_literal(node):
        return Term(node, "constant", number, number, number=number, is_name=not isinstance(node, ast.Constant | ast.UnaryOp))
    match node:
        case ast.Constant(value=bool() as flag):
            return Term(node, "constant", int(flag), int(flag), number=int(flag))
        case ast.Name() | ast.Attribute():
            return _named(generator, node, value)
        case ast.Subscript():
            return _subscript(generator, node)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return binary_of(node, term_of(generator, left), term_of(generator, right))
        case ast.UnaryOp(op=op, operand=operand):
            return _unary(node, UNARY[type(op)], term_of(generator, operand))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if isinstance(op, COMPARISONS):
            return Term(node, "compare", 0, 1, [term_of(generator, left), term_of(generator, right)])
        case ast.BoolOp(values=values):
            return Term(node, "logic", 0, 1, [_operand_of_logic(generator, value) for value in values])
        case ast.IfExp(test=test, body=body, orelse=orelse):
            parts = [term_of(generator, part) for part in (test, body, orelse)]
            return Term(node, "if", min(p.low for p in parts[1:]), max(p.high for p in parts[1:]), parts)
        case ast.Call():
            return _call(generator, node)
    raise UnfollowedError(node)


def _operand_of_logic(generator: Generator, node: ast.expr) -> Term:
    """MyHDL takes bits and conditions alone."""
    term = term_of(generator, node)
    is_bool = term.number in (0, 1) and (isinstance(node, ast.Constant) or generator.value_of(node).logic)
    if term.kind not in ("bit", "compare", "logic", "not", "bool") and not is_bool:
        raise UnfollowedError(node)
    return term


def _is_literal(node: ast.expr) -> bool:
    """MyHDL writes a number for it."""
    is_negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)
    return is_negative or isinstance(node, ast.Constant | ast.Name | ast.Attribute)


def _named(generator: Generator, node: ast.expr, value: Value) -> Term:
    if isinstance(node, ast.Attribute) and node.attr in ("next", "val", "min", "max"):
        raise UnfollowedError(node)
    if value.kind is Kind.INTEGER and isinstance(node, ast.Name):
        return _loop_variable(generator, node)
    if isinstance(node, ast.Name) and generator.locals.get(node.id) == UNKNOWN:
        # A variable that takes values of several types.
        raise UnfollowedError(node)
    return vector_of(node, value, is_name=True)


def _loop_variable(generator: Generator, node: ast.Name) -> Term:
    """A loop variable, a signed integer of 32 bits in both HDLs; other variables of Python's own types are not followed."""
    if node.id not in generator.loops:
        raise UnfollowedError(node)
    ends = [_ends(generator, loop) for loop in generator.loops[node.id]]
    return Term(node, "integer", min(low for low, _ in ends), max(high for _, high in ends), [], 32, True, is_name=True)


def _ends(generator: Generator, loop: ast.expr) -> tuple[int, int]:
    """The lowest and highest value of range() and downrange()."""
    if called(loop) not in ("range", "downrange") or not isinstance(loop, ast.Call) or not 1 <= len(loop.args) <= 2:
        raise UnknownError
    numbers = [generator.number_of(argument) for argument in loop.args]
    if any(number is None for number in numbers):
        raise UnknownError
    low, end = (0, *numbers) if len(numbers) == 1 else sorted(numbers)  # type: ignore[type-var]
    return low, max(low, end - 1)  # type: ignore[operator,type-var,return-value]


def vector_of(node: ast.AST, value: Value, *, is_name: bool) -> Term:
    """A signal or variable, or an element of a list."""
    if not value.is_vector or value.width is None or value.signed is None or value.width < 1:
        raise UnknownError
    low, high = limits(value.width, value.signed)
    kind = "bit" if value.logic else "vector" if is_name else "element"
    bits = None if value.logic else value.width
    return Term(node, kind, low, high, [], value.width, value.signed, is_name, bits=bits, wraps=value.wraps)


def _subscript(generator: Generator, node: ast.Subscript) -> Term:
    base = generator.value_of(node.value)
    if base.kind is Kind.LIST:
        term = vector_of(node, base.element or Value(Kind.UNKNOWN), is_name=False)
        if isinstance(node.slice, ast.Slice):
            raise UnfollowedError(node)
        term.index = _index(generator, node.slice)
        return term
    # A part of a part is not followed.
    whole = base if isinstance(node.value, ast.Name | ast.Attribute) else Value(Kind.UNKNOWN)
    if isinstance(node.value, ast.Subscript) and generator.value_of(node.value.value).kind is Kind.LIST:
        whole = base
    term = vector_of(node, whole, is_name=False)
    if term.kind == "bit":
        raise UnfollowedError(node)
    if isinstance(node.slice, ast.Slice):
        return _slice(generator, node, term)
    return Term(node, "bit", 0, 1, [], 1, False, index=_index(generator, node.slice))


def _index(generator: Generator, node: ast.expr) -> Term:
    return term_of(generator, node)


def _slice(generator: Generator, node: ast.Subscript, whole: Term) -> Term:
    assert isinstance(node.slice, ast.Slice)
    upper, lower = node.slice.lower, node.slice.upper
    high = whole.width if upper is None else generator.number_of(upper)
    low = 0 if lower is None else generator.number_of(lower)
    if high is None or low is None:
        raise UnknownError
    if upper is None or not 0 <= low < high <= whole.width:
        raise UnfollowedError(node)
    width = high - low
    # signed: of the vector that it is a part of; the slice itself is unsigned.
    return Term(node, "slice", 0, (1 << width) - 1, [], width, whole.signed, bits=width)


def _call(generator: Generator, node: ast.Call) -> Term:
    name = called(node)
    if name == "bool" and len(node.args) == 1:
        return Term(node, "bool", 0, 1, [term_of(generator, node.args[0])])
    if name == "signed" and isinstance(node.func, ast.Attribute) and not node.args:
        part = term_of(generator, node.func.value)
        if part.kind not in ("vector", "slice", "element"):
            raise UnfollowedError(node)
        is_signed = part.signed and part.kind != "slice"
        low, high = (part.low, part.high) if is_signed else limits(part.width, True)
        return Term(node, "signed", low, high, [part], part.width, True, bits=part.width)
    if name == "concat" and len(node.args) > 1:
        parts = [_joined(generator, argument) for argument in node.args]
        width = sum(part.width for part in parts)
        return Term(node, "concat", 0, (1 << width) - 1, parts, width, bits=width)
    if name == "len" and len(node.args) == 1:
        return _length(generator, node)
    raise UnfollowedError(node) if name in ("int", "bool", "concat", "signed") else UnknownError


def _length(generator: Generator, node: ast.Call) -> Term:
    """A number that MyHDL writes, of type integer; that of a list is not followed."""
    value = generator.value_of(node.args[0])
    if value.kind is Kind.LIST:
        raise UnfollowedError(node)
    if not value.is_vector or value.width is None:
        raise UnknownError
    return Term(node, "length", value.width, value.width)


def _joined(generator: Generator, node: ast.expr) -> Term:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value and set(node.value) <= {"0", "1"}:
        number = int(node.value, 2)
        return Term(node, "text", number, number, [], len(node.value))
    part = term_of(generator, node)
    if part.kind not in ("vector", "bit", "slice", "element"):
        raise UnfollowedError(node)
    return part


def _unary(node: ast.UnaryOp, kind: str, part: Term) -> Term:
    if kind == "not":
        return Term(node, kind, 0, 1, [part])
    if kind == "neg":
        return Term(node, kind, -part.high, -part.low, [part])
    if kind == "~" and part.bits is not None and not (part.signed and part.kind != "slice"):
        # An intbv of known width from 0 on is inverted in that width.
        return Term(node, kind, 0, (1 << part.bits) - 1, [part])
    low, high = (-part.high - 1, -part.low - 1) if kind == "~" else (part.low, part.high)
    return Term(node, kind, low, high, [part])


def binary_of(node: ast.BinOp, left: Term, right: Term) -> Term:
    """The term of two operands."""
    kind = BINARY[type(node.op)]
    low, high = RANGES[kind](node, left, right)
    return Term(node, kind, low, high, [left, right])


def _products(node: ast.AST, left: Term, right: Term) -> tuple[int, int]:
    ends = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
    return min(ends), max(ends)


def _left_shifted(node: ast.AST, left: Term, right: Term) -> tuple[int, int]:
    if right.high > MAX_SHIFT:
        raise UnfollowedError(node)
    shifts = (max(right.low, 0), max(right.high, 0))
    ends = [a << n for a in (left.low, left.high) for n in shifts]
    return min(ends), max(ends)


def _right_shifted(node: ast.AST, left: Term, right: Term) -> tuple[int, int]:
    shifts = (min(max(right.low, 0), MAX_SHIFT), min(max(right.high, 0), MAX_SHIFT))
    ends = [a >> n for a in (left.low, left.high) for n in shifts]
    return min(ends), max(ends)


def _bits(node: ast.AST, left: Term, right: Term) -> tuple[int, int]:
    """Of the bitwise operators: what has as many bits as the longer one."""
    width = max(abs(end).bit_length() for part in (left, right) for end in (part.low, part.high))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd) and (left.low >= 0 or right.low >= 0):
        return 0, min(part.high for part in (left, right) if part.low >= 0)
    return (0 if left.low >= 0 and right.low >= 0 else -(1 << width)), (1 << width) - 1


def _divided(node: ast.AST, left: Term, right: Term) -> tuple[int, int]:
    if left.low < 0 or right.low < 0:
        raise UnfollowedError(node)
    return 0, left.high if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv) else right.high


def _power(node: ast.AST, left: Term, right: Term) -> tuple[int, int]:
    """Of integers alone."""
    if not _is_integer(left) or not _is_integer(right) or left.low < 0 or not 0 <= right.low <= right.high < 32:
        raise UnfollowedError(node)
    return min(left.low**right.low, left.low**right.high), left.high**right.high


def _is_integer(term: Term) -> bool:
    return term.kind in ("constant", "integer") or (term.kind in BINARY.values() and all(_is_integer(p) for p in term.parts))


RANGES = {
    "+": lambda _, a, b: (a.low + b.low, a.high + b.high),
    "-": lambda _, a, b: (a.low - b.high, a.high - b.low),
    "*": _products,
    "<<": _left_shifted,
    ">>": _right_shifted,
    "&": _bits,
    "|": _bits,
    "^": _bits,
    "**": _power,
    "//": _divided,
    "%": _divided,
}
