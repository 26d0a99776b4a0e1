"""The paper's schedule, against a walk through its loops."""

import math

import numpy as np
import pytest

from duospike.cosim.exploration.paper_schedule import layer_cycles, options
from duospike.reference import golden
from duospike.reference.data.datasets import random_images
from tests.benches.small_networks import small_network

NETWORK = small_network("3C3-5C3-MP2-4C1-FC7-FC6", (2, 6, 8), rate=0.3)
TRACE = golden.run(NETWORK, random_images(3, NETWORK.image_shape, NETWORK.pixel_range, 1))


def walk(name, image, lanes):
    """Cycles counted one by one."""
    number = [layer.name for layer in NETWORK.layers].index(name)
    layer, (channels, height, width) = NETWORK.layers[number], NETWORK.shapes[number]
    if number == 0:
        cycles = 1
        for _ in range(0, layer.outputs, lanes):
            for _ in range(NETWORK.timesteps):
                cycles += height * width + 29
        return cycles
    spikes = TRACE.spikes[NETWORK.layers[number - 1].name][image]
    if name.startswith("conv"):
        cycles = 0
        for _ in range(0, layer.outputs, lanes):
            for timestep in spikes:
                cycles += height * width - 1
                for plane in timestep:
                    cycles += bool(plane.any()) + sum(layer.kernel[0] ** 2 for spike in plane.flat if spike)
        return cycles
    cycles = 4
    for timestep in spikes:
        cycles += channels + 2 + 2 * math.ceil(channels * height * width / 200) + 2 * np.count_nonzero(timestep)
    for _ in range(layer.outputs // lanes + 1):
        cycles += 1 + sum(max(np.count_nonzero(timestep), 1) + 2 for timestep in spikes)
    return cycles


@pytest.mark.parametrize("name, outputs", [("conv1", 3), ("conv2", 5), ("conv3", 4), ("fc1", 7), ("fc2", 6)])
def test_cycles_are_those_of_the_loops(name, outputs):
    for lanes in range(1, outputs + 1):
        assert layer_cycles(NETWORK, TRACE, name, lanes).tolist() == [walk(name, image, lanes) for image in range(3)]


def test_options_are_means_over_the_images():
    found = options(NETWORK, TRACE)
    assert list(found) == ["conv1", "conv2", "conv3", "fc1", "fc2"]
    assert [option.lanes for option in found["fc1"]] == [1, 2, 3, 4, 5, 6, 7]
    assert found["conv2"][1].cycles == pytest.approx(np.mean([walk("conv2", image, 2) for image in range(3)]))
