from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.reference.errors import InputError
from duospike.reference.network import RESETS, Conv, CurrentPool, Linear, Network, Neuron, Pool
from duospike.reference.widths import current_bounds, layer_widths, prove_widths, signed_bits


def network_of(weights, bias, theta, neuron, timesteps=3, signed=False, image_bits=1, readout=None):
    """A 1-channel 3x3 image, a 1x1 convolution with these weights [outputs], and a read-out of one neuron."""
    outputs = len(weights)
    dense = Conv("conv1", np.reshape(weights, (outputs, 1, 1, 1)), np.array(bias), np.array(theta), 8, neuron)
    readout = readout or Linear(
        "fc1", np.zeros((1, outputs * 9), dtype=np.int64), np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), 8, neuron
    )
    return Network((1, 3, 3), image_bits, signed, timesteps, 1, (dense, readout))


@pytest.mark.parametrize("low, high, bits", [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-8, 7, 4), (-9, 7, 5), (-8, 8, 5), (5, 9, 5)])
def test_signed_bits(low, high, bits):
    assert signed_bits(low, high) == bits
    assert -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1)


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**6))
def test_signed_bits_is_the_smallest(low, extent):
    bits, high = signed_bits(low, low + extent), low + extent
    assert -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1)
    assert bits == 1 or low < -(2 ** (bits - 2)) or high >= 2 ** (bits - 2)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-7, 7), min_size=1, max_size=6), st.integers(-20, 20), st.sampled_from([(0, 1), (0, 3), (-2, 1)]))
def test_current_holds_every_partial_sum_and_no_more(weights, bias, pixels):
    zeros = np.zeros(1, dtype=np.int64)
    layer = Linear("fc1", np.array([weights]), np.array([bias]), zeros, 4, Neuron("zero", 0, 0))
    values = range(pixels[0], pixels[1] + 1)
    sums = [bias + sum(w * x for w, x in zip(weights, xs, strict=True)) for xs in product(values, repeat=len(weights))]
    assert tuple(int(bound[0]) for bound in current_bounds(layer, pixels)) == (min(sums), max(sums))


def reached(neuron, theta, low, high, timesteps):
    """Ends of the potentials and of the states that currents low..high reach, every combination tried."""
    ends = (low, high)
    potentials, states, carried = {0}, {0}, {0}
    for _ in range(timesteps):
        step = {c + a for c in carried for a in range(ends[0], ends[1] + 1)}
        after = {after_reset(neuron, theta, v) for v in step}
        states |= {state for state, _ in after}
        carried = {carry for _, carry in after}
        potentials |= step
    return (min(potentials), max(potentials)), (min(states), max(states))


def after_reset(neuron, theta, v):
    s = int(v > theta)
    if neuron.reset == "subtract_delayed":
        state = v * neuron.multiplier // 2**neuron.shift - theta * s
        return state, state
    state = {"subtract": v - theta * s, "zero": v * (1 - s), "none": v}[neuron.reset]
    return state, state * neuron.multiplier // 2**neuron.shift


@pytest.mark.parametrize("reset", RESETS)
@settings(max_examples=40, deadline=None)
@given(
    weight=st.integers(-12, 12),
    bias=st.integers(-12, 12),
    theta=st.integers(-25, 25),
    leak=st.sampled_from([(5, 3), (1, 0), (0, 0), (1, 4), (3, 2)]),
    timesteps=st.integers(1, 4),
)
def test_ranges_hold_every_reachable_value(reset, weight, bias, theta, leak, timesteps):
    """With a pixel of one bit, times the weight: the ranges must hold all that is reachable by that product's range."""
    neuron = Neuron(reset, *leak)
    widths = prove_widths(network_of([weight], [bias], [theta], neuron, timesteps))["conv1"]
    check_ranges(widths, neuron, theta, bias + min(0, weight), bias + max(0, weight), timesteps)


def check_ranges(widths, neuron, theta, low, high, timesteps):
    """Ranges against every value that currents low..high give; for one timestep they must be no wider."""
    assert widths.current == (low, high)
    potential, state = reached(neuron, theta, low, high, timesteps)
    assert widths.potential[0] <= potential[0] and potential[1] <= widths.potential[1]
    assert widths.state[0] <= state[0] and state[1] <= widths.state[1]
    if timesteps == 1:
        assert (widths.potential, widths.state) == (potential, state)


@pytest.mark.parametrize(("op", "potential"), [("max", (-3, 4)), ("sum", (-18, 24))])
def test_pooled_currents_and_sums_of_spikes_widen_the_ranges(op, potential):
    """A sum of 2x3 currents from -3 to 4, each with the bias; then inputs from 0 to 4."""
    one, none = Neuron("zero", 0, 0), np.zeros(1, dtype=np.int64)
    conv = Conv("conv1", np.full((1, 1, 1, 1), 7), np.array([-3]), none, 4, one, current_pool=CurrentPool(op, (2, 3)))
    fc = Linear("fc1", np.array([[1, -2]]), none, none, 4, one)
    layers = (conv, Pool("pool1", "sum", (2, 2)), fc)
    widths = prove_widths(Network((1, 8, 6), 1, False, 1, 1, layers, coding="events"))
    assert widths["conv1"].current == (-3, 4)
    assert (widths["conv1"].pooled, widths["conv1"].potential) == (potential, potential)
    assert widths["fc1"].current == (-8, 4)


