"""What MyHDL's Verilog computes of an expression: widths and signs by IEEE 1364-2005, section 5.4 and 5.5.

A value is right in its lowest bits, in all of its bits, or exactly, if these are enough for it. MyHDL casts a plain unsigned
operand of a signed expression, `$signed({1'b0, a})`, unless an operand with parentheses comes before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from duospike.cosim.lint.source.expression import Term

PLAIN_CONSTANT = 2**30
"""From here on a constant is written with a size and without a sign."""


@dataclass(eq=False)
class Node:
    """A part of the Verilog text. kind: leaf, cast, or the term's. width, signed: of its own, without context."""

    term: Term
    kind: str
    width: int
    signed: bool
    parts: list[Node] = field(default_factory=list)
    index: Node | None = None


def wrong_assignment(term: Term, width: int) -> Term | None:
    """The part of a right-hand side that Verilog gets wrong, for a target of `width` bits; None if there is none."""
    node = _Writer().write(term)
    return _Check().low_bits(node, max(width, node.width), node.signed, width)


def wrong_update(term: Term) -> Term | None:
    """The part that Verilog gets wrong of `v += x`, given as `v + x`: MyHDL adds no sign bit."""
    variable, operand = term.parts
    left, right = Node(variable, "leaf", variable.width, variable.signed), _Writer().write(operand)
    node = Node(term, term.kind, max(left.width, right.width), left.signed and right.signed, [left, right])
    return _Check().low_bits(node, node.width, node.signed, variable.width)


def wrong_test(term: Term) -> Term | None:
    """The part of a condition, an index or another value by itself that Verilog gets wrong."""
    return _Check().exact(_Writer().write(term))


def _is_negative(term: Term) -> bool:
    """What MyHDL takes for a signed expression."""
    match term.kind:
        case "vector" | "element":
            return term.signed
        case "constant":
            return term.low < 0
        case "integer":
            # MyHDL's own loop variables are -1.
            return True
        case "-":
            return not term.is_right_side or any(_is_negative(part) for part in term.parts)
        case "+" | "*" | "**" | "&" | "|" | "^" | "//" | "%" | "<<" | ">>":
            return any(_is_negative(part) for part in term.parts)
        case "neg" | "pos" | "~" | "not":
            return _is_negative(term.parts[0])
        case "signed":
            return True
    return False


class _Writer:
    """Walks in the order in which MyHDL writes, for whether it adds a sign bit depends on what it wrote before."""

    def __init__(self):
        self.in_signed = False

    def write(self, term: Term) -> Node:
        match term.kind:
            case "vector" | "bit" | "slice" | "element":
                return self._leaf(term)
            case "constant" | "length":
                return _constant(term)
            case "integer":
                return Node(term, "leaf", 32, True)
            case "text":
                return Node(term, "leaf", term.width, False)
            case "concat":
                self.in_signed = False
                return Node(term, "concat", term.width, False, [self.write(part) for part in term.parts])
            case "signed":
                self.in_signed = False
                part = self.write(term.parts[0])
                return part if part.signed else Node(term, "reinterpret", part.width, True, [part])
            case "bool":
                self.in_signed = False
                part = self.write(term.parts[0])
                return Node(term, "bool", 1, False, [part])
            case "neg" | "pos" | "~":
                part = self.write(term.parts[0])
                return Node(term, term.kind, part.width, part.signed, [part])
            case "not" | "logic":
                return Node(term, "logic", 1, False, [self.write(part) for part in term.parts])
            case "if":
                parts = [self.write(part) for part in term.parts]
                return Node(term, "if", max(p.width for p in parts[1:]), all(p.signed for p in parts[1:]), parts)
        return self._binary(term)

    def _leaf(self, term: Term) -> Node:
        extends = self.in_signed and (term.kind in ("bit", "slice") or not term.signed)
        if term.index is not None or term.kind == "slice":
            self.in_signed = False
        signed = term.signed and term.kind not in ("bit", "slice")
        index = None if term.index is None else self.write(term.index)
        leaf = Node(term, "leaf", term.width, signed, index=index)
        return Node(term, "extend", term.width + 1, True, [leaf]) if extends else leaf

    def _binary(self, term: Term) -> Node:
        is_compare = term.kind == "compare"
        self.in_signed = any(_is_negative(part) for part in term.parts) if is_compare else _is_negative(term)
        casts = term.kind == ">>" and self.in_signed
        left, right = (self.write(part) for part in term.parts)
        self.in_signed = False
        if is_compare:
            return Node(term, "compare", 1, False, [left, right])
        if term.kind in ("<<", ">>"):
            node = Node(term, term.kind, left.width, left.signed, [left, right])
            return Node(term, "reinterpret", left.width, True, [node]) if casts else node
        return Node(term, term.kind, max(left.width, right.width), left.signed and right.signed, [left, right])


