"""Leaks m/2^k near a source's, and as the command's option names them."""

from fractions import Fraction

import pytest

from duospike.reference.errors import InputError
from duospike.reference.exchange.leaks import TOLERANCE, near_leaks, parse_leaks
from duospike.reference.network import Neuron


def test_a_leak_of_the_hardware_stays():
    assert near_leaks("zero", (Fraction(115, 128),), 4) == [Neuron("zero", 115, 7)]
    assert near_leaks("subtract", (Fraction(1),), 1000) == [Neuron("subtract", 1, 0)]


@pytest.mark.parametrize("beta", [Fraction(0.9), Fraction(1, 3), Fraction(-3), Fraction(1, 2)])
def test_with_one_timestep_nothing_leaks(beta):
    assert near_leaks("zero", (beta,), 1) == [Neuron("zero", 0, 0)]


@pytest.mark.parametrize("timesteps", [2, 4, 25, 64])
@pytest.mark.parametrize("beta", [0.9, 0.95, 0.99, 0.3, 0.813, 0.001])
def test_the_first_is_the_shortest_that_is_near_enough(beta, timesteps):
    found = near_leaks("zero", (Fraction(beta),), timesteps)

    def off(near):
        """By the potential itself, timestep for timestep."""
        v = wanted = 0.0
        for _ in range(timesteps):
            v, wanted = near * v + 1, beta * wanted + 1
        return abs(v - wanted) / wanted

    assert off(found[0].beta) <= TOLERANCE
    assert all(off(m / 2**k) > TOLERANCE for k in range(found[0].shift) for m in range(2**k + 1))
    assert [neuron.shift for neuron in found] == sorted({neuron.shift for neuron in found}, reverse=True)


def test_beta_of_four_timesteps():
    assert near_leaks("zero", (Fraction(0.9),), 4)[0] == Neuron("zero", 115, 7)


def test_all_layers_and_some():
    assert parse_leaks("7/8", ["conv1", "fc1"]) == {"conv1": Fraction(7, 8), "fc1": Fraction(7, 8)}
    assert parse_leaks("conv1=7/8, fc1=2/4", ["conv1", "conv2", "fc1"]) == {"conv1": Fraction(7, 8), "fc1": Fraction(1, 2)}


@pytest.mark.parametrize(
    "text, reason",
    [
        ("0.9", r"beta '0.9'; needs m/2\^k written out, such as 5/32"),
        ("conv1=0.9", r"beta '0.9'; needs m/2\^k written out"),
        ("conv3=1/2", r"--beta 'conv3=1/2': needs LAYER=m/2\^k; the layers are conv1, fc1"),
        ("conv1=1/2,7/8", r"--beta '7/8': needs LAYER=m/2\^k; the layers are conv1, fc1"),
        ("conv1=1/2,conv1=1/4", "--beta 'conv1=1/4': layer conv1 is named twice"),
        ("", "beta ''; needs"),
    ],
)
def test_refused(text, reason):
    with pytest.raises(InputError, match=reason):
        parse_leaks(text, ["conv1", "fc1"])


def test_leaks_of_channels_share_the_shift():
    assert near_leaks("zero", (Fraction(1, 2), Fraction(3, 8), Fraction(1)), 4) == [Neuron("zero", (4, 3, 8), 3)]
    assert near_leaks("zero", (Fraction(3, 8),) * 2, 4) == [Neuron("zero", 3, 3)]
    first, *others = near_leaks("zero", (Fraction(0.9), Fraction(0.3)), 4)
    assert all(abs(m / 2**first.shift - beta) < 0.005 for m, beta in zip(first.multiplier, (0.9, 0.3), strict=True))
    assert [one.shift for one in (first, *others)] == sorted((one.shift for one in (first, *others)), reverse=True)
