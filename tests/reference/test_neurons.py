import numpy as np
import pytest
import snntorch
import torch

from duospike.reference.network import RESETS, Neuron
from duospike.reference.neurons import SURROGATES, SpikingActivation, charge, float_leak, floor_leak, integer_leak
from tests.benches.plain_model import neuron_spikes

SNNTORCH = {
    "subtract": {"reset_mechanism": "subtract", "reset_delay": False},
    "subtract_delayed": {"reset_mechanism": "subtract", "reset_delay": True},
    "zero": {"reset_mechanism": "zero", "reset_delay": False},
    "none": {"reset_mechanism": "none"},
}


def simulate(neuron, leak, theta, currents):
    """Potentials and spikes [T, N] by charge and the strict comparison."""
    v = s = 0 * currents[0]
    potentials, spikes = [], []
    for current in currents:
        v = charge(neuron.reset, leak, v, s, theta, current)
        s = (v > theta) * 1
        potentials.append(v)
        spikes.append(s)
    return potentials, spikes


def exact_currents(beta):
    """Random currents for theta = 1 that stay exact in float32 over 4 timesteps, whatever the order of operations.

    None is above 2 - beta, which keeps the potential after a spike at or below theta.
    """
    return torch.randint(-16, int(16 * (2 - beta)) + 1, (4, 2000), generator=torch.Generator().manual_seed(3)) / 16.0


def snntorch_spikes(settings, beta, theta, currents):
    cell, membrane, spikes = snntorch.Leaky(beta=beta, threshold=theta, **settings), None, []
    membrane = torch.zeros_like(currents[0])
    for current in currents:
        spike, membrane = cell(current, membrane)
        spikes.append(spike)
    return torch.stack(spikes)


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("beta", [Neuron("zero", 5, 5), Neuron("zero", 7, 3), Neuron("zero", 1, 0), Neuron("zero", 0, 0)])
def test_float_neuron_equals_snntorch(reset, beta):
    neuron = Neuron(reset, beta.multiplier, beta.shift)
    currents = exact_currents(neuron.beta)
    spikes = torch.stack(simulate(neuron, float_leak(neuron), 1.0, currents)[1])
    assert 0.02 < spikes.float().mean() < 0.9
    assert torch.equal(spikes.float(), snntorch_spikes(SNNTORCH[reset], neuron.beta, 1.0, currents))


def test_zero_equals_snntorch_with_delay_too():
    neuron = Neuron("zero", 7, 3)
    currents = exact_currents(-1.0)
    spikes = torch.stack(simulate(neuron, float_leak(neuron), 1.0, currents)[1])
    for delay in (False, True):
        other = snntorch_spikes({"reset_mechanism": "zero", "reset_delay": delay}, neuron.beta, 1.0, currents)
        assert torch.equal(spikes.float(), other)


def test_subtract_leaves_snntorch_only_above_twice_theta():
    """snnTorch takes theta off before the comparison where v - theta is still above theta; the docstring says so."""
    neuron = Neuron("subtract", 1, 0)
    currents = torch.tensor([[2.5], [0.0]])
    assert torch.stack(simulate(neuron, float_leak(neuron), 1.0, currents)[1]).flatten().tolist() == [1, 1]
    assert snntorch_spikes(SNNTORCH["subtract"], 1.0, 1.0, currents).flatten().tolist() == [1, 0]


@pytest.mark.parametrize("reset", RESETS)
def test_integer_neuron_equals_scalar_loops(reset):
    neuron = Neuron(reset, 5, 3)
    generator = np.random.default_rng(1)
    currents, theta = generator.integers(-50, 60, (6, 300)), generator.integers(-9, 25, 300)
    spikes = np.array(simulate(neuron, integer_leak(neuron), theta, currents)[1])
    for n in range(300):
        assert spikes[:, n].tolist() == neuron_spikes(neuron, int(theta[n]), [int(a) for a in currents[:, n]])


def test_resets_differ():
    currents = np.array([[40], [10], [0], [9]])
    by_kind = {
        reset: [int(v[0]) for v in simulate(Neuron(reset, 1, 1), integer_leak(Neuron(reset, 1, 1)), 10, currents)[0]]
        for reset in RESETS
    }
    assert by_kind == {
        "subtract": [40, 25, 7, 12],
        "subtract_delayed": [40, 20, 0, 9],
        "zero": [40, 10, 5, 11],
        "none": [40, 30, 15, 16],
    }


