"""Shared by all tests."""

from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from cosim import block_run

# The tests run side by side, one process a core.
torch.set_num_threads(1)

# Fixed seeds, so that a test that passes here passes there; fixtures of a run's folder serve all its examples.
settings.register_profile(
    "duospike", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
settings.load_profile("duospike")

VPI_FOLDER = Path(__file__).parents[1] / "build" / "vpi"


@pytest.fixture(autouse=True)
def fresh_simulator():
    """MyHDL's own lists of signals and blocks start empty."""
    block_run.forget_signals()


@pytest.fixture(scope="session")
def vpi():
    """Icarus' side of MyHDL's Cosimulation: the one that the Makefile built, else built now."""
    return block_run.build_vpi(VPI_FOLDER)


@pytest.fixture(params=block_run.SIMULATORS)
def place(request, tmp_path):
    """place(block, **arguments) -> Device, in MyHDL's simulator and in Icarus."""
    vpi = request.getfixturevalue("vpi") if request.param == "icarus" else None
    return partial(block_run.place_block, simulator=request.param, folder=tmp_path, vpi=vpi)
