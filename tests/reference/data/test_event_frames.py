"""Events are counted in the pixels and timesteps in which they are, one by one."""

import dataclasses

import numpy as np
import pytest

from duospike.reference.data import event_frames
from duospike.reference.data.event_files import events_of
from duospike.reference.data.event_frames import Binning, Events, FrameFormat, frame_format, to_frames
from duospike.reference.errors import InputError
from duospike.reference.network import Neuron
from duospike.reference.training.random_network import random_network
from tests.benches.event_files import counted, random_events

SHAPE = (4, 2, 9, 9)
EVENTS = random_events(200, 9, 3, span=1000)


def frames_of(events, binning, shape=SHAPE, **changes):
    counts = FrameFormat(shape[0], shape[1:], False, 255, binning)
    return to_frames([events_of("a", *events)], 1, dataclasses.replace(counts, **changes))


def test_windows_of_equal_time():
    t = EVENTS[0].tolist()
    width = (t[-1] - t[0] + 1) / 4
    frames, about = frames_of(EVENTS, Binning())
    assert np.array_equal(frames[0], counted(EVENTS, [int((one - t[0]) / width) for one in t], SHAPE))
    assert about == "200 events of 1 recordings in 4 timesteps of equal time"


def test_windows_of_a_time_from_the_first_event():
    t = EVENTS[0].tolist()
    frames, about = frames_of(EVENTS, Binning(bin_time=100))
    steps = [(one - t[0]) // 100 for one in t]
    late = sum(step >= 4 for step in steps)
    assert late and np.array_equal(frames[0], counted(EVENTS, steps, SHAPE))
    assert about.endswith(f"in 4 timesteps of 100 us; {late / 200:.1%} of the events are after the last timestep and left out")


def test_windows_of_equally_many_events():
    events = EVENTS[:, :10]
    frames, _ = frames_of(events, Binning("count"))
    assert np.array_equal(frames[0], counted(events, [0, 0, 0, 1, 1, 2, 2, 2, 3, 3], SHAPE))


def test_spikes_are_where_an_event_is():
    counts, spikes = (frames_of(EVENTS, Binning(), binary=binary, largest=largest)[0] for binary, largest in ((0, 255), (1, 1)))
    assert counts.max() > 1 and np.array_equal(spikes, counts > 0)


def test_downscaled_pixels_sum():
    counts = frames_of(EVENTS, Binning())[0]
    padded = np.pad(counts, [(0, 0)] * 3 + [(0, 1), (0, 1)]).reshape(1, 4, 2, 5, 2, 5, 2)
    assert np.array_equal(frames_of(EVENTS, Binning(downscale=2), (4, 2, 5, 5))[0], padded.sum((4, 6)))


def test_one_channel_has_both_polarities():
    assert np.array_equal(frames_of(EVENTS, Binning(), (4, 1, 9, 9))[0], frames_of(EVENTS, Binning())[0].sum(2, keepdims=True))


def test_events_are_counted_part_by_part(monkeypatch):
    whole, _ = frames_of(EVENTS, Binning())
    monkeypatch.setattr(event_frames, "EVENTS_AT_ONCE", 7)
    assert np.array_equal(frames_of(EVENTS, Binning())[0], whole)


def test_one_event_and_equal_times():
    one = np.array([[7], [1], [2], [1]])
    assert frames_of(one, Binning())[0][0, 0, 1, 2, 1] == 1
    same = np.repeat(one, 5, axis=1)
    assert frames_of(same, Binning())[0][0, 0, 1, 2, 1] == 5
    assert frames_of(same, Binning("count"))[0][0, :, 1, 2, 1].tolist() == [2, 1, 1, 1]


@pytest.mark.parametrize(
    "events, shape, downscale, message",
    [
        (EVENTS, (4, 2, 9, 8), 1, r"a: x from 0 to 8; the network takes 2x9x8, at downscale 1 0\.\.7"),
        (EVENTS, (4, 2, 3, 5), 2, r"a: y from 0 to 8; .* at downscale 2 0\.\.5"),
        (EVENTS, (4, 3, 9, 9), 1, "events for a network of 3 input channels; allowed: 2, off and on, or 1, both"),
        (np.repeat([[7], [1], [2], [1]], 300, axis=1), SHAPE, 1, "a: 300 events in one pixel and timestep; .* up to 255"),
        (np.array([[0], [-1], [0], [1]]), SHAPE, 1, "a: x from -1 to -1"),
        (EVENTS, (1024, 2, 2**11, 2**12), 1, "17179869184 values; allowed: up to 4294967296"),
    ],
)
def test_refused_events(events, shape, downscale, message):
    with pytest.raises(InputError, match=message):
        frames_of(events, Binning(downscale=downscale), shape)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"bins": "space"}, "bins 'space'; allowed: time or count"),
        ({"bin_time": -1}, "bin time -1 us"),
        ({"bins": "count", "bin_time": 5}, "bin time 5 us with bins by count"),
        ({"downscale": 0}, "downscale 0; allowed: 1 to 1024"),
    ],
)
def test_refused_binnings(values, message):
    with pytest.raises(InputError, match=message):
        Binning(**values)


def network(**metadata):
    found = random_network(
        "2C3-FC10", input_shape=(2, 9, 9), rate=0.1, seed=1, neuron=Neuron("zero", 1, 1), timesteps=4, image_bits=1,
        coding="events",
    )  # fmt: skip
    return dataclasses.replace(found, metadata=metadata)


def test_a_network_keeps_how_it_was_trained_and_options_override_it():
    binning = Binning(bin_time=500, downscale=3)
    trained = network(**binning.metadata)
    assert frame_format(trained, {}) == FrameFormat(4, (2, 9, 9), True, 1, binning)
    assert frame_format(trained, {"downscale": 1}).binning == Binning(bin_time=500)
    assert frame_format(trained, {"bins": "count"}).binning == Binning("count", downscale=3)
    assert frame_format(network(), {}).binning == Binning()


@pytest.mark.parametrize("text", ["x", "-1", "9" * 30, "\u0663"])
def test_metadata_that_is_no_number_is_refused(text):
    with pytest.raises(InputError, match="the network's file: bin_time = .*; needs a whole number"):
        frame_format(network(bin_time=text), {})


def test_times_beyond_all_are_refused():
    with pytest.raises(InputError, match="allowed: 0 to 2.52 - 1"):
        Events("a", *np.array([[2**52], [0], [0], [0]]))
