"""Brevitas' quantized layers as integers, spike for spike. Skipped without brevitas, which `dev` does not install."""

from fractions import Fraction

import numpy as np
import pytest
import snntorch
import torch
from snn_networks import spikes_of
from torch import nn

from reference import golden
from reference.errors import InputError
from reference.exchange.exact import exact_network
from reference.exchange.source import Interface
from reference.exchange.torch_modules import from_snntorch

qnn = pytest.importorskip("brevitas.nn")
quant = pytest.importorskip("brevitas.quant")

SHAPE = (2, 9, 8)


def network(weight_quant, beta=0.0, **more):
    torch.manual_seed(1)
    options = {"weight_bit_width": 4, "weight_quant": weight_quant, **more}

    def neurons(threshold):
        return snntorch.Leaky(beta=beta, threshold=threshold, init_hidden=True)

    return nn.Sequential(
        qnn.QuantConv2d(2, 5, 3, padding=1, bias=True, **options),
        neurons(0.125),
        nn.MaxPool2d(2),
        nn.Flatten(),
        qnn.QuantLinear(80, 20, bias=False, **options),
        neurons(0.25),
    ).eval()


def assert_same_spikes(net, timesteps, kind):
    images = np.random.default_rng(0).integers(0, 256, (60, *SHAPE))
    found = exact_network(from_snntorch(net, Interface(SHAPE, timesteps, 10, image_scale=Fraction(1, 256))))
    assert all(layer.weight_bits >= 4 for layer in found.layers if hasattr(layer, "weights"))
    trace, wanted = golden.run(found, images), spikes_of(net, torch.from_numpy(images / 256).to(kind), timesteps)
    for layer, spikes in zip(found.layers, wanted, strict=True):
        assert np.array_equal(trace.spikes[layer.name], spikes), layer.name
        assert spikes.any() and not spikes.all(), layer.name


def test_steps_of_powers_of_two_in_float32():
    """Brevitas' fixed-point quantizer; the bias is put on the grid."""
    net = network(quant.Int8WeightPerTensorFixedPoint, beta=0.5)
    net[0].bias.data = torch.round(net[0].bias.data * 64) / 64
    assert_same_spikes(net, 3, torch.float32)


@pytest.mark.parametrize("kind", ["Int8WeightPerTensorFloat", "Int8WeightPerChannelFloat"])
def test_free_steps_in_float64(kind):
    assert_same_spikes(network(getattr(quant, kind)).double(), 3, torch.float64)


def test_what_is_quantized_beside_the_weights_is_refused():
    net = network(quant.Int8WeightPerTensorFixedPoint, input_quant=quant.Int8ActPerTensorFloat)
    net.insert(0, qnn.QuantIdentity())
    with pytest.raises(InputError) as refusal:
        exact_network(from_snntorch(net, Interface(SHAPE, 3, 10, image_scale=Fraction(1, 256))))
    for reason in ("0 QuantIdentity: unknown; allowed of Brevitas", "1 QuantConv2d: input is quantized"):
        assert reason in str(refusal.value)
