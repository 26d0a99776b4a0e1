"""duospike.prepare: what a user's own loop computes and trains is what the import gives."""

import copy
from fractions import Fraction

import numpy as np
import pytest
import snntorch
import torch
from snntorch import utils
from torch import nn
from torch.nn.utils import parametrize, prune

import duospike
from duospike.reference import golden
from duospike.reference.errors import InputError
from duospike.reference.network import Conv, Neuron
from duospike.reference.training.prepared import LIMIT
from tests.benches.prepared_networks import FORMAT, TIMESTEPS, float_network, images, train
from tests.benches.small_training import bright_quarters
from tests.benches.snn_networks import forward, spikes_of

SCALE = Fraction(1, 255)
IMAGE_FORMAT = FORMAT | {"image_scale": SCALE}


def prepared(net, bits=4, **changes):
    return duospike.prepare(net, bits, **(IMAGE_FORMAT | changes))


def differing(net, whole, timesteps=TIMESTEPS, scale=SCALE, network=None):
    """Spikes of each layer that differ between the network's forward and the reference of its import; all layers spike."""
    network = duospike.import_torch(net, **(IMAGE_FORMAT | {"timesteps": timesteps})) if network is None else network
    trace = golden.run(network, whole)
    found = spikes_of(net, (torch.from_numpy(whole) * float(scale)).float(), timesteps)
    for layer, spikes in zip(network.layers, found, strict=True):
        assert spikes.any() and not spikes.all(), layer.name
    return [int((trace.spikes[layer.name] != one).sum()) for layer, one in zip(network.layers, found, strict=True)]


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("delay", [True, False])
def test_spikes_are_those_of_the_import(norm, reset, delay):
    torch.manual_seed(1)
    net = train(prepared(float_network(norm=norm, reset_mechanism=reset, reset_delay=delay)), SCALE)
    assert differing(net, images()) == [0, 0, 0, 0]


@pytest.mark.parametrize("bits, beta, timesteps", [(2, 0.5, 1), (3, 1.0, 6), (8, 0.8125, 9)])
def test_spikes_are_those_of_the_import_for_other_settings(bits, beta, timesteps):
    torch.manual_seed(2)
    net = prepared(float_network(norm=True, beta=beta), bits, timesteps=timesteps)
    assert differing(train(net, SCALE), images(), timesteps) == [0, 0, 0, 0]


@pytest.mark.parametrize("size", [2, (4, 3)])
def test_groups_and_averages(size):
    torch.manual_seed(9)
    rows, columns = size if isinstance(size, tuple) else (size, size)
    neurons = [snntorch.Leaky(beta=0.5, threshold=0.5, init_hidden=True) for _ in range(3)]
    net = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, groups=2), neurons[0], nn.Conv2d(6, 6, 3, padding=1, groups=3), neurons[1],
        nn.AvgPool2d(size), nn.Flatten(), nn.Linear(6 * (8 // rows) * (7 // columns), 20), neurons[2],
    )  # fmt: skip
    assert isinstance(net[0], nn.Conv2d)
    net = train(prepared(net), SCALE)
    network, whole = duospike.import_torch(net, **IMAGE_FORMAT), images()
    trace, pixels = golden.run(network, whole), torch.from_numpy(whole).float() / 255
    with torch.no_grad():
        spikes = forward(net, pixels, TIMESTEPS).transpose(0, 1).numpy()
    assert np.array_equal(spikes, trace.spikes["fc1"][..., 0, 0]) and spikes.any()


def test_outputs_without_weights_or_gain_are_carried():
    """Their step is not that of their weights, which are next to nothing beside the threshold."""
    torch.manual_seed(11)
    net = float_network(norm=True, beta=0.5, threshold=0.2)
    with torch.no_grad():
        net[0].weight[0], net[0].weight[1], net[1].weight[2], net[9].weight[3] = 0, 1e-12, 0, 0
        net[9].bias[3] = 0.6
    assert differing(prepared(net).eval(), images()) == [0, 0, 0, 0]


def test_a_planted_fault_is_seen():
    torch.manual_seed(1)
    net = train(prepared(float_network()), SCALE)
    network = duospike.import_torch(net, **IMAGE_FORMAT)
    network.layers[2].bias[:] += 1
    assert differing(net, images(), network=network)[2] > 0


def test_potentials_that_the_users_loop_carries():
    """init_hidden=False: the loop hands potentials from timestep to timestep, and gets them in its own units."""
    torch.manual_seed(3)
    neurons = [snntorch.Leaky(beta=0.875) for _ in range(2)]
    net = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), neurons[0], nn.Flatten(), nn.Linear(4 * 8 * 7, 8), neurons[1])
    net = prepared(net).eval()
    whole = images()
    network = duospike.import_torch(net, **IMAGE_FORMAT)
    trace = golden.run(network, whole)
    pixels = torch.from_numpy(whole).float() / 255
    with torch.no_grad():
        first, second = net[1].init_leaky(), net[4].reset_mem()
        for t in range(TIMESTEPS):
            spikes, first = net[1](net[0](pixels), first)
            assert np.array_equal(spikes.numpy(), trace.spikes["conv1"][:, t])
            spikes, second = net[4](net[3](net[2](spikes)), second)
            assert np.array_equal(spikes.numpy(), trace.spikes["fc1"][:, t, :, 0, 0])
    largest = float((net[1].layer[0].weight.detach().abs().flatten(1).sum(1) + net[0].bias.detach().abs()).max())
    assert first.abs().max() < 4 * largest, "a potential in the user's units, not in steps"


