"""Verilator gives the bits and cycles that Icarus gives, and keeps what it has compiled."""

import os

import pytest

from duospike.cosim.folder import TEMPORARY, temporary_folder
from duospike.cosim.simulation import verilator
from duospike.cosim.simulation.network_run import run_network
from duospike.reference.data.datasets import random_images
from duospike.reference.locks import lock_existing
from tests.benches.small_networks import small_network, small_stages


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of this test's own, with a space in its path, which make does not take."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a cache"))
    return verilator.cache_folder()


def run(network, stages, images, folder, **settings):
    folder.mkdir()
    return run_network(network, stages, images, folder, **settings)


@pytest.mark.slow
def test_bits_cycles_and_counters_are_those_of_icarus(cache, tmp_path):
    network = small_network("3C3-5C5-MP2-FC6", timesteps=3, reset="subtract_delayed", image_signed=True)
    stages = small_stages(network, 2)
    images = random_images(3, network.input_shape, network.pixel_range, 1)
    runs = {name: run(network, stages, images, tmp_path / name, simulator=name) for name in ("icarus", "verilator")}
    assert [finished.mismatch for finished in runs.values()] == [None, None]
    assert runs["verilator"].outcome.cycles == runs["icarus"].outcome.cycles
    assert runs["verilator"].activity == runs["icarus"].activity


@pytest.mark.slow
def test_other_weights_images_and_stalls_need_no_new_program(cache, tmp_path):
    one, other = small_network("2C3-FC3", (1, 3, 3), seed=1), small_network("2C3-FC3", (1, 3, 3), seed=1)
    other.layers[0].weights[0, 0, 0] = other.layers[0].weights[0, 0, 0][::-1]
    for name, network, stalls in (("one", one, (0, 0)), ("other", other, (90, 200))):
        images = random_images(2 + len(name), network.input_shape, network.pixel_range, 5)
        settings = {"simulator": "verilator", "src_stall": stalls[0], "dst_stall": stalls[1]}
        assert run(network, small_stages(network), images, tmp_path / name, **settings).mismatch is None
    assert len(list(cache.iterdir())) == 1


@pytest.mark.slow
def test_a_wrong_weight_is_caught(cache, tmp_path):
    network = small_network()
    stages = small_stages(network)
    weights = stages["conv2"].weights
    object.__setattr__(weights, "words", tuple(word ^ 0b100 for word in weights.words))
    images = random_images(1, network.input_shape, network.pixel_range, 2)
    assert run(network, stages, images, tmp_path / "run", simulator="verilator").mismatch.stage == "conv2"


@pytest.mark.parametrize(("limit", "left"), [(5, ["c", "d"]), (8, ["b", "c", "d"]), (9, ["a", "b", "c", "d"]), (0, ["c"])])
def test_the_cache_keeps_what_was_used_last_and_what_is_in_use(tmp_path, monkeypatch, limit, left):
    monkeypatch.setattr(verilator, "CACHE_BYTES", limit)
    for age, (name, size) in enumerate({"d": 2, "c": 3, "b": 3, "a": 1}.items()):
        (tmp_path / (32 * name)).write_bytes(b"x" * size)
        os.utime(tmp_path / (32 * name), (1000 - age, 1000 - age))
    (tmp_path / "mine").write_text("somebody's own")
    with lock_existing(tmp_path / (32 * "c"), shared=True):
        verilator._remove_oldest(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [*(32 * name for name in left), "mine"]


def test_what_a_killed_compilation_left_goes(cache, tmp_path):
    cache.mkdir(parents=True)
    for name in (f"{TEMPORARY}killed", f"{TEMPORARY}alive"):
        (cache / name / "content").mkdir(parents=True)
        (cache / name / "lock").touch()
    with lock_existing(cache / f"{TEMPORARY}alive" / "lock", shared=True), temporary_folder(cache) as fresh:
        assert sorted(cache.iterdir()) == sorted([cache / f"{TEMPORARY}alive", fresh.parent])
