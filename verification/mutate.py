"""Random faults in the netlists of blocks: `python -m verification.mutate [BLOCK ...]`.

Yosys' `mutate` plants single faults, such as an inverted bit or one that is stuck, in a netlist of words of a block, and the
project's own tests run on each, in Icarus, in place of the block's converted module. A mutant is killed if one of the tests
that use this module fails, or does not end. Those that survive are compared with the netlist without a fault, and do not
count if abc proves that no user of the block can tell them apart. Before that the tests must pass on the netlist itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cosim.convert import convert
from cosim.errors import CosimError
from cosim.system import require, run_tool

from .killing import Run, Use, Verdict, run_all, uses, with_tests
from .mutants import Mutation, Netlist, mutate

SEED = 1
FAULTS = 350
REQUIRED = 0.95
"""Share of the mutants that are not equivalent which the tests must kill."""

PATIENCE = 30
"""Seconds that a run may take beyond what it takes without a fault."""

TARGETS: dict[str, tuple[str, ...]] = {
    "scanner": (
        "test_scanner.py::test_every_event_once_and_in_order[icarus-3-2-2-0-4-2-stalls0]",
        "test_scanner.py::test_every_event_once_and_in_order[icarus-7-3-3-1-7-3-stalls0]",
    ),
    "event_queue": ("test_event_queue.py::test_throughput[icarus-3-1]", "test_event_queue.py::test_throughput[icarus-16-1]"),
    "accumulator": (
        "test_accumulator.py::test_currents_under_stalls[icarus-3-stalls0]",
        "test_accumulator.py::test_one_event_a_cycle[icarus-3-4-2-0.3]",
    ),
    "fc_accumulator": (
        "test_sparse_fc.py::test_in_both_simulators[icarus-3-5-stalls0]",
        "test_sparse_fc.py::test_cycles_are_groups_times_events[0.2]",
    ),
    "lif": (
        "test_lif.py::test_all_kinds_and_leaks[icarus-leak5-subtract]",
        "test_lif.py::test_all_kinds_and_leaks[icarus-leak5-zero]",
    ),
    "mac_array": (
        "test_mac_array.py::test_sums_of_products[icarus-True-stalls0]",
        "test_mac_array.py::test_sums_of_products[icarus-False-stalls0]",
    ),
    "pool": ("test_pool.py::test_even_and_odd_maps[icarus-size2-stalls2]", "test_pool.py::test_one_beat_a_cycle[icarus]"),
}
"""The blocks, and for each the tests whose parameters it is mutated with."""


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
    """A mutant that passes all tests. equivalence: proven, different or open, and how that was found."""

    mutation: Mutation
    equivalence: str
    how: str


@dataclass(frozen=True)
class Result:
    """What came of a block with one set of parameters. kills: mutants by the test that killed them. seconds: of all runs."""

    block: str
    module: str
    parameters: tuple[str, ...]
    tests: list[str]
    planted: int
    killed: int
    equivalent: int
    survivors: list[Survivor]
    kills: dict[str, int]
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("blocks", nargs="*", metavar="BLOCK", help=f"blocks to mutate (default: all): {', '.join(TARGETS)}")
    parser.add_argument("--faults", type=int, default=FAULTS, metavar="N", help="faults, spread evenly (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="seed of the faults (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the results to this JSON file")
    args = parser.parse_args()
    unknown = [block for block in args.blocks if block not in TARGETS]
    if unknown:
        parser.error(f"no block {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    start, results = time.monotonic(), []
    wanted = {block: TARGETS[block] for block in args.blocks or TARGETS}
    with_tests(
        {test.partition("::")[0] for ids in wanted.values() for test in ids},
        lambda tests: results.extend(mutate_all(wanted, args.faults, args.seed, tests)),
    )
    record = {"versions": versions(), "seed": args.seed, "required": REQUIRED, "seconds": round(time.monotonic() - start)}
    if args.out:
        args.out.write_text(json.dumps(record | {"blocks": [asdict(result) for result in results]}, indent=2) + "\n")
    return report(results, record["seconds"])


def versions() -> dict[str, str]:
    """The programs that do the work."""
    folder = Path()
    return {
        "yosys": run_tool([require("yosys", "yosys"), "-V"], folder).split()[1],
        "icarus": run_tool([require("iverilog", "iverilog"), "-V"], folder).split()[3],
    }


def mutate_all(wanted: dict[str, tuple[str, ...]], faults: int, seed: int, tests: Sequence[pytest.Item]) -> list[Result]:
    """Plant the faults and run the tests on them; CosimError if the tests fail without a fault."""
    used = uses(tests)
    ids = [(block, test) for block, tests in wanted.items() for test in tests]
    shares = [faults // len(ids) + (i < faults % len(ids)) for i in range(len(ids))]
    targets = [target(block, test, used, share, seed) for (block, test), share in zip(ids, shares, strict=True)]
    times = times_without_faults(targets)
    return [result(target, times, verdicts) for target, verdicts in zip(targets, kill(targets, times), strict=True)]


def target(block: str, test: str, used: dict[str, Use], count: int, seed: int) -> Target:
    """Mutants of the block with the parameters that a test has for it."""
    found = [use for use in used.values() if use.block.func.__name__ == block and has(use.tests, test)]
    if len(found) != 1:
        raise CosimError(f"{test} uses {len(found)} modules of {block}; it must be one")
    modules = convert(found[0].block)
    with TemporaryDirectory() as folder:
        netlist = mutate(modules, count, seed, Path(folder))
    return Target(block, modules[-1].parameters, netlist, tuple(found[0].tests))


def has(tests: Sequence[pytest.Item], name: str) -> bool:
    return any(test.nodeid.endswith(name) for test in tests)


def times_without_faults(targets: Sequence[Target]) -> dict[tuple[str, str], float]:
    """Seconds of each test, by module and test, on the netlists without a fault, which must pass."""
    pairs = [(target, test) for target in targets for test in target.tests]
    runs = [Run([test], {target.module: target.netlist.module.text}, PATIENCE) for target, test in pairs]
    times = {}
    for i, verdict in run_all(runs):
        target, test = pairs[i]
        if verdict.failed:
            raise CosimError(f"the netlist of {target.module} without a fault fails {test.nodeid}: {verdict.why}")
        times[target.module, test.nodeid] = verdict.seconds
    return times


def kill(targets: Sequence[Target], times: dict[tuple[str, str], float]) -> list[list[Verdict]]:
    """The verdicts on all mutants of each target; the quickest tests run first."""
    runs = []
    for target in targets:
        tests = sorted(target.tests, key=lambda test: times[target.module, test.nodeid])
        limit = PATIENCE + 5 * sum(times[target.module, test.nodeid] for test in tests)
        runs += [Run(tests, {target.module: mutant.text}, limit) for mutant in target.netlist.mutants]
    verdicts = dict(run_all(runs))
    for verdict in verdicts.values():
        if "iverilog failed" in verdict.why:
            raise CosimError(f"a mutant is no Verilog: {verdict.why}")
    in_order = iter([verdicts[i] for i in range(len(runs))])
    return [[next(in_order) for _ in target.netlist.mutants] for target in targets]


def result(target: Target, times, verdicts: list[Verdict]) -> Result:
    survivors = [mutant.mutation for mutant, verdict in zip(target.netlist.mutants, verdicts, strict=True) if not verdict.failed]
    found = [Survivor(m, "open", "") for m in survivors]
    kills = Counter(verdict.failed for verdict in verdicts if verdict.failed)
    import pickle

    Path(f"/tmp/mut/{target.module}.pkl").write_bytes(
        pickle.dumps((target.netlist, [m.command for m in survivors], [(v.failed, v.why, v.seconds) for v in verdicts]))
    )
    return Result(
        target.block, target.module, target.parameters, [test.nodeid for test in target.tests], len(verdicts),
        sum(kills.values()), sum(s.equivalence == "proven" for s in found), found, dict(kills.most_common()),
        round(sum(verdict.seconds for verdict in verdicts), 1),
    )  # fmt: skip


def report(results, seconds) -> int:
    for r in results:
        print(f"{r.block:<16}{r.module:<28}{r.planted} planted, {r.killed} killed, {r.equivalent} equivalent, {r.seconds} s")
        for s in r.survivors:
            print("    ", s.mutation.command)
    print(seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
