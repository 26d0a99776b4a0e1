"""Networks whose last layer's potentials, currents or first spikes are read: the answers against the sources' own."""

from fractions import Fraction

import numpy as np
import pytest
import snntorch
import torch
from torch import nn

from duospike.reference import golden
from duospike.reference.data.datasets import Dataset
from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.quantization.agreement import compare
from duospike.reference.exchange.quantization.quantized import quantized_network
from duospike.reference.exchange.source import Interface
from duospike.reference.network import READOUTS

SHAPE, STEPS, CLASSES = (1, 5, 4), 3, 4
IMAGES = np.random.default_rng(3).integers(0, 256, (200, *SHAPE))
STEP = 2.0**-4


def leaky(**options):
    return snntorch.Leaky(**{"beta": 0.5, "threshold": 1.0, "init_hidden": True} | options)


class Classifier(nn.Module):
    """returns: what forward makes of the last layer, with its neurons or without any."""

    def __init__(self, returns, last=None, step=STEP):
        super().__init__()
        torch.manual_seed(1)
        self.conv, self.lif, self.flatten = nn.Conv2d(1, 3, 3, stride=2), leaky(threshold=0.125), nn.Flatten()
        self.fc, self.last, self.returns = nn.Linear(6, CLASSES), last, returns
        for layer in (self.conv, self.fc):
            layer.weight.data = torch.randint(-7, 8, layer.weight.shape) * step
            layer.bias.data = torch.randint(-3, 4, layer.bias.shape) * step

    def forward(self, x):
        currents, spikes, potentials = [], [], []
        membrane = torch.zeros(())
        for _ in range(STEPS):
            currents.append(self.fc(self.flatten(self.lif(self.conv(x)))))
            if self.last is not None:
                spike, membrane = self.last(currents[-1], membrane)
                spikes.append(spike)
                potentials.append(membrane)
        return self.returns(currents, spikes, potentials)


def interface(readout="", **options):
    return Interface(SHAPE, **{"image_scale": Fraction(1, 256), "readout": readout} | options)


def ran(net):
    """What forward returns for the images."""
    net.lif.reset_mem()
    with torch.no_grad():
        return net.eval()(torch.from_numpy(IMAGES / 256).float())


SUMS = {
    "mean": lambda currents, spikes, potentials: torch.stack(currents).mean(0),
    "sum": lambda currents, spikes, potentials: torch.stack(currents).sum(0),
    "scaled": lambda currents, spikes, potentials: sum(currents) * 0.3,
}


@pytest.mark.parametrize("returns", SUMS)
def test_sums_of_currents_where_the_last_layer_has_no_neurons(returns):
    net = Classifier(SUMS[returns]).eval()
    network = exact_network(from_torch(net, interface()))
    assert (network.readout, network.classes, network.layers[-1].neuron.reset) == ("last_membrane", CLASSES, "none")
    trace, wanted = golden.run(network, IMAGES), ran(net)
    assert np.array_equal(trace.predicted, wanted.argmax(1)) and len(set(trace.predicted.tolist())) > 2
    scale = {"mean": STEPS, "sum": 1, "scaled": 1 / 0.3}[returns]
    assert np.allclose(trace.scores * STEP, wanted.numpy() * scale, atol=1e-5)


def test_sums_of_currents_of_modules_in_their_order():
    net = Classifier(SUMS["sum"]).eval()
    modules = [net.conv, net.lif, net.flatten, net.fc]
    network = exact_network(from_torch(modules, interface(timesteps=STEPS)))
    assert np.array_equal(golden.run(network, IMAGES).predicted, ran(net).argmax(1))


def output_neurons(**options):
    return leaky(**{"init_hidden": False, "reset_mechanism": "none"} | options)


POTENTIALS = {
    "last_membrane": lambda currents, spikes, potentials: potentials[-1],
    "max_membrane": lambda currents, spikes, potentials: torch.stack(potentials),
}


@pytest.mark.parametrize("readout", POTENTIALS)
@pytest.mark.parametrize("beta", [0.5, 1.0, 0.0])
def test_potentials_of_the_last_neurons(readout, beta):
    net = Classifier(POTENTIALS[readout], output_neurons(beta=beta), step=0.25).eval()
    for layer in (net.conv, net.fc):
        layer.weight.data.clamp_(-0.75, 0.75)
    network = exact_network(from_torch(net, interface(readout)))
    wanted = ran(net)
    answers = wanted.argmax(1) if readout == "last_membrane" else wanted.amax(0).argmax(1)
    trace = golden.run(network, IMAGES)
    assert network.readout == readout and np.array_equal(trace.predicted, answers)
    assert len(set(trace.predicted.tolist())) > 1


def test_first_spikes():
    net = Classifier(
        lambda currents, spikes, potentials: torch.stack(spikes), output_neurons(reset_mechanism="subtract", beta=1.0)
    )
    network = exact_network(from_torch(net.eval(), interface("first_spike")))
    spikes = ran(net).numpy().astype(bool)
    early = np.where(spikes.any(0), STEPS - spikes.argmax(0), 0)
    trace = golden.run(network, IMAGES)
    assert np.array_equal(trace.scores, early) and np.array_equal(trace.predicted, early.argmax(1))
    assert len(set(early.ravel().tolist())) > 2


@pytest.mark.parametrize("readout", ["", *READOUTS])
def test_rounded_networks_agree_with_their_source_about_as_often_as_their_spikes(readout):
    last = None if not readout else output_neurons(beta=0.9, reset_mechanism="subtract", threshold=0.5)
    give = SUMS["sum"] if not readout else POTENTIALS.get(readout, lambda currents, spikes, potentials: torch.stack(spikes))
    net = Classifier(give, last, step=0.0313).eval()
    network = quantized_network(from_torch(net, interface(readout)), 8, IMAGES)
    found = compare(from_torch(net, interface(readout)), network, Dataset(IMAGES, None))
    assert network.readout == (readout or "last_membrane") and found.equal_answers > 0.85
    assert ("fc1" in found.other_spikes) == (readout in ("count", "first_spike"))


@pytest.mark.parametrize(
    ("net", "options", "reason"),
    [
        (Classifier(POTENTIALS["last_membrane"], output_neurons()), {}, "returns a potential; allowed: .*option --readout"),
        (Classifier(SUMS["sum"]), {"readout": "count"}, "no spiking neurons between it and the end"),
        (Classifier(SUMS["sum"]), {"classes": 2}, "4 neurons, whose potentials are read, for 2 classes; allowed: one for each"),
        (Classifier(SUMS["sum"], step=0.1), {}, "fc1 .*potentials are read, and its weights lie on no exact grid"),
        (
            Classifier(POTENTIALS["last_membrane"], output_neurons(reset_mechanism="subtract")),
            {"readout": "last_membrane"},
            "its neurons reset, which no integers",
        ),
        (
            Classifier(POTENTIALS["last_membrane"], output_neurons(beta=0.125)),
            {"readout": "last_membrane"},
            "in one unit reach [0-9]+ steps or are not whole",
        ),
    ],
    ids=range(6),
)
def test_what_is_not_exact_is_refused(net, options, reason):
    with pytest.raises(InputError, match=reason):
        exact_network(from_torch(net.eval(), interface(**options)))
