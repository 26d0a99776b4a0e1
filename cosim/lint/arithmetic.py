"""Rules on the expressions of generators: widths, signs and conditions."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from duospike.cosim.lint.source.scope import BITWISE
from duospike.cosim.lint.source.source import Generator
from duospike.cosim.lint.source.values import Kind, Value, called
from duospike.cosim.lint.targets.exactness import inexact_expression, unless_proven

from .rule import Rule, in_generators

GROWING = (ast.Add, ast.Sub, ast.Mult, ast.LShift, ast.USub)


def conditional_in_expression(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.IfExp):
            child, parent = next((c, p) for c, p in generator.up(node) if not (isinstance(p, ast.IfExp) and c is not p.test))
            if not (isinstance(parent, ast.Assign) and child is parent.value):
                yield node


def lost_carry(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.BinOp | ast.UnaryOp) and isinstance(node.op, GROWING) and _is_hardware(generator, node):
            child, parent = next((c, p) for c, p in generator.up(node) if not _passes_on(c, p))
            if _cuts(parent, child) and not _is_scaled_shift(generator, node, parent):
                yield node


def _passes_on(child: ast.AST, parent: ast.AST) -> bool:
    """The parent has as many bits as the child, not a width of its own; a mask may cut them on purpose."""
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.BitOr | ast.BitXor)


def _cuts(parent: ast.AST, child: ast.AST) -> bool:
    """The parent takes the child with the width of its operands."""
    match parent:
        case ast.BinOp(op=ast.RShift() | ast.FloorDiv() | ast.Mod(), left=left):
            return left is child
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp():
            return True
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test is child
        case ast.Subscript(slice=index):
            return index is child
        case ast.Call():
            return called(parent) in ("concat", "bool")
    return False


def _is_scaled_shift(generator: Generator, node: ast.AST, parent: ast.AST) -> bool:
    """`y.next = (x * constant) >> n`: both languages have the width of x, the constant and y."""
    match node, parent:
        case ast.BinOp(op=ast.Mult(), right=right), ast.BinOp(op=ast.RShift()):
            return generator.value_of(right).is_constant and isinstance(generator.parents[parent], ast.Assign)
    return False


def _is_hardware(generator: Generator, node: ast.expr) -> bool:
    """Some operand is a vector; or all are ports and constants, and at least one is a port."""
    kinds = {generator.value_of(leaf).kind for leaf in _leaves(node)}
    values = [generator.value_of(leaf) for leaf in _leaves(node)]
    return any(value.is_vector for value in values) or (Kind.PORT in kinds and kinds <= {Kind.PORT, Kind.CONSTANT})


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        yield from _leaves(node.left)
        # A number of positions does not widen the sum that it shifts.
        if not isinstance(node.op, ast.LShift | ast.RShift):
            yield from _leaves(node.right)
    elif isinstance(node, ast.UnaryOp):
        yield from _leaves(node.operand)
    else:
        yield node


def constant_product(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            left, right = generator.value_of(node.left), generator.value_of(node.right)
            vector, constant = (left, right) if right.is_constant else (right, left)
            factor, other = (node.right, node.left) if right.is_constant else (node.left, node.right)
            of_sum = isinstance(other, ast.BinOp) and not right.is_constant
            is_cut = constant.is_constant and _is_wire(vector) and not _fits(factor, constant, vector, of_sum)
            if is_cut and (left.is_constant or not _sized_by_target(generator, node)):
                yield node


def _is_wire(value: Value) -> bool:
    return value.is_vector or value.kind is Kind.PORT


def _fits(factor: ast.expr, constant: Value, vector: Value, of_sum: bool) -> bool:
    """The constant has no more bits than the vector. Where that is not known a literal is taken to fit, a name is not, and
    nothing is where the vector is itself a sum."""
    if constant.number is None or vector.width is None:
        return not isinstance(factor, ast.Name | ast.Attribute) and not of_sum
    return constant.number.bit_length() + bool(vector.signed) <= vector.width


def _sized_by_target(generator: Generator, node: ast.AST) -> bool:
    """The product is the first operand of an assignment to a whole signal or variable: MyHDL then widens both factors."""
    for child, parent in generator.up(node):
        match parent:
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.RShift(), left=left) if left is child:
                continue
            case ast.IfExp(test=test) if test is not child:
                continue
            case ast.Assign(targets=[target]):
                return not _is_part(target)
        return False
    return False


def _is_part(target: ast.expr) -> bool:
    """A slice of a signal or variable, but not `v[:]`."""
    return isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice) and target.slice.lower is not None


def mixed_signs(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        operands = _operands(node)
        if operands is not None:
            left, right = operands
            signs = [_sign(generator.value_of(operand)) for operand in operands]
            # MyHDL extends a plain unsigned operand with a 0, on the right only if the left one is a name.
            left_is_cast = signs == [False, True] and _is_plain(left)
            right_is_cast = signs == [True, False] and isinstance(_positive(left), ast.Name | ast.Constant) and _is_plain(right)
            if None not in signs and signs[0] != signs[1] and not left_is_cast and not right_is_cast:
                yield node


def _operands(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.BitOr() | ast.BitXor(), right=right):
            return left, right
        case ast.Compare(left=left, comparators=[right]):
            return left, right
    return None


def _sign(value: Value) -> bool | None:
    """True also for a negative constant; None where there is no sign, as in another constant, or it is not known."""
    if value.is_constant:
        return True if value.number is not None and value.number < 0 else None
    return value.signed if value.is_vector or value.kind is Kind.INTEGER else None


def _positive(node: ast.expr) -> ast.expr:
    """The operand of a minus sign, which keeps MyHDL's sign extension."""
    return node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node


