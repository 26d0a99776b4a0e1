"""Networks of SpikingJelly composed at random, right ones and odd ones, and SpikingJelly's own run of them."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import nn

from duospike.reference.exchange.source import Interface
from duospike.reference.network import Pool
from tests.benches.random_snn import Draw, random_pool, random_window

KINDS = (neuron.IFNode, neuron.LIFNode, neuron.ParametricLIFNode)
TAUS = (2.0, 2.0, 2.0, 4.0, 1.0 + 1e-9, 4 / 3, 8.0, 3.0)
SURROGATES = ("ATan", "Sigmoid", "PiecewiseExp", "SoftSign", "Erf", "LeakyKReLU", "SquarewaveFourierSeries", "Rect")
SCALES = (Fraction(1), Fraction(1, 16), Fraction(1, 256), Fraction(3, 8), Fraction(1, 255))


@dataclass
class RandomNetwork:
    """net: a Sequential, a list, or a class with a forward. pooled: for each group of neurons, whether its currents are pooled.

    loops: whether the net itself goes through all timesteps. notes: what was drawn that a plain network does not have.
    """

    net: nn.Module
    interface: Interface
    dtype: torch.dtype
    pooled: list[bool]
    loops: bool
    notes: list[str] = field(default_factory=list)


class Loops(nn.Module):
    """A class as users write it: the image at all timesteps, or one call after the other, and the rate of the answers."""

    def __init__(self, parts: nn.Module, timesteps: int, how: str):
        super().__init__()
        self.parts, self.T, self.how = parts, timesteps, how

    def forward(self, x):
        if self.how == "repeated":
            return self.parts(x.unsqueeze(0).repeat(self.T, 1, 1, 1, 1)).mean(0)
        if self.how == "expanded":
            return self.parts(x.expand(self.T, *x.shape)).sum(0)
        if self.how == "stacked":
            return torch.stack([self.parts(x) for _ in range(self.T)]).mean(0)
        if self.how == "frames":
            rates = 0.0
            for t in range(self.T):
                rates = rates + self.parts(x[t])
            return rates / self.T
        rates = self.parts(x)
        for _ in range(self.T - 1):
            rates = rates + self.parts(x)
        return rates


class Composer:
    """Draws the layers of one network. step, size: of the weights before neurons, whose thresholds are near their currents."""

    def __init__(self, seed: int):
        self.draw = Draw(seed)
        self.tame = self.draw.chance(0.8)
        self.dtype = torch.float64 if self.draw.chance(0.3) else torch.float32
        self.notes: list[str] = []
        self.pooled: list[bool] = []

    def network(self) -> RandomNetwork:
        draw = self.draw
        shape = (draw.whole(1, 3), draw.whole(3, 6), draw.whole(3, 6))
        timesteps, events = draw.one((1, 2, 2, 2, 3, 4)), draw.chance(0.2)
        bits = 1 if events else draw.one((1, 2, 4, 8, 8))
        scale = Fraction(1) if events else draw.one(SCALES[:-1] if self.tame else SCALES)
        self.timesteps, self.reach = timesteps, float(scale) * 2 ** (bits - 1)
        self.all_at_once = draw.chance(0.5)
        parts, self.shape = [], shape
        for number in range(draw.one((1, 1, 2))):
            parts += self.block(self.convolution(number), layer.BatchNorm2d)
        parts += self.averaged() + [layer.Flatten()]
        self.shape = (math.prod(self.shape),)
        votes = draw.one((1, 1, 2, 3))
        parts += self.block(self.filled(layer.Linear(self.shape[0], votes * draw.whole(1, 4), bias=draw.chance(0.5))), None)
        vote = [layer.VotingLayer(votes if draw.chance(0.97) else votes + 1)] if votes > 1 or draw.chance(0.1) else []
        net = nn.Sequential(*parts, *vote).eval().to(self.dtype)
        functional.set_step_mode(net, "m" if self.all_at_once else "s")
        for _ in range(draw.one((0, 0, 0, 0, 1, 1, 2))):
            net = self.oddity(net)
        coding = "events" if events else "direct"
        interface = Interface(shape, timesteps, 0, coding, bits, False, scale)
        return self.wrapped(net, interface)

    def wrapped(self, net: nn.Module, interface: Interface) -> RandomNetwork:
        """The network as it is, or within a class that loops over time, of which the timesteps need not be asked for."""
        draw, events = self.draw, interface.coding == "events"
        how = draw.one(("repeated", "expanded")) if self.all_at_once else "frames" if events else draw.one(("stacked", "added"))
        loops = draw.chance(0.4) and not (events and self.all_at_once)
        if loops:
            net = Loops(net, self.timesteps, how).train(net.training)
            # One call is no loop, and of another image at each timestep their number is asked for.
            if how != "added" and not events and draw.chance(0.5):
                interface = replace(interface, timesteps=0)
            self.notes.append(how)
        return RandomNetwork(net, interface, self.dtype, self.pooled, loops, self.notes)

    def block(self, weighted: nn.Module, norm: type | None) -> list[nn.Module]:
        """A layer, sometimes its batch norm, its neurons, and on maps sometimes a pool behind or before them."""
        draw, found = self.draw, [weighted]
        if norm and draw.chance(0.03 if self.tame else 0.3):
            found.append(self.normalization(norm, self.shape[0]))
        pools = norm and draw.chance(0.5)
        before = pools and draw.chance(0.4)
        fire = self.neurons()
        if pools:
            pool, self.shape = random_pool(draw, self.shape, layer)
            found.append(pool)
        found.insert(len(found) if before or not pools else -1, fire)
        self.pooled.append(bool(before) and isinstance(pool, nn.MaxPool2d))
        if draw.chance(0.1):
            found.append(layer.Dropout(0.5))
        self.reach = 1.0
        return found

    def convolution(self, number: int) -> nn.Module:
        draw, inputs = self.draw, self.shape[0]
        outputs, groups = draw.whole(1, 4), 1
        if number and draw.chance(0.5):
            groups, outputs = inputs, inputs * draw.whole(1, 2)
        window, sizes = random_window(draw, self.shape[1:])
        self.shape = (outputs, *sizes)
        return self.filled(layer.Conv2d(inputs, outputs, bias=draw.chance(0.5), groups=groups, **window))

    def averaged(self) -> list[nn.Module]:
        """Sometimes an average pooling before the fully connected layer."""
        draw = self.draw
        if not draw.chance(0.25) or min(self.shape[1:]) < 2:
            return []
        if draw.chance(0.2):
            self.shape = (self.shape[0], 1, 1)
            return [layer.AdaptiveAvgPool2d(1)]
        kernel, stride = 2, draw.one((2, 2, 2, 3, 1))
        self.shape = (self.shape[0], *((size - kernel) // stride + 1 for size in self.shape[1:]))
        return [layer.AvgPool2d(kernel, stride)]

    def filled(self, weighted: nn.Module) -> nn.Module:
        """Weights that are multiples of a step for each output, a power of two's or another; or of none."""
        draw = self.draw
        limit = draw.one((1, 3, 3, 7, 7, 7, 127)) if draw.chance(0.97) else 128
        whole = torch.from_numpy(draw.random.integers(-limit, limit + 1, tuple(weighted.weight.shape))).double()
        steps = 2.0 ** torch.from_numpy(draw.random.integers(-4, 1, (len(whole),))).double()
        kind = "power" if self.tame or draw.chance(0.6) else draw.one(("free", "free", "float"))
        if kind == "free":
            steps = steps * draw.random.uniform(0.5, 1)
        if kind == "float":
            whole = whole + torch.rand(whole.shape)
        self.step = float(steps.min())
        weighted.weight.data = (whole * steps.reshape(-1, *[1] * (whole.ndim - 1))).float()
        if weighted.bias is not None:
            bias = torch.from_numpy(draw.random.integers(-20, 21, (len(whole),))).double() * self.step
            weighted.bias.data = (bias * draw.one((0, 1, 1, 0.5 if self.tame else 0.3))).float()
        self.size = limit * float(steps.max()) * whole[0].numel() ** 0.5
        self.shape = (len(whole), *self.shape[1:])
        return weighted

    def normalization(self, kind: type, outputs: int) -> nn.Module:
        norm = kind(outputs, affine=self.draw.chance(0.7))
        norm.running_mean.copy_(torch.randn(outputs))
        norm.running_var.copy_(torch.rand(outputs) + 0.1)
        return norm

    def neurons(self) -> nn.Module:
        """IF, LIF or PLIF, its threshold on the grid of the currents or beside it."""
        draw = self.draw
        share = draw.one((0.02, 0.05, 0.2, 0.5))
        whole = round(share * self.size * max(self.reach, self.step) / self.step)
        theta = (whole + draw.one((0, 0, 0, 0.5, 0.25, 0.3))) * self.step
        options = {
            "v_threshold": float(theta),
            "v_reset": draw.one((0.0, 0.0, None)),
            "surrogate_function": getattr(surrogate, draw.one(SURROGATES))(),
            "detach_reset": draw.chance(0.3),
        }
        tau = draw.one(TAUS[:4] if self.tame else TAUS)
        kind = draw.one((neuron.IFNode, neuron.IFNode, neuron.IFNode, neuron.LIFNode, neuron.LIFNode, neuron.ParametricLIFNode))
        if kind is not neuron.IFNode:
            options |= {"decay_input": draw.chance(0.6), "init_tau" if kind is neuron.ParametricLIFNode else "tau": tau}
            options["v_threshold"] /= tau if options["decay_input"] and draw.chance(0.7) else 1
        found = kind(**options, store_v_seq=draw.chance(0.05))
        return found

    def oddity(self, net: nn.Module) -> nn.Module:
        """A change that users make to networks, harmless or not."""
        name = self.draw.one([name for name in dir(self) if name.startswith("odd_")])
        self.notes.append(name[4:])
        return getattr(self, name)(net) or net

    def one(self, net: nn.Module, *kinds: type) -> nn.Module:
        return self.draw.one([module for module in net.modules() if isinstance(module, kinds)])

    def odd_contained(self, net):
        """Layers between neurons in a container of their own, which takes all timesteps as one batch or one after the other."""
        if self.all_at_once:
            functional.set_step_mode(net, "s")
            parts = [module if isinstance(module, KINDS) else layer.SeqToANNContainer(module) for module in net]
            for module in parts:
                if isinstance(module, KINDS):
                    module.step_mode = "m"
            return nn.Sequential(*parts).eval()

    def odd_steps_contained(self, net):
        if self.all_at_once and not any(isinstance(module, layer.SeqToANNContainer) for module in net):
            functional.set_step_mode(net, "s")
            return layer.MultiStepContainer(*net).eval()

    def odd_batched_neurons(self, net):
        """All timesteps of neurons as one batch: another network than with a potential that is kept."""
        at = [i for i, module in enumerate(net) if isinstance(module, KINDS)]
        if at and self.all_at_once and isinstance(net, nn.Sequential) and type(net) is nn.Sequential:
            net[at[0]].step_mode = "s"
            net[at[0]] = layer.SeqToANNContainer(net[at[0]])

    def odd_step_mode(self, net):
        module = self.one(net, *KINDS, nn.Conv2d, nn.Flatten, nn.Linear)
        module.step_mode = "s" if module.step_mode == "m" else "m"

    def odd_reset_elsewhere(self, net):
        self.one(net, *KINDS).v_reset = self.draw.one((-0.25, 0.25, 0.0, None))

    def odd_start(self, net):
        self.one(net, *KINDS).set_reset_value("v", self.draw.one((0.0, 0.25, torch.zeros(1))))

    def odd_threshold(self, net):
        self.one(net, *KINDS).v_threshold = self.draw.one((-0.5, 0.0, 1, float("nan"), float("inf"), 1e-30, 0.1))

    def odd_tau(self, net):
        module = self.one(net, *KINDS)
        if isinstance(module, neuron.LIFNode):
            module.tau = self.draw.one((0.5, 1.0, 16.0, 2**17 * 1.0, 1e20))
        elif isinstance(module, neuron.ParametricLIFNode):
            module.w.data.fill_(self.draw.one((0.0, 0.7, -40.0, 40.0, float("nan"))))

    def odd_surrogate(self, net):
        module = self.one(net, *KINDS)
        module.surrogate_function = self.draw.one(
            (surrogate.ATan(spiking=False), surrogate.MultiLevelSpikeCount(2), surrogate.PoissonPass(), nn.ReLU())
        )

    def odd_other_neurons(self, net):
        at = [i for i, module in enumerate(net) if isinstance(module, KINDS)]
        if at and type(net) is nn.Sequential:
            mode = net[at[0]].step_mode
            net[at[0]] = self.draw.one((neuron.EIFNode, neuron.QIFNode))(step_mode=mode)

    def odd_hook(self, net):
        self.one(net, *KINDS, nn.Conv2d).register_forward_hook(lambda module, inputs, output: output * 1)

    def odd_forward(self, net):
        module = self.one(net, *KINDS)
        inner = module.forward
        module.forward = lambda x: inner(x * 2)

    def odd_shared(self, net):
        """The same neurons at two places, or a copy of them that has its own potential."""
        at = [i for i, module in enumerate(net) if isinstance(module, KINDS)]
        if len(at) > 1 and type(net) is nn.Sequential:
            net[at[1]] = self.draw.one((net[at[0]], copy.copy(net[at[0]]), copy.deepcopy(net[at[0]])))

    def odd_left_over(self, net):
        """A potential of an earlier call, which functional.reset_net sets back."""
        self.one(net, *KINDS).v = 0.75

    def odd_not_finite(self, net):
        tensor = self.draw.one(list(net.parameters()))
        tensor.data.reshape(-1)[:1].fill_(self.draw.one((np.nan, np.inf)))

    def odd_extreme(self, net):
        self.draw.one(list(net.parameters())).data.mul_(self.draw.one((1e-43, 1e-30, 1e20, 1e35)))

    def odd_training(self, net):
        net.train()

    def odd_nested(self, net):
        if type(net) is nn.Sequential:
            cut = self.draw.whole(1, len(net) - 1)
            return nn.Sequential(nn.Sequential(*net[:cut]), nn.Sequential(*net[cut:])).train(net.training)

    def odd_stride(self, net):
        name, value = self.draw.one((("stride", (2, 2)), ("padding", (0, 0)), ("padding_mode", "circular"), ("dilation", (2, 2))))
        setattr(self.one(net, nn.Conv2d), name, value)

    def odd_other_type(self, net):
        self.one(net, nn.Conv2d, nn.Linear).to(self.draw.one((torch.float16, torch.float32, torch.float64)))

    def odd_saved(self, net):
        other = copy.deepcopy(net)
        other.load_state_dict(net.state_dict())
        return other


