"""SpikingJelly's networks as integers: every spike of every layer against SpikingJelly itself."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from duospike.reference import golden
from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.floats import run
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.source import Interface

pytest.importorskip("spikingjelly", reason="SpikingJelly is not installed")
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from spikingjelly.activation_based.model import parametric_lif_net

SHAPE = (2, 8, 8)
IMAGES = np.random.default_rng(0).integers(0, 16, (40, *SHAPE))


def interface(timesteps, **more):
    return Interface(SHAPE, timesteps, image_bits=4, image_scale=Fraction(1, 16), **more)


def network(fire, *, norm=False, last=(), dtype=torch.float32):
    """conv, batch norm, neurons, pool, flatten, linear, neurons, as SpikingJelly's model zoo has them, weights on a grid.

    fire: gives the neurons of a layer.
    """
    torch.manual_seed(0)
    net = nn.Sequential(
        layer.Conv2d(2, 5, 3, padding=1, bias=False),
        *([layer.BatchNorm2d(5)] if norm else []),
        fire(),
        layer.MaxPool2d(2, 2),
        layer.Flatten(),
        layer.Dropout(0.5),
        layer.Linear(80, 12),
        fire(),
        *last,
    )
    for part in net:
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.weight.data = torch.randint(-3, 4, part.weight.shape) / 4
            if part.bias is not None:
                part.bias.data = torch.randint(-2, 3, part.bias.shape) / 4
    return net.eval().to(dtype)


def spikes_of(net, timesteps, dtype=torch.float32):
    """SpikingJelly's own spikes [N, T, ...] of each group of neurons, one timestep after the other or all at once."""
    pixels, found = torch.from_numpy(IMAGES / 16).to(dtype), []
    kinds = (neuron.IFNode, neuron.LIFNode, neuron.ParametricLIFNode)
    hooks = [
        one.register_forward_hook(lambda module, inputs, output: found.append(output)) for one in net.modules()
        if isinstance(one, kinds)
    ]  # fmt: skip
    functional.reset_net(net)
    with torch.no_grad():
        if net[0].step_mode == "m":
            net(pixels.expand(timesteps, *pixels.shape))
            spikes = [one.transpose(0, 1) for one in found]
        else:
            for _ in range(timesteps):
                net(pixels)
            spikes = [torch.stack(found[i :: len(hooks)], 1) for i in range(len(hooks))]
    for hook in hooks:
        hook.remove()
    functional.reset_net(net)
    return [one.numpy() for one in spikes]


def assert_same_spikes(net, timesteps, dtype=torch.float32):
    integers = exact_network(from_torch(net, interface(timesteps)))
    trace = golden.run(integers, IMAGES)
    names = [one.name for one in integers.layers if one.name[:2] in ("co", "fc")]
    for name, wanted in zip(names, spikes_of(net, timesteps, dtype), strict=True):
        assert np.array_equal(trace.spikes[name].reshape(wanted.shape), wanted), name
        assert wanted.any() and not wanted.all(), name
    return integers


NEURONS = {
    "IF": (lambda: neuron.IFNode(surrogate_function=surrogate.ATan()), 6),
    "IF, soft reset": (lambda: neuron.IFNode(v_reset=None, v_threshold=1.25), 6),
    "LIF": (lambda: neuron.LIFNode(), 4),
    "LIF, soft reset": (lambda: neuron.LIFNode(v_reset=None, detach_reset=True, v_threshold=0.5), 3),
    "LIF, input not decayed": (lambda: neuron.LIFNode(decay_input=False), 4),
    "LIF, tau 4": (lambda: neuron.LIFNode(tau=4.0, v_threshold=0.25), 2),
    "PLIF as it is made": (lambda: neuron.ParametricLIFNode(), 3),
    "another surrogate": (lambda: neuron.LIFNode(surrogate_function=surrogate.LeakyKReLU()), 2),
}


@pytest.mark.parametrize("mode", ["s", "m"])
@pytest.mark.parametrize("kind", NEURONS)
def test_every_spike_equals_spikingjellys(kind, mode):
    fire, timesteps = NEURONS[kind]
    net = network(fire)
    functional.set_step_mode(net, mode)
    assert_same_spikes(net, timesteps)


def test_batch_norm_and_other_leaks_in_float64():
    """Where SpikingJelly rounds within a timestep: tau 4/3 is no float, and batch norm is on no grid."""
    net = network(lambda: neuron.LIFNode(tau=4 / 3), norm=True, dtype=torch.float64)
    net[1].running_mean.uniform_(-0.5, 0.5)
    net[1].running_var.uniform_(0.5, 2)
    assert_same_spikes(net, 2, torch.float64)