def _is_plain(node: ast.expr) -> bool:
    """A signal, a list element or a part of one."""
    node = _positive(node)
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)


def signed_division(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        match node:
            case ast.BinOp(left=left, op=ast.FloorDiv() | ast.Mod(), right=right):
                if _sign(generator.value_of(left)) or _sign(generator.value_of(right)):
                    yield node


def widened_inversion(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
            value, parent = generator.value_of(node.operand), generator.parents[node]
            if _is_wire(value) and not value.logic and _widens(generator, parent, node):
                yield node


def _widens(generator: Generator, parent: ast.AST, node: ast.UnaryOp) -> bool:
    """The parent computes with more bits than the inverted vector has: a sum with its carry, a literal with its 32 bits."""
    match parent:
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.LShift()) | ast.UnaryOp(op=ast.USub()):
            return True
        case ast.Assign(targets=[target]):
            width, wide = (generator.value_of(side).width for side in (node.operand, target))
            return width is not None and wide is not None and wide > width and not _is_part(target)
        case ast.Compare(left=left, comparators=[right]):
            other = right if left is node else left
            return generator.value_of(other).kind in (Kind.CONSTANT, Kind.INTEGER)
    return False


def shifted_constant(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        match node:
            case ast.BinOp(left=left, op=ast.LShift() | ast.RShift()):
                if generator.value_of(left).kind in (Kind.CONSTANT, Kind.INTEGER):
                    yield node


def wide_constant(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, BITWISE):
            left, right = generator.value_of(node.left), generator.value_of(node.right)
            vector, constant = (left, right) if right.is_constant else (right, left)
            if constant.number is not None and constant.number.bit_length() > (vector.width or constant.number.bit_length()):
                yield node


SIZED_CONSTANT, LAST_INTEGER = 2**30, 2**31 - 1
"""From the first on Verilog's constants have no sign; VHDL's integers end at the second."""


def big_constant(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        operands = _operands(node) or ()
        for constant, other in (operands, operands[::-1]) if operands else ():
            size = abs(generator.number_of(constant) or 0)
            vector = generator.value_of(other)
            is_integer = not (isinstance(node, ast.BinOp) and isinstance(node.op, BITWISE))
            may_be_signed = vector.signed is not False
            if _is_wire(vector) and ((size > LAST_INTEGER and is_integer) or (size >= SIZED_CONSTANT and may_be_signed)):
                yield node


def vector_in_logic(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.BoolOp):
            values = [generator.value_of(operand) for operand in node.values]
            if any(value.is_vector and value.signed is not None and not value.logic for value in values):
                yield node


def negative_index(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            number = generator.value_of(node.slice).number
            if number is not None and number < 0 and generator.value_of(node.slice).is_constant:
                yield node


RULES = (
    Rule(
        "conditional-in-expression",
        "S",
        "Verilog loses the parentheses, `acc + s ? w : 0`, or MyHDL raises AttributeError",
        "write an if statement, or assign the bare conditional to a signal of its own",
        "every conditional that is not the whole right-hand side",
        in_generators(conditional_in_expression),
    ),
    Rule(
        "lost-carry",
        "S",
        "the result has the width of its operands in Verilog or VHDL or both, so the carry or borrow is lost",
        "assign the full result to a signal or variable of its own first",
        "sums, differences, products, negations and left shifts that are shifted right, divided, negated, compared, tested, "
        "joined or used as an index; where the types are not seen the form alone, also if the operand's width does",
        in_generators(unless_proven(lost_carry)),
    ),
    Rule(
        "constant-product",
        "S",
        "VHDL cuts the constant to the width of the other factor",
        "make the product an assignment of its own, the constant on the right",
        "constants that are names, on the left or in a product that is not the first operand of an assignment to a whole signal; "
        "literals that are wider than a vector of known width, or left of a sum",
        in_generators(unless_proven(constant_product)),
    ),
    Rule(
        "mixed-signs",
        "S",
        "Verilog takes the signed operand for an unsigned one",
        "copy the unsigned operand to a signed signal or variable first, or put both in plain signals",
        "operands whose signs are seen: signals, lists and variables of the block itself, slices, `.signed()`, `concat()`",
        in_generators(unless_proven(mixed_signs)),
    ),
    Rule(
        "signed-division",
        "S",
        "`//` rounds towards zero in Verilog and VHDL and `%` follows the dividend in Verilog, other than in Python",
        "shift and mask instead, or divide unsigned vectors",
        "`//` and `%` with an operand that is seen to be signed",
        in_generators(unless_proven(signed_division)),
    ),
    Rule(
        "widened-inversion",
        "S",
        "Verilog inverts the bits with which it extends the vector too",
        "assign the inverted vector to a signal of its own first",
        "`~` in a sum, difference, product or left shift, compared with a constant, or assigned where both widths are seen",
        in_generators(unless_proven(widened_inversion)),
    ),
    Rule(
        "wide-constant",
        "S",
        "VHDL gives the constant the width of the narrow operand",
        "assign the operand to a signal of the full width first",
        "`|`, `&` and `^` of a vector of known width and a wider constant of known value",
        in_generators(unless_proven(wide_constant)),
    ),
    Rule(
        "big-constant",
        "S",
        "from 2**30 on Verilog writes the constant without a sign, so that signed operands count as unsigned; from 2**31 on VHDL "
        "has no such integer",
        "put the constant into a signal or variable of the vector's width and sign first",
        "sums, differences, products, `|`, `^` and comparisons of a vector or port and a constant of known value",
        in_generators(unless_proven(big_constant)),
    ),
    Rule(
        "negative-index",
        "S",
        "an index counts from the beginning only: Verilog reads unknown bits, GHDL stops",
        "write len(...) - 1 as a constant of the block",
        "negative literals and constants",
        in_generators(negative_index),
    ),
    Rule(
        "shifted-constant",
        "T",
        "VHDL `shift_left(1, ...)` does not compile",
        "shift a variable that holds the constant, or set the bit by index",
        "constants and loop variables that are shifted",
        in_generators(unless_proven(shifted_constant)),
    ),
    Rule(
        "inexact-expression",
        "S",
        "the HDL computes it with fewer bits, another sign or other types than Python, or does not compile",
        "assign each step to a signal or variable of its own, which has the width and sign of the step",
        "assignments, conditions and indices of which all types are seen, where the HDL is not proven right for all values and "
        "no other rule names the reason",
        in_generators(inexact_expression),
    ),
    Rule(
        "vector-in-logic",
        "E",
        "MyHDL refuses a vector as operand of `and` and `or`",
        "compare it: `enable and vector != 0`",
        "vectors of the block itself, not its ports",
        in_generators(vector_in_logic),
    ),
)
