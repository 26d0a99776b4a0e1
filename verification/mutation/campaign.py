"""A campaign of random faults: plant them in blocks, run the tests on them, compare what survives with the original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from duospike.cosim.conversion.convert import convert
from duospike.cosim.errors import CosimError
from duospike.cosim.folder import temporary_folder
from duospike.cosim.system import side_by_side

from .equivalence import PROVEN, equivalence
from .killing import Run, Use, Verdict, run_all, uses
from .mutants import Mutation, Netlist, plant

BASE_SECONDS = 30
"""Seconds that a run may take beyond five times what it takes without a fault."""


@dataclass(frozen=True)
class Target:
    """A block of some parameters: its netlist with the mutants, and the tests that use its module."""

    block: str
    parameters: tuple[str, ...]
    netlist: Netlist
    tests: tuple[pytest.Item, ...]

    @property
    def module(self) -> str:
        return self.netlist.module.name


@dataclass(frozen=True)
class Survivor:
    """A mutant that passes all tests, and the verdict of equivalence() on it."""

    mutation: Mutation
    verdict: str

    @property
    def is_equivalent(self) -> bool:
        """Whether no user can distinguish it from the original."""
        return self.verdict == PROVEN


@dataclass(frozen=True)
class Result:
    """The result for a block with one set of parameters.

    tests: how many were run. killers: how many mutants each test killed. seconds: of the tests on the mutants, summed up.
    """

    block: str
    module: str
    parameters: tuple[str, ...]
    tests: int
    planted: int
    killers: dict[str, int]
    survivors: list[Survivor]
    seconds: float

    @property
    def killed(self) -> int:
        return sum(self.killers.values())

    @property
    def equivalent(self) -> int:
        return sum(survivor.is_equivalent for survivor in self.survivors)


def score(results: Sequence[Result]) -> float:
    """Share of the mutants that the tests killed, those left out that are equivalent."""
    countable = sum(result.planted - result.equivalent for result in results)
    return sum(result.killed for result in results) / max(1, countable)


def run_campaign(
    wanted: Mapping[str, Sequence[str]], faults: int, seed: int, tests: Sequence[pytest.Item], jobs: int
) -> list[Result]:
    """Plant faults, the same number in each target; CosimError if the tests fail without one.

    wanted: for each block the tests whose parameters it has then. tests: all that may be run on the mutants. jobs: runs and
    proofs at a time.
    """
    used = uses(tests)
    ids = [(block, test) for block, names in wanted.items() for test in names]
    shares = [faults // len(ids) + (i < faults % len(ids)) for i in range(len(ids))]
    targets = [target(block, test, used, share, seed) for (block, test), share in zip(ids, shares, strict=True)]
    times = times_without_faults(targets, jobs)
    return [result(target, verdicts, jobs) for target, verdicts in zip(targets, kill(targets, times, jobs), strict=True)]


def target(block: str, test: str, used: Mapping[str, Use], count: int, seed: int) -> Target:
    """Mutants of the block with the parameters that a test has for it."""
    found = [use for use in used.values() if use.block.func.__name__ == block and is_among(test, use.tests)]
    if len(found) != 1:
        raise CosimError(f"{test} must use one {block}, and uses {len(found)}")
    modules = convert(found[0].block)
    with temporary_folder() as folder:
        netlist = plant(modules, count, seed, folder)
    return Target(block, modules[-1].parameters, netlist, tuple(found[0].tests))


def is_among(name: str, tests: Sequence[pytest.Item]) -> bool:
    """Whether one of the tests has this name, file and parameters included."""
    return any(test.nodeid.endswith(name) for test in tests)


def times_without_faults(targets: Sequence[Target], jobs: int) -> dict[tuple[str, str], float]:
    """Seconds of each test, by module and test, on the netlists without a fault, which must pass."""
    pairs = [(target, test) for target in targets for test in target.tests]
    runs = [Run((test,), {target.module: target.netlist.module.text}, BASE_SECONDS) for target, test in pairs]
    times = {}
    for i, verdict in run_all(runs, jobs):
        target, test = pairs[i]
        if verdict.failed:
            raise CosimError(f"the netlist of {target.module} without a fault fails {test.nodeid}: {verdict.why}")
        times[target.module, test.nodeid] = verdict.seconds
    return times


def kill(targets: Sequence[Target], times: Mapping[tuple[str, str], float], jobs: int) -> list[list[Verdict]]:
    """The verdicts on all mutants of each target; the quickest tests run first."""
    runs = []
    for target in targets:
        seconds = {test: times[target.module, test.nodeid] for test in target.tests}
        tests = tuple(sorted(seconds, key=lambda test: seconds[test]))
        limit = BASE_SECONDS + 5 * sum(seconds.values())
        runs += [Run(tests, {target.module: mutant.text}, limit) for mutant in target.netlist.mutants]
    verdicts = dict(run_all(runs, jobs))
    for verdict in verdicts.values():
        if "iverilog failed" in verdict.why:
            raise CosimError(f"a mutant is no Verilog: {verdict.why}")
    in_order = iter([verdicts[i] for i in range(len(runs))])
    return [[next(in_order) for _ in target.netlist.mutants] for target in targets]


def result(target: Target, verdicts: Sequence[Verdict], jobs: int) -> Result:
    """Sum up a target, and compare the survivors with the original."""
    pairs = list(zip(target.netlist.mutants, verdicts, strict=True))
    survivors = [mutant.mutation for mutant, verdict in pairs if not verdict.failed]
    check_comparison(target, [mutant.mutation for mutant, verdict in pairs if verdict.failed])
    survived = list(side_by_side(lambda mutation: Survivor(mutation, compare(target, mutation)), survivors, jobs))
    killers = Counter(verdict.failed for verdict in verdicts if verdict.failed)
    return Result(
        target.block, target.module, target.parameters, len(target.tests), len(pairs), dict(killers.most_common()), survived,
        round(sum(verdict.seconds for verdict in verdicts), 1),
    )  # fmt: skip


def check_comparison(target: Target, killed: Sequence[Mutation]):
    """The comparison must find the original equal to itself, and not to a mutant that a test has found."""
    if compare(target, None) != PROVEN:
        raise CosimError(f"{target.module}: the netlist without a fault is not proven to be equal to itself")
    if killed and compare(target, killed[0]) == PROVEN:
        raise CosimError(f"{target.module}: a mutant is proven to be equal, and a test sees a difference: {killed[0].command}")


def compare(target: Target, mutation: Mutation | None) -> str:
    with temporary_folder() as folder:
        return equivalence(target.netlist, mutation, folder)
