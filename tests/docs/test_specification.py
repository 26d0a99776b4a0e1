"""The worked example and the vectors of docs/reference/specification.md, number for number."""

import numpy as np
import pytest

from duospike.reference import golden
from duospike.reference.coding import first_states, thresholds
from duospike.reference.network import Conv, Linear, Network, Neuron
from duospike.reference.widths import prove_widths
from tests.benches.plain_model import spikes_of

NEURON = Neuron("subtract", 5, 5)
IMAGE = np.array([[[[0, 10, 20], [30, 40, 50], [0, 5, 60]]]])


@pytest.fixture
def network():
    kernel = np.array([[[[1, 0, -1], [2, -3, 1], [0, 1, 7]]]])
    rows = np.array([[1, -2, 3, 0, 1, -1, 2, 0, -3], [-1, 2, 0, 3, 3, 1, 0, 1, 4]])
    conv = Conv("conv1", kernel, np.array([-10]), np.array([375]), 4, NEURON)
    return Network((1, 3, 3), 8, False, 2, 2, (conv, Linear("fc1", rows, np.array([0, -1]), np.array([0, 2]), 4, NEURON)))


def test_currents_and_spikes(network):
    trace = golden.run(network, IMAGE, with_currents=True)
    assert trace.currents["conv1"][0, 0, 0].tolist() == [[310, 370, 0], [-35, 385, -10], [-45, 15, -140]]
    assert trace.spikes["conv1"][0, 0, 0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert trace.spikes["conv1"][0, 1, 0].tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert trace.currents["fc1"][0, :, :, 0, 0].tolist() == [[1, 2], [-1, 4]]
    assert trace.spikes["fc1"][0, :, :, 0, 0].tolist() == [[1, 0], [0, 1]]
    assert trace.scores.tolist() == [[1, 1]] and trace.predicted.tolist() == [0]


def test_the_plain_model_agrees(network):
    trace, plain = golden.run(network, IMAGE), spikes_of(network, IMAGE[0])
    assert all(np.array_equal(trace.spikes[name][0], plain[name]) for name in plain)


def test_potentials_of_the_second_timestep(network):
    current = golden.run(network, IMAGE, with_currents=True).currents["conv1"][0, 0, 0]
    rest = current - 375 * (current > 375)
    assert (((5 * rest) >> 5) + current).tolist() == [[358, 427, 0], [-41, 386, -12], [-53, 17, -162]]


def test_widths(network):
    conv, fc = prove_widths(network).values()
    assert (conv.current, conv.current_bits) == ((-1030, 3050), 13)
    assert (conv.potential, conv.potential_bits) == ((-1191, 3467), 13)
    assert (conv.state, conv.theta_bits) == ((-1191, 3092), 10)
    assert (fc.current, fc.current_bits) == ((-6, 13), 5)


@pytest.mark.parametrize(
    "seed, channels, timestep, channel, state, numbers",
    [
        (0, 1, 0, 0, 0x514E28B7, [183, 41, 15, 135]),
        (1, 3, 4, 2, 0x2316A329, [41, 162, 215, 185]),
        (4294967295, 2, 63, 1, 0x723D50D4, [212, 83, 61, 22]),
        (7, 3, 1023, 2, 0x51650B39, [57, 9, 165, 164]),
    ],
)
def test_rate_coding(seed, channels, timestep, channel, state, numbers):
    """The states do not depend on how many timesteps there are: 1,024 hold all of these."""
    assert first_states(channels, 1024, seed)[timestep, channel] == state
    assert thresholds((channels, 1, 4), 1024, 8, seed)[timestep, channel, 0].tolist() == numbers
