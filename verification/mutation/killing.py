"""The project's own tests, run on mutants: a pytest session that forks a child for each run."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from duospike.cosim.conversion import convert as converter
from duospike.cosim.conversion.convert import module_name
from duospike.cosim.conversion.internals import Block
from duospike.cosim.errors import CosimError
from duospike.cosim.folder import temporary_folder
from duospike.cosim.system import end_with_parent
from tests.benches import stream_bench

TESTS = Path(__file__).parents[2] / "tests"

CYCLE_LIMIT = 6_000
"""Cycles after which the tests' bench gives up on a mutant, some times what the longest of the tests needs."""

FORK = multiprocessing.get_context("fork")
"""A forked child has inherited all that pytest has imported and collected."""


@dataclass(frozen=True)
class Run:
    """Tests to run one after the other until one fails, with the texts of these modules, by name, in place of their own.

    limit: seconds after which a run that hangs is ended.
    """

    tests: Sequence[pytest.Item]
    texts: Mapping[str, str]
    limit: float


@dataclass(frozen=True)
class Verdict:
    """failed: the test that failed, or ""; why: its message, in a line. seconds: what the run took."""

    failed: str
    why: str
    seconds: float


def with_tests(files: Collection[str], work: Callable[[Sequence[pytest.Item]], None]):
    """Call work, in a pytest session, with the tests of files of tests/ that run Verilog in Icarus; raises what it raises.

    Tests of hypothesis are left out, since each of their runs takes other parameters.
    """
    plugin = Session(work)
    with temporary_folder() as folder:
        options = ["-qq", "--capture=no", "-p", "no:cacheprovider", "--basetemp", f"{folder}/tests"]
        status = pytest.main([*options, *(str(TESTS / file) for file in files)], plugins=[plugin])
    if plugin.error:
        raise plugin.error
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise CosimError(f"pytest cannot collect the tests of {', '.join(files)}")


class Session:
    """The pytest plugin: calls `work` where pytest would run the tests. error: what `work` raised."""

    def __init__(self, work: Callable[[Sequence[pytest.Item]], None]):
        self.work = work
        self.error: BaseException | None = None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            self.work([item for item in session.items if in_icarus(item)])
        except (Exception, KeyboardInterrupt) as error:
            self.error = error
        return True


def in_icarus(item: pytest.Item) -> bool:
    """Whether a test runs Verilog in Icarus, with the same parameters each time."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    simulators = {parameters.get(fixture, "icarus") for fixture in ("place", "simulator")}
    return simulators == {"icarus"} and not getattr(getattr(item, "function", None), "is_hypothesis_test", False)


@dataclass(frozen=True)
class Use:
    """A block of some parameters, and the tests that use its module."""

    block: Block
    tests: list[pytest.Item]


def uses(tests: Sequence[pytest.Item]) -> dict[str, Use]:
    """The modules that tests use, by name: each test is begun, and ends where it first converts a block."""
    found: dict[str, Use] = {}
    for test in tests:

        def note(top: Block, test: pytest.Item = test, **_):
            for name, block in {module_name_of(block): block for block in blocks_of(top)}.items():
                found.setdefault(name, Use(block, [])).tests.append(test)
            pytest.skip()

        with conversion(note):
            runtestprotocol(test, log=False)
    return found


def blocks_of(block: Block) -> Iterator[Block]:
    """A block and all that are below it."""
    yield block
    for sub in block.subs:
        if isinstance(sub, Block):
            yield from blocks_of(sub)


def module_name_of(block: Block) -> str:
    """The name that convert() gives the module of a block."""
    return module_name(block.func.__name__, inspect.signature(block.func).bind(*block.args, **block.kwargs).arguments)


@contextmanager
def conversion(function: Callable) -> Iterator[None]:
    """Replace convert() of cosim/conversion/convert.py by a function in all modules that import it."""
    holders = [module for module in sys.modules.values() if vars(module).get("convert") is converter.convert]
    with pytest.MonkeyPatch.context() as patch:
        for holder in holders:
            patch.setattr(holder, "convert", function)
        yield


@dataclass(frozen=True)
class Child:
    """A process that works on runs[index], and leads a process group in which its simulators are as well. end: its time limit."""

    index: int
    process: BaseProcess
    receiver: Connection
    end: float


def run_all(runs: Sequence[Run], jobs: int) -> Iterator[tuple[int, Verdict]]:
    """Run each in a child, `jobs` at a time; gives index and verdict as they come."""
    waiting = list(enumerate(runs))
    children: list[Child] = []
    try:
        while waiting or children:
            while waiting and len(children) < jobs:
                children.append(start(*waiting.pop(0)))
            wait([child.receiver for child in children], timeout=1)
            for child in list(children):
                if child.receiver.poll() or time.monotonic() > child.end:
                    children.remove(child)
                    yield child.index, end(child)
    finally:
        # Children lead groups of their own, which an interrupt from the keyboard does not reach.
        for child in children:
            end(child)


def start(index: int, run: Run) -> Child:
    """Fork a child for a run."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=in_child, args=(run, sender, os.getpid()))
    process.start()
    sender.close()
    return Child(index, process, receiver, time.monotonic() + run.limit)


def end(child: Child) -> Verdict:
    """The verdict of a child; all that it started is ended."""
    verdict = Verdict("all", "no end", 0)
    try:
        if child.receiver.poll():
            verdict = child.receiver.recv()
    except EOFError:
        verdict = Verdict("all", "the tests ended early", 0)
    # The simulators of a test that failed may still run; or all have ended.
    if child.process.pid:
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
    child.process.join()
    child.receiver.close()
    return verdict


def in_child(run: Run, sender: Connection, parent: int):
    """The child's work."""
    end_with_parent(parent)
    os.setsid()
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    defaults = stream_bench.run_stream.__kwdefaults__
    assert defaults is not None
    defaults["limit"] = CYCLE_LIMIT
    start = time.monotonic()
    failed, why = first_failure(run)
    sender.send(Verdict(failed, why, time.monotonic() - start))


def first_failure(run: Run) -> tuple[str, str]:
    """The first test that fails, and its message; ("", "") if all pass."""
    real = converter.convert

    def convert(*args, **kwargs):
        return [replace(module, text=run.texts.get(module.name, module.text)) for module in real(*args, **kwargs)]

    with conversion(convert):
        for test in run.tests:
            for report in runtestprotocol(test, log=False):
                if report.failed:
                    crash = getattr(report.longrepr, "reprcrash", None)
                    return test.nodeid, (crash.message if crash else report.longreprtext).splitlines()[0]
    return "", ""
