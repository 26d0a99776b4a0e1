"""What MyHDL's VHDL computes of an expression: types and sizes as MyHDL infers them, operators of numeric_std.

MyHDL first gives each part a type, then writes the parts from the outermost to the innermost and casts each to the type that
its place asks for. Both steps change types that other parts share, which is followed here as it is there.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from duospike.cosim.lint.source.expression import Term, limits

INTEGER_LIMIT = 2**31
"""VHDL's integers lie below it."""
EVERY = 1 << 20
"""More bits than any vector has."""
VECTORS = ("unsigned", "signed")
INTEGERS = ("int", "nat")


class WrongError(Exception):
    """VHDL gets a term wrong, or refuses it."""

    def __init__(self, term: Term):
        super().__init__(term)
        self.term = term


@dataclass(eq=False)
class Type:
    """kind: unsigned, signed, int, nat, std, bool or text. size: bits of a vector, 1 of a bit."""

    kind: str
    size: int = 0

    def copy(self) -> Type:
        return Type(self.kind, self.size)


@dataclass(frozen=True)
class Part:
    """A part of the VHDL text: its type, and how many of its lowest bits are those of the term's value in Python."""

    kind: str
    size: int
    right: int
    term: Term

    @property
    def is_exact(self) -> bool:
        if self.kind in VECTORS:
            return self.right >= self.size and self.term.fits(self.size, self.kind == "signed")
        return self.right > 0


@dataclass(eq=False)
class Node:
    """A term with the type that its place asks for and the type that it has by itself."""

    term: Term
    type: Type
    own: Type
    parts: list[Node] = field(default_factory=list)
    index: Node | None = None

    @property
    def is_name(self) -> bool:
        return self.term.is_name


def wrong_assignment(term: Term, target: Type, signal: Type | None) -> Term | None:
    """The part of a right-hand side that VHDL gets wrong or refuses; None if there is none.

    target: type of what is assigned to. signal: of the whole signal that it belongs to; None if it is a variable.
    """
    node = _typed(term)
    node.type = target
    return _wrong(node, target, signal)


def wrong_update(term: Term, target: Type) -> Term | None:
    """The part that VHDL gets wrong or refuses of `v += x`, given as `v + x`."""
    node = _typed(term)
    left, right = node.parts
    if term.kind in ("&", "|", "^"):
        left.type, right.type = left.own.copy(), left.own.copy()
        node.type, node.own = target, target.copy()
        return _wrong(node, target)
    if left.type.kind != left.own.kind or left.type.size != left.own.size:
        # The variable cannot be assigned to as another type.
        return term
    node.type = target
    return _wrong(node, target)


def wrong_test(term: Term) -> Term | None:
    """The part of a condition that VHDL gets wrong or refuses."""
    node = _typed(term)
    node.type = Type("bool", 1)
    return _wrong(node, node.type)


def wrong_index(term: Term) -> Term | None:
    """The part of an index that VHDL gets wrong or refuses."""
    node = _typed(term)
    node.type = Type("int")
    return _wrong(node, node.type)


def _wrong(node: Node, wanted: Type, target: Type | None = None) -> Term | None:
    try:
        part = _write(node, target)
    except WrongError as error:
        return error.term
    if wanted.kind in INTEGERS:
        return None if part.kind in INTEGERS and part.is_exact else part.term
    is_same = part.kind == wanted.kind and (part.size == wanted.size or wanted.kind in ("bool", "std"))
    return None if is_same and part.right >= wanted.size else part.term


# Types


def _typed(term: Term) -> Node:
    node = Node(term, Type("int"), Type("int"), [_typed(part) for part in term.parts])
    if term.index is not None:
        node.index = _typed(term.index)
        node.index.type = Type("int")
    node.type = _type_of(node)
    node.own = node.type.copy()
    return node


