"""Costs of an image: those of the simulated hardware, and those that the commands cycles and energy tell of the same images."""

import json
from dataclasses import replace

import numpy as np
import pytest

from duospike.cosim.energy.image_costs import image_costs
from duospike.cosim.energy.model import Coefficients, count_operations
from duospike.cosim.errors import CosimError
from duospike.cosim.simulation.network_run import run_network
from duospike.reference.data.datasets import load
from duospike.reference.modelfile import save_model
from tests.benches.commands import run
from tests.benches.small_networks import small_network, small_stages


def check(costs, hardware):
    """Costs against the cycles in which the hardware took its first beat and gave each class, and what its counters say."""
    classes = [beat.cycle for beat in hardware.outcome.streams["dst"]]
    assert costs.images == len(classes)
    assert costs.interval == np.diff(classes).mean()
    assert costs.latency == classes[0] - hardware.outcome.starts[0] + 1
    done = count_operations(hardware.network, hardware.stages, hardware.activity, hardware.trace)
    picojoules = sum(one.energy(Coefficients()) for of_stage in done.values() for one in of_stage)
    assert costs.dynamic == pytest.approx(picojoules / 1000 / len(classes))


def test_costs_are_those_of_the_hardware(tmp_path):
    network = small_network()
    stages, images = small_stages(network), load("random", network, 3).images
    costs, hardware = image_costs(network, stages, images), run_network(network, stages, images, tmp_path, simulator="icarus")
    check(costs, hardware)
    for wrong in ({"interval": costs.interval + 1}, {"latency": costs.latency - 1}, {"dynamic": costs.dynamic * 1.01}):
        with pytest.raises(AssertionError):
            check(replace(costs, **wrong), hardware)


def test_costs_are_those_of_the_commands(tmp_path):
    network = small_network()
    save_model(network, tmp_path / "model.safetensors")
    costs = image_costs(network, small_stages(network), load("random", network, 3).images)
    words = [tmp_path / "model.safetensors", "--data", "random", "--images", "3"]
    for command in ("cycles", "energy"):
        assert run(command, *words, "--out", tmp_path / command) == 0
    cycles, energy = (json.loads((tmp_path / name / f"{name}.json").read_text()) for name in ("cycles", "energy"))
    assert (costs.images, costs.interval, costs.latency) == (3, cycles["interval"], cycles["latency"])
    assert costs.dynamic == pytest.approx(energy["total"])


def test_one_image_has_no_interval():
    network = small_network()
    with pytest.raises(CosimError, match="^1 image; the interval"):
        image_costs(network, small_stages(network), load("random", network, 1).images)