def random_network(seed: int) -> RandomNetwork:
    return Composer(seed).network()


def run_of_spikingjelly(network: RandomNetwork, timesteps: int, images: np.ndarray) -> list[np.ndarray]:
    """Spikes [N, T, ...] of each group of neurons in order, from a call of the network itself."""
    net, found = network.net, {}
    groups = [module for module in net.modules() if isinstance(module, KINDS)]

    def keep(module, inputs, output):
        found.setdefault(id(module), []).append((module.step_mode, output.clone()))

    hooks = [module.register_forward_hook(keep) for module in groups]
    direct = network.interface.coding == "direct"
    pixels = torch.from_numpy(images).to(network.dtype) * float(network.interface.image_scale)
    steps = pixels.expand(timesteps, *pixels.shape) if direct else pixels.transpose(0, 1)
    functional.reset_net(net)
    with torch.no_grad():
        if network.loops:
            net(pixels if direct else steps)
        elif takes_all(net):
            net(steps)
        else:
            for step in steps:
                net(step)
    for hook in hooks:
        hook.remove()
    functional.reset_net(net)
    return [laid_out(found[id(module)]).numpy() for module in groups]


def laid_out(calls: list[tuple[str, torch.Tensor]]) -> torch.Tensor:
    """Spikes [N, T, ...] of (step mode, output) of each call."""
    mode, output = calls[0]
    return output.transpose(0, 1) if mode == "m" else torch.stack([spikes for _, spikes in calls], 1)


def takes_all(net: nn.Module) -> bool:
    """Whether a network without a loop of its own takes the images of all timesteps at once."""
    first = next(module for module in net.modules() if isinstance(module, nn.Conv2d))
    containers = layer.SeqToANNContainer | layer.MultiStepContainer
    return first.step_mode == "m" or any(isinstance(module, containers) for module in net.modules())


def names_of_neurons(network: RandomNetwork, integers) -> list[str]:
    """For each group of neurons the layer of the integers with its spikes: itself, or its pool if that comes before neurons."""
    layers, names = iter(integers.layers), []
    for pooled in network.pooled:
        found = next(one for one in layers if type(one) is not Pool)
        moved = pooled and getattr(found, "current_pool", None) is None
        names.append(next(layers).name if moved else found.name)
    return names
