"""Writes the tables on verification into docs/: `python -m verification.page`.

They come from the tests that pytest collects and from what the proofs and the mutation have left in results/. Each mutant that
survives and is not proven equal needs an explanation in survivors.toml.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

import pytest

from benchmarks.figures.page import ROOT, write_section
from benchmarks.figures.record import Measurement, begin, comment
from duospike.cosim.conversion.internals import BlockFunction
from duospike.cosim.design.build import build_stage
from duospike.cosim.errors import CosimError
from duospike.cosim.markdown import markdown_table
from verification.mutation.equivalence import PROVEN
from verification.mutation.killing import blocks_of
from verification.mutation.mutants import Mutation

RESULTS = Path(__file__).parent / "results"
PROOFS, MUTATION = RESULTS / "proofs.json", RESULTS / "mutation.json"
SURVIVORS = Path(__file__).parent / "survivors.toml"
MEASURED = "measured"
"""Of the results of proofs and mutation: the record of their Measurement."""

LANGUAGES = {"myhdl": "MyHDL", "icarus": "Verilog", "ghdl": "VHDL"}
"""What the simulators of the fixtures `place` and `simulator` run."""


@dataclass(frozen=True)
class SimulatedTest:
    """Runs of one test function: how many in each simulator."""

    file: str
    function: str
    runs: Mapping[str, int]


@dataclass(frozen=True)
class Collected:
    """What pytest finds: the tests that name a simulator, and for each block the families whose cells its netlist runs in."""

    tests: Sequence[SimulatedTest]
    netlists: Mapping[str, Sequence[str]]


def main() -> int:
    measurement = begin("tests")
    proofs, mutation = json.loads(PROOFS.read_text()), json.loads(MUTATION.read_text())
    explained = tomllib.loads(SURVIVORS.read_text())["survivor"]
    try:
        write_section("verification", page(collect(), proofs, mutation, explained, measurement))
    except CosimError as error:
        print(f"page: {error}", file=sys.stderr)
        return 2
    return 0


def page(collected: Collected, proofs: Mapping, mutation: Mapping, explained: Sequence[Mapping], measurement: Measurement) -> str:
    """All tables. proofs, mutation: what prove and mutate write. explained: the tables of survivors.toml. measurement: of the
    tests."""
    sections = [
        ("Blocks", summary_table(blocks(), collected, proofs, mutation)),
        ("Tests in simulators", f"{comment('tests', measurement.record())}\n\n{test_table(collected.tests)}"),
        ("Proofs", f"{comment('proofs', proofs.get(MEASURED))}\n\n{proof_tables(proofs)}"),
        ("Mutation", f"{comment('mutation', mutation.get(MEASURED))}\n\n{mutation_table(mutation)}"),
        ("Survivors", survivor_table(mutation, explained)),
    ]
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in sections)


def blocks() -> dict[str, list[str]]:
    """The MyHDL blocks of each file of rtl/."""
    found = {}
    for path in sorted((ROOT / "rtl").glob("[a-z]*.py")):
        members = vars(import_module(f"duospike.rtl.{path.stem}")).values()
        names = [block.__name__ for block in members if is_block_of(block, path.stem)]
        if names:
            found[path.stem] = names
    return found


def is_block_of(value: object, file: str) -> bool:
    """Whether a member of a module is a block that its own file defines."""
    return isinstance(value, BlockFunction) and value.__module__ == f"duospike.rtl.{file}"


def collect() -> Collected:
    """Let pytest collect the tests."""
    plugin, options = Collection(), ["--collect-only", "-qqq", "--capture=no", "-p", "no:cacheprovider"]
    pytest.main([*options, str(ROOT / "tests")], plugins=[plugin])
    if plugin.errors:
        raise CosimError(f"pytest cannot collect {', '.join(plugin.errors)}")
    return Collected(simulated_tests(plugin.items), netlists(plugin.items))


class Collection:
    """The pytest plugin: keeps the tests and prints none."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []
        self.errors: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(report.nodeid)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items, session.items = session.items, []


def parameters_of(item: pytest.Item) -> Mapping:
    return item.callspec.params if hasattr(item, "callspec") else {}


def simulated_tests(items: Iterable[pytest.Item]) -> list[SimulatedTest]:
    """The tests whose fixtures say which simulator runs them, in the order of collection."""
    runs: dict[tuple[str, str], Counter] = {}
    for item in items:
        parameters = parameters_of(item)
        for fixture in ("place", "simulator"):
            if parameters.get(fixture) in LANGUAGES:
                test = item.path.name, cast(pytest.Function, item).originalname
                runs.setdefault(test, Counter())[parameters[fixture]] += 1
    return [SimulatedTest(file, function, counts) for (file, function), counts in runs.items()]


def netlists(items: Iterable[pytest.Item]) -> dict[str, list[str]]:
    """For each block the families in whose cells tests run a stage that has it."""
    found: dict[str, list[str]] = {}
    for item in items:
        parameters = parameters_of(item)
        if item.path.name == "test_netlist.py" and "make_stage" in parameters:
            stage, *_ = parameters["make_stage"]()
            for name in {block.func.__name__ for block in blocks_of(build_stage(stage))}:
                families = found.setdefault(name, [])
                if parameters["family"] not in families:
                    families.append(parameters["family"])
    return found


