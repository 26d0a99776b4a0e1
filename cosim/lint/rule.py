"""What a rule and a finding are."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from duospike.cosim.lint.source.source import Block, Generator, Source

Hits = Iterable[ast.AST]

KINDS = {
    "S": "wrong HDL, silently",
    "T": "HDL that a tool refuses",
    "E": "an error of MyHDL",
    "N": "not read by the lint",
}


@dataclass(frozen=True)
class Rule:
    """A construct to avoid.

    kind: a key of KINDS, the worst that happens. effect: what happens, and in which HDL. fix: what to write instead.
    sees: what the rule can and cannot see. find: the places in a source.
    """

    name: str
    kind: str
    effect: str
    fix: str
    sees: str
    find: Callable[[Source], Hits]


@dataclass(frozen=True)
class Finding:
    """A place that breaks a rule. code: the construct, on one line."""

    path: str
    line: int
    rule: Rule
    code: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule.name}: `{self.code}`: {self.rule.effect}; {self.rule.fix}"


def in_blocks(find: Callable[[Block], Hits]) -> Callable[[Source], Hits]:
    """A rule's `find` made of one for a block."""

    def find_all(source: Source) -> Iterator[ast.AST]:
        for block in source.blocks:
            yield from find(block)

    return find_all


def in_generators(find: Callable[[Generator], Hits]) -> Callable[[Source], Hits]:
    """A rule's `find` made of one for a generator that MyHDL converts."""

    def find_all(source: Source) -> Iterator[ast.AST]:
        for block in source.blocks:
            for generator in block.generators:
                yield from find(generator)

    return find_all
