"""Training with settings that are drawn at random: refused, or its forward pass is the integer reference of what it exports."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
import torch

from duospike.reference import golden
from duospike.reference.coding import ENCODER, TIMED_CODINGS
from duospike.reference.data.datasets import Dataset
from duospike.reference.data.pixels import COLOURS, converted
from duospike.reference.errors import InputError
from duospike.reference.network import RESETS
from duospike.reference.training import train
from duospike.reference.training.settings import CHOICES, FLOAT, settings_from

SETTINGS = 120
ARCHITECTURES = (
    "4C3-MP2-6C3-FC20",
    "4C3s2-FC8-FC20",
    "5C4p0+MP2-AP2-FC8-FC20",
    "4C2x3s1x2p0-AP2-6C3+AP2x1-FC20",
    "4C3-MP3s2p1-5C1+MP1x2-FC20",
    "FC12-FC20",
)
BASE = {"timesteps": 2, "beta": "5/32", "threshold": 1.0, "reset": "subtract"}
DRAWN = {
    "timesteps": (1, 2, 5),
    "beta": ("5/32", "0/1", "1/1", "38/256", "65535/65536"),
    "threshold": (1e-6, 0.5, 1.0, 1000.0, 1e12),
    "reset": RESETS,
    "coding": ("direct", "rate", "events", "frames"),
    "spike_penalty": (0.0, 0.1, 1e30),
    "scale_gradient": (False, True),
    "bias_bits": ("exact", 2, 4, 8),
    "surrogate_slope": (1e-9, 1.0, 25.0, 1e9),
    "weight_decay": (0.0, 0.5),
    "dropout": (0.0, 0.5, 0.99),
    "restart_optimizer": (False, True),
    **{key: words for key, words in CHOICES.items() if key != "recipe"},
}
"""What is drawn in about a third of the runs, values at the edges among them."""


def drawn_settings(choose):
    def pick(values):
        return values[int(choose.integers(len(values)))]

    table = {"recipe": "paper"} if choose.random() < 0.5 else dict(BASE)
    table |= {key: pick(values) for key, values in DRAWN.items() if choose.random() < 0.35}
    table |= {"architecture": pick(ARCHITECTURES), "dataset": pick(("fashion-mnist", "mnist", "cifar-10", "own"))}
    table |= {"weight_bits": pick((2, 3, 4, 8, FLOAT)), "batch_size": pick((16, 1000)), "learning_rate": pick((0.01, 0.3, 0.99))}
    return settings_from(table | {"classes": 10, "seed": int(choose.integers(2**32)), "epochs": 1})


def drawn_images(choose, settings, count):
    timed = (settings.timesteps,) if settings.coding in TIMED_CODINGS else ()
    shape = (count, *timed, 3 if settings.dataset in COLOURS else 1, 8, 7)
    return Dataset(choose.integers(0, 2**settings.image_bits, shape, dtype=np.uint8), choose.integers(0, 10, count))


def outcome(choose):
    settings = drawn_settings(choose)
    training, test = (drawn_images(choose, settings, count) for count in (96, 24))
    run = train.start(settings, training.images.shape[-3:])
    train.train_epoch(run, training)
    if settings.weight_bits == FLOAT:
        return "float"
    network, images = run.model.eval().export(), converted(test.images, settings.pixels)
    network.require_fit(images)
    trace = golden.run(network, images)
    with torch.no_grad():
        spikes = run.model.spikes(torch.from_numpy(images.copy()).float())
        votes = run.model(torch.from_numpy(images.copy()).float()).numpy()
    for name in trace.spikes.keys() - {ENCODER}:
        assert np.array_equal(spikes[name].transpose(0, 1).numpy(), trace.spikes[name]), (name, dataclasses.asdict(settings))
    assert np.array_equal(votes, trace.scores), dataclasses.asdict(settings)
    return "equal, with spikes" if any(each.any() for each in trace.spikes.values()) else "equal, silent"


@pytest.mark.slow
def test_random_settings_are_refused_or_train_what_they_export():
    choose, found = np.random.default_rng(1), Counter()
    for _ in range(SETTINGS):
        try:
            found[outcome(choose)] += 1
        except InputError as error:
            assert "\n" not in str(error)
            found["refused"] += 1
    print(dict(found))
    assert found["equal, with spikes"] > SETTINGS // 5
