"""Networks of snnTorch composed at random: imported means that every spike is snnTorch's own, else refused; nothing else."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
import snntorch
import torch
from torch import nn

from duospike.reference.exchange import exact
from duospike.reference.exchange.equivalence import Verdict
from duospike.reference.exchange.modules import snntorch_neurons, torch_modules
from duospike.reference.exchange.source import Interface
from tests.benches.random_imports import import_outcome, outcomes
from tests.benches.random_snn import RandomNetwork, names_of_neurons, qnn, random_network, run_of_snntorch, some_images

REASONS = {
    "weights on no grid": "on no grid|of up to [0-9]+ steps|of magnitude 128",
    "the source rounds": "source rounds",
    "the leak loses bits": "leak loses bits|is not m/2|no integers give|cannot be proven",
    "shape of an array": "at the last axis",
    "reset": "subtracts the threshold twice|build it anew|is no number of float32|below snnTorch resets",
    "neurons of another kind": "inhibition|graded|quantized state|spike_grad",
    "pool before neurons": "pools currents|a gain below 0 after|before neurons|the bias must be",
    "another call": "hook|is not its class's|unknown; allowed|state_function|the same neurons",
    "not finite": "allowed: finite numbers",
    "training mode": "training mode",
    "numbers of other types or shapes": "of type|bias of shape|normalizes|variance|differs from call to call|random numbers"
    "|running mean",
    "range": "too fine|no float overflows|can reach|float32 ceases|2\\*\\*24|must be|allowed: below|16777216",
    "order of the parts": "batch norm; allowed|neurons; allowed|no spiking neurons|must be|no map|cannot pool|pools the image"
    "|after |takes [0-9]+ |no layers|a fully connected layer on a map|do not divide",
    "a map that is too small": "is larger than its map",
    "what a convolution or pool has": "averages|stride|padding|dilation|window|return_indices|ceil_mode",
    "Brevitas": "computes something else|zero point|scales of weights|steps that depend on the input's",
}


def outcome(seed, *, brevitas=False):
    """ "imported", or the classes of reasons of its refusal; AssertionError for any third outcome."""
    return outcome_of(random_network(seed, brevitas=brevitas), seed)


def outcome_of(network, seed):
    def own_run(integers):
        images = some_images(network.interface, seed)
        return images, names_of_neurons(network, integers), run_of_snntorch(network, images)

    return import_outcome(network.modules, network.interface, (seed, network.notes), REASONS, own_run)


def test_random_networks_are_imported_right_or_refused():
    counts = outcomes(outcome, range(10, 40))
    assert counts["imported"] >= 10, counts


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_1000_random_networks(capsys):
    counts = outcomes(outcome, range(100, 1100))
    with capsys.disabled():
        print(f"\n1,000 random networks: {dict(counts.most_common())}")
    assert counts["imported"] >= 333 and set(REASONS) - {"Brevitas"} <= set(counts), counts


@pytest.mark.skipif(qnn is None, reason="without brevitas, which `dev` does not install")
def test_random_networks_of_brevitas():
    counts = outcomes(outcome, range(2000, 2060), brevitas=True)
    assert counts["imported"] >= 10, counts


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.skipif(qnn is None, reason="without brevitas, which `dev` does not install")
def test_300_random_networks_of_brevitas(capsys):
    counts = outcomes(outcome, range(3000, 3300), brevitas=True)
    with capsys.disabled():
        print(f"\n300 random networks with layers of Brevitas: {dict(counts.most_common())}")
    assert counts["imported"] >= 75, counts


def at_the_threshold(seed):
    """Nine pixels of one bit, weights in steps that float32 rounds, and a threshold on a sum of them, or a few roundings away."""
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    step, dtype = random.uniform(0.5, 1), torch.float64 if seed % 4 == 0 else torch.float32
    whole = torch.from_numpy(random.integers(-7, 8, (2, 1, 3, 3)))
    theta = random.integers(1, 12) * step * (1 + random.choice([0, 1, -1, 16, -16, 2**12]) * 2.0**-24)
    bias = random.choice([0, 1, -1]) * step * random.choice([1, 0.3])
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1),
        snntorch.Leaky(
            beta=random.choice([0.0, 0.5, 1.0]),
            threshold=float(np.float32(theta)),
            reset_mechanism=str(random.choice(["zero", "subtract"])),
            init_hidden=True,
        ),
        nn.Flatten(),
        nn.Linear(18, 2, bias=False),
        snntorch.Leaky(beta=0.0, threshold=1.0, init_hidden=True),
    ).to(dtype)
    net[0].weight.data = (whole * step).to(dtype)
    net[0].bias.data.fill_(bias)
    net[3].weight.data = torch.randint(-1, 2, (2, 18)).to(dtype)
    return RandomNetwork(net, Interface((1, 3, 3), int(random.integers(1, 4)), 2, image_bits=1), dtype)


def test_all_images_of_networks_whose_sums_meet_the_threshold():
    """Where rounding decides a spike, they are refused."""
    counts = Counter(name for seed in range(24) for name in outcome_of(at_the_threshold(seed), seed))
    assert counts["imported"] >= 8 and counts["the source rounds"] >= 8, counts


FAULTS = {
    "arrays aligned at the first axis": (snntorch_neurons, "per_output", lambda values, shape: values.reshape(-1)[: shape[0]]),
    "stale weights": (torch_modules, "settled", lambda module: module),
    "hooks overlooked": (torch_modules, "call_reasons", lambda module: []),
    "the reset by its name": (snntorch_neurons, "_reset", lambda module: (BY_NAME[module.reset_mechanism], [])),
    "a source without rounding": (exact, "_errors", lambda *given: (0,) * given[-1]),
    "a leak that loses bits": (exact, "compare", lambda *given: Verdict.SAME),
}
BY_NAME = {"zero": "zero", "subtract": "subtract_delayed", "none": "zero"}


def has_wrong_spikes(network, seed):
    """Whether a network is imported with other spikes than its own; that a fault stops the import or the network is no answer."""
    try:
        outcome_of(network, seed)
    except AssertionError:
        return True
    except (RuntimeError, ValueError):
        pass
    return False


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_import_is_found(fault, monkeypatch):
    """Among the random networks there are some that any of these would import wrong."""
    monkeypatch.setattr(*FAULTS[fault])
    exact._search.cache_clear()
    networks = chain(
        ((at_the_threshold(seed), seed) for seed in range(60)), ((random_network(seed), seed) for seed in range(400))
    )
    try:
        assert any(has_wrong_spikes(network, seed) for network, seed in networks)
    finally:
        exact._search.cache_clear()
