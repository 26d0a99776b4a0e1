"""Networks of snnTorch composed at random, right ones and odd ones, and snnTorch's own run of them."""

from __future__ import annotations

import copy
import io
import warnings
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import snntorch
import torch
from snntorch import surrogate
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

from duospike.reference.exchange.source import Interface
from duospike.reference.network import Pool
from tests.benches.snn_networks import OnGrid

try:
    import brevitas.nn as qnn
    from brevitas import quant
except ImportError:
    qnn = None

SURROGATES = ("atan", "fast_sigmoid", "sigmoid", "triangular", "spike_rate_escape", "heaviside", "SSO", "SFS")
TAME_BETAS = (0.0, 1.0, 1.0, 1.5, -0.25)
BETAS = (0.0, 0.5, 0.5, 1.0, 0.25, 0.75, 0.9)
TAME_SCALES = (Fraction(1), Fraction(1, 16), Fraction(1, 256), Fraction(3, 8))
SCALES = (*TAME_SCALES, Fraction(1, 255))


ALL_OF = 9
"""Up to so many pixels of one bit, all images are tried."""


@dataclass
class RandomNetwork:
    """modules: an nn.Sequential or a list. notes: what was drawn that a plain network does not have."""

    modules: nn.Module | list
    interface: Interface
    dtype: torch.dtype
    notes: list[str] = field(default_factory=list)