def test_pooled_sums_that_floats_cannot_carry_are_refused():
    none = np.zeros(1, dtype=np.int64)
    pool = CurrentPool("sum", (2, 2))
    conv = Conv("conv1", np.full((1, 1, 1, 1), 1), np.array([2**22 - 1]), none, 4, Neuron("zero", 0, 0), current_pool=pool)
    with pytest.raises(InputError, match="layer conv1: sum of pooled currents can reach 16777216; allowed: magnitudes below"):
        layer_widths(conv, (0, 1), 1)
    layer_widths(replace(conv, bias=conv.bias - 1), (0, 1), 1)


def test_every_output_counts_with_its_own_bias_and_threshold():
    neuron = Neuron("zero", 5, 5)
    widths = prove_widths(network_of([3, -7, 1], [0, 10, -90], [3, -2, 0], neuron, image_bits=2))["conv1"]
    assert widths.current == (-90, 10)
    assert widths.theta_bits == 3
    assert widths.current_bits == 8


def test_signed_pixels_turn_the_range():
    neuron = Neuron("zero", 5, 5)
    assert prove_widths(network_of([3], [0], [1], neuron, signed=True, image_bits=4))["conv1"].current == (-24, 21)
    assert prove_widths(network_of([-3], [0], [1], neuron, signed=True, image_bits=4))["conv1"].current == (-21, 24)


@pytest.mark.parametrize("what", ["current", "potential", "state"])
@pytest.mark.parametrize("change", [(1, 0), (0, -1)], ids=["low", "high"])
@pytest.mark.parametrize("timesteps", [1, 3])
def test_a_one_too_narrow_range_is_noticed(what, change, timesteps):
    """Planted: what is proven, less one value at an end. Nothing leaks, so that each end is reached at three timesteps, too."""
    neuron, theta, weight, bias = Neuron("subtract", 0, 3), 4, 20, -9
    widths = prove_widths(network_of([weight], [bias], [theta], neuron, timesteps))["conv1"]
    check_ranges(widths, neuron, theta, bias, bias + weight, timesteps)
    low, high = getattr(widths, what)
    narrow = replace(widths, **{what: (low + change[0], high + change[1])})
    with pytest.raises(AssertionError):
        check_ranges(narrow, neuron, theta, bias, bias + weight, timesteps)


@pytest.mark.parametrize(
    "what, change",
    [("bias", {"bias": [2**24]}), ("theta", {"theta": [-(2**24)]}), ("current", {"bias": [2**24 - 1], "weights": [1]})],
)
def test_what_float32_cannot_carry_is_refused(what, change):
    values = {"weights": [1], "bias": [0], "theta": [0]} | change
    with pytest.raises(InputError, match=rf"layer conv1: {what} can reach -?\d+; allowed: magnitudes below 16777216"):
        prove_widths(network_of(**values, neuron=Neuron("subtract", 0, 0)))


def test_a_potential_that_grows_over_time_is_refused():
    network = network_of([0], [2**22], [2**23], Neuron("zero", 1, 0), timesteps=2)
    assert prove_widths(network)["conv1"].potential == (0, 2**23)
    with pytest.raises(InputError, match="layer conv1: potential can reach 16777216"):
        prove_widths(network_of([0], [2**22], [2**24 - 1], Neuron("zero", 1, 0), timesteps=4))


def test_the_product_before_the_shift_is_refused():
    assert prove_widths(network_of([0], [255], [2**20], Neuron("subtract", 65536, 16), timesteps=1))
    with pytest.raises(InputError, match="leak multiplier times potential can reach"):
        prove_widths(network_of([0], [256], [2**20], Neuron("subtract", 65536, 16), timesteps=1))


def sum_of(total, bias=0):
    """A fully connected layer whose weights, at most 127 each, sum up to `total`."""
    sign, size = (1, total) if total > 0 else (-1, -total)
    weights = [sign * 127] * (size // 127) + [sign * (size % 127)]
    return Linear("fc1", np.array([weights]), np.array([bias]), np.zeros(1, dtype=np.int64), 8, Neuron("zero", 0, 0))


@pytest.mark.parametrize(
    "inputs, largest",
    [((0, 65535), 256), ((-32768, 32767), 511), ((0, 255), 65793), ((0, 1), 2**24 - 1)],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_sum_of_products_is_refused_whatever_the_bias(inputs, largest, sign):
    """With the bias added first nothing would reach the limit; with the bias added last the sum alone does."""
    assert layer_widths(sum_of(sign * largest), inputs, 1)
    biases = [0, -12_000_000, 12_000_000] if inputs[0] == 0 else [0]
    for bias in biases:
        with pytest.raises(InputError, match="layer fc1: sum of products can reach -?[0-9]+; allowed: magnitudes below 16777216"):
            layer_widths(sum_of(sign * (largest + 1), bias), inputs, 1)


def test_currents_within_the_limit_do_not_excuse_a_sum_of_products_beyond_it():
    layer = sum_of(3 * 127, -12_000_000)
    assert [int(bound[0]) for bound in current_bounds(layer, (0, 65535))] == [-12_000_000, 12_968_835]
    with pytest.raises(InputError, match="layer fc1: sum of products can reach 24968835;"):
        layer_widths(layer, (0, 65535), 1)
