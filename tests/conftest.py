"""Shared by all tests."""

import dataclasses
import os
import random
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

from duospike.cosim.block_simulation import icarus_cosimulation
from duospike.cosim.block_simulation.dut import SIMULATORS, instantiate
from duospike.cosim.conversion.internals import forget_signals
from tests.benches.small_networks import small_network
from tests.benches.small_runs import write_all
from tests.benches.stage_bench import run_native

# The tests run side by side, one process a core.
torch.set_num_threads(1)

# Fixed seeds, so that a test that passes here passes there; fixtures of a run's folder serve all its examples.
settings.register_profile(
    "duospike", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
settings.load_profile("duospike")

VPI_FOLDER = Path(__file__).parents[1] / "build" / "vpi"

OWN = ("duospike", "tests", "benchmarks", "verification")
"""The project's top-level packages."""
NONE = object()
"""In place of what is not there."""
PYTESTS_OWN = "PYTEST_CURRENT_TEST"
"""A variable of the environment that changes with each test."""

QUICK = {
    ("simulator", "icarus"): 3, ("simulator", "ghdl"): 1, ("place", "icarus"): 4, ("place", "ghdl"): 3,
}  # fmt: skip
"""Variants of one test, by fixture and simulator of HDL, that are among the quick ones: `simulator` runs stages and networks,
`place` single blocks behind MyHDL's signals, in a fifth of a second."""

SHARED = ("finished_runs", "finished", "reports", "hardware_run", "hdl_files")
"""Fixtures that take long: with `--dist loadgroup` one process makes such a fixture, and runs all tests that want it."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Keep `make test` short: slow are the HDL variants of hypothesis' tests, and of the others all but a few, drawn."""
    variants = defaultdict(list)
    for item in items:
        for name in set(SHARED) & set(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group(name))
        params = item.callspec.params if hasattr(item, "callspec") else {}
        for fixture in ("place", "simulator"):
            if (fixture, params.get(fixture)) in QUICK:
                variants[item.parent.name, item.originalname, params[fixture], fixture].append(item)
    for name, found in variants.items():
        by_hypothesis = getattr(found[0].obj, "is_hypothesis_test", False)
        count = 0 if by_hypothesis else min(len(found), QUICK[name[3], name[2]])
        quick = random.Random(str(name)).sample(range(len(found)), count)
        for i, item in enumerate(found):
            if i not in quick:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def fresh_simulator():
    """MyHDL's own lists of signals and blocks start empty."""
    forget_signals()


@pytest.fixture(autouse=True)
def same_draws():
    """What libraries draw from the process' generators, such as a network's first weights, is the same in each run of a test,
    whichever tests ran before it."""
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)


@pytest.fixture(autouse=True)
def surroundings_as_they_were():
    """A test that leaves a name of the project's modules, the environment or the working folder changed fails: another test of
    the same process would see the change.

    A new name is no change: a package gets its submodules as they are imported, and torch and dask set variables of their own.
    """
    before = _surroundings()
    yield
    after = _surroundings()
    changed = [name for name, value in before.items() if after.get(name, NONE) is not value]
    assert not changed, f"left changed: {changed}"


def _surroundings():
    """What each name of the project's modules is, and each variable of the environment, as one object while it stays the same."""
    modules = {name: vars(module) for name, module in sys.modules.items() if name.split(".")[0] in OWN}
    found = {f"{module}.{name}": value for module, names in modules.items() for name, value in names.items()}
    others = {f"${name}": value for name, value in os.environ.items() if name != PYTESTS_OWN} | {"folder": os.getcwd()}
    return found | {name: sys.intern(value) for name, value in others.items()}


@pytest.fixture(scope="session")
def vpi():
    """Icarus' side of MyHDL's Cosimulation: the one that the Makefile built, else built now."""
    return icarus_cosimulation.build_vpi(VPI_FOLDER)


@pytest.fixture(scope="session")
def finished_runs(tmp_path_factory):
    """Folders of the runs of all commands on a small network, by command. No test may change them."""
    network = dataclasses.replace(small_network(), metadata={"dataset": "none", "note": "plain"})
    return write_all(tmp_path_factory.mktemp("runs"), network)


@pytest.fixture(params=SIMULATORS)
def place(request, tmp_path):
    """place(block, **arguments) -> Dut, in MyHDL's simulator, in Icarus and in GHDL."""
    vpi = request.getfixturevalue("vpi") if request.param == "icarus" else None
    return partial(instantiate, simulator=request.param, folder=tmp_path, vpi=vpi)


@pytest.fixture(params=("icarus", "ghdl"))
def simulator(request):
    """Of network_run.SIMULATORS one for each language, both of which show unknown bits."""
    return request.param


@pytest.fixture
def native(simulator, tmp_path):
    """native(stage, beats, frame_beats, expected[, stalls]) -> StageRun, in Icarus and in GHDL, with no part of MyHDL's."""
    return partial(run_native, simulator=simulator, folder=tmp_path)
