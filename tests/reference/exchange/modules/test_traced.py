"""Networks written as classes: their forward is followed, and gives the spikes of the class itself."""

import types
from fractions import Fraction

import numpy as np
import pytest
import snntorch
import torch
from snntorch import utils
from torch import nn
from torch.nn import functional

from duospike.reference import golden
from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.source import Interface

IMAGES = np.random.default_rng(0).integers(0, 8, (30, 1, 6, 6))
STEPS = 3


def leaky(**more):
    return snntorch.Leaky(**{"beta": 0.5, "threshold": 0.5, "reset_mechanism": "zero", **more})


class Parts(nn.Module):
    """conv, neurons, pool, fully connected, neurons: the parts of all the classes below."""

    def __init__(self, **more):
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.lif1 = nn.Conv2d(1, 3, 3, padding=1), leaky(**more)
        self.fc1, self.lif2 = nn.Linear(27, 4), leaky(**more)
        self.drop, self.pool, self.num_steps = nn.Dropout(0.5), nn.MaxPool2d(2), STEPS
        for layer in (self.conv1, self.fc1):
            layer.weight.data = torch.randint(-3, 4, layer.weight.shape) / 4
            layer.bias.data = torch.randint(-2, 3, layer.bias.shape) / 4


class Tutorial(Parts):
    """As snnTorch's tutorials 5 and 6 write it: states in variables, a loop over time, records of both."""

    def forward(self, x):
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.reset_mem()
        spk2_rec, mem2_rec = [], []
        for _step in range(self.num_steps):
            cur1 = self.conv1(x)
            spk1, mem1 = self.lif1(cur1, mem1)
            cur2 = self.fc1(functional.max_pool2d(spk1, 2).view(x.size(0), -1))
            spk2, mem2 = self.lif2(cur2, mem2)
            spk2_rec.append(spk2)
            mem2_rec.append(mem2)
        return torch.stack(spk2_rec, dim=0), torch.stack(mem2_rec, dim=0)


class CurrentOnce(Parts):
    """What is the same at all timesteps is computed before the loop; spikes are added up."""

    def forward(self, x):
        current, mem1, mem2, total = self.conv1(x), None, None, 0
        for _ in range(self.num_steps):
            spikes, mem1 = self.lif1(current, mem1)
            spikes, mem2 = self.lif2(self.fc1(torch.flatten(self.pool(spikes), 1)), mem2)
            total = total + spikes
        return total / self.num_steps


class Kept(Parts):
    """States in the neurons, one timestep a call."""

    def __init__(self):
        super().__init__(init_hidden=True)

    def forward(self, x):
        x = self.pool(self.lif1(self.conv1(x)))
        return self.lif2(self.fc1(self.drop(x.flatten(1))))


class KeptRecorded(Kept):
    """The same in a loop, and the mean of the record."""

    def forward(self, x):
        utils.reset(self)
        return torch.stack([super(KeptRecorded, self).forward(x) for _ in range(STEPS)]).mean(0)


class EachFrame(Kept):
    """Another image at each timestep, as with event data; the shape says how many."""

    def forward(self, x):
        out = torch.zeros(x.shape[1], 4)
        for frame in x:
            out = out + super().forward(frame)
        return out


class AddedInPlace(Kept):
    """Spikes are added to zeros in their place."""

    def forward(self, x):
        utils.reset(self)
        total = torch.zeros(len(x), 4)
        for _ in range(STEPS):
            total += super().forward(x)
        return total


class LayerByLayer(Parts):
    """All timesteps of a layer before the next one; all of them in one batch where nothing keeps a state."""

    def forward(self, x):
        x = x.unsqueeze(0).repeat(STEPS, 1, 1, 1, 1)
        current = self.conv1(x.flatten(0, 1)).view(STEPS, -1, 3, 6, 6)
        first = torch.stack([self.lif1(one)[0] for one in current])
        pooled = functional.max_pool2d(first.flatten(0, 1), 2).flatten(1)
        current = self.fc1(pooled.unflatten(0, (STEPS, -1)))
        return sum(self.lif2(current[t])[0] for t in range(STEPS))


class Average(Parts):
    """Global average pooling before the fully connected layer, written as a mean."""

    def __init__(self):
        super().__init__(init_hidden=True)
        self.fc1 = nn.Linear(3, 4)
        self.fc1.weight.data = torch.randint(-3, 4, (4, 3)) * 9 / 4
        self.fc1.bias.data.zero_()
        # Between whole steps of the weights, as the source's average of 9 is rounded.
        self.lif2.threshold = torch.tensor(0.375)
        self.double()

    def forward(self, x):
        x = self.pool(self.lif1(self.conv1(x))).to(x.dtype)
        return self.lif2(self.fc1(x.mean((2, 3))))


