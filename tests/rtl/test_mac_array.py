import numpy as np
import pytest

from duospike.cosim.design.beats import pack_fields
from duospike.reference.widths import signed_bits
from duospike.rtl.mac_array import mac_array, mac_latency
from duospike.rtl.memory import Table
from tests.benches.stream_bench import STALLS, run_stream

WEIGHT_BITS = 4


def multiply(
    place, *, signed, input_bits=5, inputs=4, lanes=2, groups=2, columns=3, repeat=2, stalls=(0, 0), extremes=False, has_bias=True
):
    choose = np.random.default_rng(inputs * 10 + lanes)
    limit = 2 ** (WEIGHT_BITS - 1) - 1
    low, high = (-(2 ** (input_bits - 1)), 2 ** (input_bits - 1) - 1) if signed else (0, 2**input_bits - 1)
    weights = choose.integers(-limit - 1, limit + 1, (groups, lanes, inputs))
    bias = choose.integers(-20, 20, (groups, lanes))
    # With a second group each bit of each weight and bias is 0 once and 1 once.
    weights[1:2], bias[1:2] = ~weights[:1], ~bias[:1]
    windows = choose.integers(low, high + 1, (4 * groups * columns, inputs))
    bias *= has_bias
    if extremes:
        weights[:], windows[::2], windows[1::2] = -limit, low, high
    group = np.arange(len(windows)) // columns % groups
    sums = np.einsum("nli,ni->nl", weights[group], windows) + bias[group]
    reach = np.abs(weights).sum(2).max() * max(-low, high) + np.abs(bias).max()
    current_bits = signed_bits(-int(reach), int(reach))
    currents = np.repeat(sums[:, :, None], repeat, axis=2).reshape(len(windows), -1)
    run = run_stream(
        place, mac_array, pack_fields(windows, input_bits), widths=(inputs * input_bits, lanes * repeat * current_bits),
        expected=len(windows), stalls=stalls, counted=False, lanes=lanes, columns=columns, repeat=repeat, inputs=inputs,
        input_bits=input_bits, input_signed=signed, current_bits=current_bits,
        bias=Table("bias.hex", lanes * current_bits, pack_fields(bias, current_bits)) if has_bias else None,
        weights=Table("weights.hex", lanes * inputs * WEIGHT_BITS, pack_fields(weights.reshape(groups, -1), WEIGHT_BITS)),
    )  # fmt: skip
    assert tuple(run.beats) == pack_fields(currents, current_bits)
    return run


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize("signed", [False, True])
def test_sums_of_products(place, signed, stalls):
    multiply(place, signed=signed, groups=5, stalls=stalls)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("inputs", "lanes", "groups", "columns", "repeat"), [(1, 1, 1, 1, 1), (1, 3, 2, 1, 4), (9, 1, 3, 2, 3), (18, 2, 1, 5, 1)]
)
def test_any_shape(place, signed, inputs, lanes, groups, columns, repeat):
    multiply(place, signed=signed, inputs=inputs, lanes=lanes, groups=groups, columns=columns, repeat=repeat, stalls=(0.3, 0.3))


@pytest.mark.parametrize(("inputs", "latency"), [(1, 4), (4, 4), (5, 5)])
def test_without_a_bias(place, inputs, latency):
    """Four terms fit a step of the adder tree, where with a bias three products would."""
    shape = {"signed": True, "inputs": inputs, "has_bias": False, "repeat": 1, "columns": 1, "groups": 3}
    run = multiply(place, **shape)
    assert run.cycles[0] - run.sent[0] == latency == mac_latency(inputs)
    multiply(place, **shape, stalls=(0.4, 0.4))
    multiply(place, signed=False, inputs=inputs, has_bias=False, stalls=(0.4, 0.4), extremes=True)


@pytest.mark.parametrize("input_bits", [1, 8])
@pytest.mark.parametrize("signed", [False, True])
def test_largest_values_of_an_input(place, signed, input_bits):
    multiply(place, signed=signed, input_bits=input_bits, extremes=True)


def test_one_window_a_cycle(place):
    run = multiply(place, signed=False, groups=5)
    assert run.cycles[0] - run.sent[0] == 5
    assert run.cycles[-1] - run.cycles[0] == len(run.beats) - 1
