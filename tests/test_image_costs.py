"""Costs of an image: those that the commands cycles and energy tell of the same images."""

import json

import pytest
from commands import run
from small_networks import small_network, small_stages

from cosim.errors import CosimError
from cosim.image_costs import image_costs
from reference.datasets import load
from reference.modelfile import save_model


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
