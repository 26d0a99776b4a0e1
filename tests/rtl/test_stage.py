"""The rules of the stage records, against what the reference gives and what the HDL is made of."""

import re
from itertools import pairwise

import pytest

from duospike.cosim.conversion.convert import convert
from duospike.cosim.design.beats import spike_beats
from duospike.cosim.design.build import build_stage
from duospike.cosim.design.plan import image_packet_beats, plan_stages, stage_beats
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.simulation.network_run import input_beats
from duospike.reference import golden
from duospike.reference.training.random_network import random_images
from duospike.rtl.sparse_conv import SparseConv
from tests.benches.small_networks import small_network

NETWORKS = [
    ("3C3-5C3-MP2-FC6", (1, 6, 7), {}, {"conv1": 2, "conv2": 3, "fc1": 4}),
    ("4C1-MP2-MP2-FC7-FC3", (2, 9, 8), {"timesteps": 4, "coding": "rate"}, {"conv1": 3, "fc1": 2, "fc2": 3}),
    ("2C5-FC6", (3, 4, 3), {"timesteps": 6, "coding": "events", "image_bits": 1}, {"conv1": 1, "fc1": 4}),
]


@pytest.mark.parametrize(("architecture", "shape", "settings", "lanes"), NETWORKS)
def test_beats_of_an_image(architecture, shape, settings, lanes):
    network = small_network(architecture, shape, **settings)
    stages = plan_stages(network, choose_sizing(network, lanes, timesteps=2))
    images = random_images(2, network.image_shape, network.pixel_range, 1)
    trace = golden.run(network, images)
    assert 2 * image_packet_beats(stages) == len(input_beats(network, stages, images))
    beats = {
        name: len(spike_beats(trace.spikes[name], stage.lanes, stage.timesteps)) // 2 for name, stage in list(stages.items())[:-1]
    }
    assert stage_beats(stages) == beats | {"readout": 1}
    assert all(after.input_beats == before.output_beats for before, after in pairwise(stages.values()))


def memory_of(modules, instance):
    """Words and bits of the RAM of this name."""
    (name,) = {found[1] for module in modules for found in re.finditer(rf"^(ram_\w+) {instance} \($", module.text, re.MULTILINE)}
    text = next(module.text for module in modules if module.name == name)
    bits, words = re.search(r"reg \[(\d+):0\] mem \[0:(\d+)\];", text).groups()
    return int(words) + 1, int(bits) + 1


@pytest.mark.parametrize(("kernel", "parts", "width"), [(1, 3, 3), (3, 1, 4), (3, 3, 7), (5, 1, 3)])
def test_memories_of_a_convolution(kernel, parts, width):
    network = small_network(f"3C3-4C{kernel}-FC6", (1, 5, width))
    stage = plan_stages(network, choose_sizing(network, {"conv1": 1, "conv2": 4}, {"conv2": parts}))["conv2"]
    assert isinstance(stage, SparseConv)
    modules = convert(build_stage(stage))
    assert memory_of(modules, "store") == (stage.buffer_words, stage.input_bits)
    assert memory_of(modules, "memory") == (stage.row_columns, stage.currents_bits * stage.waiting_sums)
    top = modules[-1].text
    widths = {name: int(high) + 1 for high, name in re.findall(r"^wire \[(\d+):0\] (\w+)_data;", top, re.MULTILINE)}
    assert (widths["events"], widths["weighted"], widths["currents"]) == (
        stage.event_bits, stage.weighted_bits, stage.currents_bits
    )  # fmt: skip
