"""N-MNIST, DVS128 Gesture and recordings of one's own as data sets."""

import dataclasses

import numpy as np
import pytest

from duospike.reference.data import datasets
from duospike.reference.data.event_frames import Binning
from duospike.reference.errors import InputError
from duospike.reference.network import Neuron
from duospike.reference.training.random_network import random_network
from tests.benches.event_files import counted, nmnist_bytes, random_events, write_gesture, write_nmnist


def network(shape=(2, 34, 34), **metadata):
    found = random_network(
        "2C3-MP2-FC20", input_shape=shape, rate=0.1, seed=1, neuron=Neuron("zero", 1, 1), timesteps=3, image_bits=1,
        coding="events",
    )  # fmt: skip
    return dataclasses.replace(found, metadata=metadata)


def spikes(events, shape=(3, 2, 34, 34), downscale=1):
    """By equal time, one by one."""
    since = events[0] - events[0, 0]
    return counted(events // [[1], [downscale], [downscale], [1]], (since / ((since[-1] + 1) / shape[0])).astype(int), shape) > 0


def test_nmnist(tmp_path):
    written = write_nmnist(tmp_path)
    assert datasets.published_in(tmp_path).name == "n-mnist"
    data = datasets.load(str(tmp_path), network())
    assert np.array_equal(data.images, [spikes(events) for events in written["Test"]])
    assert data.labels.tolist() == list(range(10)) and data.total == 10
    some = datasets.load(str(tmp_path), network(), 3, split="train")
    assert np.array_equal(some.images, [spikes(events) for events in written["Train"][:3]]) and some.total == 20
    with pytest.raises(InputError, match="holds 10 images, 11 were asked for; allowed: up to 10"):
        datasets.load(str(tmp_path), network(), 11)


def test_a_network_of_frames_takes_counts(tmp_path):
    events = write_nmnist(tmp_path, {"Test": 10})["Test"][0]
    frames = random_network(
        "2C3-FC20", input_shape=(2, 3, 3), rate=0.1, seed=1, neuron=Neuron("zero", 1, 1), timesteps=1, image_bits=4,
        coding="frames",
    )  # fmt: skip
    data = datasets.load(str(tmp_path), frames, 1, binning={"downscale": 12})
    assert np.array_equal(data.images[0], counted(events // [[1], [12], [12], [1]], [0] * 40, (1, 2, 3, 3)))
    assert 3 < data.images.max() < 16
    few = dataclasses.replace(frames, image_bits=2)
    with pytest.raises(InputError, match="events in one pixel and timestep; the network takes counts up to 3; take shorter"):
        datasets.load(str(tmp_path), few, 1, binning={"downscale": 12})


def test_a_class_of_nmnist_without_files(tmp_path):
    write_nmnist(tmp_path, {"Test": 9})
    with pytest.raises(InputError, match=r"Test/9: holds no \.bin files"):
        datasets.load(str(tmp_path), network())


def test_gestures_are_cut_out_of_their_files(tmp_path):
    events = write_gesture(tmp_path)["test"]
    data = datasets.load(str(tmp_path), network((2, 32, 32), downscale="4"))
    parts = [events[:, (events[0] >= start) & (events[0] < end)] for start, end in ((1000, 90000), (100000, 200000))]
    assert np.array_equal(data.images, [spikes(part, (3, 2, 32, 32), 4) for part in parts])
    assert data.labels.tolist() == [10, 1] and data.about.endswith("of equal time, downscale 4")


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("trials_to_test.txt", "../a.aedat\n", r"trials_to_test.txt: '../a.aedat'; needs names of .aedat files"),
        ("trials_to_test.txt", "", "0 recordings; allowed: 1 to"),
        ("user24_lab_labels.csv", "head\n12,1,2\n", "'12,1,2'; needs class,start,end: a class of 1 to 11"),
        ("user24_lab_labels.csv", "head\n1,5,2\n", "'1,5,2'; needs"),
        ("user24_lab_labels.csv", "head\n1,900000,900001\n", "user24_lab.aedat, 900000 to 900001 us: holds no events"),
    ],
)
def test_damaged_lists_of_gestures(name, text, message, tmp_path):
    write_gesture(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        datasets.load(str(tmp_path), network((2, 32, 32), downscale="4"))


def test_a_network_of_another_sensor(tmp_path):
    write_nmnist(tmp_path)
    with pytest.raises(InputError, match="n-mnist: events of 2x34x34; the network takes 2x17x17"):
        datasets.load(str(tmp_path), network((2, 17, 17)))
    assert datasets.load(str(tmp_path), network((2, 17, 17)), 1, binning={"downscale": 2}).images.shape == (1, 3, 2, 17, 17)
    with pytest.raises(InputError, match="n-mnist: recorded events need the network that they are for"):
        datasets.load(str(tmp_path), None)
    direct = random_network("2C3-FC10", input_shape=(2, 34, 34), rate=0.1, seed=1, neuron=Neuron("zero", 1, 1))
    with pytest.raises(InputError, match="event data for a network of coding direct; it takes images, not events"):
        datasets.load(str(tmp_path), direct)


@pytest.fixture
def own(tmp_path):
    """A folder of three recordings, as .npy and .bin files."""
    events = [random_events(50, 34, seed) for seed in range(3)]
    np.save(tmp_path / "a.npy", events[0].T)
    (tmp_path / "b.bin").write_bytes(nmnist_bytes(events[1]))
    np.save(tmp_path / "c.npy", events[2].T)
    return tmp_path, events


def test_recordings_of_ones_own(own, tmp_path_factory):
    folder, events = own
    labels = tmp_path_factory.mktemp("labels") / "l.npy"
    np.save(labels, np.array([5, 0, 9], np.uint8))
    data = datasets.load(str(folder), network(), labels=labels)
    assert np.array_equal(data.images, [spikes(one) for one in events]) and data.labels.tolist() == [5, 0, 9]
    assert datasets.load(str(folder), network(), 2, labels=labels).labels.tolist() == [5, 0]
    one = datasets.load(str(folder / "a.npy"), network())
    assert np.array_equal(one.images[0], spikes(events[0])) and one.labels is None


@pytest.mark.parametrize(
    "labels, message",
    [
        ([1, 2], "holds 2 labels for 3 images; needs one for each"),
        ([1, 2, 10], r"labels from 1 to 10; the network's classes are 0\.\.9"),
        ([1, 2, -1], "labels from -1 to 2"),
        ([1.0, 2, 3], "holds float64 .*; needs labels, integers"),
        ([[1], [2], [3]], r"holds int64 \(3, 1\); needs labels"),
    ],
)
def test_refused_labels(labels, message, own, tmp_path_factory):
    path = tmp_path_factory.mktemp("labels") / "l.npy"
    np.save(path, np.array(labels))
    with pytest.raises(InputError, match=f"l.npy: {message}"):
        datasets.load(str(own[0]), network(), labels=path)


def test_labels_for_what_has_its_own(tmp_path):
    write_nmnist(tmp_path)
    with pytest.raises(InputError, match="labels l.npy for n-mnist, which has its own"):
        datasets.load(str(tmp_path), network(), labels="l.npy")
    with pytest.raises(InputError, match="labels l.npy for random images"):
        datasets.load("random", network(), labels="l.npy")


def test_labels_of_images(tmp_path):
    direct = random_network("2C3-FC10", input_shape=(1, 5, 5), rate=0.1, seed=1, neuron=Neuron("zero", 1, 1))
    np.save(tmp_path / "a.npy", np.zeros((4, 1, 5, 5), np.uint8))
    np.save(tmp_path / "l.npy", np.arange(4))
    assert datasets.load(str(tmp_path / "a.npy"), direct, 3, labels=tmp_path / "l.npy").labels.tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="bins, downscale for data .*; allowed: for recorded events"):
        datasets.load(str(tmp_path / "a.npy"), direct, binning={"bins": "time", "downscale": 1})


def test_settings_of_a_binning_reach_the_frames(tmp_path):
    written = write_nmnist(tmp_path)["Test"][0]
    by_count = datasets.load(str(tmp_path), network(**Binning("count").metadata), 1).images[0]
    assert np.array_equal(by_count, counted(written, [i * 3 // 40 for i in range(40)], (3, 2, 34, 34)) > 0)