def test_own_run_of_a_source_equals_spikingjellys():
    """Of numbers that no integers hold, as the accuracy before quantization is measured with."""
    for fire in (lambda: neuron.LIFNode(tau=3.0), lambda: neuron.ParametricLIFNode(5.0, decay_input=False, v_reset=None)):
        net = network(fire, dtype=torch.float64)
        for part in (net[0], net[5]):
            # Off the grid, on which a potential may be the threshold, and the two round otherwise.
            part.weight.data += 0.01 * torch.rand_like(part.weight)
        for (name, spikes), wanted in zip(
            (one for one in run(from_torch(net, interface(4)), IMAGES) if one[0] != "pool1"),
            spikes_of(net, 4, torch.float64), strict=True,
        ):  # fmt: skip
            assert np.array_equal(spikes.transpose(0, 1).reshape(wanted.shape).numpy(), wanted), name


def test_a_vote_says_the_classes():
    assert assert_same_spikes(network(neuron.IFNode, last=[layer.VotingLayer(3)]), 2).classes == 4
    assert exact_network(from_torch(network(neuron.IFNode), interface(2))).classes == 12
    with pytest.raises(InputError, match="7 VotingLayer: 4 classes of 3 neurons, and 6 were asked for .option --classes"):
        exact_network(from_torch(network(neuron.IFNode, last=[layer.VotingLayer(3)]), interface(2, classes=6)))
    with pytest.raises(InputError, match="7 VotingLayer: 12 neurons of 5 Linear do not divide into groups of 5"):
        exact_network(from_torch(network(neuron.IFNode, last=[layer.VotingLayer(5)]), interface(2)))
    with pytest.raises(InputError, match="8 Linear: after 7 VotingLayer"):
        exact_network(from_torch(network(neuron.IFNode, last=[layer.VotingLayer(3), nn.Linear(4, 4)]), interface(2)))


def test_votes_are_the_networks_own_averages():
    net = network(neuron.IFNode, last=[layer.VotingLayer(3)])
    trace = golden.run(exact_network(from_torch(net, interface(4))), IMAGES)
    functional.reset_net(net)
    with torch.no_grad():
        averages = sum(net(torch.from_numpy(IMAGES / 16).float()) for _ in range(4)) / 4
    assert np.array_equal(trace.scores, np.rint(averages.numpy() * 12))


def test_a_network_of_both_libraries():
    snntorch = pytest.importorskip("snntorch")
    net = network(lambda: neuron.IFNode(v_threshold=0.75))
    net[1] = snntorch.Leaky(beta=0.5, threshold=0.5, init_hidden=True, reset_mechanism="zero")
    trace = golden.run(exact_network(from_torch(net, interface(3))), IMAGES)
    assert np.array_equal(trace.spikes["fc1"][..., 0, 0], spikes_of(net, 3)[0])


def test_models_of_spikingjelly_are_followed():
    """Classes of the library itself: what their forward uses, with the classes of their vote."""
    net = parametric_lif_net.FashionMNISTNet(2, neuron.LIFNode, tau=2.0).eval()
    source = from_torch(net, Interface((1, 28, 28), 4))
    assert source.reasons == () and source.interface.classes == 10
    assert [one.name for one in source.layers] == ["conv1", "pool1", "conv2", "pool2", "fc1", "fc2"]


def test_containers_of_timesteps():
    """Torch's own layers among neurons that take all timesteps at once."""
    net = network(lambda: neuron.IFNode(step_mode="m"))
    contained = layer.SeqToANNContainer(nn.Conv2d(2, 5, 3, padding=1, bias=False), nn.Identity())
    contained[0].weight = net[0].weight
    steps = layer.MultiStepContainer(layer.Flatten(), net[5], neuron.IFNode())
    whole = nn.Sequential(contained, net[1], layer.MaxPool2d(2, 2, step_mode="m"), steps)
    wanted = network(neuron.IFNode)
    found, plain = (exact_network(from_torch(one, interface(3))) for one in (whole, wanted))
    for a, b in zip(found.layers, plain.layers, strict=True):
        assert a.name == b.name and all(np.array_equal(getattr(a, x, 0), getattr(b, x, 0)) for x in ("weights", "bias", "theta"))


def odd(change):
    # With a surrogate each: SpikingJelly's default is one object for all neurons.
    net = network(lambda: neuron.LIFNode(surrogate_function=surrogate.Sigmoid()))
    change(net)
    return net


def replaced(at, module):
    return lambda net: net.__setitem__(at, module)