def _type_of(node: Node) -> Type:
    match node.term.kind:
        case "vector" | "element":
            return Type("signed" if node.term.signed else "unsigned", node.term.width)
        case "bit":
            return Type("std", 1)
        case "slice":
            return Type("unsigned", node.term.width)
        case "integer" | "length":
            return Type("int")
        case "constant":
            return Type("nat" if node.term.low >= 0 else "int")
        case "text":
            # MyHDL counts no bits of it.
            return Type("unsigned", 0)
        case "concat":
            for part in node.parts:
                if part.type.kind == "signed":
                    part.type = Type("unsigned", part.type.size)
            return Type("unsigned", sum(part.type.size for part in node.parts))
        case "bool" | "logic":
            if node.term.kind == "logic":
                _ask_for(node.parts, Type("bool", 1))
            return Type("bool", 1)
        case "not":
            node.parts[0].type = Type("bool", 1)
            return node.parts[0].type
        case "signed":
            return Type("signed", node.parts[0].type.size)
        case "compare":
            return _type_compared(node)
        case "if":
            node.parts[0].type = Type("bool", 1)
            return node.parts[1].type.copy()
        case "neg" | "pos" | "~":
            return _type_of_unary(node)
        case "<<" | ">>":
            node.parts[1].type = Type("nat")
            return node.parts[0].type.copy()
        case "&" | "|" | "^":
            common = _longer(node.parts[0].type, node.parts[1].type)
            _ask_for(node.parts, common)
            return common
    return _type_of_binary(node)


def _ask_for(nodes: list[Node], common: Type):
    for node in nodes:
        node.type = common


def _longer(left: Type, right: Type) -> Type:
    for kind in ("signed", "unsigned", "std", "nat", "int"):
        if kind in (left.kind, right.kind):
            size = max(left.size, right.size) if kind in VECTORS else 1 if kind == "std" else 0
            return Type("int" if kind == "nat" else kind, size)
    return Type("none")


def _may_be_negative(kind: Type) -> bool:
    return kind.kind in ("signed", "int")


def _type_compared(node: Node) -> Type:
    left, right = node.parts
    if "std" in (left.type.kind, right.type.kind):
        _ask_for(node.parts, Type("std", 1))
    elif left.type.kind == "unsigned" and _may_be_negative(right.type):
        left.type = Type("signed", left.type.size + 1)
    elif _may_be_negative(left.type) and right.type.kind == "unsigned":
        right.type = Type("signed", right.type.size + 1)
    return Type("bool", 1)


def _type_of_unary(node: Node) -> Type:
    kind = node.parts[0].type.copy()
    if node.term.kind == "neg":
        if kind.kind == "unsigned":
            return Type("signed", kind.size + 1)
        if kind.kind == "nat":
            return Type("int")
    return kind


def _type_of_binary(node: Node) -> Type:
    left, right = node.parts
    kind = node.term.kind
    for part in node.parts:
        if part.type.kind in ("bool", "std"):
            part.type = Type("unsigned", 1)
    widens = kind == "-" and not node.term.is_right_side
    if right.type.kind == "unsigned" and (_may_be_negative(left.type) or widens):
        right.type = Type("signed", right.type.size + 1)
    if left.type.kind == "unsigned" and (_may_be_negative(right.type) or widens):
        left.type = Type("signed", left.type.size + 1)
    first, second = left.type, right.type
    if first.kind in INTEGERS and second.kind in INTEGERS:
        return Type("int")
    for vector in VECTORS:
        if {first.kind, second.kind} <= {vector, *INTEGERS}:
            return Type(vector, _size_of_binary(kind, first, second))
    return Type("int")


def _size_of_binary(kind: str, left: Type, right: Type) -> int:
    if left.kind in VECTORS and right.kind in VECTORS:
        return {"%": right.size, "//": left.size, "*": left.size + right.size}.get(kind, max(left.size, right.size))
    vector = left if left.kind in VECTORS else right
    return 2 * vector.size if kind == "*" else vector.size


# Text