class Own(nn.Module):
    """As in snnTorch's tutorials: potentials in variables, functions among the modules, the loop over time in forward."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.first, self.second = (snntorch.Leaky(beta=0.8, threshold=0.6) for _ in range(2))
        self.full = nn.Linear(6 * 4 * 3, 20)

    def forward(self, pixels):
        first, second, found = self.first.init_leaky(), self.second.init_leaky(), []
        for _ in range(TIMESTEPS):
            spikes, first = self.first(self.norm(self.conv(pixels)), first)
            spikes, second = self.second(self.full(nn.functional.max_pool2d(spikes, 2).flatten(1)), second)
            found.append(spikes)
        return torch.stack(found)


def test_a_network_with_a_forward_of_its_own():
    torch.manual_seed(10)
    shape = {name: value for name, value in IMAGE_FORMAT.items() if name != "timesteps"}
    net = duospike.prepare(Own(), 4, **shape)
    train(net, SCALE, run=lambda net, pixels, timesteps: net(pixels))
    network, whole = duospike.import_torch(net, **shape), images()
    assert network.timesteps == TIMESTEPS
    with torch.no_grad():
        spikes = net(torch.from_numpy(whole).float() / 255).transpose(0, 1).numpy()
    assert np.array_equal(spikes, golden.run(network, whole).spikes["fc1"][..., 0, 0]) and 0 < spikes.mean() < 1


def test_gradients_reach_every_parameter():
    torch.manual_seed(4)
    net = prepared(float_network(norm=True, learn_threshold=True))
    pixels = torch.from_numpy(bright_quarters(32).images).float() / 255
    forward(net, pixels, TIMESTEPS).sum(0)[:, :5].mean().backward()
    # Batch norm takes off what the convolution's own bias adds.
    silent = {name for name, value in net.named_parameters() if value.grad is None or not value.grad.abs().max() > 1e-9}
    assert silent <= {"0.bias"}
    assert {"2.threshold", "1.weight", "9.bias"} <= dict(net.named_parameters()).keys()


def test_at_8_bits_answers_are_nearly_those_of_the_floats():
    torch.manual_seed(5)
    net = train(float_network(norm=True, beta=0.875), SCALE, steps=30)
    data = bright_quarters(500, seed=9)
    pixels = torch.from_numpy(data.images).float() / 255
    answers = {}
    with torch.no_grad():
        for name, one in {"float": net, 8: prepared(net, 8), 2: prepared(net, 2)}.items():
            answers[name] = forward(one, pixels, TIMESTEPS).sum(0).unflatten(1, (4, -1)).sum(2).argmax(1).numpy()
    same = {bits: (answers[bits] == answers["float"]).mean() for bits in (8, 2)}
    assert (answers["float"] == data.labels).mean() > 0.9 and same[8] > 0.97 and same[2] < same[8]


def test_the_source_stays_as_it_is():
    torch.manual_seed(6)
    net = float_network(norm=True).train()
    net[1].eval()
    pixels = torch.from_numpy(bright_quarters(16).images).float() / 255
    forward(net, pixels, TIMESTEPS)
    assert not net[2].mem.is_leaf, "a hidden state with a graph, which torch does not copy"
    before = copy.deepcopy(net.state_dict())
    made = train(prepared(net), SCALE)
    assert [type(module) for module in net][:4] == [nn.Conv2d, nn.BatchNorm2d, snntorch.Leaky, nn.MaxPool2d]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert isinstance(made[0], nn.Conv2d) and isinstance(made[1], nn.BatchNorm2d) and isinstance(made[2], snntorch.Leaky)
    assert prepared(net)[0].training and not prepared(net)[1].training
    assert not torch.equal(made[0].weight, net[0].weight)


def test_statistics_are_those_that_torch_keeps():
    """At 8 bits, of the quantized layer's output; in training the spikes depend on the batch's, then on the running ones."""
    torch.manual_seed(7)
    net = float_network(norm=True, beta=0.5)
    net[1].momentum = None
    made = prepared(net, 8).train()
    pixels = torch.from_numpy(bright_quarters(64).images).float() / 255
    for part in pixels.split(32):
        for one in (net, made):
            utils.reset(one)
            one(part)
    assert made[1].num_batches_tracked == 2
    assert torch.allclose(made[1].running_mean, net[1].running_mean, rtol=0.02, atol=0.005)
    assert torch.allclose(made[1].running_var, net[1].running_var, rtol=0.03)


def test_a_state_dict_goes_round():
    torch.manual_seed(8)
    source = float_network(norm=True, learn_threshold=True)
    net = train(prepared(source), SCALE)
    again = prepared(source)
    again.load_state_dict(net.state_dict())
    assert again.state_dict().keys() == source.state_dict().keys()
    first, second = (duospike.import_torch(one.eval(), **IMAGE_FORMAT) for one in (net, again))
    for one, other in zip(first.layers, second.layers, strict=True):
        if isinstance(one, Conv):
            assert np.array_equal(one.weights, other.weights) and np.array_equal(one.theta, other.theta)
    assert differing(again, images(), network=first) == [0, 0, 0, 0]


def test_leak_is_the_nearest_of_the_hardware():
    net = prepared(float_network(beta=0.9, learn_beta=True))
    assert float(net[1].beta) == net[1].neuron.beta and abs(net[1].neuron.beta - 0.9) < 0.01
    assert not net[1].beta.requires_grad
    network = duospike.import_torch(net.eval(), **IMAGE_FORMAT)
    assert network.layers[0].neuron == net[1].neuron
    assert prepared(float_network(beta=0.875))[1].neuron == Neuron("subtract_delayed", 7, 3)


def refusal(call, *arguments, **keywords):
    with pytest.raises(InputError) as caught:
        call(*arguments, **keywords)
    return str(caught.value)


def changed(**layers):
    net = float_network()
    for place, layer in layers.items():
        net[int(place[1:])] = layer
    return net


def test_what_the_import_refuses_is_refused_before_training():
    net = changed(_2=nn.AvgPool2d(2), _4=nn.Conv2d(6, 8, 4, stride=2, padding=1), _1=nn.ReLU(), _5=nn.ReLU(), _8=nn.ReLU()).eval()
    expected = refusal(duospike.import_torch, net, **IMAGE_FORMAT)
    found = refusal(prepared, net)
    assert found == expected.replace("import refused", "prepare refused") and "AvgPool2d" in found


def parametrized():
    net = float_network()
    parametrize.register_parametrization(net[0], "weight", nn.Identity())
    return net


@pytest.mark.parametrize(
    "other, reason",
    [
        ({"image_scale": "1/255"}, "image scale '1/255'; allowed: a fraction from 5.42e-20 to 1.84e+19"),
        ({"image_scale": float("nan")}, "image scale nan"),
        ({"image_scale": Fraction(10) ** 400}, "image scale Fraction"),
        ({"classes": "4"}, "'4' classes; allowed: from 1 up"),
        ({"timesteps": 3.0}, "3.0 timesteps; allowed: 1 to 1024"),
        ({"image_signed": "no"}, "image_signed 'no'; allowed: True or False"),
    ],
)
def test_image_formats_of_other_types_are_refused(other, reason):
    assert reason in refusal(prepared, float_network(), **other)


def test_a_scale_in_floats_is_the_fraction_that_it_is():
    torch.manual_seed(1)
    scale = {"image_scale": 1 / 256}
    net = train(prepared(float_network(), **scale), 1 / 256)
    network = duospike.import_torch(net, **(IMAGE_FORMAT | scale))
    assert differing(net, images(), scale=1 / 256, network=network) == [0, 0, 0, 0]
    assert duospike.import_torch(net, **(IMAGE_FORMAT | {"image_scale": Fraction(1, 256)})).shapes == network.shapes


@pytest.mark.parametrize(
    "net, bits, reason",
    [
        (parametrized, 4, "numbers are computed at each call"),
        (lambda: prepared(float_network()), 4, "prepared already"),
        (lambda: list(float_network()), 4, "the network is a list"),
        (float_network, 9, "9 bits; allowed: 2 to 8"),
        (float_network, 4.0, "4.0 bits; allowed: 2 to 8"),
    ],
)
def test_what_only_prepare_refuses(net, bits, reason):
    assert reason in refusal(prepared, net(), bits)


def test_a_layer_at_two_places_is_refused():
    layer, neurons = nn.Linear(16, 16), [snntorch.Leaky(beta=0.5, init_hidden=True) for _ in range(4)]
    head = [nn.Conv2d(2, 4, 3, padding=1), neurons[0], nn.Flatten(), nn.Linear(224, 16), neurons[1]]
    net = nn.Sequential(*head, layer, neurons[2], layer, neurons[3])
    assert "used at two places" in refusal(prepared, net)


@pytest.mark.parametrize(
    "pixels, reason", [(0.5, "an input of 0.5 is no whole multiple of 1/255"), (256 / 255, "0 to 256 times"), (-1 / 255, "-1")]
)
def test_pixels_are_checked_in_evaluation(pixels, reason):
    net = prepared(float_network())
    image = torch.zeros(1, 2, 8, 7)
    image[0, 0, 3, 2] = pixels
    net.train()(image)
    assert reason in refusal(net.eval(), image)


def test_potentials_that_are_none_are_refused_in_evaluation():
    net = prepared(changed(_1=snntorch.Leaky(beta=0.5))).eval()
    current = net[0](torch.zeros(1, 2, 8, 7))
    assert "off from a whole step" in refusal(net[1], current, current / 3)
    assert "off from a whole step" in refusal(net[1], current * 0.7, torch.zeros_like(current))


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda net: (net, {"image_scale": Fraction(1, 256)}), "prepared for inputs of 0 to 255 times 1/255, and takes 0"),
        (lambda net: (net.train(), {}), "call eval() first"),
        (lambda net: (nn.Sequential(*net[:6], net[2], *net[7:]), {}), "prepared for another layer"),
        (
            lambda net: (nn.Sequential(*net[:2], snntorch.Leaky(beta=0.5, init_hidden=True), *net[3:]), {}),
            "not prepared together",
        ),
        (lambda net: (nn.Sequential(net[0], nn.BatchNorm2d(6).eval(), *net[2:]), {}), "not prepared together"),
        (lambda net: (nn.Sequential(net[0], net[6], *net[2:]), {}), "prepared for another layer"),
        (lambda net: (nn.Sequential(*net, *net[9:]), {}), "the same neurons at two places"),
        (lambda net: (net.half(), {}), "weights of type torch.float16"),
    ],
)
def test_a_network_that_is_not_as_prepared_is_refused(change, reason):
    net, other = change(prepared(float_network(norm=True)).eval())
    assert reason in refusal(duospike.import_torch, net, **(IMAGE_FORMAT | other))


def _changed_layer(change):
    def made():
        net = prepared(float_network(norm=True)).eval()
        change(net)
        return net

    return made


@pytest.mark.parametrize(
    "net, reason",
    [
        (_changed_layer(lambda net: net.half()), "allowed: float32 or float64, which carry its integers"),
        (_changed_layer(lambda net: net[0].weight.data.fill_(np.nan)), "weight is nan at"),
        (_changed_layer(lambda net: net[0].register_forward_hook(lambda *_: None)), "has the forward hook"),
        (_changed_layer(lambda net: prune.l1_unstructured(net[0], "weight", 0.5)), "its numbers are computed at each call"),
        (_changed_layer(lambda net: setattr(net[1], "running_var", None)), "its batch norm keeps no running mean and variance"),
    ],
)
def test_a_layer_that_is_refused_says_nothing_of_its_neurons(net, reason):
    found = refusal(duospike.import_torch, net(), **IMAGE_FORMAT)
    assert found.startswith("import refused: ") and reason in found and "prepared for another layer" not in found


def test_neurons_keep_the_reset_that_they_were_prepared_with():
    torch.manual_seed(1)
    net = train(prepared(float_network()), SCALE)
    for neurons in [module for module in net if isinstance(module, snntorch.Leaky)]:
        neurons.reset_delay, neurons.reset_mechanism = not neurons.reset_delay, "zero"
    assert differing(net, images()) == [0, 0, 0, 0]


def test_a_copy_for_data_parallel_is_refused():
    """Its neurons would compute with the layers of the network that was copied."""
    layer = prepared(float_network())[0]
    assert "allowed: on one device, or in DistributedDataParallel" in refusal(layer._replicate_for_data_parallel)


def test_numbers_that_floats_may_not_carry_are_refused():
    net = nn.Sequential(
        nn.Conv2d(12, 4, 5, padding=2), snntorch.Leaky(beta=0.5), nn.Flatten(), nn.Linear(4 * 36, 8), snntorch.Leaky(beta=0.5)
    )
    nn.init.constant_(net[0].weight, 0.1)
    form = IMAGE_FORMAT | {"input_shape": (12, 6, 6)}
    assert 12 * 25 * 127 * 255 > LIMIT > 12 * 25 * 7 * 255
    assert f"allowed: below {LIMIT}" in refusal(duospike.prepare, net, 8, **form)
    assert duospike.import_torch(duospike.prepare(net, 4, **form).eval(), **form)