def own_charge(self, *given):
    return neuron.LIFNode.single_step_functional_forward(self, *given)


REFUSED = {
    "a reset to another potential": (replaced(1, neuron.LIFNode(v_reset=-0.5)), r"1 LIFNode: v_reset -0.5; .*\[not in this"),
    "a start elsewhere": (lambda net: net[1].set_reset_value("v", 0.25), "1 LIFNode: v is reset to 0.25"),
    "another class": (replaced(1, neuron.EIFNode()), r"1 EIFNode: spikingjelly\.activation_based\.neuron\.EIFNode is unknown"),
    "a derived class": (
        replaced(1, type("LIFNode", (neuron.LIFNode,), {"single_step_functional_forward": own_charge})()),
        r"1 LIFNode: .*LIFNode is unknown",
    ),
    "a trained leak": (lambda net: net.__setitem__(6, neuron.ParametricLIFNode(3.3)), "beta 0.69697 is not m/2.k"),
    "no spikes": (lambda net: net[1].surrogate_function.set_spiking_mode(False), "1 LIFNode: surrogate_function is no step"),
    "several spikes": (
        lambda net: setattr(net[1], "surrogate_function", surrogate.MultiLevelSpikeCount(3)),
        "1 LIFNode: surrogate_function is no step",
    ),
    "a surrogate of one's own": (
        lambda net: setattr(net[1], "surrogate_function", nn.ReLU()),
        "1 LIFNode: surrogate_function is not SpikingJelly's",
    ),
    "a patched surrogate": (
        lambda net: setattr(net[1].surrogate_function, "forward", lambda x: x),
        "1 LIFNode: surrogate_function .*Sigmoid: forward of this object",
    ),
    "not a number": (lambda net: setattr(net[1], "v_threshold", float("nan")), "1 LIFNode: v_threshold is nan"),
    "tau below 1": (lambda net: setattr(net[1], "tau", 0.5), "1 LIFNode: tau 0.5; allowed: from 1 up"),
    "two step modes": (lambda net: setattr(net[1], "step_mode", "m"), "0 Conv2d: takes one timestep, and 1 LIFNode takes all"),
    "neurons in one batch": (
        lambda net: net.__setitem__(1, layer.SeqToANNContainer(neuron.LIFNode())),
        "1.0 LIFNode: neurons in a SeqToANNContainer",
    ),
    "shared neurons": (lambda net: net.__setitem__(6, net[1]), "6 LIFNode: the same neurons as 1 LIFNode"),
    "a hook": (lambda net: net[1].register_forward_hook(lambda m, i, o: o), "1 LIFNode: has the forward hook"),
}


AVERAGES = {
    "one window": (layer.AvgPool2d(2), 80),
    "the whole map": (layer.AdaptiveAvgPool2d(1), 5),
    "parts of the map": (layer.AdaptiveAvgPool2d((2, None)), 80),
    "sums": (nn.AvgPool2d(4, divisor_override=1), 20),
}


@pytest.mark.parametrize("kind", AVERAGES)
def test_averages_of_spikes_before_a_fully_connected_layer(kind):
    pool, inputs = AVERAGES[kind]
    net = network(neuron.IFNode)
    net[2], net[5] = pool, layer.Linear(inputs, 12)
    net[5].weight.data = torch.randint(-3, 4, net[5].weight.shape) / 4
    net[5].bias.data = torch.randint(-2, 3, (12,)) / 4
    net[6] = neuron.IFNode(v_threshold=0.5)
    integers = assert_same_spikes(net.eval(), 3)
    assert [one.name for one in integers.layers] == ["conv1", "pool1", "fc1"]


@pytest.mark.parametrize("groups", [2, 4])
def test_convolutions_in_groups(groups):
    net = network(lambda: neuron.LIFNode(v_threshold=0.25))
    grouped = [layer.Conv2d(2, 4, 3, padding=1, bias=False), neuron.IFNode(), layer.Conv2d(4, 8, 3, padding=1, groups=groups)]
    net = nn.Sequential(*grouped, *net[1:5], layer.Linear(128, 12), net[6]).eval()
    for part in net:
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.weight.data = torch.randint(-3, 4, part.weight.shape) / 4
            if part.bias is not None:
                part.bias.data = torch.randint(-2, 3, part.bias.shape) / 4
    integers = assert_same_spikes(net, 2)
    assert integers.layers[1].weights.shape == (8, 4, 3, 3)


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what):
    change, reason = REFUSED[what]
    with pytest.raises(InputError, match=reason):
        exact_network(from_torch(odd(change), interface(2)))