def _write(node: Node, target: Type | None = None) -> Part:
    """What MyHDL writes of a node; WrongError if that is no VHDL, or some value in it is not right."""
    match node.term.kind:
        case "constant":
            return _constant(node.term, node.type)
        case "integer" | "length":
            return _cast(Part("int", 0, EVERY, node.term), _cast_of(node.type, Type("int")))
        case "vector" | "bit" | "element" | "slice":
            return _leaf(node)
        case "text":
            return Part("unsigned", node.term.width, EVERY, node.term)
        case "concat":
            for part in node.parts:
                _joined(_write(part))
            return _cast(Part("unsigned", node.term.width, EVERY, node.term), _cast_of(node.type, node.own))
        case "bool":
            return _bool(node)
        case "logic":
            for part in node.parts:
                _of_kind(_write(part), "bool")
            return _from_bool(node, {"std": ["stdl"]}.get(node.type.kind, []))
        case "not":
            _of_kind(_write(node.parts[0]), "bool")
            return _cast(Part("bool", 1, EVERY, node.term), _cast_of(node.type, node.own))
        case "signed":
            return _signed(node)
        case "compare":
            return _compare(node)
        case "if":
            return _conditional(node)
        case "neg" | "pos" | "~":
            return _unary(node)
        case "<<" | ">>":
            return _shift(node)
        case "&" | "|" | "^":
            return _bitwise(node, target)
    return _arithmetic(node)


def _exact(part: Part) -> Part:
    if not part.is_exact:
        raise WrongError(part.term)
    return part


def _of_kind(part: Part, *kinds: str) -> Part:
    if part.kind not in kinds:
        raise WrongError(part.term)
    return part


def _joined(part: Part):
    """A part of a concatenation counts by its bits."""
    if part.right < part.size or part.kind not in ("std", "unsigned"):
        raise WrongError(part.term)


Cast = list[tuple[str, int]]


def _cast_of(wanted: Type, own: Type) -> Cast:
    """The functions that MyHDL writes around a part, the innermost first."""
    size = wanted.size
    if wanted.kind in INTEGERS:
        return [] if own.kind in INTEGERS else [("to_integer", 0)]
    if wanted.kind in VECTORS:
        if own.kind == wanted.kind:
            return [] if own.size == size else [("resize", size)]
        if own.kind in VECTORS:
            resized = [] if own.size == size else [("resize", size)]
            return [(wanted.kind, 0), *resized] if wanted.kind == "unsigned" else [*resized, (wanted.kind, 0)]
        return [(f"to_{wanted.kind}", size)]
    if wanted.kind == "bool":
        return [] if own.kind == "bool" else [("bool", 0)]
    if wanted.kind == "std" and own.kind != "std":
        return [("first", 0)] if own.kind == "unsigned" else [("stdl", 0)]
    return []


def _cast(part: Part, casts: Cast) -> Part:
    for name, size in casts:
        part = _applied(part, name, size)
    return part


def _applied(part: Part, name: str, size: int) -> Part:
    term = part.term
    match name:
        case "to_integer":
            _exact(part)
            if part.kind in INTEGERS or max(abs(term.low), abs(term.high)) >= INTEGER_LIMIT:
                raise WrongError(term)
            return Part("int", 0, EVERY, term)
        case "resize":
            return _resized(_of_kind(part, *VECTORS), size)
        case "unsigned" | "signed":
            _of_kind(part, *VECTORS)
            return Part(name, part.size, min(part.right, part.size), term)
        case "to_unsigned" | "to_signed":
            return _from_number(part, name.removeprefix("to_"), size)
        case "bool":
            _exact(_of_kind(part, "std", *VECTORS, *INTEGERS))
            return Part("bool", 1, EVERY, term)
        case "stdl":
            _exact(_of_kind(part, "bool", *INTEGERS))
            if not term.fits(1, False):
                # Every other number than 0 becomes '1'.
                raise WrongError(term)
            return Part("std", 1, EVERY, term)
    # The lowest bit of a vector; only a name may be indexed.
    if part.kind != "unsigned" or not term.is_name or not term.fits(1, False):
        raise WrongError(term)
    return Part("std", 1, EVERY, term)


def _from_number(part: Part, kind: str, size: int) -> Part:
    _exact(_of_kind(part, "bool", "std", *INTEGERS))
    if part.kind in INTEGERS and (part.term.low < 0 and kind == "unsigned"):
        raise WrongError(part.term)
    return Part(kind, size, size if part.kind in INTEGERS else EVERY, part.term)


def _resized(part: Part, size: int) -> Part:
    """numeric_std keeps the sign bit of a signed vector that it shortens."""
    if part.is_exact and part.term.fits(size, part.kind == "signed"):
        return Part(part.kind, size, EVERY, part.term)
    if part.kind == "signed" and size < part.size:
        return Part(part.kind, size, min(part.right, size - 1), part.term)
    right = size if part.is_exact else min(part.right, part.size, size)
    return Part(part.kind, size, right, part.term)