def summary_table(files: Mapping[str, Sequence[str]], collected: Collected, proofs: Mapping, mutation: Mapping) -> str:
    """A line for each file of rtl/: what checks its blocks."""
    titles = [
        "file of `rtl/`",
        *(f"tests in {language}" for language in LANGUAGES.values()),
        "proofs",
        "netlist in cells",
        "mutation",
    ]
    return markdown_table(titles, [summary_row(file, names, collected, proofs, mutation) for file, names in files.items()])


def summary_row(file: str, names: Sequence[str], collected: Collected, proofs: Mapping, mutation: Mapping) -> list[object]:
    own = [test.runs for test in collected.tests if test.file == f"test_{file}.py"]
    tests = [sum(runs[simulator] for runs in own) or "" for simulator in LANGUAGES]
    proven = [proof for proof in proofs["proofs"] if proof["block"] in names]
    families = sorted({family for name in names for family in collected.netlists.get(name, ())})
    mutated = [block for block in mutation["blocks"] if block["block"] in names]
    return [f"`{file}`", *tests, verdict_on(proven), ", ".join(families), percent(mutated) if mutated else ""]


def verdict_on(proofs: Sequence[Mapping]) -> str:
    """How many proofs hold, and how many do not."""
    failed = sum(bool(proof["failures"]) for proof in proofs)
    return f"{len(proofs) - failed} hold" + f", {failed} fail" * bool(failed) if proofs else ""


def percent(blocks: Sequence[Mapping]) -> str:
    """The mutation score of some results."""
    planted, killed, equivalent = (sum(block[key] for block in blocks) for key in ("planted", "killed", "equivalent"))
    return f"{killed / max(1, planted - equivalent):.1%}"


def test_table(tests: Sequence[SimulatedTest]) -> str:
    """A line for each test function."""
    rows = [[f"`{test.file}`", f"`{test.function}`", *(test.runs[simulator] or "" for simulator in LANGUAGES)] for test in tests]
    return markdown_table(["file of `tests/`", "test", *LANGUAGES.values()], rows)


def proof_tables(record: Mapping) -> str:
    """A line for each proof, and the faults that it finds."""
    versions = ", ".join(f"{name} {version}" for name, version in record["solvers"].items())
    rows = [
        [
            proof["name"],
            proof["claims"],
            proof["depth"],
            proof["covers"],
            len(proof["faults"]),
            "; ".join(proof["failures"]) or "holds",
        ]
        for proof in record["proofs"]
    ]
    faults = [f"* **{proof['name']}**: {'; '.join(proof['faults'])}" for proof in record["proofs"] if proof["faults"]]
    proven = markdown_table(["proof", "what is claimed", "depth", "covers", "faults", "result"], rows)
    return "\n\n".join([f"{versions}.", proven, "The faults that are planted, and found:", "\n".join(faults)])


def mutation_table(record: Mapping) -> str:
    """A line for each block with one set of parameters, one for each block, and one for all."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    rows: list[Sequence[object]] = []
    for name in dict.fromkeys(block["block"] for block in record["blocks"]):
        group = [block for block in record["blocks"] if block["block"] == name]
        rows += [counts(f"`{block['module']}`", block["tests"], [block]) for block in group]
        rows.append(counts(f"**{name}**", "", group))
    rows.append(counts("**all**", "", record["blocks"]))
    titles = ["module", "tests", "planted", "killed", "proven equal", "survive", "killed of those not proven equal"]
    return f"{versions}, seed {record['seed']}, {record['seconds']} s.\n\n{markdown_table(titles, rows)}"


def counts(name: str, tests: object, blocks: Sequence[Mapping]) -> list[object]:
    """A row of the mutation table."""
    planted, killed, equivalent = (sum(block[key] for block in blocks) for key in ("planted", "killed", "equivalent"))
    return [name, tests, planted, killed, equivalent, planted - killed - equivalent, percent(blocks)]


def survivor_table(record: Mapping, explained: Sequence[Mapping]) -> str:
    """A line for each mutant that survives and is not proven equal; CosimError if one has no explanation, or one no mutant."""
    reasons = {entry["fault"]: entry["why"] for entry in explained}
    survivors = list(open_survivors(record))
    keys = {mutation.key for _, mutation, _ in survivors}
    problems = [f"no explanation of {key}" for key in sorted(keys - reasons.keys())]
    problems += [f"no such survivor: {key}" for key in sorted(reasons.keys() - keys)]
    if problems:
        raise CosimError(f"{SURVIVORS.name}: {'; '.join(problems)}")
    rows = [[f"`{module}`", fault(mutation), verdict, reasons[mutation.key]] for module, mutation, verdict in survivors]
    return markdown_table(["module", "fault", "compared with the original", "why no test sees it"], rows) if rows else "None."


def open_survivors(record: Mapping) -> Iterator[tuple[str, Mutation, str]]:
    """Module, fault and verdict of the mutants that survive and are not proven equal."""
    for block in record["blocks"]:
        for survivor in block["survivors"]:
            if survivor["verdict"] != PROVEN:
                yield block["module"], Mutation.parse(survivor["mutation"]["command"]), survivor["verdict"]


def fault(mutation: Mutation) -> str:
    """A fault in a few words."""
    wire = f", wire `{mutation.wire}`" if mutation.wire else ""
    return f"`{mutation.mode}` at bit {mutation.bit} of `{mutation.port}`, cell `{mutation.cell}`{wire}"


if __name__ == "__main__":
    sys.exit(main())
