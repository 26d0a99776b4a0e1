"""What a call of a module computes: nothing that changes it goes unnoticed."""

import copy
import random
from fractions import Fraction

import numpy as np
import pytest
import snntorch
import torch
from snntorch import surrogate
from torch import nn
from torch.nn.modules.module import register_module_forward_hook
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

from duospike.reference import golden
from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.modules.module_calls import patched_methods
from duospike.reference.exchange.modules.snntorch_neurons import per_output
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.source import Interface

IMAGES = np.random.default_rng(0).integers(0, 8, (40, 1, 4, 4))


def neurons(theta=2.0, **more):
    return snntorch.Leaky(**{"beta": 1.0, "threshold": theta, "init_hidden": True, "reset_mechanism": "zero", **more})


def network(*, first=None, last=None):
    """conv, neurons, flatten, linear, neurons: whole weights, so that only what a test changes decides."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1, bias=False),
        first or neurons(20.0),
        nn.Flatten(),
        nn.Linear(32, 4, bias=False),
        last or neurons(),
    )
    for layer in (net[0], net[3]):
        layer.weight.data = torch.randint(-3, 4, layer.weight.shape).float()
    return net.eval()


def imported(net, timesteps=3):
    return exact_network(from_torch(net, Interface((1, 4, 4), timesteps, 2, image_bits=3)))


def assert_same_spikes(net, timesteps=3):
    trace = golden.run(imported(net, timesteps), IMAGES)
    for module in net:
        if isinstance(module, snntorch.Leaky):
            module.reset_mem()
    pixels = torch.from_numpy(IMAGES).float()
    with torch.no_grad():
        wanted = torch.stack([net(pixels) for _ in range(timesteps)], 1).numpy()
    spikes = trace.spikes["fc1"].reshape(wanted.shape)
    assert np.array_equal(spikes, wanted) and spikes.any() and not spikes.all()


def replace_forward(module):
    inner = module.forward
    module.forward = lambda x: 0.5 * inner(x)


def replace_helper(module):
    module._conv_forward = lambda x, weight, bias: x


def replace_class(module):
    module.__class__ = type("Linear", (nn.Linear,), {"forward": lambda self, x: 0.5 * nn.Linear.forward(self, x)})


def replace_parametrized_class(module):
    parametrize.register_parametrization(module, "weight", nn.Identity().eval())
    module.eval().__class__ = type("Linear", (nn.Linear,), {**vars(type(module)), "forward": lambda self, x: x})


def replace_pruned(module):
    prune.identity(module, "weight")
    module.weight = nn.Parameter(torch.ones_like(module.weight))


CHANGES = {
    "a hook that returns something else": (
        3,
        lambda m: m.register_forward_hook(lambda m, i, o: o / 2),
        "3 Linear: has the forward hook",
    ),
    "a hook that might": (1, lambda m: m.register_forward_hook(lambda m, i, o: None), "1 Leaky: has the forward hook"),
    "a hook before the call": (3, lambda m: m.register_forward_pre_hook(lambda m, i: i), "3 Linear: has the forward hook"),
    "an own forward": (3, replace_forward, "3 Linear: forward of this object is not its class's"),
    "an own function that forward calls": (0, replace_helper, "0 Conv2d: _conv_forward of this object"),
    "neurons that fire otherwise": (1, lambda m: vars(m).update(fire=lambda v: v), "1 Leaky: fire of this object"),
    "a derived class of the same name": (3, replace_class, rf"3 Linear: {__name__}\.Linear is unknown; .* of torch\.nn"),
    "a derived class that passes as parametrized": (3, replace_parametrized_class, "3 Linear: its class has its own forward"),
    "a compiled call": (3, lambda m: vars(m).update(_compiled_call_impl=lambda x: x), "3 Linear: its call is compiled"),
    "random weights": (
        3,
        lambda m: parametrize.register_parametrization(m, "weight", nn.Dropout(0.5).train()),
        "3 Linear: param",
    ),
    "not a number": (3, lambda m: m.weight.data[1, 2].fill_(np.nan), r"3 Linear: weight is nan at \[1, 2\]; allowed: finite"),
    "an infinite threshold": (1, lambda m: m.threshold.fill_(np.inf), "1 Leaky: threshold is inf; allowed: finite"),
    "beta not a number": (4, lambda m: m.beta.fill_(np.nan), "4 Leaky: beta is nan"),
    "half precision": (3, lambda m: m.half(), "weights and biases of type torch.float16, torch.float32"),
    "no values": (3, lambda m: m.to("meta"), "3 Linear: weight is on the device meta"),
    "a sparse layout": (
        3,
        lambda m: setattr(m, "weight", nn.Parameter(m.weight.data.to_sparse())),
        "3 Linear: weight has the layout torch.sparse_coo",
    ),
    "a bias for all outputs": (3, lambda m: setattr(m, "bias", nn.Parameter(torch.zeros(1))), r"3 Linear: bias of shape \[1\]"),
    "no stride": (0, lambda m: setattr(m, "stride", None), r"0 Conv2d: cannot be read .TypeError: "),
    "a reset of several values": (
        1,
        lambda m: setattr(m, "reset_delay", torch.ones(3)),
        "1 Leaky: cannot be read .RuntimeError: ",
    ),
    "a parameter in place of pruned weights": (3, replace_pruned, "3 Linear: cannot be read .TypeError: cannot assign"),
    "a lost attribute": (1, lambda m: delattr(m, "state_function"), "1 Leaky: lacks what its class gives it"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_call_that_may_compute_something_else_is_refused(change):
    place, do, reason = CHANGES[change]
    net = network()
    do(net[place])
    with pytest.raises(InputError, match=f"import refused: {reason}"):
        imported(net)


def test_hooks_of_containers_and_of_all_modules_are_noticed():
    net = network()
    net.register_forward_hook(lambda module, inputs, output: output)
    with pytest.raises(InputError, match="import refused: Sequential: has the forward hook"):
        imported(net)
    handle = register_module_forward_hook(lambda module, inputs, output: None)
    try:
        with pytest.raises(InputError, match="hooks for all modules"):
            imported(network())
    finally:
        handle.remove()


def test_a_patched_class_is_noticed(monkeypatch):
    assert not patched_methods(nn.Linear) and not patched_methods(snntorch.Leaky)
    monkeypatch.setattr(snntorch.Leaky, "fire", lambda self, mem: (mem >= self.threshold).float())
    with pytest.raises(InputError, match="1 Leaky, 4 Leaky: fire of its class is not the library's own"):
        imported(network())


def negated(module, name):
    """What a step of training, or a checkpoint, makes of a parameter."""
    getattr(module, name).data.neg_()


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "kind", ["pruned", "pruned twice", "weight_norm", "spectral_norm", "new weight_norm", "new spectral_norm"]
)
def test_weights_that_a_call_sets_are_those_of_the_next_call(kind):
    """The attribute `weight` still is the old one; the network that was trained on has the negative weights."""
    net = network(last=neurons(0.3, beta=0.0))
    layer = net[3]
    if kind.startswith("pruned"):
        prune.random_unstructured(layer, "weight", amount=0.4)
        if kind == "pruned twice":
            prune.l1_unstructured(layer, "weight", amount=0.3)
        negated(layer, "weight_orig")
    elif kind == "weight_norm":
        weight_norm(layer)
        negated(layer, "weight_v")
    elif kind == "spectral_norm":
        spectral_norm(layer).eval()
        negated(layer, "weight_orig")
    else:
        getattr(parametrizations, kind.split()[1])(layer).eval()
    before = layer.weight.clone()
    imported(net)
    assert torch.equal(layer.weight, before), "the module is only read"
    assert_same_spikes(net)
    assert kind.startswith("new") or not torch.equal(layer.weight, before)


def test_norms_that_change_with_each_call_are_refused():
    for norm in (spectral_norm, parametrizations.spectral_norm):
        net = network()
        norm(net[3]).train()
        with pytest.raises(InputError, match="3 Linear: .*training mode"):
            imported(net)


def test_reset_is_that_of_the_built_neuron():
    """`reset_mechanism` set later changes a name and a number; what forward calls stays, and so do the spikes."""
    for built, later in (("subtract", "zero"), ("zero", "subtract"), ("subtract", "none")):
        net = network(first=neurons(10.0, reset_mechanism=built))
        net[1].reset_mechanism = later
        assert imported(net).layers[0].neuron.reset == ("zero" if built == "zero" else "subtract_delayed")
        assert_same_spikes(net)


@pytest.mark.parametrize("built", ["subtract", "zero", "none"])
@pytest.mark.parametrize("loaded", ["subtract", "zero", "none"])
def test_reset_without_delay_takes_the_number_of_the_checkpoint(built, loaded):
    def first(kind):
        return neurons(42.0, beta=0.5, reset_mechanism=kind, reset_delay=False)

    net, other = network(first=first(built)), network(first=first(loaded))
    net[0].weight.data.fill_(1)
    net.load_state_dict({**net.state_dict(), "1.reset_mechanism_val": other[1].reset_mechanism_val})
    if loaded == "subtract" != built:
        with pytest.raises(InputError, match="build it anew"):
            imported(net, timesteps=2)
    else:
        assert_same_spikes(net, timesteps=2)


def test_potentials_up_to_twice_the_threshold_are_reset_once():
    """63 is the largest current, 63 + 42/2 the largest potential; above twice the threshold snnTorch takes it off again."""

    def ones(theta):
        net = network(first=neurons(theta, beta=0.5, reset_mechanism="subtract", reset_delay=False))
        net[0].weight.data.fill_(1)
        return net

    assert_same_spikes(ones(42.0), timesteps=2)
    with pytest.raises(InputError, match="with the threshold 41.5 one may reach 83.75; allowed: up to twice"):
        imported(ones(41.5), timesteps=2)


def test_neurons_at_two_places_are_refused():
    """One object, or a copy that shares its numbers and its state function."""
    lif = neurons(8.0)
    with pytest.raises(InputError, match="import refused: 4 Leaky: the same neurons as 1 Leaky"):
        imported(network(first=lif, last=lif))
    with pytest.raises(InputError, match="import refused: 4 Leaky: the same neurons as 1 Leaky"):
        imported(network(first=lif, last=copy.copy(lif)))
    assert_same_spikes(network(first=lif, last=copy.deepcopy(lif)))


def test_a_layer_without_a_state_may_stand_at_two_places():
    conv = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    conv.weight.data = torch.randint(-3, 4, conv.weight.shape).float()
    net = network(first=neurons(3.0), last=neurons(0.0))
    assert_same_spikes(nn.Sequential(conv, neurons(5.0), conv, neurons(1.0), *net))


@pytest.mark.parametrize(
    "shape, threshold, found",
    [
        ((3, 4, 4), (3, 1, 1), True),
        ((3, 4, 4), (1, 3, 1, 1), True),
        ((3, 4, 4), (3,), False),
        ((3, 3, 3), (3,), False),
        ((3, 4, 4), (2, 3, 1, 1), False),
        ((1, 4, 4), (3, 1, 1), False),
        ((3, 4, 4), (1, 1, 1, 1, 1), False),
        ((5,), (5,), True),
        ((5,), (1, 5), True),
        ((5,), (5, 1), False),
        ((5,), (5, 1, 1), False),
        ((1,), (5,), False),
    ],
    ids=str,
)
def test_arrays_are_aligned_at_the_last_axis(shape, threshold, found):
    """As torch aligns them with a batch of currents; one that would stretch these, or differs within a channel, is none."""
    values = np.arange(1, np.prod(threshold) + 1, dtype=np.float64).reshape(threshold)
    each = per_output(values, shape)
    assert (each is not None) == found
    if found:
        currents = torch.zeros(2, *shape) - torch.from_numpy(values)
        assert currents.shape == (2, *shape)
        assert np.array_equal(-currents.numpy()[0].reshape(shape[0], -1)[:, 0], each)


def test_thresholds_of_each_channel():
    theta = torch.tensor([20.0, 12.0]).reshape(2, 1, 1)
    for values in (theta, theta.expand(2, 4, 4).clone(), theta[None]):
        net = network(first=neurons(values), last=neurons(torch.tensor([[1.0, 2.0, 3.0, 4.0]])))
        assert imported(net).layers[0].theta.tolist() == [20, 12]
        assert_same_spikes(net)
    with pytest.raises(InputError, match=r"1 Leaky: threshold of shape \[4\], which meets currents of shape \[batch, 2, 4, 4\]"):
        imported(network(first=neurons(torch.arange(1.0, 5.0))))
    with pytest.raises(InputError, match=r"4 Leaky: beta of shape \[1, 1, 1\]"):
        imported(network(last=neurons(beta=torch.ones(1, 1, 1))))


@pytest.mark.parametrize(
    "kind", ["atan", "fast_sigmoid", "sigmoid", "triangular", "SSO", "SFS", "spike_rate_escape", "heaviside"]
)
def test_surrogates_of_snntorch_are_a_step(kind):
    assert_same_spikes(network(last=neurons(spike_grad=getattr(surrogate, kind)())))


def test_other_surrogates_are_refused():
    for grad, reason in (
        (lambda v: (v > 0).float(), "spike_grad is not snnTorch's.*atan"),
        (surrogate.LSO(), "spike_grad fails: TypeError"),
    ):
        with pytest.raises(InputError, match=reason):
            imported(network(last=neurons(spike_grad=grad)))


@pytest.mark.parametrize(
    "place, module, reason",
    [
        (1, nn.LPPool2d(2, 2), "1 LPPool2d: torch.nn.LPPool2d is unknown"),
        (2, nn.MaxPool2d(2, dilation=2), "2 MaxPool2d: dilation 2x2; allowed: 1x1"),
        (2, nn.AvgPool2d(3, 1), "2 AvgPool2d: window 3x3, stride 1x1, padding 0x0; allowed: windows side by side"),
        (2, nn.MaxPool2d(9), "2 MaxPool2d: window 9x9 is larger than its map of"),
        (2, nn.MaxPool2d(2, return_indices=True), "2 MaxPool2d: return_indices=True; allowed: False"),
        (1, nn.BatchNorm2d(2), "1 BatchNorm2d: in training mode, where its result depends on the batch; call eval() first"),
        (1, nn.BatchNorm2d(3).eval(), "1 BatchNorm2d: normalizes 3 outputs, 0 Conv2d has 2"),
        (1, nn.BatchNorm1d(2).eval(), "1 BatchNorm1d: after 0 Conv2d; allowed: BatchNorm2d"),
        (4, nn.Flatten(0), "4 Flatten: dimensions 0 to -1; allowed: 1 to -1"),
        (3, nn.MaxPool2d(2), "3 MaxPool2d: pools what is no map"),
    ],
    ids=str,
)
def test_one_reason_where_others_follow_from_it(place, module, reason):
    """Neither the shape behind a module that cannot be read is complained of, nor that a layer before it has no neurons."""
    modules = list(network())
    modules.insert(place, module)
    with pytest.raises(InputError) as refusal:
        imported(nn.Sequential(*modules))
    message = str(refusal.value)
    assert message.removeprefix("import refused: ").removeprefix("import refused for 2 reasons: (1) ").startswith(reason)
    assert message.count("; (") == reason.count("; (")


@pytest.mark.parametrize("modules", [None, 3, {"a": nn.Identity()}, [3], [[nn.Identity()]], nn.ModuleList()])
def test_what_is_no_network_is_refused(modules):
    with pytest.raises(InputError, match="allowed: |order in which"):
        imported(modules)


def test_a_network_within_itself_is_refused():
    net = network()
    net.append(net)
    with pytest.raises(InputError, match="does the network contain itself"):
        imported(net)


@pytest.mark.parametrize("variance, eps", [(0, 1e-60), (-0.5, 1), (1, float("inf")), (1, float("nan"))])
def test_a_variance_that_floats_cannot_divide_by_is_refused(variance, eps):
    net = network()
    net.insert(1, nn.BatchNorm2d(2, eps=eps).eval())
    net[1].running_var.fill_(variance)
    with pytest.raises(InputError, match=f"import refused: 1 BatchNorm2d: variance {variance} with eps {eps}; allowed"):
        imported(net)


@pytest.mark.parametrize("size", [1e-44, 1e-25, 1e25])
def test_where_floats_underflow_or_overflow_is_refused(size):
    """With 1e-44 float32 takes the products with pixels of 1/256 as 0; in real numbers there would be spikes."""
    net = network(last=neurons(0.0))
    net[3].weight.data *= size
    with pytest.raises(InputError, match="no float overflows or underflows"):
        imported(net)


def test_pixel_scales_beyond_floats_are_refused():
    with pytest.raises(InputError, match=r"image scale Fraction\(1, 16.*\); allowed: a fraction from 5.42e-20 to 1.84e\+19"):
        Interface((1, 4, 4), 1, 2, image_bits=3, image_scale=Fraction(1, 2**200))


GENERATORS = {
    "torch's": lambda: torch.randint(0, 2, (1,)).item(),
    "torch's, in place": lambda: torch.zeros(1).bernoulli_(0.5).item(),
    "one of its own": lambda: torch.rand(1, generator=torch.Generator().manual_seed(1)).item(),
    "numpy's": lambda: np.random.random(),
    "Python's": lambda: random.random(),
}


@pytest.mark.parametrize("draw", GENERATORS.values(), ids=GENERATORS)
def test_weights_that_are_drawn_are_refused_also_where_two_draws_are_equal(draw):
    class Drawn(nn.Module):
        def forward(self, weight):
            return weight + (draw() > 2)

    net = network()
    parametrize.register_parametrization(net[3], "weight", Drawn().eval())
    with pytest.raises(InputError, match="weight is computed with random numbers; allowed: numbers that stay"):
        imported(net.eval())