def _constant(term: Term, wanted: Type) -> Part:
    number = term.low
    if wanted.kind == "std":
        if number not in (0, 1):
            raise WrongError(term)
        return Part("std", 1, EVERY, term)
    if wanted.kind == "bool":
        return Part("bool", 1, EVERY, term)
    if wanted.kind in INTEGERS:
        if abs(number) >= INTEGER_LIMIT:
            raise WrongError(term)
        return Part("nat" if number >= 0 else "int", 0, EVERY, term)
    is_string = abs(number) >= INTEGER_LIMIT
    low, high = limits(wanted.size, wanted.kind == "signed")
    if wanted.kind not in VECTORS or (is_string and not low <= number <= high) or (number < 0 and wanted.kind == "unsigned"):
        raise WrongError(term)
    return Part(wanted.kind, wanted.size, EVERY if low <= number <= high else wanted.size, term)


def _leaf(node: Node) -> Part:
    if node.index is not None:
        _exact(_of_kind(_write(node.index), *INTEGERS))
    return _cast(Part(node.own.kind, node.own.size, EVERY, node.term), _cast_of(node.type, node.own))


def _bool(node: Node) -> Part:
    """MyHDL passes the wanted type on to the argument instead of casting to a boolean."""
    (part,) = node.parts
    part.type = node.type
    written = _write(part)
    if written.kind != "bool" and not part.term.fits(1, False):
        raise WrongError(node.term)
    _exact(written)
    return Part(written.kind, written.size, EVERY, node.term)


def _from_bool(node: Node, casts: list[str]) -> Part:
    return _cast(Part("bool", 1, EVERY, node.term), [(name, 0) for name in casts])


def _signed(node: Node) -> Part:
    (part,) = node.parts
    written = _write(part)
    if part.type.kind == "unsigned":
        written = _applied(written, "signed", 0)
    # The bits are those of the part, their value is that of the term.
    if written.kind != "signed" or written.size != node.term.width:
        raise WrongError(node.term)
    return _cast(Part("signed", written.size, EVERY, node.term), _cast_of(node.type, node.own))


def _compare(node: Node) -> Part:
    left, right = (_exact(_write(part)) for part in node.parts)
    kinds = {"int" if part.kind == "nat" else part.kind for part in (left, right)}
    negative = any(part.kind in INTEGERS and part.term.low < 0 for part in (left, right))
    is_legal = len(kinds) == 1 or (kinds == {"unsigned", "int"} and not negative) or kinds == {"signed", "int"}
    if not is_legal or (kinds == {"std"} and not isinstance(node.term.node.ops[0], ast.Eq | ast.NotEq)):  # type: ignore[attr-defined]
        raise WrongError(node.term)
    casts = {"std": [("stdl", 0)], "unsigned": [("to_unsigned", node.type.size)], "signed": [("to_signed", node.type.size)]}
    return _cast(Part("bool", 1, EVERY, node.term), casts.get(node.type.kind, []))


def _conditional(node: Node) -> Part:
    test, *values = node.parts
    for value in values:
        value.type = node.type
    _of_kind(_write(test), "bool")
    first, second = (_write(value) for value in values)
    if first.kind != second.kind or first.size != second.size or first.kind not in ("std", *VECTORS):
        raise WrongError(node.term)
    return Part(first.kind, first.size, min(first.right, second.right), node.term)


def _unary(node: Node) -> Part:
    (part,) = node.parts
    written = _of_kind(_write(part), *VECTORS)
    kind, size = written.kind, written.size
    right = EVERY if written.is_exact else min(written.right, size)
    if node.term.kind == "neg" and kind == "unsigned":
        kind, size = "signed", size + 1
    if node.term.kind == "~" and node.term.low >= 0 and part.term.bits is not None and part.term.bits < size:
        right = min(right, part.term.bits)
    return _cast(_computed(node.term, kind, size, right), _cast_of(node.type, node.own))


def _computed(term: Term, kind: str, size: int, right: int) -> Part:
    """A result: it is right above its size too if it fits."""
    part = Part(kind, size, min(right, size), term)
    return Part(kind, size, EVERY, term) if part.is_exact else part


