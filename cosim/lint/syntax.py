"""Rules on the syntax of generators."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from duospike.cosim.lint.source.source import Generator
from duospike.cosim.lint.source.values import Kind, called, calls

from .rule import Rule, in_generators

BUILTINS = ("abs", "all", "any", "divmod", "max", "min", "pow", "reversed", "round", "sorted", "sum")
RANGES = ("range", "downrange")
SIGNAL_ATTRIBUTES = ("next", "val", "min", "max", "signed", "posedge", "negedge")
REFUSED = (
    ast.AnnAssign, ast.AsyncFunctionDef, ast.ClassDef, ast.Delete, ast.Dict, ast.FunctionDef, ast.Global, ast.Import,
    ast.ImportFrom, ast.Lambda, ast.List, ast.NamedExpr, ast.Set, ast.Starred, ast.Try, ast.With,
)  # fmt: skip


def match_form(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.Match):
            yield from (case.pattern for case in node.cases if case.guard is not None or not _is_simple(case.pattern))
            numbers = any(isinstance(case.pattern, ast.MatchValue) and _is_number(case.pattern.value) for case in node.cases)
            if not _is_default(node.cases[-1].pattern) and numbers:
                yield node.subject
            if not isinstance(node.subject, ast.Name | ast.Attribute) and not _is_element(node.subject):
                yield node.subject


def _is_simple(pattern: ast.pattern) -> bool:
    """A number that is not negative, a name with a dot such as an item of an enum, or `_`."""
    is_value = isinstance(pattern, ast.MatchValue) and (_is_number(pattern.value) or isinstance(pattern.value, ast.Attribute))
    return is_value or _is_default(pattern)


def _is_default(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None and pattern.name is None


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def _is_element(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice)


def builtin_function(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
            yield node


def for_iterator(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.For) and called(node.iter) not in RANGES:
            yield node.iter


def range_step(generator: Generator) -> Iterator[ast.AST]:
    yield from (node for node in calls(generator.nodes, *RANGES) if len(node.args) == 3)


def chained_comparison(generator: Generator) -> Iterator[ast.AST]:
    yield from (node for node in generator.nodes if isinstance(node, ast.Compare) and len(node.ops) > 1)


def augmented_next(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.AugAssign):
            target: ast.expr = node.target
            while isinstance(target, ast.Subscript):
                target = target.value
            if isinstance(target, ast.Attribute) and target.attr == "next":
                yield node


def f_string(generator: Generator) -> Iterator[ast.AST]:
    yield from (node for node in generator.nodes if isinstance(node, ast.JoinedStr))


def list_element_attribute(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Subscript) and node.attr not in SIGNAL_ATTRIBUTES:
            yield node


def shadow_in_generator(generator: Generator) -> Iterator[ast.AST]:
    for node in generator.nodes:
        if isinstance(node, ast.Call):
            is_signal = isinstance(node.func, ast.Name) and generator.value_of(node.func).is_vector
            if is_signal or called(node) == "ConcatSignal":
                yield node


def unconvertible_syntax(generator: Generator) -> Iterator[ast.AST]:
    yield from (node for node in generator.nodes if isinstance(node, REFUSED) or _is_refused(generator, node))


def _is_refused(generator: Generator, node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[_, _, *_]) | ast.Assign(targets=[ast.Tuple()]):
            return True
        case ast.For(orelse=[_, *_]) | ast.While(orelse=[_, *_]):
            return True
        case ast.BinOp(op=ast.Div() | ast.MatMult()):
            return True
        case ast.BinOp(left=left, op=ast.Pow()):
            value = generator.value_of(left)
            return value.is_vector or value.kind is Kind.PORT
        case ast.Compare(ops=[ast.In() | ast.NotIn() | ast.Is() | ast.IsNot()]):
            return True
    return False


RULES = (
    Rule(
        "match-form",
        "S",
        "the HDL drops guards, Verilog takes `case 1 | 2` for `case 3`, VHDL needs `case _`; other patterns are errors",
        "write if and elif, or give each case one number or enum item and end with `case _`",
        "all but numbers from 0 on, dotted names and `_` of a name or an element",
        in_generators(match_form),
    ),
    Rule(
        "builtin-function",
        "T",
        "the call goes to the HDL as it is, and there is no such function",
        "write it out with if, or compute it outside of the generator",
        f"calls of {', '.join(BUILTINS)}, also with constants",
        in_generators(builtin_function),
    ),
    Rule(
        "for-iterator",
        "E",
        "MyHDL loops over range() and downrange() alone",
        "loop over the index",
        "every other iterator, such as enumerate(), zip(), reversed() and lists",
        in_generators(for_iterator),
    ),
    Rule(
        "range-step",
        "E",
        "VHDL knows no step, Verilog no negative one",
        "use downrange(), or compute the index from a plain range()",
        "every range() with three arguments",
        in_generators(range_step),
    ),
    Rule(
        "chained-comparison",
        "E",
        "MyHDL refuses it",
        "join two comparisons with `and`",
        "every one",
        in_generators(chained_comparison),
    ),
    Rule(
        "augmented-next",
        "E",
        "MyHDL refuses an augmented assignment to a signal",
        "write `x.next = x + 1`",
        "`.next` and its elements and slices",
        in_generators(augmented_next),
    ),
    Rule(
        "f-string",
        "E",
        "MyHDL raises AttributeError",
        'print with a format, `print("%d" % x)`',
        "every one",
        in_generators(f_string),
    ),
    Rule(
        "list-element-attribute",
        "E",
        "MyHDL refuses members of list elements",
        "make lists of the member signals outside of the generator, or one block for each element",
        "every attribute of an indexed name but those of signals",
        in_generators(list_element_attribute),
    ),
    Rule(
        "shadow-in-generator",
        "E",
        "MyHDL cannot make a shadow signal in a generator",
        "make it outside of the generator, or use concat() and a slice `x[4:0]`",
        "ConcatSignal(), and calls of signals of the block itself",
        in_generators(shadow_in_generator),
    ),
    Rule(
        "unconvertible-syntax",
        "E",
        "MyHDL has no HDL for it",
        "use plain assignments, if, for and while, and the operators of intbv",
        "lists, sets and dictionaries, lambda, try, with, import, del, annotations, `:=`, `*arguments`, nested "
        "functions, tuple and chained assignments, for-else, `/`, `**` of a vector (VHDL), `in` and `is`",
        in_generators(unconvertible_syntax),
    ),
)