def pixels(kind=torch.float32):
    return torch.from_numpy(IMAGES / 8).to(kind)


def votes_of(net):
    """Spikes over time [N, 4] of the network's own call."""
    net.eval()
    utils.reset(net)
    images = pixels(net.fc1.weight.dtype)
    with torch.no_grad():
        if isinstance(net, EachFrame):
            return net(images.expand(STEPS, *images.shape))
        if type(net) in (Kept, Average):
            return sum(net(images) for _ in range(STEPS))
        result = net(images)
    if isinstance(net, Tutorial):
        return result[0].sum(0)
    return result * STEPS if isinstance(net, CurrentOnce | KeptRecorded) else result


def imported(net, timesteps=0, **more):
    asked = Interface((1, 6, 6), timesteps, image_bits=3, image_scale=Fraction(1, 8), **more)
    return exact_network(from_torch(net.eval(), asked))


INSIDE = (Tutorial, CurrentOnce, KeptRecorded, AddedInPlace, LayerByLayer)


@pytest.mark.parametrize("kind", [*INSIDE, Kept, EachFrame], ids=lambda kind: kind.__name__)
def test_a_class_gives_its_own_spikes(kind):
    net = kind()
    network = imported(net, 0 if kind in INSIDE else STEPS)
    assert network.timesteps == STEPS and network.classes == 4
    assert [layer.name for layer in network.layers] == ["conv1", "pool1", "fc1"]
    wanted = votes_of(net).numpy()
    assert np.allclose(golden.run(network, IMAGES).spikes["fc1"][..., 0, 0].sum(1), wanted)
    assert wanted.any() and not (wanted == STEPS).all()


class Block(nn.Module):
    """Layer, neurons and pool, as users put them together."""

    def __init__(self, net):
        super().__init__()
        self.conv, self.lif, self.pool = net.conv1, net.lif1, net.pool

    def forward(self, x):
        return self.pool(self.lif(self.conv(x)))


def test_blocks_within_a_sequence_are_followed():
    net = Kept()
    blocks = nn.Sequential(Block(net), nn.Flatten(), net.fc1, net.lif2).eval()
    found, plain = imported(blocks, STEPS), imported(net, STEPS)
    for one, other in zip(found.layers, plain.layers, strict=True):
        assert one.name == other.name and np.array_equal(getattr(one, "weights", 0), getattr(other, "weights", 0))


def test_nothing_of_the_network_is_changed():
    net = Tutorial()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net(pixels())
    left = net.lif1.mem
    imported(net)
    assert net.lif1.mem is left and all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_a_mean_of_a_map_is_an_average_pooling():
    net = Average()
    network = imported(net, 1)
    assert [layer.name for layer in network.layers] == ["conv1", "pool1", "pool2", "fc1"]
    with torch.no_grad():
        wanted = net(pixels(torch.float64)).numpy()
    assert np.array_equal(golden.run(network, IMAGES).spikes["fc1"][..., 0, 0].sum(1), wanted)


class Branch(Kept):
    def forward(self, x):
        first = self.lif1(self.conv1(x))
        return self.lif2(self.fc1(self.pool(first + self.conv1(x)).flatten(1)))


class DependsOnValues(Kept):
    def forward(self, x):
        x = self.lif1(self.conv1(x))
        return self.lif2(self.fc1(self.pool(x if x.sum() > 3 else -x).flatten(1)))


class Twice(Kept):
    def forward(self, x):
        x = self.lif1(self.lif1(self.conv1(x)))
        return self.lif2(self.fc1(self.pool(x).flatten(1)))


class TwiceInALoop(Kept):
    """The second neurons are called once a timestep: nothing is said of them, and of the first ones nothing of timesteps."""

    def forward(self, x):
        total = 0
        for _ in range(STEPS):
            total = total + self.lif2(self.fc1(self.pool(self.lif1(self.lif1(self.conv1(x)))).flatten(1)))
        return total


class DecaysOutside(Parts):
    def forward(self, x):
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        for _ in range(STEPS):
            spikes, mem1 = self.lif1(self.conv1(x), mem1 * 0.5)
            spikes, mem2 = self.lif2(self.fc1(self.pool(spikes).flatten(1)), mem2)
        return spikes


class ResetEachTime(Kept):
    def forward(self, x):
        total = 0
        for _ in range(STEPS):
            utils.reset(self)
            total = total + super().forward(x)
        return total