def test_leak_rounds_down():
    leak = integer_leak(Neuron("zero", 5, 5))
    assert [int(leak(np.int64(v))) for v in (7, 6, 0, -1, -6, -7)] == [1, 0, 0, -1, -1, -2]


def test_comparison_is_strict():
    neuron = Neuron("zero", 1, 1)
    assert [int(s[0]) for s in simulate(neuron, integer_leak(neuron), 10, np.array([[10], [6]]))[1]] == [0, 1]


@pytest.mark.parametrize("neuron", [Neuron("zero", 5, 5), Neuron("zero", 38, 8), Neuron("zero", 1, 0), Neuron("zero", 255, 8)])
def test_floats_carry_the_integer_leak(neuron):
    edge = 2**24 // max(neuron.multiplier, 1) - 1
    values = torch.cat([torch.arange(-5000, 5000), torch.arange(edge - 500, edge), torch.arange(-edge, -edge + 500)])
    assert torch.equal(floor_leak(neuron)(values.float()).long(), integer_leak(neuron)(values))


def plain_activation(current, theta, width, timesteps, neuron, surrogate):
    """SpikingActivation as a chain of small operations that autograd differentiates itself."""
    v = s = torch.zeros_like(current[0])
    spikes = []
    for t in range(timesteps):
        v = charge(neuron.reset, float_leak(neuron), v, s.detach(), theta.detach(), current[min(t, len(current) - 1)])
        hard = (v > theta).to(v.dtype)
        soft = (v - theta) * surrogate(v.detach(), theta.detach(), width)
        s = hard.detach() + soft - soft.detach()
        spikes.append(s)
    return torch.stack(spikes)


def channels_last(maps):
    return maps.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, maps.shape[:2])


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("is_last", [False, True], ids=["plain", "channels last"])
@pytest.mark.parametrize("surrogate", SURROGATES.values(), ids=SURROGATES)
def test_gradient_equals_that_of_small_operations(surrogate, reset, steps, is_last):
    generator = torch.Generator().manual_seed(5)
    neuron, gradients = Neuron(reset, 5, 3), []
    values = torch.randn(steps, 2, 4, 3, 3, generator=generator, dtype=torch.float64)
    direction = torch.randn(3, 2, 4, 3, 3, generator=generator, dtype=torch.float64)
    width = torch.full((4, 1, 1), 0.7, dtype=torch.float64)
    for activation in (
        lambda current, theta: SpikingActivation.apply(
            *((channels_last(current), theta.expand(4, 1, 3), width.expand(4, 1, 3)) if is_last else (current, theta, width)),
            3,
            neuron,
            float_leak(neuron),
            surrogate,
        ),
        lambda current, theta: plain_activation(current, theta, width, 3, neuron, surrogate),
    ):
        current = values.clone().requires_grad_()
        theta = torch.tensor([0.2, 0.5, -0.1, 1.0], dtype=torch.float64)[:, None, None].requires_grad_()
        (activation(current, theta) * direction).sum().backward()
        gradients.append((current.grad, theta.grad))
    for written, automatic in zip(*gradients, strict=True):
        assert written.abs().max() > 0
        torch.testing.assert_close(written, automatic)


@pytest.mark.parametrize(("name", "options", "wanted"), [
    ("arctan", {}, lambda x: 1 / (1 + (np.pi * x / 0.5) ** 2) / 0.5),
    ("arctan", {"slope": 2.0}, lambda x: 1 / (1 + (np.pi * x / 0.25) ** 2) / 0.25),
    ("fast_sigmoid", {}, lambda x: 1 / (1 + np.abs(x)) ** 2),
    ("fast_sigmoid", {"slope": 25.0}, lambda x: 1 / (1 + 25 * np.abs(x)) ** 2),
])  # fmt: skip
def test_surrogates_in_units(name, options, wanted):
    """In a unit of 7, a threshold of 0.5: what the formula gives for real numbers, by 7."""
    real = torch.linspace(-3, 3, 61, dtype=torch.float64)
    unit, theta = torch.tensor(7.0, dtype=torch.float64), torch.tensor(3.5, dtype=torch.float64)
    found = SURROGATES[name](7 * real, theta, unit, threshold=0.5, **options)
    np.testing.assert_allclose(found.numpy(), wanted(real.numpy() - 0.5) / 7)
