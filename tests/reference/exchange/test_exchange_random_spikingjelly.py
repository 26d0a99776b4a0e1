"""Networks of SpikingJelly composed at random: imported means that every spike is SpikingJelly's own, else refused."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("spikingjelly", reason="SpikingJelly is not installed")

from duospike.reference.exchange import elements, exact
from duospike.reference.exchange.elements import Neurons
from duospike.reference.exchange.modules import spikingjelly_neurons, torch_modules
from tests.benches.random_imports import import_outcome, outcomes
from tests.benches.random_snn import some_images
from tests.benches.random_spikingjelly import names_of_neurons, random_network, run_of_spikingjelly

REASONS = {
    "weights on no grid": "on no grid|of up to [0-9]+ steps|of magnitude 128",
    "the source rounds": "source rounds",
    "the leak loses bits": "leak loses bits|is not m/2|no integers give|cannot be proven",
    "neurons of another kind": "is unknown; allowed|surrogate_function",
    "reset or start elsewhere": "v_reset |v is reset to",
    "numbers of neurons": "v_threshold is|tau |whose sigmoid",
    "another call": "hook|is not its class's|the same neurons|used twice in a timestep",
    "step modes": "takes one timestep|takes all timesteps|one batch|set its step mode",
    "forward": "forward: ",
    "not finite": "allowed: finite numbers",
    "training mode": "training mode",
    "types": "of type",
    "range": "too fine|no float overflows|can reach|float32 ceases|2\\*\\*24|must be|allowed: below|16777216",
    "pool before neurons that keep a potential": "pools currents",
    "averages": "windows side by side",
    "vote": "do not divide into groups",
    "a map that is too small": "the smallest is|is larger than its map",
    "what a convolution or pool has": "stride|padding|dilation|ceil_mode",
    "sizes that do not fit": "takes [0-9]+ inputs",
}


def outcome(seed):
    """ "imported", or the classes of reasons of its refusal; AssertionError for any third outcome."""
    network = random_network(seed)

    def own_run(integers):
        images = some_images(dataclasses.replace(network.interface, timesteps=integers.timesteps), seed, 6)
        return images, names_of_neurons(network, integers), run_of_spikingjelly(network, integers.timesteps, images)

    return import_outcome(network.net, network.interface, (seed, network.notes), REASONS, own_run)


def test_random_networks_are_imported_right_or_refused():
    counts = outcomes(outcome, range(10, 40))
    assert counts["imported"] >= 10, counts


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_1000_random_networks(capsys):
    counts = outcomes(outcome, range(100, 1100))
    with capsys.disabled():
        print(f"\n1,000 random networks of SpikingJelly: {dict(counts.most_common())}")
    assert counts["imported"] >= 333 and set(REASONS) <= set(counts), counts


def exclusive(*given, inclusive, **more):
    return Neurons(*given, **more)


def undecayed(where, reset, beta, threshold, gain, **more):
    return Neurons(where, reset, beta, threshold, **more)


FAULTS = {
    "spikes above the threshold only": (spikingjelly_neurons, "Neurons", exclusive),
    "a source without rounding": (exact, "_errors", lambda *given: (0,) * given[-1]),
    "hooks overlooked": (torch_modules, "call_reasons", lambda module: []),
    "step modes overlooked": (torch_modules._Reader, "check_modes", lambda self: None),
    "surrogates overlooked": (spikingjelly_neurons, "_surrogate_reasons", lambda function: []),
    "groups overlooked": (elements, "_ungrouped", lambda weights, groups: np.concatenate([weights] * groups, 1)),
    "an input that is not decayed": (spikingjelly_neurons, "Neurons", undecayed),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_import_is_found(fault, monkeypatch):
    """Among the random networks there are some that any of these would import wrong."""
    place, name, value = FAULTS[fault]
    monkeypatch.setattr(place, name, value)
    exact._search.cache_clear()
    try:
        note = NOTES.get(fault, "")
        assert any(has_wrong_spikes(seed) for seed in range(2000) if not note or note in random_network(seed).notes)
    finally:
        exact._search.cache_clear()


NOTES = {"step modes overlooked": "step_mode", "surrogates overlooked": "surrogate"}
"""Only networks that were drawn so are tried, as few others can show the fault."""


def has_wrong_spikes(seed):
    """Whether a network is imported with other spikes than its own; that a fault stops the import or the network is no answer."""
    try:
        outcome(seed)
    except AssertionError:
        return True
    except (RuntimeError, ValueError, TypeError):
        pass
    return False
