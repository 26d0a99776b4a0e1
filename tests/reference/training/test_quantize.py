import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from duospike.reference import golden
from duospike.reference.coding import ENCODER
from duospike.reference.data.datasets import FASHION_MNIST_SHAPE, Dataset, fashion_mnist, random_images
from duospike.reference.errors import InputError
from duospike.reference.network import RESETS, Conv, Neuron
from duospike.reference.training import train
from duospike.reference.training.layers import NormedLayer
from duospike.reference.training.norm import NORM_EPSILON, Moments
from duospike.reference.training.quantize import SpikingNetwork
from duospike.reference.training.scales import Round
from duospike.reference.training.settings import read_settings
from duospike.reference.widths import layer_widths
from tests.benches.small_training import SHAPE, bright_quarters, small_settings

SHIPPED = Path(__file__).parents[3] / "models" / "fashion-small.toml"


def trained(settings, data, shape=SHAPE):
    run = train.start(settings, shape)
    train.train_epoch(run, data)
    return run.model.eval()


def forward(model, images):
    """Spikes [N, T, C, H, W] of each layer and votes [N, classes], in batches that fit the cache."""
    batches = [torch.from_numpy(part.copy()).float() for part in np.array_split(images, max(1, len(images) // 20))]
    with torch.no_grad():
        traces = [model.spikes(batch) for batch in batches]
        votes = torch.cat([model(batch) for batch in batches])
    return {name: torch.cat([trace[name] for trace in traces], 1).transpose(0, 1).numpy() for name in traces[0]}, votes.numpy()


def assert_equals_golden(model, images, lively=True):
    """Every spike of the forward pass equals the golden model on the exported integers; no layer is silent or full, if lively."""
    trace = golden.run(model.export(), images)
    spikes, votes = forward(model, images)
    assert spikes.keys() == trace.spikes.keys() - {ENCODER}
    for name in spikes:
        assert np.array_equal(spikes[name], trace.spikes[name]), name
        assert not lively or (trace.spikes[name].any() and not trace.spikes[name].all()), name
    assert np.array_equal(votes, trace.scores)


@pytest.mark.slow
def test_every_spike_of_1000_real_images_equals_the_golden_model():
    data = fashion_mnist("train")
    settings = dataclasses.replace(read_settings(SHIPPED), epochs=1)
    model = trained(settings, Dataset(data.images[:500], data.labels[:500]), FASHION_MNIST_SHAPE)
    assert_equals_golden(model, fashion_mnist("test").images[:1000])


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("bits, timesteps, beta", [(2, 1, "1/2"), (4, 3, "38/256"), (8, 4, "7/8")])
def test_forward_equals_golden_for_other_settings(reset, bits, timesteps, beta):
    settings = small_settings(reset=reset, weight_bits=bits, timesteps=timesteps, beta=beta)
    assert_equals_golden(trained(settings, bright_quarters(256)), bright_quarters(100, seed=1).images)


def edge_layer(total, bias, theta):
    """A layer in training whose 5x5 kernels over 21 channels sum up to `total` and whose export has that bias and theta."""
    weights = np.zeros(21 * 25, dtype=np.int64)
    weights[: abs(total) // 127], weights[abs(total) // 127] = 127, abs(total) % 127
    np.random.default_rng(1).shuffle(weights)
    zero = np.zeros(1, dtype=np.int64)
    blank = Conv("conv1", np.sign(total) * weights.reshape(1, 21, 5, 5), zero, zero, 8, Neuron("zero", 0, 0))
    layer = NormedLayer(blank, small_settings(weight_bits=8, timesteps=1))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(blank.weights))
        layer.mean[:], layer.variance[:], layer.threshold = -bias, 1 - NORM_EPSILON, theta
    return layer.eval()


@pytest.mark.parametrize(
    "architecture", ["4C3s2-FC8", "5C4p0+MP2-AP2-FC8", "4C2x3s1x2p0-AP2-6C3+AP2x1-FC8", "4C3-MP3s1p1-5C1+MP1x2-FC8", "FC12-FC8"]
)
def test_forward_equals_golden_for_windows_and_pools(architecture):
    model = trained(small_settings(architecture=architecture, timesteps=3), bright_quarters(256))
    assert_equals_golden(model, bright_quarters(100, seed=1).images)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("bias", [-12_000_000, -2])
def test_forward_equals_golden_at_the_edge_of_float32(sign, bias):
    """The middle sums 255 * 65793 = 2^24 - 1 of products, and the threshold is what that and the bias make, or 1 below."""
    images = torch.full((1, 4, 21, 5, 5), 255.0)
    images[:, 1:] -= torch.randint(0, 2, (1, 3, 21, 5, 5), generator=torch.Generator().manual_seed(2))
    current = sign * (2**24 - 1 + bias)
    for theta in (current - 1, current):
        layer = edge_layer(sign * 65793, sign * bias, theta)
        with torch.no_grad():
            spikes, exported = layer(images), layer.export()
        assert (exported.bias[0], exported.theta[0]) == (sign * bias, theta)
        assert layer_widths(exported, (0, 255), 1)
        currents = golden.layer_currents(exported, images)
        assert currents[0, 0, 0, 2, 2] == current
        assert spikes[0, 0, 0, 2, 2] == (current > theta)
        assert torch.equal(spikes.byte(), golden.fire(exported, currents, 1))


def test_rate_coding_is_trained_on_the_spikes_of_the_encoder():
    settings = small_settings(coding="rate", coding_seed=3, timesteps=6)
    model = trained(settings, bright_quarters(256))
    images = bright_quarters(100, seed=1).images
    assert_equals_golden(model, images)
    exported = model.export()
    assert (exported.coding, exported.coding_seed) == ("rate", 3)
    other = golden.run(dataclasses.replace(exported, coding_seed=4), images)
    assert not np.array_equal(forward(model, images)[0]["conv1"], other.spikes["conv1"])


@pytest.mark.parametrize(("coding", "bits"), [("frames", 8), ("events", 1)])
def test_frames_and_events_of_ones_own_training_loop(coding, bits):
    """The export equals the module, in which the first layer has currents of its own at each timestep."""
    settings = small_settings(coding=coding, timesteps=3)
    torch.manual_seed(1)
    model = SpikingNetwork(settings, SHAPE, image_bits=bits)
    images = random_images(120, model.blank.image_shape, model.blank.pixel_range, 2)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for batch in torch.from_numpy(images).float().split(40):
        optimizer.zero_grad()
        functional.cross_entropy(model(batch), batch[:, -1].mean((1, 2, 3)).gt(model.blank.pixel_range[1] / 2).long()).backward()
        optimizer.step()
    assert all(parameter.grad.any() for parameter in model.parameters())
    model.eval()
    assert_equals_golden(model, images)
    first = forward(model, images)[0]["conv1"]
    assert not np.array_equal(first, forward(model, images[:, ::-1].copy())[0]["conv1"])
    assert model.export().coding == coding and model.export().image_bits == bits


@pytest.mark.parametrize("shape", [(2, 3, 4, 5, 3), (1, 2, 1, 1, 7), (3, 5, 6, 1, 1)])
def test_moments_have_the_gradient_of_their_difference_quotients(shape):
    sums = torch.randn(shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Moments.apply, (sums,))


def test_a_planted_fault_is_seen():
    model = trained(small_settings(), bright_quarters(256))
    model.layers["conv2"].mean += 3
    exported = model.export()
    model.layers["conv2"].mean -= 3
    images = bright_quarters(100, seed=1).images
    assert not np.array_equal(forward(model, images)[0]["conv2"], golden.run(exported, images).spikes["conv2"])


def test_export_uses_all_of_the_weight_range():
    network = trained(small_settings(weight_bits=3), bright_quarters(128)).export()
    for name, layer in ((layer.name, layer) for layer in network.layers if hasattr(layer, "weights")):
        largest = np.abs(layer.weights).reshape(layer.outputs, -1).max(1)
        assert largest.tolist() == [3] * layer.outputs, name


def test_batch_norm_is_folded_whole():
    """Spikes of the first timestep against batch norm as torch computes it, apart from the rounding."""
    model = trained(small_settings(weight_bits="float"), bright_quarters(256))
    layer = model.layers["conv1"]
    with torch.no_grad():
        layer.offset.uniform_(-0.5, 0.5)
        layer.log_gain.uniform_(-0.5, 0.5)
        images = torch.from_numpy(bright_quarters(50).images).float()
        sums = layer.sums(images[None], layer.scaled()[0])[0]
        normalized = torch.nn.functional.batch_norm(
            sums, layer.mean, layer.variance, torch.exp(layer.log_gain), layer.offset, eps=1e-5
        )
        expected = normalized > layer.threshold
        close = (normalized - layer.threshold).abs() < 1e-4
        assert torch.equal(layer(images[None])[0].bool() | close, expected | close)
        assert 0.01 < expected.float().mean() < 0.9


def test_training_statistics_are_the_batchs_and_running_ones_follow():
    layer = SpikingNetwork(small_settings(), SHAPE).layers["conv1"]
    sums = torch.randn(1, 5, 4, 8, 7, generator=torch.Generator().manual_seed(1)) * 3 + 2
    mean, variance = layer.train().statistics(sums)
    torch.testing.assert_close(mean, sums.mean((0, 1, 3, 4)))
    torch.testing.assert_close(variance, sums.var((0, 1, 3, 4), correction=0))
    torch.testing.assert_close(layer.mean, 0.1 * mean)
    torch.testing.assert_close(layer.variance, 0.9 + 0.1 * variance)
    assert layer.eval().statistics(sums)[0] is layer.mean


def test_gradients_reach_every_parameter():
    model = SpikingNetwork(small_settings(), SHAPE)
    data = bright_quarters(64)
    votes = model(torch.from_numpy(data.images).float())
    train.vote_loss(votes, torch.from_numpy(data.labels), model.max_votes).backward()
    for name, parameter in model.named_parameters():
        assert torch.isfinite(parameter.grad).all() and parameter.grad.abs().max() > 0, name


def test_round_halves_to_even_and_passes_the_gradient():
    values = torch.tensor([0.5, 1.5, -0.5, 2.4, -2.6], requires_grad=True)
    rounded = Round.apply(values)
    rounded.backward(torch.arange(5.0))
    assert rounded.tolist() == [0, 2, 0, 2, -3] and values.grad.tolist() == [0, 1, 2, 3, 4]


def test_a_float_twin_has_no_integers():
    with pytest.raises(InputError, match="a float network has no integers to export; set weight_bits to 2..8"):
        SpikingNetwork(small_settings(weight_bits="float"), SHAPE).export()


def test_a_diverged_network_is_not_exported():
    model = SpikingNetwork(small_settings(), SHAPE).eval()
    model.layers["fc1"].mean[3] = float("nan")
    with pytest.raises(InputError, match="layer fc1: training has diverged"):
        model.export()


def test_a_channel_without_weights_trains_on_and_stays_exact():
    run = train.start(small_settings(), SHAPE)
    with torch.no_grad():
        run.model.layers["conv1"].weight[1] = 0
    train.train_epoch(run, bright_quarters(128))
    assert_equals_golden(run.model.eval(), bright_quarters(40, seed=1).images)
