"""What becomes of networks composed at random: imported with every spike of their own program, or refused for known reasons."""

import re
from collections import Counter

import numpy as np

from duospike.reference import golden
from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.modules.torch_modules import from_torch


def import_outcome(modules, interface, about, reasons, own_run):
    """ "imported", or the classes of reasons of its refusal; AssertionError for any third outcome.

    about: what identifies the network in a failure. reasons: name of a class -> pattern. own_run: of the integer network, to
    images, the names of the layers of neurons, and the spikes [N, T, ...] of each in their own program.
    """
    try:
        integers = exact_network(from_torch(modules, interface))
    except InputError as refusal:
        message = str(refusal)
        classes = {name for name, pattern in reasons.items() if re.search(pattern, message)}
        assert re.match("import refused|layer ", message) and "\n" not in message and classes, (*about, message)
        return classes
    images, names, wanted = own_run(integers)
    trace = golden.run(integers, images)
    for name, spikes in zip(names, wanted, strict=True):
        assert np.array_equal(trace.spikes[name].reshape(spikes.shape), spikes), (*about, name)
    return {"imported"}


def outcomes(outcome, seeds, **more):
    """How many networks are imported, and how many are refused for each class of reason (often several)."""
    return Counter(name for seed in seeds for name in outcome(seed, **more))
