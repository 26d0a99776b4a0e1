"""Random NIR graphs: what is imported has every spike of the graph's own simulation, and what is not is refused with reasons."""

import re
import warnings
from collections import Counter

import numpy as np
import pytest

from duospike.reference import golden
from duospike.reference.errors import InputError, ManyReasons
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.nir.nir_export import write_graph
from duospike.reference.exchange.nir.nir_file import parse_graph
from duospike.reference.exchange.nir.nir_import import from_nir
from tests.benches.nir_graphs import Simulator, pixels_for, random_case

IMPORTED = "imported"
NO_INTEGERS = ("rounding", "leak", "no integers", "widths", "leak fraction", "grid", "pool")
"""Classes of reasons that a legal graph may be refused for: no proven integers, or pools without windows side by side."""
CLASSES = {
    "number": r"is not finite|reaches .*allowed: 0, and|of type .*(needs|allowed: float)|needs one number or more|is missing",
    "edges": r"^edge from|the graph (branches|joins|loops|has)",
    "kind of node": r": unknown; allowed",
    "order": r"no spiking neurons between|: neurons; allowed|a convolution after flatten|flatten it before|first layer must|"
    r"last layer must|no layers with|pools what is no map|pools the image|cannot pool|divide into|input is no spikes|smallest",
    "convolution": r"Conv2d: (kernel|stride|padding|dilation|\d+ groups|weight of shape)",
    "pool": r"(Sum|Avg)Pool2d: ",
    "shape": r"takes \d+ (channels|inputs)|input has shape|has shape .*broadcasts|has several values within|weight of shape|"
    r"Flatten: dimensions",
    "neuron": r"v_leak is not 0|v_reset is not 0|shorter than dt",
    "leak fraction": r"is not m/2\^k",
    "grid": r"weights on no grid|too fine",
    "rounding": r"source rounds",
    "leak": r"leak loses bits|cannot be proven",
    "no integers": r"no integers give",
    "widths": r"2\*\*24|float32|allowed: below",
}  # fmt: skip


def class_of(error):
    first = error.reasons[0] if isinstance(error, ManyReasons) else str(error)
    first = re.sub(r"^import refused: |^\(1\) ", "", first)
    return next((name for name, pattern in CLASSES.items() if re.search(pattern, first)), first)


def outcome(seed, tmp_path):
    """IMPORTED, or the class of the reason, of one random graph; and what had been done to it.

    It fails where a spike differs or the import ends in another way. Half of the graphs that can be written go through a file.
    """
    case = random_case(seed)
    written = seed % 2 and is_written(case.graph, tmp_path / "x.nir")
    options = {"dt": case.dt, "reset": case.reset, "inclusive": case.inclusive}
    try:
        graph = parse_graph(tmp_path / "x.nir") if written else case.graph
        network = exact_network(from_nir(graph, case.interface, **options))
    except InputError as error:
        return class_of(error), case
    compare(case, network, np.random.default_rng(seed))
    return IMPORTED, case


def is_written(graph, path):
    """Whether nir writes a graph: not None, nor shapes that do not agree."""
    try:
        write_graph(graph, path)
    except (TypeError, AttributeError, ValueError):
        return False
    return True


def compare(case, network, draw):
    simulator, images = Simulator(case), pixels_for(case.interface, draw)
    found = {name: maps for name, maps in golden.run(network, images).spikes.items() if name != "encoder"}
    for n, image in enumerate(images):
        wanted = simulator.run(image * float(case.interface.image_scale))
        assert len(wanted) == len(found)
        for (name, spikes), one in zip(found.items(), wanted, strict=True):
            assert np.array_equal(spikes[n].reshape(one.shape), one), (name, n, case.odd)


def run(seeds, tmp_path):
    """How many graphs of some seeds came to which outcome."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = {seed: outcome(seed, tmp_path) for seed in seeds}
    for seed, (what, case) in found.items():
        assert what in (IMPORTED, *CLASSES), (seed, case.odd, what)
        assert case.odd or what in (IMPORTED, *NO_INTEGERS), (seed, what)
    return Counter(what for what, _ in found.values())


def test_a_random_graph_has_its_own_spikes_or_is_refused(tmp_path):
    counts = run(range(60), tmp_path)
    assert counts[IMPORTED] >= 10 and len(counts) >= 5, counts


@pytest.mark.slow
def test_500_random_graphs_have_their_own_spikes_or_are_refused(tmp_path):
    counts = run(range(1000, 1500), tmp_path)
    print(dict(counts.most_common()))
    assert counts[IMPORTED] >= 167, counts
    assert len(counts) >= 12, counts
