"""duospike.prepare with SpikingJelly's neurons: the same spikes in its forward and in the import."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import duospike
from duospike.reference import golden
from tests.benches.prepared_networks import FORMAT, TIMESTEPS, images, train

pytest.importorskip("spikingjelly")
from spikingjelly.activation_based import functional, layer, neuron, surrogate  # noqa: E402

SCALE = Fraction(1, 255)
IMAGE_FORMAT = FORMAT | {"image_scale": SCALE}


def float_network(kind, mode, **arguments):
    def neurons():
        return getattr(neuron, kind)(surrogate_function=surrogate.ATan(), **arguments)

    net = nn.Sequential(
        layer.Conv2d(2, 6, 3, padding=1, bias=False),
        layer.BatchNorm2d(6),
        neurons(),
        layer.MaxPool2d(2, 2),
        layer.Flatten(),
        layer.Linear(6 * 4 * 3, 20),
        neurons(),
    )
    functional.set_step_mode(net, mode)
    return net


def run(net, pixels, timesteps):
    """Spikes [T, B, 20], in the step mode of the network."""
    functional.reset_net(net)
    if net[2].step_mode == "m":
        return net(pixels.expand(timesteps, *pixels.shape))
    return torch.stack([net(pixels) for _ in range(timesteps)])


def spikes_of(net, pixels):
    """Spikes [N, T, ...] of both layers of neurons."""
    found: list = [([], 3), ([], 1)]
    hooks = [
        net[at].register_forward_hook(lambda module, inputs, output, parts=parts: parts.append(output))
        for at, (parts, _) in zip((2, 6), found, strict=True)
    ]
    with torch.no_grad():
        run(net, pixels, TIMESTEPS)
    for hook in hooks:
        hook.remove()
    return [torch.stack(parts).reshape(TIMESTEPS, len(pixels), *parts[0].shape[-dims:]).transpose(0, 1) for parts, dims in found]


@pytest.mark.parametrize("mode", ["s", "m"])
@pytest.mark.parametrize(
    "kind, arguments",
    [
        ("LIFNode", {"v_threshold": 0.4}),
        ("LIFNode", {"tau": 1.6, "decay_input": False, "v_reset": None, "detach_reset": True, "v_threshold": 0.6}),
        ("IFNode", {"v_threshold": 0.7}),
        ("ParametricLIFNode", {"init_tau": 3.0, "v_threshold": 0.3}),
    ],
)
def test_spikes_are_those_of_the_import(mode, kind, arguments):
    torch.manual_seed(1)
    source = float_network(kind, mode, **arguments)
    net = train(duospike.prepare(source, 4, **IMAGE_FORMAT), SCALE, run=run)
    network = duospike.import_torch(net, **IMAGE_FORMAT)
    whole = images()
    trace = golden.run(network, whole)
    found = spikes_of(net, torch.from_numpy(whole).float() / 255)
    for name, spikes in zip(("conv1", "fc1"), found, strict=True):
        wanted = trace.spikes[name]
        assert np.array_equal(spikes.reshape(wanted.shape).numpy(), wanted), name
        assert wanted.any() and not wanted.all()


def test_a_network_changes_its_step_mode():
    torch.manual_seed(2)
    net = duospike.prepare(float_network("LIFNode", "s", v_threshold=0.3), 4, **IMAGE_FORMAT).eval()
    pixels = torch.from_numpy(images()).float() / 255
    with torch.no_grad():
        one_by_one = run(net, pixels, TIMESTEPS)
        functional.set_step_mode(net, "m")
        at_once = run(net, pixels, TIMESTEPS)
    assert torch.equal(one_by_one, at_once) and one_by_one.any()


def test_at_8_bits_spikes_are_nearly_those_of_the_floats():
    torch.manual_seed(3)
    source = train(float_network("LIFNode", "m", v_threshold=0.4), SCALE, run=run)
    pixels = torch.from_numpy(images(100)).float() / 255
    wanted = spikes_of(source, pixels)
    for bits, least in ((8, 0.99), (2, 0)):
        found = spikes_of(duospike.prepare(source, bits, **IMAGE_FORMAT), pixels)
        same = [float((one == other).float().mean()) for one, other in zip(found, wanted, strict=True)]
        assert min(same) > least and (bits == 8 or max(same) < 0.99), (bits, same)
    assert isinstance(duospike.prepare(source, 8, **IMAGE_FORMAT)[2], neuron.BaseNode)