def _constant(term: Term) -> Node:
    number = abs(term.low)
    if number < PLAIN_CONSTANT:
        return Node(term, "leaf", 32, True)
    return Node(term, "leaf", number.bit_length() + 1, False)


class _Check:
    """Finds the innermost part that is wrong."""

    def low_bits(self, node: Node, width: int, signed: bool, wanted: int) -> Term | None:
        """None if the lowest `wanted` bits are right where the node is computed in this width and sign."""
        wanted = min(wanted, width)
        match node.kind:
            case "leaf":
                return self._leaf(node, width, signed, wanted)
            case "extend":
                return self._indexed(node.parts[0])
            case "concat":
                return _first(self._indexed(part) for part in node.parts)
            case "reinterpret":
                return self._reinterpreted(node, width, signed, wanted)
            case "compare":
                left, right = node.parts
                common, both = max(left.width, right.width), left.signed and right.signed
                return _first(self.exact(part, common, both) for part in node.parts)
            case "bool":
                # It is compared with a 0 of 32 bits.
                (part,) = node.parts
                return self.exact(part, max(part.width, 32), part.signed)
            case "logic":
                return _first(self.exact(part) for part in node.parts)
            case "if":
                test, *values = node.parts
                return self.exact(test) or _first(self.low_bits(part, width, signed, wanted) for part in values)
            case "~":
                return self._inverted(node, width, signed, wanted)
            case "<<":
                left, right = node.parts
                return self.exact(right) or self.low_bits(left, width, signed, wanted)
            case ">>":
                left, right = node.parts
                return self.exact(right) or self.exact(left, width, signed)
            case "//" | "%":
                return _first(self.exact(part, width, signed) for part in node.parts)
            case "&":
                return self._masked(node, width, signed, wanted)
        return _first(self.low_bits(part, width, signed, wanted) for part in node.parts)

    def exact(self, node: Node, width: int | None = None, signed: bool | None = None) -> Term | None:
        """None if the node has the value that it has in Python."""
        width = node.width if width is None else width
        signed = node.signed if signed is None else signed
        return self.low_bits(node, width, signed, width) or (None if node.term.fits(width, signed) else node.term)

    def _leaf(self, node: Node, width: int, signed: bool, wanted: int) -> Term | None:
        term = node.term
        is_cut = term.kind == "integer" and wanted > 32
        is_extended_wrongly = (
            node.signed and not signed and term.low < 0 and wanted > node.width and term.kind not in ("constant", "length")
        )
        return term if is_cut or is_extended_wrongly else self._indexed(node)

    def _indexed(self, node: Node) -> Term | None:
        return None if node.index is None else self.exact(node.index)

    def _reinterpreted(self, node: Node, width: int, signed: bool, wanted: int) -> Term | None:
        (part,) = node.parts
        wrong = self.exact(part) if node.term.kind == ">>" else self.low_bits(part, part.width, part.signed, part.width)
        is_extended_wrongly = not signed and node.term.low < 0 and wanted > node.width
        return wrong or (node.term if is_extended_wrongly or not node.term.fits(node.width, True) else None)

    def _inverted(self, node: Node, width: int, signed: bool, wanted: int) -> Term | None:
        """MyHDL inverts an unsigned vector in its own width, Verilog in that of the expression."""
        (part,) = node.parts
        is_own_width = node.term.low >= 0
        if is_own_width and part.term.bits is not None and wanted > part.term.bits:
            return node.term
        return self.low_bits(part, width, signed, wanted)

    def _masked(self, node: Node, width: int, signed: bool, wanted: int) -> Term | None:
        """Above the highest bit of a constant mask nothing counts."""
        for mask, other in (node.parts, node.parts[::-1]):
            if mask.term.number is not None and mask.term.number >= 0:
                return self.low_bits(other, width, signed, min(wanted, mask.term.number.bit_length()))
        return _first(self.low_bits(part, width, signed, wanted) for part in node.parts)


def _first(found) -> Term | None:
    return next((term for term in found if term is not None), None)
