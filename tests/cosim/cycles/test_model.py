"""The cycle model against the RTL: every counter, and when each stage begins and ends each image, no tolerance."""

import pytest

from duospike.cosim.cycles import model
from duospike.cosim.cycles.model import run_model
from duospike.cosim.design.plan import READOUT, plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.errors import CosimError
from duospike.cosim.simulation.network_run import run_network
from duospike.reference import golden
from duospike.reference.data.datasets import load, random_images
from duospike.reference.modelfile import load_model
from tests.benches.small_networks import small_network
from tests.models.test_shipped_model import MODEL, SPARSE, VGG9
from verification.random_networks import cycle_difference


def check(network, stages, images, folder, simulator):
    run = run_network(network, stages, images, folder, simulator=simulator)
    assert run.mismatch is None
    assert cycle_difference(run_model(stages, run.trace), run) is None
    return run


def test_counters_and_beats_are_those_of_the_hardware_where_the_class_comes_first(simulator, tmp_path):
    """Rows and columns that pools drop, after the class of the last image too; random networks are in test_random_networks.py."""
    network = small_network("5C3-MP2-MP2-FC6-FC3", (2, 7, 9), coding="rate", timesteps=4)
    stages = plan_stages(network, choose_sizing(network, {"conv1": 2, "fc1": 6}, timesteps=2))
    images = random_images(3, network.image_shape, network.pixel_range, 1)
    run = check(network, stages, images, tmp_path, simulator)
    assert run.outcome.streams["conv1"][-1].cycle > run.outcome.cycles


@pytest.mark.parametrize(
    ("text", "settings", "sizing"),
    [
        ("FC7-FC6", {}, {"lanes": 3, "lane_multipliers": 9}),
        ("FC7-FC6", {"coding": "frames", "timesteps": 6}, {"lanes": 2, "lane_multipliers": 2, "timesteps": 3}),
        ("3C3-4C3-FC6", {"coding": "frames", "timesteps": 8, "image_signed": True}, {"lanes": 2, "timesteps": 4}),
        pytest.param("FC7-FC6", {"coding": "frames", "timesteps": 16}, {"lanes": 3, "timesteps": 16}, marks=pytest.mark.slow),
        pytest.param("3C3-FC6", {"coding": "frames", "timesteps": 16}, {"lanes": 3, "timesteps": 16}, marks=pytest.mark.slow),
    ],
)
def test_images_that_a_fully_connected_layer_takes_and_frames_in_one_pass(text, settings, sizing, tmp_path):
    network = small_network(text, (3, 4, 5), **settings)
    stages = plan_stages(network, choose_sizing(network, **sizing))
    check(network, stages, random_images(4, network.image_shape, network.pixel_range, 1), tmp_path, "icarus")


@pytest.mark.parametrize(
    ("timesteps", "of_a_pass", "coding"),
    [(300, None, "direct"), *(pytest.param(*one, marks=pytest.mark.slow) for one in ((65, 65, "rate"), (1024, None, "rate")))],
)
def test_many_timesteps_pass_in_many_passes_or_in_one(timesteps, of_a_pass, coding, tmp_path):
    network = small_network("2C3-FC3", (1, 3, 4), coding=coding, timesteps=timesteps)
    stages = plan_stages(network, choose_sizing(network, timesteps=of_a_pass))
    check(network, stages, random_images(2, network.image_shape, network.pixel_range, 1), tmp_path, "icarus")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("path", [MODEL, SPARSE, VGG9], ids=lambda path: path.stem)
def test_counters_of_the_shipped_networks(path, tmp_path, monkeypatch):
    """20 images through Verilator, every spike compared, and every counter."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network = load_model(path)
    check(network, plan_stages(network, choose_sizing(network)), load("fashion-mnist", network, 20).images, tmp_path, "verilator")


def test_one_spike_more_changes_the_counters():
    network = small_network()
    stages = plan_stages(network, choose_sizing(network))
    trace = golden.run(network, random_images(1, network.image_shape, network.pixel_range, 1))
    before = run_model(stages, trace).activity["conv2"]
    silent = next(place for place in zip(*(trace.spikes["conv1"] == 0).nonzero(), strict=True))
    other_timestep = (silent[0], 1 - silent[1], *silent[2:])
    assert trace.spikes["conv1"][other_timestep] == 0
    trace.spikes["conv1"][silent] = 1
    after = run_model(stages, trace).activity["conv2"]
    assert after["events"] + after["silent"] > before["events"] + before["silent"] or after["silent"] < before["silent"]


def test_progress_tells_the_images_that_are_done():
    network = small_network("2C3-FC3", (1, 3, 3))
    stages = plan_stages(network, choose_sizing(network))
    trace = golden.run(network, random_images(4, network.image_shape, network.pixel_range, 1))
    said = []
    run_model(stages, trace, said.append)
    assert said[-1] == 4
    assert READOUT in run_model(stages, trace).activity


def test_a_model_that_stands_still_is_an_error(monkeypatch):
    """Planted: a scanner without banks takes no beat. One that works is never taken for it, however short the slices."""
    network = small_network("2C3-FC3", (1, 3, 3))
    stages = plan_stages(network, choose_sizing(network))
    trace = golden.run(network, random_images(2, network.image_shape, network.pixel_range, 1))
    whole = run_model(stages, trace)
    add = model._Chain.add
    for cycles in (1, 2, 7, 100):
        monkeypatch.setattr(model, "PROGRESS_CYCLES", cycles)
        assert run_model(stages, trace).activity == whole.activity
        with monkeypatch.context() as planted:
            planted.setattr(
                model._Chain,
                "add",
                lambda *words, **fields: add(*words, **fields | dict.fromkeys(fields.keys() & {"banks"}, 0)),
            )
            with pytest.raises(CosimError, match="the cycle model stopped"):
                run_model(stages, trace)