def _shift(node: Node) -> Part:
    left, right = node.parts
    if node.type.size > node.own.size and left.type.kind in VECTORS:
        left.type.size = node.own.size = node.type.size
    casts = _cast_of(node.type, node.own)
    vector = _of_kind(_write(left), *VECTORS)
    _exact(_of_kind(_write(right), *INTEGERS))
    if node.term.kind == ">>":
        return _cast(_computed(node.term, vector.kind, vector.size, EVERY if vector.is_exact else 0), casts)
    return _cast(_computed(node.term, vector.kind, vector.size, min(vector.right, vector.size)), casts)


def _bitwise(node: Node, target: Type | None) -> Part:
    """MyHDL casts plain names to the signal that is assigned to and does not cast the result."""
    written = []
    for part in node.parts:
        casts = _cast_of(target, part.type) if target is not None and part.is_name else []
        written.append(_cast(_write(part, target), casts))
    left, right = written
    if left.kind != right.kind or left.size != right.size or left.kind not in ("std", *VECTORS):
        raise WrongError(node.term)
    return _computed(node.term, left.kind, left.size, min(_extended(left), _extended(right)))


def _extended(part: Part) -> int:
    return EVERY if part.is_exact else min(part.right, part.size)


def _arithmetic(node: Node) -> Part:
    casts = _fit_operands(node)
    left, right = (_write(part) for part in node.parts)
    kinds = {"int" if part.kind == "nat" else part.kind for part in (left, right)}
    if kinds == {"int"}:
        if not -INTEGER_LIMIT < node.term.low <= node.term.high < INTEGER_LIMIT or node.term.kind in ("//", "%"):
            raise WrongError(node.term)
        return _cast(Part("int", 0, EVERY, node.term), casts)
    negative = any(part.kind in INTEGERS and part.term.low < 0 for part in (left, right))
    if len(kinds - {"int"}) > 1 or not kinds <= {"int", *VECTORS} or (negative and "unsigned" in kinds):
        raise WrongError(node.term)
    (kind,) = kinds - {"int"}
    return _cast(_vectors(node.term, kind, left, right), casts)


def _vectors(term: Term, kind: str, left: Part, right: Part) -> Part:
    """The operators of numeric_std; an integer operand gets the size of the other one."""
    common = max(part.size for part in (left, right))
    if term.kind in ("//", "%"):
        # These take an integer operand as long as it is.
        if not left.is_exact or not right.is_exact:
            raise WrongError(term)
        return _computed(term, kind, (left.size if term.kind == "//" else right.size) or common, EVERY)
    rights = [_operand(part, kind, common) for part in (left, right)]
    size = sum(part.size or common for part in (left, right)) if term.kind == "*" else common
    return _computed(term, kind, size, min(rights))


def _operand(part: Part, kind: str, common: int) -> int:
    """How many bits of an operand are right once it is as long as the operation."""
    if part.kind in INTEGERS:
        return EVERY if part.term.fits(common, kind == "signed") else common
    return _extended(part)


def _fit_operands(node: Node) -> Cast:
    """Make the operands as long as the wanted type, as far as MyHDL does so."""
    left, right = node.parts
    wanted, missing, kind = node.type.size, node.type.size - node.own.size, node.term.kind
    is_left, is_right = left.type.kind in VECTORS, right.type.kind in VECTORS
    if missing > 0 and is_left and is_right:
        if kind in ("+", "-"):
            left.type.size = wanted
            if not right.is_name:
                right.type.size = wanted
        elif kind == "%":
            right.type.size = wanted
        elif kind == "//":
            left.type.size = wanted
        else:
            left.type.size += missing
        node.own.size = wanted
    elif missing > 0 and is_left and right.type.kind in INTEGERS:
        left.type.size = left.type.size + missing if kind == "*" else wanted
        node.own.size = 2 * left.type.size if kind == "*" else wanted
    elif missing > 0 and left.type.kind in INTEGERS and is_right:
        if kind != "*":
            right.type.size = wanted
        node.own.size = 2 * right.type.size if kind == "*" else wanted
    return _cast_of(node.type, node.own)
