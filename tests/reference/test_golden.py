import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from duospike.reference import golden
from duospike.reference.data.datasets import random_images
from duospike.reference.errors import InputError
from duospike.reference.network import READOUTS, RESETS, Conv, Neuron, Pool
from duospike.reference.training.random_network import random_network
from tests.benches.plain_model import conv_currents, membranes_of, scores_of, spikes_of


def small_network(architecture="3C3-MP2-4C5-5C1-FC12-FC10", shape=(2, 7, 6), reset="subtract", seed=1, **options):
    options = {"rate": 0.3, "neuron": Neuron(reset, 5, 3), "classes": 5} | options
    return random_network(architecture, input_shape=shape, seed=seed, **options)


def assert_equals_plain_model(network, images):
    trace = golden.run(network, images)
    for n, image in enumerate(images):
        expected = spikes_of(network, image)
        for layer in network.layers:
            if golden.gives_spikes(network, layer):
                assert np.array_equal(trace.spikes[layer.name][n], expected[layer.name]), layer.name
        scores = scores_of(network, image, expected)
        assert trace.scores[n].tolist() == scores
        assert trace.predicted[n] == scores.index(max(scores))
        if network.reads_membranes:
            assert np.array_equal(trace.membranes[n], membranes_of(network, image, expected))


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize(("signed", "coding"), [(False, "direct"), (True, "direct"), (True, "frames")])
def test_equals_the_plain_model(reset, signed, coding):
    network = small_network(reset=reset, image_signed=signed, timesteps=3, coding=coding)
    assert_equals_plain_model(network, random_images(3, network.image_shape, network.pixel_range, 7))


@settings(max_examples=12, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(4, 9), st.integers(4, 9)),
    architecture=st.sampled_from(["2C3-FC4", "2C1-MP2-FC4", "3C5-2C3-MP2-FC4-FC4"]),
    timesteps=st.integers(1, 4),
    bits=st.integers(2, 8),
    reset=st.sampled_from(RESETS),
    seed=st.integers(0, 99),
)
def test_equals_the_plain_model_for_any_shape(shape, architecture, timesteps, bits, reset, seed):
    network = small_network(architecture, shape, reset, seed, timesteps=timesteps, weight_bits=bits, classes=2)
    assert_equals_plain_model(network, random_images(1, shape, network.pixel_range, seed))