class LastPotential(Parts):
    def forward(self, x):
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        for _ in range(STEPS):
            spikes, mem1 = self.lif1(self.conv1(x), mem1)
            _, mem2 = self.lif2(self.fc1(self.pool(spikes).flatten(1)), mem2)
        return mem2


class LastSpikes(KeptRecorded):
    def forward(self, x):
        return [Kept.forward(self, x) for _ in range(STEPS)][-1]


class Rectified(Kept):
    def forward(self, x):
        x = functional.relu(self.lif1(self.conv1(x)))
        return self.lif2(self.fc1(torch.sigmoid(self.pool(x)).flatten(1)))


class InAList(Kept):
    def __init__(self):
        super().__init__()
        self.parts = [nn.Conv2d(1, 3, 3, padding=1)]

    def forward(self, x):
        return self.lif2(self.fc1(self.pool(self.lif1(self.parts[0](x))).flatten(1)))


class Softmax(KeptRecorded):
    def forward(self, x):
        return super().forward(x).softmax(1)


class RandomDropout(Kept):
    def forward(self, x):
        return self.lif2(self.fc1(functional.dropout(self.pool(self.lif1(self.conv1(x))), 0.5).flatten(1)))


class NotThere(Kept):
    def forward(self, x):
        return self.lif2(self.fc1(self.conv1(x)))


class InPlace(Kept):
    def forward(self, x):
        x = self.conv1(x)
        x.mul_(0.5)
        return self.lif2(self.fc1(self.pool(self.lif1(x)).flatten(1)))


class SumPassedOn(Kept):
    def forward(self, x):
        first = sum(self.lif1(self.conv1(x)) for _ in range(STEPS))
        return self.lif2(self.fc1(self.pool(first).flatten(1)))


class Weighed(KeptRecorded):
    def forward(self, x):
        first, second = (Kept.forward(self, x) for _ in range(2))
        return torch.add(first, second, alpha=2)


class Fading(Kept):
    def forward(self, x):
        total = 0
        for _ in range(STEPS):
            total = total * 0.5 + super().forward(x)
        return total


class MeanAndOne(Kept):
    def forward(self, x):
        first, second, third = (Kept.forward(self, x) for _ in range(STEPS))
        return torch.stack([first, second]).mean(0) + third


class KeepsItsSpikes(Kept):
    """Feeds spikes back at the next call: a first one does not show it."""

    def __init__(self):
        super().__init__()
        self.spikes, self.back = None, nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        current = self.conv1(x)
        if self.spikes is not None:
            current = current + self.back(self.spikes)
        self.spikes = self.lif1(current)
        return self.lif2(self.fc1(self.pool(self.spikes).flatten(1)))


class CountsInAList(Kept):
    def __init__(self):
        super().__init__()
        self.calls = [0]

    def forward(self, x):
        self.calls[0] += 1
        return super().forward(x if self.calls[0] < 3 else x * 0)


class CountsInAnObject(Kept):
    def __init__(self):
        super().__init__()
        self.own = types.SimpleNamespace(calls=0)

    def forward(self, x):
        self.own.calls += 1
        return super().forward(x if self.own.calls < 3 else x * 0)


class FramesWithABranch(EachFrame):
    """Takes an axis of time: what is wrong with it is not that one image fails."""

    def forward(self, x):
        return sum(self.lif2(self.fc1(self.pool(self.lif1(self.conv1(frame)) + self.lif1(frame)).flatten(1))) for frame in x)


class Lent(Kept):
    """Other weights for the length of a call."""

    def forward(self, x):
        kept = self.conv1.weight.data.clone()
        self.conv1.weight.data.mul_(0.5)
        spikes = super().forward(x)
        self.conv1.weight.data = kept
        return spikes


class ThresholdOfTime(Kept):
    def forward(self, x):
        total = 0
        for threshold in (2.0, 1.0, 0.5):
            self.lif1.threshold.fill_(threshold)
            total = total + super().forward(x)
        return total


class PoolsOfTime(Kept):
    def forward(self, x):
        total = 0
        for t in range(STEPS):
            pooled = functional.avg_pool2d(self.lif1(self.conv1(x)), 2, divisor_override=4 if t else 2)
            total = total + self.lif2(self.fc1(pooled.flatten(1)))
        return total


