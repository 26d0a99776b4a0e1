"""The cycle model against the RTL in Icarus: every counter, and when each stage begins and ends each image, no tolerance."""

import random

import numpy as np
import pytest
from small_networks import small_network
from test_shipped_model import MODEL, SPARSE, VGG9

from cosim import cycle_model
from cosim.cycle_model import run_model
from cosim.errors import CosimError
from cosim.network_run import run_network
from cosim.plan import READOUT, plan_stages
from cosim.sizing import choose_sizing
from reference import golden
from reference.coding import CODINGS
from reference.datasets import load, random_images
from reference.modelfile import load_model

CHAINS = [
    ("3C3-5C3-MP2-FC6", (1, 6, 7)), ("2C1-3C1-FC7-FC6", (3, 5, 3)), ("3C5-2C5-FC3", (2, 4, 3)),
    ("4C3-5C3-6C1-MP2-FC12-FC6", (2, 6, 7)), ("5C3-FC9-FC6-FC3", (3, 3, 3)), ("3C3-4C3-MP2-4C3-MP2-FC3", (1, 12, 13)),
]  # fmt: skip


def random_design(seed):
    """A network and its stages, anything of both drawn from the seed."""
    choose = random.Random(seed)
    architecture, shape = choose.choice(CHAINS)
    timesteps, coding = choose.choice([1, 2, 3, 4, 6, 25]), choose.choice(CODINGS)
    network = small_network(
        architecture, shape, timesteps=timesteps, coding=coding, coding_seed=seed, image_bits=1 if coding == "events" else 8,
        rate=choose.choice([0.05, 0.2, 0.5]), seed=seed,
    )  # fmt: skip
    lanes = {layer.name: choose.randint(1, layer.outputs) for layer in network.layers if hasattr(layer, "outputs")}
    passes = choose.choice([n for n in range(1, min(timesteps, 5) + 1) if timesteps % n == 0])
    sizing = choose_sizing(network, lanes, None, passes, choose.choice([1, 2, 5, 16]))
    parts = {name: choose.choice([1, parts_of(network, sizing, name)]) for name in sizing.parts}
    return network, plan_stages(network, choose_sizing(network, lanes, parts, passes, sizing.queue_depth))


def parts_of(network, sizing, name):
    """The most parts of a layer's row: one for each beat of a pixel."""
    stage = plan_stages(network, sizing)[name]
    return stage.chunks * sizing.parts[name]


def check(network, stages, images, folder, simulator="icarus"):
    run = run_network(network, stages, images, folder, simulator=simulator)
    assert run.mismatch is None
    model = run_model(network, stages, run.trace)
    assert model.activity == run.activity
    assert model.cycles == run.outcome.cycles
    assert model.starts.tolist() == run.outcome.starts
    for name in stages:
        cycles = np.array([beat.cycle for beat in run.outcome.streams["dst" if name == READOUT else name]])
        by_image = cycles.reshape(len(images), -1)
        assert model.firsts[name].tolist() == by_image[:, 0].tolist()
        assert model.lasts[name].tolist() == by_image[:, -1].tolist()


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_counters_are_those_of_the_hardware(seed, tmp_path):
    network, stages = random_design(seed)
    check(network, stages, random_images(3, network.image_shape, network.pixel_range, seed), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 206))
def test_counters_of_204_more_random_designs(seed, tmp_path):
    network, stages = random_design(seed)
    check(network, stages, random_images(3, network.image_shape, network.pixel_range, seed), tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("model", [MODEL, SPARSE, VGG9], ids=lambda model: model.stem)
def test_counters_of_the_shipped_networks(model, tmp_path, monkeypatch):
    """20 images through Verilator, every spike compared, and every counter."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network = load_model(model)
    check(network, plan_stages(network, choose_sizing(network)), load("fashion-mnist", network, 20).images, tmp_path, "verilator")


def test_one_spike_more_changes_the_counters():
    network = small_network()
    stages = plan_stages(network, choose_sizing(network))
    trace = golden.run(network, random_images(1, network.image_shape, network.pixel_range, 1))
    before = run_model(network, stages, trace).activity["conv2"]
    silent = next(place for place in zip(*(trace.spikes["conv1"] == 0).nonzero(), strict=True))
    other_timestep = (silent[0], 1 - silent[1], *silent[2:])
    assert trace.spikes["conv1"][other_timestep] == 0
    trace.spikes["conv1"][silent] = 1
    after = run_model(network, stages, trace).activity["conv2"]
    assert after["events"] + after["silent"] > before["events"] + before["silent"] or after["silent"] < before["silent"]


def test_progress_tells_the_images_that_are_done():
    network = small_network("2C3-FC3", (1, 3, 3))
    stages = plan_stages(network, choose_sizing(network))
    trace = golden.run(network, random_images(4, network.image_shape, network.pixel_range, 1))
    told = []
    run_model(network, stages, trace, told.append)
    assert told[-1] == 4
    assert READOUT in run_model(network, stages, trace).activity


def test_a_model_that_stands_still_is_an_error(monkeypatch):
    """Planted: a scanner without banks takes no beat. One that works is never taken for it, however short the slices."""
    network = small_network("2C3-FC3", (1, 3, 3))
    stages = plan_stages(network, choose_sizing(network))
    trace = golden.run(network, random_images(2, network.image_shape, network.pixel_range, 1))
    whole = run_model(network, stages, trace)
    add = cycle_model._Chain.add
    for cycles in (1, 2, 7, 100):
        monkeypatch.setattr(cycle_model, "SLICE", cycles)
        assert run_model(network, stages, trace).activity == whole.activity
        with monkeypatch.context() as planted:
            planted.setattr(
                cycle_model._Chain,
                "add",
                lambda *words, **fields: add(*words, **fields | dict.fromkeys(fields.keys() & {"banks"}, 0)),
            )
            with pytest.raises(CosimError, match="the cycle model stands still"):
                run_model(network, stages, trace)
