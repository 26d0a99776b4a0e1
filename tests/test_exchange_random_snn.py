"""Networks of snnTorch composed at random: imported means that every spike is snnTorch's own, else refused; nothing else."""

import re
from collections import Counter

import numpy as np
import pytest
from random_snn import names_of_neurons, qnn, random_network, run_of_snntorch, some_images

from reference import golden
from reference.errors import InputError
from reference.exchange.exact import exact_network
from reference.exchange.torch_modules import from_snntorch

REASONS = {
    "weights on no grid": "on no grid|of up to [0-9]+ steps|of magnitude 128",
    "the source rounds": "source rounds",
    "the leak loses bits": "leak loses bits|is not m/2|no integers give|cannot be proven",
    "shape of an array": "at the last axis",
    "several betas": "several values of beta",
    "reset": "takes the threshold off twice|reset 'none'|build it anew|is no number of float32|below snnTorch resets",
    "neurons of another kind": "inhibition|graded|quantized state|spike_grad",
    "pool before neurons that keep a potential": "pools currents",
    "another call": "hook|is not its class's|unknown; allowed|state_function|the same neurons",
    "not finite": "allowed: finite numbers",
    "training mode": "training mode",
    "numbers of other types or shapes": "of type|bias of shape|normalizes|variance|differs from call to call|running mean",
    "range": "too fine|no float overflows|can reach|float32 ceases|2\\*\\*24|must be|allowed: below|16777216",
    "order of the parts": "batch norm; allowed|neurons; allowed|no spiking neurons|must be|no map|cannot pool|pools the image"
    "|after |takes [0-9]+ |no layers|a fully connected layer on a map|do not divide",
    "a map that is too small": "the smallest is",
    "what a convolution or pool has": "stride|padding|dilation|window|return_indices",
    "Brevitas": "computes something else|zero point|scales of weights|steps that depend on the input's",
}


def outcome(seed, *, brevitas=False):
    """ "imported", or the classes of reasons of its refusal; AssertionError for any third outcome."""
    network = random_network(seed, brevitas=brevitas)
    try:
        integers = exact_network(from_snntorch(network.modules, network.interface))
    except InputError as refusal:
        message = str(refusal)
        classes = {name for name, pattern in REASONS.items() if re.search(pattern, message)}
        assert re.match("import refused|layer ", message) and "\n" not in message and classes, (seed, network.notes, message)
        return classes
    images = some_images(network.interface, seed)
    wanted, trace = run_of_snntorch(network, images), golden.run(integers, images)
    for name, spikes in zip(names_of_neurons(network, integers), wanted, strict=True):
        assert np.array_equal(trace.spikes[name].reshape(spikes.shape), spikes), (seed, network.notes, name)
    return {"imported"}


def outcomes(seeds, **more):
    """How many networks are imported, and how many are refused for each class of reason (often several)."""
    return Counter(name for seed in seeds for name in outcome(seed, **more))


def test_random_networks_are_imported_right_or_refused():
    counts = outcomes(range(30))
    assert counts["imported"] >= 10, counts


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_1000_random_networks(capsys):
    counts = outcomes(range(100, 1100))
    with capsys.disabled():
        print(f"\n1,000 random networks: {dict(counts.most_common())}")
    assert counts["imported"] >= 333 and set(REASONS) - {"Brevitas"} <= set(counts), counts


@pytest.mark.skipif(qnn is None, reason="without brevitas, which `dev` does not install")
def test_random_networks_of_brevitas():
    counts = outcomes(range(2000, 2060), brevitas=True)
    assert counts["imported"] >= 10, counts