class Draw:
    """Choices of one seed."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        torch.manual_seed(seed)

    def chance(self, share):
        return self.random.random() < share

    def one(self, values):
        return values[self.random.integers(len(values))]

    def whole(self, low, high):
        return int(self.random.integers(low, high + 1))


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def random_window(draw, sizes):
    """Kernel, stride, padding and dilation of a convolution on a map, as nn.Conv2d takes them, and the map's sizes behind it."""
    for _ in range(20):
        kernel = draw.one((1, 3, 3, 5, (draw.whole(1, 4), draw.whole(1, 7)), draw.whole(1, 6)))
        stride, dilation = draw.one((1, 1, 1, 2, (1, 2), (3, 1))), draw.one((*[1] * 12, 2, (1, 2)))
        half = [(one - 1) // 2 for one in pair(kernel)]
        padding = draw.one((tuple(half), tuple(half), 0, tuple(draw.whole(0, most) for most in half), *[1] * draw.chance(0.1)))
        window = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        if stride == 1 and draw.chance(0.1):
            window["padding"] = "same"
        found = out_sizes(sizes, window)
        if min(found) >= 1:
            return window, found
    window = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
    return window, tuple(sizes)


def out_sizes(sizes, window):
    """The sizes of a map behind a convolution or pooling: none below 1 has a window."""
    if window["padding"] == "same":
        return tuple(sizes)
    parts = zip(sizes, *(pair(window.get(name, 1)) for name in ("kernel_size", "stride", "padding", "dilation")), strict=True)
    return tuple((size + 2 * edge - wide * (width - 1) - 1) // step + 1 for size, width, step, edge, wide in parts)


def random_pool(draw, shape, home=nn):
    """A pooling, mostly of windows side by side, of a package, and the shape [C, H, W] behind it."""
    for _ in range(20):
        kernel = draw.one((2, 2, 2, 3, (draw.whole(1, 3), draw.whole(1, 3))))
        window = {"kernel_size": kernel, "stride": kernel, "padding": 0}
        if draw.chance(0.25):
            padding = tuple(draw.whole(0, one // 2) for one in pair(kernel))
            window |= {"stride": draw.one((1, 2, (1, 2), 3)), "padding": padding}
        found = out_sizes(shape[1:], window)
        if min(found) >= 1:
            kind = home.AvgPool2d if draw.chance(0.4) else home.MaxPool2d
            return kind(**window, ceil_mode=draw.chance(0.03)), (shape[0], *found)
    return home.AdaptiveAvgPool2d(1), (shape[0], 1, 1)


class Composer:
    """Draws the layers of one network. step: of the layer before the neurons, whose thresholds are multiples of it or not."""

    def __init__(self, seed, *, brevitas=False):
        self.draw = Draw(seed)
        self.brevitas = brevitas
        # Most networks have numbers with which an import is possible, so that what else is drawn decides.
        self.tame = self.draw.chance(0.8)
        self.notes = []
        self.dtype = torch.float64 if self.draw.chance(0.3) else torch.float32

    def network(self):
        """A network; one in eight is so small that all its images can be tried."""
        draw = self.draw
        small = 2 if draw.chance(0.03) else 3
        shape = (draw.whole(1, 3), draw.whole(small, 7), draw.whole(small, 7))
        timesteps, classes = draw.one((1, 1, 2, 2, 2, 3, 3, 5)), draw.whole(1, 4)
        events = draw.chance(0.2)
        bits, signed = (1, False) if events else (draw.one((1, 2, 4, 8, 8, 8, 12, 16)), draw.chance(0.2))
        scale = Fraction(1) if events else draw.one(TAME_SCALES if self.tame else SCALES)
        if draw.chance(0.12) and not events:
            shape, bits, signed = (1, 3, 3), 1, False
        # One that is multiplied with the pixels at each image's largest.
        self.reach = float(scale) * 2 ** (bits - 1)
        modules, self.shape = [], shape
        for _ in range(0 if events and draw.chance(0.25) else draw.one((1, 1, 2))):
            modules += self.block(self.convolution, nn.BatchNorm2d)
        modules.append(nn.Flatten())
        self.shape = (int(np.prod(self.shape)),)
        for left in reversed(range(draw.one((1, 1, 2)))):
            self.outputs = classes * draw.whole(1, 3) if not left else draw.whole(1, 6)
            modules += self.block(self.linear, nn.BatchNorm1d)
        net = nn.Sequential(*modules).eval()
        for module in net:
            if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm1d | nn.BatchNorm2d):
                module.to(self.dtype)
        for _ in range(draw.one((0, 0, 0, 0, 0, 1, 1, 1, 2))):
            net = self.oddity(net)
        # Drawn last, so that it changes nothing else.
        coding = "events" if events else "frames" if draw.chance(0.3) else "direct"
        interface = Interface(shape, timesteps, classes, coding, bits, signed, scale)
        return RandomNetwork(net, interface, self.dtype, self.notes)

    def block(self, weighted, norm):
        """A layer, sometimes its batch norm, its neurons, and on maps sometimes a pool behind or before them."""
        draw = self.draw
        layer = weighted()
        found = [layer]
        if draw.chance(0.02 if self.tame else 0.3):
            found.append(self.normalization(norm, self.shape[0]))
        pools = len(self.shape) == 3 and draw.chance(0.5)
        before = pools and draw.chance(0.4)
        if pools:
            whole = self.shape
            pool, self.shape = random_pool(draw, whole)
        if not before and pools:
            self.shape, after = whole, self.shape
        neurons = self.neurons()
        found += [pool, neurons] if before else [neurons, pool] if pools else [neurons]
        if pools and not before:
            self.shape = after
        if draw.chance(0.1):
            found.append(draw.one((nn.Dropout(0.5), nn.Identity(), nn.Dropout2d(0.5) if pools else nn.Identity())))
        self.reach = 1.0
        return found

    def convolution(self):
        draw = self.draw
        outputs, inputs, bias = draw.whole(1, 4), self.shape[0], draw.chance(0.5)
        window, sizes = random_window(draw, self.shape[1:])
        self.shape = (outputs, *sizes)
        if self.brevitas and draw.chance(0.7):
            if window["padding"] == "same":
                # Brevitas' own convolution takes numbers alone.
                window["padding"], window["kernel_size"] = 0, 1
            return self.filled(qnn.QuantConv2d(inputs, outputs, bias=bias, **window, **self.quantizers()))
        return self.filled(nn.Conv2d(inputs, outputs, bias=bias, **window))

    def linear(self):
        draw = self.draw
        inputs, self.shape, bias = self.shape[0], (self.outputs,), draw.chance(0.5)
        if self.brevitas and draw.chance(0.7):
            return self.filled(qnn.QuantLinear(inputs, self.outputs, bias=bias, **self.quantizers()))
        return self.filled(nn.Linear(inputs, self.outputs, bias=bias))

    def quantizers(self):
        """Brevitas' quantizers of weights and biases, with which an import is possible or not."""
        draw = self.draw
        weights = draw.one(
            [
                *[quant.Int8WeightPerTensorFixedPoint] * 8,
                quant.Int8WeightPerTensorFloat,
                quant.Int8WeightPerChannelFloat,
                *[quant.SignedTernaryWeightPerTensorConst, quant.SignedBinaryWeightPerTensorConst] * 2,
                wide_range(),
                quant.ShiftedUint8WeightPerTensorFloat,
                float8_weights(),
            ]
        )
        options = {"weight_quant": weights}
        if weights.__name__.startswith("Int8"):
            options["weight_bit_width"] = draw.whole(2, 8)
        if "Const" in weights.__name__:
            options["weight_scaling_init"] = 0.125
        if draw.chance(0.2):
            options["bias_quant"] = draw.one([*[quant.Int8BiasPerTensorFloatInternalScaling] * 3, quant.Int8Bias])
        self.notes.append(f"brevitas {weights.__name__}")
        return options

    def filled(self, layer):
        """Weights that are multiples of a step for each output, or of one that is no power of two, or of none."""
        draw = self.draw
        limit = draw.one((1, 3, 3, 7, 7, 7, 7, 127)) if draw.chance(0.97) else 128
        whole = torch.from_numpy(draw.random.integers(-limit, limit + 1, tuple(layer.weight.shape))).double()
        steps = 2.0 ** torch.from_numpy(draw.random.integers(-6, 1, (len(whole),))).double()
        kind = "power" if self.tame or draw.chance(0.7) else draw.one(("free", "free", "float"))
        if kind == "free":
            steps = steps * draw.random.uniform(0.5, 1)
        if kind == "float":
            whole = whole + torch.rand(whole.shape)
        self.step = float(steps.min())
        steps = steps.reshape(-1, *[1] * (whole.ndim - 1))
        layer.weight.data = (whole * steps).to(layer.weight.dtype)
        if layer.bias is not None:
            bias = torch.from_numpy(draw.random.integers(-20, 21, (len(whole),))).double() * self.step
            layer.bias.data = (bias * draw.one((0, 1, 1, 1, 0.5 if self.tame else 0.3))).to(layer.bias.dtype)
        self.size = limit * float(steps.max()) * whole[0].numel() ** 0.5
        return layer

    def normalization(self, kind, outputs):
        draw, norm = self.draw, kind(outputs, affine=self.draw.chance(0.7))
        norm.running_mean.copy_(torch.randn(outputs))
        norm.running_var.copy_(torch.rand(outputs) + 0.1)
        if norm.affine:
            norm.weight.data.uniform_(-1, 1)
            norm.bias.data.uniform_(-1, 1)
        if draw.chance(0.05):
            norm.track_running_stats, norm.running_mean, norm.running_var = False, None, None
        return norm

    def neurons(self):
        draw = self.draw
        options = {
            "beta": self.shaped(
                draw.one(TAME_BETAS if self.tame or draw.chance(0.3) else BETAS), differ=draw.one((0, 0, 0, 0.25))
            ),
            "threshold": self.threshold(),
            "init_hidden": draw.chance(0.7),
            "reset_mechanism": draw.one(("zero", "subtract", "none")),
            "reset_delay": draw.chance(0.92),
            "learn_beta": draw.chance(0.2),
            "learn_threshold": draw.chance(0.2),
            "output": draw.chance(0.1),
        }
        if draw.chance(0.3):
            options["spike_grad"] = getattr(surrogate, draw.one(SURROGATES))()
        if draw.chance(0.02):
            options |= draw.one(
                (
                    {"inhibition": True},
                    {"graded_spikes_factor": 0.5},
                    {"graded_spikes_factor": torch.ones(1, 1, 1, 1, 1)},
                    {"spike_grad": lambda potential: (potential > 0.5).float()},
                    {"state_quant": torch.round},
                    {"surrogate_disable": True},
                    {"spike_grad": surrogate.LSO()},
                )
            )
        for name in ("beta", "threshold"):
            if options[f"learn_{name}"] and not (isinstance(options[name], float) or options[name].is_floating_point()):
                options[f"learn_{name}"] = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return snntorch.Leaky(**options)

    def threshold(self):
        """Of the size of the currents, on their grid or beside it; arrays of every shape that torch aligns with them."""
        draw = self.draw
        share = draw.one((0.05, 0.2, 0.5, 1.0))
        typical = max(round(share * self.size * max(self.reach, self.step) / self.step), 0) * self.step
        value = typical + self.step * draw.one((0, 0, 0, 0.5, 0.25, 0 if self.tame else 1e-6))
        value = float(np.float32(value)) if draw.chance(0.95) else value
        if draw.chance(0.1) and value == round(value):
            return torch.tensor(int(value))
        return self.shaped(value, differ=self.step)

    def shaped(self, value, differ=0.0):
        """The value as a number or an array; differ: by whole multiples of it from place to place."""
        draw = self.draw
        if draw.chance(0.77):
            return value
        full = (1, *self.shape)
        kept = full[draw.whole(0, len(full) - 1) :]
        shape = [size if draw.chance(0.5) else 1 for size in kept]
        if draw.chance(0.05):
            shape = [draw.whole(1, 4) for _ in range(draw.whole(1, 5))]
        values = torch.full(shape, value, dtype=torch.float32)
        if draw.chance(0.5) and differ:
            values = values + differ * torch.from_numpy(draw.random.integers(0, 3, shape)).float()
            if len(self.shape) == 3 and draw.chance(0.6):
                channels = torch.from_numpy(draw.random.integers(0, 3, (self.shape[0], 1, 1))).float()
                values = (torch.full(self.shape, value) + differ * channels).float()
                values = values if draw.chance(0.4) else values[:, :1, :1]
        return values

    def oddity(self, net):
        """A change that users make to networks, harmless or not."""
        draw = self.draw
        name = draw.one([name for name in dir(self) if name.startswith("odd_")])
        self.notes.append(name[4:])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return getattr(self, name)(net) or net
            except (KeyError, TypeError, RuntimeError, ValueError, AttributeError) as error:
                # Not every two go together: torch refuses to prune what weight_norm computes, or to copy it.
                self.notes.append(f"refused by torch: {error}")
                return net

    def layer(self, net, *kinds):
        found = [i for i, module in enumerate(net) if isinstance(module, kinds or (nn.Conv2d, nn.Linear))]
        return self.draw.one(found)

    def odd_forward_hook(self, net):
        scale = self.draw.one((None, 0.5))
        hook = lambda module, inputs, output: None if scale is None else scale * output  # noqa: E731
        (net if self.draw.chance(0.2) else net[self.layer(net)]).register_forward_hook(hook)

    def odd_pre_hook(self, net):
        net[self.layer(net)].register_forward_pre_hook(lambda module, inputs: (inputs[0] * 2,))

    def odd_own_forward(self, net):
        layer = net[self.layer(net, nn.Conv2d, nn.Linear, snntorch.Leaky)]
        inner = layer.forward
        layer.forward = lambda x: inner(x * 2)

    def odd_subclass(self, net):
        layer = net[self.layer(net, nn.Conv2d, nn.Linear, snntorch.Leaky)]
        kind = type(layer)
        layer.__class__ = type(kind.__name__, (kind,), {"forward": lambda self, x: kind.forward(self, x * 2)})

    def odd_pruned(self, net):
        layer = net[self.layer(net)]
        prune.random_unstructured(layer, "weight", amount=0.3)
        if self.draw.chance(0.3):
            prune.l1_unstructured(layer, "weight", amount=0.3)
        self.after_training(layer, "weight_orig")

    def odd_pruned_for_good(self, net):
        layer = net[self.layer(net)]
        prune.l1_unstructured(layer, "weight", amount=0.3)
        prune.remove(layer, "weight")

    def odd_weight_norm(self, net):
        layer = net[self.layer(net)]
        weight_norm(layer, dim=self.draw.one((0, None)))
        self.after_training(layer, "weight_v")

    def odd_spectral_norm(self, net):
        layer = net[self.layer(net)]
        spectral_norm(layer)
        layer.train(self.draw.chance(0.2))
        self.after_training(layer, "weight_orig")

    def odd_new_norm(self, net):
        layer = net[self.layer(net)]
        self.draw.one((parametrizations.weight_norm, parametrizations.spectral_norm))(layer)
        layer.train(self.draw.chance(0.2))

    def odd_parametrization(self, net):
        parametrize.register_parametrization(net[self.layer(net)], "weight", OnGrid(self.draw.whole(2, 8)))
        net.train(self.draw.chance(0.1))

    def odd_random_parametrization(self, net):
        parametrize.register_parametrization(net[self.layer(net)], "weight", Noise())
        net.eval()

    def odd_shared_neurons(self, net):
        """The same neurons at two places, or a copy that shares their numbers."""
        first, second = [i for i, module in enumerate(net) if isinstance(module, snntorch.Leaky)][:2]
        net[second] = net[first] if self.draw.chance(0.5) else copy.copy(net[first])

    def odd_shared_layer(self, net):
        """A convolution twice, with neurons of their own: a network that has no state in common."""
        layer, neurons = net[0], net[self.layer(net, snntorch.Leaky)]
        if isinstance(layer, nn.Conv2d) and layer.weight.shape[0] == layer.weight.shape[1]:
            return nn.Sequential(layer, copy.deepcopy(neurons), *net)

    def odd_checkpoint(self, net):
        """The numbers of another network, whose neurons may have another reset."""
        other = copy.deepcopy(net)
        for module in other:
            if isinstance(module, snntorch.Leaky):
                module.reset_mechanism = self.draw.one(("zero", "subtract", "none"))
            elif isinstance(module, nn.Conv2d | nn.Linear):
                self.after_training(module, "weight")
        net.load_state_dict(other.state_dict())

    def odd_reset_set_later(self, net):
        net[self.layer(net, snntorch.Leaky)].reset_mechanism = self.draw.one(("zero", "subtract", "none"))

    def odd_delay_set_later(self, net):
        neurons = net[self.layer(net, snntorch.Leaky)]
        neurons.reset_delay = not neurons.reset_delay

    def odd_saved_and_loaded(self, net):
        file = io.BytesIO()
        try:
            torch.save(net, file)
        except Exception:
            # Functions of a surrogate cannot be pickled.
            return copy.deepcopy(net)
        file.seek(0)
        return torch.load(file, weights_only=False)

    def odd_not_finite(self, net):
        tensors = [tensor for tensor in (*net.parameters(), *net.buffers()) if tensor.is_floating_point() and tensor.numel()]
        tensor = self.draw.one(tensors)
        place = self.draw.whole(0, tensor.numel() - 1)
        tensor.data.reshape(-1)[place : place + 1].fill_(self.draw.one((np.nan, np.inf, -np.inf)))

    def odd_extreme(self, net):
        tensors = [tensor for tensor in net.parameters() if tensor.is_floating_point()]
        self.draw.one(tensors).data.mul_(self.draw.one((1e-43, 1e-30, 1e20, 1e35)))

    def odd_training_mode(self, net):
        net.train()

    def odd_nested(self, net):
        cut = self.draw.whole(1, len(net) - 1)
        return nn.Sequential(nn.Sequential(*net[:cut]), nn.Sequential(*net[cut:]))

    def odd_list(self, net):
        return list(net)

    def odd_other_module(self, net):
        at, other = self.draw.one(
            [(len(net) - 1, nn.ReLU()), (1, nn.AvgPool2d(2)), (1, nn.MaxPool2d(3)), (2, nn.MaxPool2d(2, return_indices=True))]
        )
        modules = list(net)
        modules.insert(at, other)
        return nn.Sequential(*modules)

    def odd_order(self, net):
        order = self.draw.random.permutation(len(net))
        return nn.Sequential(*[net[int(i)] for i in order])

    def odd_other_shape(self, net):
        layer = net[self.layer(net)]
        layer.bias = nn.Parameter(torch.zeros(self.draw.whole(1, 3), dtype=layer.weight.dtype))

    def odd_other_type(self, net):
        layer, dtype = net[self.layer(net)], self.draw.one((torch.float16, torch.bfloat16, torch.float32, torch.float64))
        # An only layer in float64 is a network in float64, whose images are, too.
        if sum(isinstance(module, nn.Conv2d | nn.Linear) for module in net) > 1:
            layer.to(dtype)

    def odd_stride(self, net):
        layer = net[0]
        if isinstance(layer, nn.Conv2d):
            name, value = self.draw.one((("stride", (2, 2)), ("padding", 0), ("padding_mode", "circular"), ("dilation", 2)))
            setattr(layer, name, value)

    def after_training(self, layer, name):
        """Other numbers under a name, as a step of training or a checkpoint makes them."""
        tensor = getattr(layer, name, None)
        if tensor is not None and not parametrize.is_parametrized(layer):
            tensor.data.neg_()


class Noise(nn.Module):
    def forward(self, weight):
        return weight + torch.randint(0, 2, weight.shape).to(weight)


def wide_range():
    class Int8WeightOfWideRange(quant.Int8WeightPerTensorFixedPoint):
        narrow_range = False

    return Int8WeightOfWideRange


def float8_weights():
    from brevitas.quant.experimental.float import Fp8e4m3WeightPerTensorFloat

    return Fp8e4m3WeightPerTensorFloat


def random_network(seed, *, brevitas=False):
    return Composer(seed, brevitas=brevitas).network()


def flat(modules):
    """The modules of nested nn.Sequential in their order."""
    for module in modules:
        if isinstance(module, nn.Sequential):
            yield from flat(module)
        else:
            yield module


def some_images(interface, seed, count=12):
    """All images of a few pixels of one bit; else images, or events, at random, of the extremes, with one bright pixel. int64."""
    random = np.random.default_rng(seed)
    low, high = (-(2 ** (interface.image_bits - 1)), 2 ** (interface.image_bits - 1) - 1)
    if not interface.image_signed:
        low, high = 0, 2**interface.image_bits - 1
    shape = interface.image_shape
    pixels = int(np.prod(shape))
    if interface.image_bits == 1 and not interface.image_signed and pixels <= ALL_OF:
        return (np.arange(2**pixels)[:, None] >> np.arange(pixels) & 1).reshape(-1, *shape)
    spots = np.full((count // 2, *shape), min(max(0, low), high))
    spots.reshape(len(spots), -1)[np.arange(len(spots)), random.integers(0, spots[0].size, len(spots))] = high
    return np.concatenate(
        [
            random.integers(low, high + 1, (count, *shape)),
            np.where(random.random((count, *shape)) < 0.5, low, high),
            spots,
            np.full((1, *shape), low),
            np.full((1, *shape), high),
        ]
    )


def run_of_snntorch(network, images):
    """Spikes [N, T, ...] of each group of neurons in order, from the modules themselves, called one after the other."""
    modules = list(flat(network.modules))
    for module in modules:
        if isinstance(module, snntorch.Leaky):
            module.reset_mem()
    found = {}
    interface = network.interface
    scaled = torch.from_numpy(images).to(network.dtype) * float(interface.image_scale)
    with torch.no_grad():
        for t in range(interface.timesteps):
            values = scaled if interface.coding == "direct" else scaled[:, t]
            for i, module in enumerate(modules):
                values = module(values)
                values = values[0] if isinstance(values, tuple) else values
                if isinstance(module, snntorch.Leaky):
                    found.setdefault(i, []).append(values.clone())
                    values = values.to(network.dtype)
    return [torch.stack(spikes, 1).numpy() for spikes in found.values()]


def names_of_neurons(network, integers):
    """For each group of neurons the layer of the integers with its spikes: itself, or its pool if that comes before neurons."""
    names, pooled = [], False
    layers = iter(integers.layers)
    for module in flat(network.modules):
        if isinstance(module, nn.MaxPool2d):
            pooled = True
        if isinstance(module, nn.Conv2d | nn.Linear):
            pooled = False
        if isinstance(module, snntorch.Leaky):
            layer = next(one for one in layers if type(one) is not Pool)
            moved = pooled and getattr(layer, "current_pool", None) is None
            names.append(next(layers).name if moved else layer.name)
            pooled = False
    return names