def _large_pool(draw):
    """Windows that may be larger than their map without its padding."""
    kernel = [draw(st.integers(1, 12)) for _ in range(2)]
    padding = [draw(st.integers(0, size // 2)) for size in kernel]
    return "MP{}x{}s{}x{}p{}x{}".format(*kernel, draw(st.integers(1, 4)), draw(st.integers(1, 99)), *padding)


@st.composite
def architectures(draw):
    """A map of any size, and layers of any windows that it has; what does not chain is refused, and drawn again."""

    def size(low=1, high=3):
        return "x".join(str(draw(st.integers(low, high))) for _ in range(2))

    words = []
    for _ in range(draw(st.integers(0, 2))):
        pool = draw(st.sampled_from(["", f"+MP{size()}", f"+AP{size()}"]))
        words.append(f"{draw(st.integers(1, 3))}C{size(1, 7)}s{size()}p{size(0, 2)}{pool}")
        words += draw(st.sampled_from([[], [f"AP{size()}"], [f"MP{size()}s{size()}p{size(0, 1)}"], [_large_pool(draw)]]))
    return "-".join([*words, *draw(st.sampled_from([[], ["FC4"]])), "FC2"])


@settings(max_examples=60, deadline=None)
@given(
    architecture=architectures(),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    coding=st.sampled_from(["direct", "rate", "frames"]),
    timesteps=st.integers(1, 4),
    reset=st.sampled_from(RESETS),
    readout=st.sampled_from(READOUTS),
    seed=st.integers(0, 99),
)
def test_any_windows_pools_and_readouts_equal_the_plain_model(architecture, shape, coding, timesteps, reset, readout, seed):
    try:
        network = small_network(architecture, shape, reset, seed, timesteps=timesteps, classes=2, coding=coding, readout=readout)
    except InputError:
        assume(False)
    assert_equals_plain_model(network, random_images(1, network.image_shape, network.pixel_range, seed))


def test_large_windows_take_work_for_their_rows_and_columns_alone():
    calls = []

    def merge(first, second):
        calls.append(first.shape)
        return torch.maximum(first, second)

    found = golden._merge_windows(torch.arange(600).reshape(1, 20, 30), (20, 7), (20, 3), merge)
    assert found.tolist() == [[list(range(576, 600, 3))]] and len(calls) == 19 + 6


@pytest.mark.parametrize("reset", RESETS)
def test_each_channel_has_its_own_leak(reset):
    network = small_network(reset=reset, timesteps=4)
    layers = [
        layer
        if isinstance(layer, Pool)
        else dataclasses.replace(layer, neuron=Neuron(reset, tuple(o % 9 for o in range(layer.outputs)), 3))
        for layer in network.layers
    ]
    network = dataclasses.replace(network, layers=tuple(layers))
    assert_equals_plain_model(network, random_images(2, network.image_shape, network.pixel_range, 7))


@pytest.mark.parametrize(("coding", "bits"), [("rate", 6), ("events", 1), ("direct", 5), ("frames", 5)])
def test_fully_connected_layers_alone_equal_the_plain_model(coding, bits):
    """The first one takes spikes or pixels, in the order channel, row, column."""
    network = small_network("FC9-FC5", (3, 2, 4), timesteps=5, coding=coding, image_bits=bits)
    assert_equals_plain_model(network, random_images(3, network.image_shape, network.pixel_range, 7))


@pytest.mark.parametrize(
    ("timesteps", "coding", "reset"), [(65, "direct", "zero"), (300, "rate", "subtract"), (1024, "direct", "subtract_delayed")]
)
def test_many_timesteps_equal_the_plain_model(timesteps, coding, reset):
    network = small_network("2C3-MP2-FC2", (1, 4, 3), reset, timesteps=timesteps, classes=2, coding=coding)
    assert_equals_plain_model(network, random_images(2, network.input_shape, network.pixel_range, 7))


def with_layer(network, name, **changes):
    layers = [dataclasses.replace(layer, **changes) if layer.name == name else layer for layer in network.layers]
    return dataclasses.replace(network, layers=tuple(layers))


@pytest.mark.parametrize("name", ["conv1", "conv2", "fc1"])
@pytest.mark.parametrize("what", ["weights", "bias", "theta"])
def test_a_planted_fault_is_seen(name, what):
    network = small_network()
    images = random_images(20, network.input_shape, network.pixel_range, 2)
    layer = next(layer for layer in network.layers if layer.name == name)
    values = getattr(layer, what).copy()
    values.flat[:] = np.roll(values, 1) if what == "weights" else values + 2
    faulty = golden.run(with_layer(network, name, **{what: values}), images)
    assert not np.array_equal(faulty.spikes[name], golden.run(network, images).spikes[name])


def test_trace_shapes_and_types():
    network = small_network(timesteps=3)
    trace = golden.run(network, random_images(4, network.input_shape, network.pixel_range, 2), with_currents=True)
    for layer, shape in zip(network.layers, network.shapes[1:], strict=True):
        assert trace.spikes[layer.name].shape == (4, 3, *shape)
        assert trace.spikes[layer.name].dtype == np.uint8
        if hasattr(layer, "theta"):
            assert trace.currents[layer.name].shape == (4, 3, *shape)
    assert set(trace.currents) == {"conv1", "conv2", "conv3", "fc1", "fc2"}
    assert trace.scores.shape == (4, 5)


def test_currents_are_exact_at_the_edge_of_float32():
    """Sums of 16-bit pixels just below 2^24, where one more bit would be lost."""
    network = small_network("1C3-FC2", (1, 3, 3), image_bits=16, weight_bits=2, classes=2, timesteps=1)
    changes = {"weights": np.full((1, 1, 3, 3), 28), "weight_bits": 6, "bias": np.array([3]), "neuron": Neuron("zero", 0, 0)}
    network = with_layer(network, "conv1", **changes)
    images = np.full((1, 1, 3, 3), 65535) - np.arange(9).reshape(1, 1, 3, 3)
    current = golden.run(network, images, with_currents=True).currents["conv1"][0, 0, 0, 1, 1]
    assert current == 28 * int(images.sum()) + 3 == 16513815


@settings(max_examples=40, deadline=None)
@given(
    weights=st.lists(st.integers(60, 127), min_size=3, max_size=4),
    sign=st.sampled_from([1, -1]),
    offset=st.integers(2, 8),
    signed=st.booleans(),
    seed=st.integers(0, 99),
)
def test_what_is_accepted_at_the_edge_of_float32_is_exact(weights, sign, offset, signed, seed):
    """Sums on both sides of 2^24, a bias against them, a threshold at the very current or 1 below: refused, or exact."""
    network = small_network("1C1-FC2", (len(weights), 3, 3), image_bits=16, image_signed=signed, classes=2, timesteps=1)
    images = random_images(3, network.input_shape, network.pixel_range, seed)
    images[:2] = np.reshape(network.pixel_range, (2, 1, 1, 1))
    ends = [sign * sum(weights) * pixel for pixel in (*network.pixel_range, 0)]
    bias = -ends[1] * offset // 8
    changes = {"weights": sign * np.reshape(weights, (1, -1, 1, 1)), "weight_bits": 8, "bias": np.array([bias])}
    network = with_layer(network, "conv1", **changes, neuron=Neuron("zero", 0, 0))
    currents = [int(conv_currents(network.layers[0], image)[0, 0, 0]) for image in images]
    for theta in (*currents, *(current - 1 for current in currents)):
        at_the_edge = with_layer(network, "conv1", theta=np.array([theta]))
        if max(map(abs, (theta, *ends, *(bias + end for end in ends)))) < 2**24:
            assert_equals_plain_model(at_the_edge, images)
        else:
            with pytest.raises(InputError, match="layer conv1: .* magnitudes below 16777216"):
                golden.run(at_the_edge, images)


def test_products_of_fewer_bits_elsewhere_do_not_change_the_golden_model():
    """A program that trains may allow torch to round the factors of float32 products."""
    network = small_network("1C3-FC2", (1, 3, 3), image_bits=16, classes=2)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        assert_equals_plain_model(network, random_images(2, network.input_shape, network.pixel_range, 3))
    finally:
        torch.set_float32_matmul_precision(before)


def test_padding_is_the_integer_zero_for_signed_pixels():
    network = small_network("1C3-FC2", (1, 3, 3), image_signed=True, classes=2)
    network = with_layer(network, "conv1", weights=np.ones((1, 1, 3, 3), dtype=np.int64), bias=np.array([0]))
    currents = golden.run(network, np.full((1, 1, 3, 3), -128), with_currents=True).currents["conv1"]
    assert currents[0, 0, 0].tolist() == [[-512, -768, -512], [-768, -1152, -768], [-512, -768, -512]]


def test_a_draw_goes_to_the_smallest_class():
    network = small_network()
    silent = with_layer(network, "fc2", theta=np.full(10, 10**6))
    trace = golden.run(silent, random_images(2, network.input_shape, network.pixel_range, 2))
    assert trace.scores.tolist() == [[0] * 5] * 2 and trace.predicted.tolist() == [0, 0]


def test_batches_do_not_change_the_trace(monkeypatch):
    network = small_network()
    images = random_images(7, network.input_shape, network.pixel_range, 2)
    whole = golden.run(network, images, with_currents=True)
    monkeypatch.setattr(golden, "BATCH", 3)
    monkeypatch.setattr(golden, "MAX_UNFOLDED", 500)
    parts = golden.run(network, images, with_currents=True)
    for name, spikes in whole.spikes.items():
        assert np.array_equal(parts.spikes[name], spikes)
    for name, currents in whole.currents.items():
        assert np.array_equal(parts.currents[name], currents)
    assert np.array_equal(parts.scores, whole.scores)


def test_evaluation_counts_what_the_trace_shows():
    network = small_network()
    images = random_images(60, network.input_shape, network.pixel_range, 2)
    trace = golden.run(network, images)
    labels = trace.predicted.copy()
    labels[:15] = (labels[:15] + 1) % 5
    done = []
    result = golden.evaluate(network, images, labels, done.append)
    assert result.accuracy == 0.75 and result.images == 60 and done == [20, 40, 60]
    for name, rate in result.spike_rates.items():
        assert rate == pytest.approx(trace.spikes[name].mean())
    assert golden.evaluate(network, images, None).accuracy is None


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((1, 2, 7, 5), dtype=np.uint8), r"shape \(1, 2, 7, 5\)"),
        (np.zeros((1, 2, 7, 6)), "must be integers, got float64"),
        (np.full((1, 2, 7, 6), 256), r"needs 0\.\.255"),
        (np.full((1, 2, 7, 6), -1), r"needs 0\.\.255"),
    ],
)
def test_unfit_images_are_refused(images, message):
    with pytest.raises(InputError, match=message):
        golden.run(small_network(), images)


def test_no_images():
    network = small_network()
    none = np.zeros((0, *network.input_shape), dtype=np.uint8)
    assert golden.run(network, none).scores.shape == (0, 5)
    with pytest.raises(InputError, match="no images"):
        golden.evaluate(network, none, None)


def test_an_unprovable_network_is_refused():
    network = with_layer(small_network(), "conv2", bias=np.full(4, 2**24))
    assert isinstance(network.layers[2], Conv)
    with pytest.raises(InputError, match="layer conv2: bias"):
        golden.run(network, np.zeros((1, *network.input_shape), dtype=np.uint8))
