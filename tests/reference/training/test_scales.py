import pytest
import torch

from duospike.reference.training.scales import Round, in_steps, rounded_bias, weight_scale


def drawn(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 0.3


def gradient_of(function, values, weighting):
    """Result and gradient of a weighted sum of a function's values."""
    values = values.clone().requires_grad_()
    result = function(values)
    (result * weighting).sum().backward()
    return result.detach(), values.grad


def in_real_numbers(weight, bits, per):
    """s * round(w / s) with autograd's own gradient, rounding straight through: nothing is written out."""
    scale = weight.abs().amax(tuple(range(1, weight.ndim)), keepdim=True) if per == "channel" else weight.abs().max()
    scale = scale / (2 ** (bits - 1) - 1)
    steps = weight / scale
    return scale * (steps + (steps.round() - steps).detach())


@pytest.mark.parametrize("per", ["channel", "tensor"])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_steps_have_the_gradient_through_the_scale(bits, per):
    weight, weighting = drawn(5, 3, 3, 3), drawn(5, 3, 3, 3, seed=2)

    def ours(values):
        scale, limit = weight_scale(values, bits, per).reshape(-1, 1, 1, 1), 2 ** (bits - 1) - 1
        return in_steps(values, scale, -limit, limit, Round.apply) * scale.detach()

    found, wanted = (
        gradient_of(ours, weight, weighting),
        gradient_of(lambda one: in_real_numbers(one, bits, per), weight, weighting),
    )
    torch.testing.assert_close(found[0], wanted[0])
    torch.testing.assert_close(found[1], wanted[1])
    assert not torch.allclose(found[1], weighting), "the scale has a gradient"


def test_steps_are_whole_and_within_their_limits():
    weight = torch.cat([drawn(1000), torch.tensor([1.7, -1.7])])[:, None]
    steps = in_steps(weight, weight_scale(weight, 4, "tensor")[:, None], -7, 7, Round.apply)
    assert torch.equal(steps, steps.round()) and (steps.min(), steps.max()) == (-7, 7)


def test_a_bias_is_clamped_at_the_top_only():
    assert torch.equal(rounded_bias(torch.tensor([0.8, -0.8, 0.06, 0.04]), 4), torch.tensor([0.7, -0.8, 0.1, 0.0]))
    assert torch.equal(rounded_bias(torch.zeros(3), 4), torch.zeros(3))


def brevitas_weight(bits):
    qnn, quant = pytest.importorskip("brevitas.nn"), pytest.importorskip("brevitas.quant")

    def function(values):
        layer = qnn.QuantConv2d(3, 5, 3, bias=False, weight_quant=quant.Int8WeightPerTensorFloat, weight_bit_width=bits)
        layer.weight = torch.nn.Parameter(values.detach().clone())
        function.leaf = layer.weight
        return layer.quant_weight().value

    return function


def brevitas_bias(bits):
    qnn, quant = pytest.importorskip("brevitas.nn"), pytest.importorskip("brevitas.quant")

    def function(values):
        layer = qnn.QuantLinear(
            4,
            len(values),
            bias=True,
            weight_quant=None,
            bias_quant=quant.Int8BiasPerTensorFloatInternalScaling,
            bias_bit_width=bits,
        )
        layer.bias = torch.nn.Parameter(values.detach().clone())
        function.leaf = layer.bias
        return layer.quant_bias().value

    return function


def gradient_in(function, values, weighting):
    """gradient_of() a Brevitas layer, whose parameter holds the gradient."""
    result = function(values)
    (result * weighting).sum().backward()
    return result.detach(), function.leaf.grad


@pytest.mark.slow
@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("seed", range(5))
def test_weights_and_their_gradients_are_brevitas(bits, seed):
    theirs = brevitas_weight(bits)
    weight, weighting, limit = drawn(5, 3, 3, 3, seed=seed), drawn(5, 3, 3, 3, seed=seed + 100), 2 ** (bits - 1) - 1

    def ours(values):
        scale = weight_scale(values, bits, "tensor").reshape(-1, 1, 1, 1)
        return in_steps(values, scale, -limit, limit, Round.apply) * scale.detach()

    found, wanted = gradient_of(ours, weight, weighting), gradient_in(theirs, weight, weighting)
    assert torch.equal(found[0], wanted[0])
    torch.testing.assert_close(found[1], wanted[1], rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("seed", range(5))
def test_biases_and_their_gradients_are_brevitas(bits, seed):
    theirs = brevitas_bias(bits)
    bias, weighting = drawn(40, seed=seed), drawn(40, seed=seed + 100)
    found = gradient_of(lambda values: rounded_bias(values, bits), bias, weighting)
    wanted = gradient_in(theirs, bias, weighting)
    assert torch.equal(found[0], wanted[0])
    torch.testing.assert_close(found[1], wanted[1], rtol=1e-5, atol=1e-6)