class InBfloat16(Kept):
    def forward(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            return super().forward(x)


class Clipped(Kept):
    def forward(self, x):
        self.conv1.weight.data.clamp_(-0.5, 0.5)
        return super().forward(x)


class Lowered(Kept):
    def forward(self, x):
        self.lif1.reset_delay = False
        return super().forward(x)


class DependsOnTheBatch(Kept):
    def forward(self, x):
        x = self.lif1(self.conv1(x)) if len(x) == 2 else self.conv1(x)
        return self.lif2(self.fc1(self.pool(x).flatten(1)))


REFUSED = {
    Fading: r"add after lif2.*: adds other things than the timesteps of the same parts",
    MeanAndOne: r"add after lif2: adds other things than the timesteps of the same parts",
    KeepsItsSpikes: r"forward: changes spikes; allowed: parts that stay as they are",
    CountsInAList: r"forward: changes calls; allowed: parts that stay as they are",
    CountsInAnObject: r"forward: changes own; allowed: parts that stay as they are",
    FramesWithABranch: r"lif1 Leaky: used twice in a timestep|add after lif1: adds other things",
    Lent: r"forward: changes conv1.weight; allowed: parts that stay as they are",
    ThresholdOfTime: r"forward: changes lif1.threshold; allowed: parts that stay as they are",
    PoolsOfTime: r"add after lif2.*: adds other things than the timesteps of the same parts",
    InBfloat16: r"conv1 Conv2d.*: called within torch.autocast, which rounds its numbers",
    Clipped: r"forward: changes conv1.weight; allowed: parts that stay as they are",
    Lowered: r"forward: changes lif1.reset_delay; allowed",
    InPlace: r"forward: mul_ changes numbers in their place",
    SumPassedOn: r"pool MaxPool2d, fc1 Linear, lif2 Leaky: after the sum or mean over time",
    Weighed: r"add after lif2: adds other things",
    DependsOnTheBatch: r"forward: computes something else for 3 images than for 2",
    Branch: r"add after lif1: adds other things than the timesteps of the same parts; allowed: one chain",
    DependsOnValues: r"forward: its way depends on values, which cannot be followed .*pass the parts in their order",
    Twice: r"lif1 Leaky: used twice in a timestep",
    TwiceInALoop: r"^import refused for 2 reasons: \(1\) lif1 Leaky: used twice in a timestep.*after a convolution",
    DecaysOutside: r"lif1 Leaky: its potential is changed between timesteps",
    ResetEachTime: r"lif1 Leaky, lif2 Leaky: its potential is changed between timesteps",
    LastPotential: r"forward: returns a potential; allowed: the last neurons' spikes.*\[option --readout last_membrane",
    LastSpikes: r"forward: returns timestep 3 alone; allowed: the spikes of all timesteps",
    Rectified: r"2 reasons: \(1\) relu after lif1: relu is unknown.*\(2\) sigmoid after pool: sigmoid is unknown",
    InAList: r"forward: module is not installed as a submodule; keep parts as attributes or in an nn.ModuleList",
    Softmax: r"softmax after lif2: softmax is unknown",
    RandomDropout: r"dropout after pool: dropout is unknown; .*dropout\(training=False\)|forward: computes something else",
    NotThere: r"forward: fails on images of shape \[2, 1, 6, 6\]: RuntimeError: .*\[option --input\]",
}


@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.__name__)
def test_what_cannot_be_followed_is_refused_with_what_to_do(kind):
    with pytest.raises(InputError, match=REFUSED[kind]):
        imported(kind(), STEPS)


def test_the_timesteps_are_those_of_the_loop():
    with pytest.raises(InputError, match="forward: goes through 3 timesteps, and 4 were asked for .option --timesteps"):
        imported(Tutorial(), 4)
    with pytest.raises(InputError, match="the network does not say how many timesteps there are .option --timesteps"):
        imported(Kept())
    with pytest.raises(InputError, match="gives one image to 3 timesteps.*option --coding direct"):
        exact_network(from_torch(Tutorial().eval(), Interface((1, 6, 6), 3, coding="events", image_bits=1)))


def test_timesteps_are_not_asked_for_where_a_loop_could_not_be_followed():
    with pytest.raises(InputError) as refused:
        imported(NotThere())
    assert "forward: fails on images" in str(refused.value)
    assert "--timesteps" not in str(refused.value)


class Features(Kept):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 3, 3, padding=2), nn.ReLU())

    def forward(self, x):
        return self.features(x)


def test_reasons_of_parts_have_their_paths():
    with pytest.raises(InputError) as refusal:
        imported(Features(), 1)
    for reason in ("features.0 Conv2d: padding 2x2", "features.1 ReLU: torch.nn.ReLU is unknown"):
        assert reason in str(refusal.value)
