"""Brevitas' quantized layers as integers, spike for spike. Skipped without brevitas, which `dev` does not install."""

from fractions import Fraction

import numpy as np
import pytest
import snntorch
import torch
from torch import nn

from duospike.reference import golden
from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.source import Interface
from tests.benches.snn_networks import spikes_of

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


def assert_same_spikes(net, timesteps, kind, bits=4):
    images = np.random.default_rng(0).integers(0, 256, (60, *SHAPE))
    found = exact_network(from_torch(net, Interface(SHAPE, timesteps, 10, image_scale=Fraction(1, 256))))
    assert all(layer.weight_bits >= bits for layer in found.layers if hasattr(layer, "weights"))
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
        exact_network(from_torch(net, Interface(SHAPE, 3, 10, image_scale=Fraction(1, 256))))
    for reason in ("QuantIdentity is unknown; allowed of Brevitas", "1 QuantConv2d, 5 QuantLinear: input is quantized"):
        assert reason in str(refusal.value)


def rounded_bias(net):
    net[0].bias.data = torch.round(net[0].bias.data * 64) / 64
    return net


def imported(net):
    return exact_network(from_torch(net, Interface(SHAPE, 1, 10, image_scale=Fraction(1, 256))))


def test_a_bias_with_a_scale_of_its_own_is_read():
    """What the layer adds is the quantized bias, which differs from the parameter."""
    net = network(quant.Int8WeightPerTensorFixedPoint, bias_quant=quant.Int8BiasPerTensorFloatInternalScaling).double()
    assert not torch.equal(net[0].quant_bias().value, net[0].bias)
    assert_same_spikes(net, 1, torch.float64)


def test_a_bias_in_steps_of_its_input_is_refused():
    net = network(quant.Int8WeightPerTensorFixedPoint, bias_quant=quant.Int8Bias)
    with pytest.raises(InputError, match="0 QuantConv2d: bias is quantized in steps that depend on the input's.*InternalScaling"):
        imported(net)


def test_pruned_layers_quantize_what_the_next_call_prunes():
    net = rounded_bias(network(quant.Int8WeightPerTensorFixedPoint))
    torch.nn.utils.prune.l1_unstructured(net[4], "weight", amount=0.3)
    net[4].weight_orig.data.neg_()
    assert_same_spikes(net, 1, torch.float32)


def test_a_weight_of_minus_128_is_named():
    class WideRange(quant.Int8WeightPerTensorFixedPoint):
        narrow_range = False

    net = rounded_bias(network(WideRange, weight_bit_width=8))
    net[0].weight.data[1, 0, 0, 0] = -1
    with pytest.raises(InputError, match="integer weight of magnitude 128: allowed are -127 to 127; quantize with narrow_range"):
        imported(net)


def test_float_weights_are_named_and_read_where_they_are_few_steps():
    """Those of 8 bits span too many steps; those of 4 are up to 12 halves."""
    from brevitas.quant.experimental.float import Fp8e4m3WeightPerTensorFloat

    net = network(quant.Int8WeightPerTensorFixedPoint).double()
    eight = qnn.QuantLinear(80, 20, bias=False, weight_quant=Fp8e4m3WeightPerTensorFloat).double().eval()
    with pytest.raises(InputError, match=r"float8 weights \(4 bits of exponent, 3 of mantissa\) on no grid of 127"):
        imported(nn.Sequential(*net[:4], eight, net[5]))

    class FloatOf4Bits(Fp8e4m3WeightPerTensorFloat):
        bit_width, exponent_bit_width, mantissa_bit_width = 4, 2, 1

    four = qnn.QuantLinear(80, 20, bias=False, weight_quant=FloatOf4Bits).double().eval()
    assert_same_spikes(nn.Sequential(*net[:4], four, net[5]), 1, torch.float64, bits=4)


def test_what_a_call_computes_beside_its_weights_is_noticed():
    net = rounded_bias(network(quant.Int8WeightPerTensorFixedPoint))
    net[4].weight_quant.register_forward_hook(lambda module, inputs, output: output)
    imported(net)
    net[4].input_quant.register_forward_hook(lambda module, inputs, output: output * 2)
    with pytest.raises(InputError, match="4 QuantLinear: a call of it computes something else"):
        imported(net)


def test_training_mode_is_refused():
    net = network(quant.Int8WeightPerTensorFixedPoint)
    net[4].weight_quant.train()
    with pytest.raises(InputError, match="4 QuantLinear: in training mode"):
        imported(net)
