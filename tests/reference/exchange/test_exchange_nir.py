"""NIR graphs in and out: against a simulation of the graph in fractions, and against snnTorch's own export."""

from fractions import Fraction

import nir
import numpy as np
import pytest
import snntorch
import torch
from scipy.signal import correlate
from snntorch import utils
from snntorch.export_nir import export_to_nir
from torch import nn

from duospike.reference import golden
from duospike.reference.data.datasets import Dataset
from duospike.reference.errors import InputError, ManyReasons
from duospike.reference.exchange import floats
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.nir.nir_export import to_nir, write_graph
from duospike.reference.exchange.nir.nir_import import from_nir
from duospike.reference.exchange.nir.nir_process import read_graph
from duospike.reference.exchange.nir.nir_values import near_fraction, near_gain
from duospike.reference.exchange.quantization.agreement import compare
from duospike.reference.exchange.quantization.quantized import quantized_network
from duospike.reference.exchange.source import FLOAT32, FLOAT64, Interface
from duospike.reference.network import CurrentPool, Neuron, Pool
from duospike.reference.training.random_network import random_network
from tests.benches.nir_graphs import Case, Simulator

SHAPE, DT = (2, 7, 6), 1e-3


def small(reset="zero", multiplier=1, shift=1, timesteps=4, **more):
    return random_network(
        "3C3-MP2-4C3-FC20",
        input_shape=SHAPE,
        rate=0.25,
        seed=1,
        neuron=Neuron(reset, multiplier, shift),
        timesteps=timesteps,
        **more,
    )


def images_for(network, count=40):
    low, high = network.pixel_range
    return np.random.default_rng(0).integers(low, high + 1, (count, *network.image_shape))


def step(node, state, value):
    """One Euler step of one node for one image: (new state, output); nodes as NIR's own documentation defines them."""
    kind = type(node).__name__
    if kind == "Conv2d":
        kernels = node.weight
        maps = [sum(correlate(v, k, mode="same", method="direct") for v, k in zip(value, one, strict=True)) for one in kernels]
        return state, np.array(maps) + node.bias[:, None, None]
    if kind == "Affine":
        return state, node.weight @ value + node.bias
    if kind == "Flatten":
        return state, value.reshape(-1)
    if kind == "SumPool2d":
        height, width = value.shape[1] // 2 * 2, value.shape[2] // 2 * 2
        return state, value[:, :height, :width].reshape(len(value), height // 2, 2, width // 2, 2).sum((2, 4))
    if kind == "Threshold":
        return state, (value > node.threshold).astype(float)
    if kind in ("LIF", "IF"):
        change = DT / node.tau * (node.v_leak - state + node.r * value) if kind == "LIF" else DT * node.r * value
        v = state + change
        spikes = v > node.v_threshold
        return np.where(spikes, node.v_reset, v), spikes.astype(float)
    return state, value


def simulate(graph, image, timesteps):
    """Spikes [T, N] of the last neurons of a chain."""
    names, after = ["input"], dict(graph.edges)
    while names[-1] in after:
        names.append(after[names[-1]])
    states = dict.fromkeys(names, 0.0)
    found = []
    for _ in range(timesteps):
        value = image.astype(float)
        for name in names:
            states[name], value = step(graph.nodes[name], states[name], value)
        found.append(value)
    return np.array(found)


@pytest.mark.parametrize(
    "reset, multiplier, shift, timesteps",
    [("zero", 1, 1, 4), ("zero", 1, 3, 3), ("zero", 1, 0, 5), ("zero", 0, 0, 3), ("zero", 5, 5, 2), ("subtract", 3, 2, 1)],
)
def test_graph_has_the_spikes_of_the_network_and_comes_back_as_it_was(tmp_path, reset, multiplier, shift, timesteps):
    network = small(reset, multiplier, shift, timesteps)
    write_graph(to_nir(network, DT), tmp_path / "net.nir")
    graph = nir.read(tmp_path / "net.nir")
    assert graph.check_types()
    images = images_for(network)
    spikes = golden.run(network, images).spikes["fc1"][..., 0, 0]
    assert spikes.any() and not spikes.all()
    for image, wanted in zip(images, spikes, strict=True):
        assert np.array_equal(simulate(graph, image, timesteps), wanted)
    back = exact_network(from_nir(read_graph(tmp_path / "net.nir"), Interface(SHAPE, timesteps, 10), dt=DT))
    for layer, again in zip(network.layers, back.layers, strict=True):
        for what in ("weights", "bias", "theta"):
            assert np.array_equal(getattr(layer, what, 0), getattr(again, what, 0)), (layer.name, what)


def test_a_graph_of_another_threshold_has_other_spikes():
    network = small()
    graph, images = to_nir(network, DT), images_for(network)
    graph.nodes["fc1_neurons"].v_threshold -= 1
    spikes = golden.run(network, images).spikes["fc1"][..., 0, 0]
    assert any((simulate(graph, image, 4) != wanted).any() for image, wanted in zip(images, spikes, strict=True))


@pytest.mark.parametrize(
    "network, reason",
    [
        (small("subtract"), "layer conv1: reset subtract; NIR's neurons have zero; .*layer conv2"),
        (small("subtract_delayed", 0, 0), "reset subtract_delayed"),
        (small("zero", 5, 5, 3), "the floor of the leak 5/32 may decide a spike"),
        (small(coding="rate"), "rate coding"),
    ],
    ids=["subtract", "delayed", "floor", "rate"],
)
def test_what_nir_cannot_hold_is_refused(network, reason):
    with pytest.raises(InputError, match=f"NIR cannot hold the network.*{reason}"):
        to_nir(network, DT)


@pytest.mark.parametrize("mechanism, asked", [("zero", "zero"), ("subtract", "subtract_delayed")])
def test_snntorchs_own_export_gives_snntorchs_spikes(mechanism, asked):
    """snnTorch writes any reset as NIR's, so that one is asked for; its time step is 1e-4."""
    torch.manual_seed(0)

    def neurons(*shape):
        half = torch.full(shape, 0.5)
        return snntorch.Leaky(beta=half, threshold=half.clone(), init_hidden=True, reset_mechanism=mechanism)

    net = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        neurons(4, 7, 6),
        nn.Conv2d(4, 3, 3, padding=1),
        neurons(3, 7, 6),
        nn.Flatten(),
        nn.Linear(126, 20),
        neurons(20),
    )
    for layer in (net[0], net[2], net[5]):
        layer.weight.data = torch.round(layer.weight.data / layer.weight.abs().max() * 7) / 16
        layer.bias.data = torch.round(layer.bias.data * 32) / 32
    graph = export_to_nir(net, torch.zeros(1, *SHAPE), ignore_dims=[0])
    network = exact_network(from_nir(graph, Interface(SHAPE, 4, 10, image_scale=Fraction(1, 256)), dt=1e-4, reset=asked))
    images = images_for(network)
    utils.reset(net)
    with torch.no_grad():
        wanted = torch.stack([net(torch.from_numpy(images / 256).float()) for _ in range(4)], 1).numpy()
    assert wanted.any() and not wanted.all()
    assert np.array_equal(golden.run(network, images).spikes["fc1"][..., 0, 0], wanted)


def graph_of(*nodes):
    return nir.NIRGraph.from_list(nir.Input(np.array(SHAPE)), *nodes, nir.Output(np.array([4])), type_check=False)


def chain_of(*nodes):
    names = [str(number) for number in range(len(nodes))]
    return nir.NIRGraph(dict(zip(names, nodes, strict=True)), list(zip(names, names[1:], strict=False)), type_check=False)


@pytest.mark.parametrize("pool", [nir.SumPool2d, nir.AvgPool2d])
@pytest.mark.parametrize("kernel, stride", [((2, 2), (2, 2)), ((4, 1), (4, 1))])
def test_sums_and_averages_before_a_fully_connected_layer(pool, kernel, stride):
    """Of a convolution in groups, too, and with the image's shape of the graph itself."""
    draw = np.random.default_rng(0)
    inputs = 4 * ((7 - kernel[0]) // stride[0] + 1) * ((6 - kernel[1]) // stride[1] + 1)
    scale = 1 if pool is nir.SumPool2d else 4
    graph = chain_of(
        nir.Input(np.array(SHAPE)),
        nir.Conv2d((7, 6), draw.integers(-3, 4, (4, 1, 3, 3)) * 1.0, 1, 1, 1, 2, np.zeros(4)),
        nir.IF(np.full((4, 7, 6), 1 / DT), np.full((4, 7, 6), 100.0)),
        pool(np.array(kernel), np.array(stride), np.array([0, 0])),
        nir.Flatten({"input": np.array([4, (7 - kernel[0]) // stride[0] + 1, (6 - kernel[1]) // stride[1] + 1])}, 0, -1),
        nir.Affine(scale * draw.integers(-3, 4, (10, inputs)) * 1.0, np.arange(10) - 5.0),
        nir.IF(np.full(10, 1 / DT), np.full(10, 3.0)),
        nir.Output(np.array([10])),
    )
    network = exact_network(from_nir(graph, Interface(timesteps=3), dt=DT))
    assert network.input_shape == SHAPE and network.classes == 10
    assert [one.name for one in network.layers] == ["conv1", "pool1", "fc1"]
    images = images_for(network)
    trace, simulator = golden.run(network, images), Simulator(Case(graph, Interface(SHAPE, 3, 10), DT, "zero", False))
    assert 0 < trace.spikes["fc1"].mean() < 1 and trace.spikes["conv1"].any()
    for n, image in enumerate(images):
        for name, wanted in zip(("conv1", "fc1"), simulator.run(image), strict=True):
            assert np.array_equal(trace.spikes[name][n].reshape(wanted.shape), wanted)


def test_what_the_graph_does_not_say_is_asked_for():
    graph = to_nir(small(), DT)
    assert exact_network(from_nir(graph, Interface(timesteps=4), dt=DT)).input_shape == SHAPE
    with pytest.raises(InputError, match="the graph does not say how many timesteps there are .option --timesteps"):
        exact_network(from_nir(graph, Interface(SHAPE), dt=DT))
    graph.nodes["input"].input_type = {"input": np.array([84])}
    with pytest.raises(InputError, match="the graph does not say the shape of an image.*option --input"):
        exact_network(from_nir(graph, Interface(timesteps=4), dt=DT))


def test_all_reasons_come_at_once():
    ones = np.ones((4, 7, 6))
    graph = graph_of(
        nir.Conv2d((7, 6), np.ones((4, 2, 3, 3)), 2, 2, 1, 1, np.zeros(4)),
        nir.LIF(ones * 1e-3, ones, ones, ones, ones),
        nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        nir.SumPool2d(np.array([3, 3]), np.array([2, 2]), np.array([0, 0])),
        nir.Flatten({"input": np.array([4, 3, 3])}, 0, -1),
        nir.Linear(np.ones((4, 36))),
        nir.CubaLIF(*(np.ones(4) for _ in range(5))),
    )
    with pytest.raises(InputError) as refusal:
        exact_network(from_nir(graph, Interface(SHAPE, 2, 4), dt=DT))
    for reason in (
        "conv2d Conv2d: padding 2x2; allowed: from 0x0 to 1x1",
        "lif LIF: v_leak is not 0",
        "lif LIF: v_reset is not 0",
        "cubalif CubaLIF: unknown; allowed: Conv2d",
        "sumpool2d SumPool2d: window 3x3, stride 2x2, padding 0x0; allowed: windows side by side",
    ):
        assert reason in str(refusal.value), reason


def lone_reason(graph, **options):
    """The one reason that a graph is refused for."""
    with pytest.raises(InputError) as refusal:
        exact_network(from_nir(graph, Interface(SHAPE, 4, 10), dt=DT, **options))
    assert not isinstance(refusal.value, ManyReasons), refusal.value
    return str(refusal.value).removeprefix("import refused: ").rpartition(" [")[0]


@pytest.mark.parametrize(
    "edges, reason",
    [
        ([("conv1_neurons", "conv2")], "the graph branches at conv1_neurons (to pool1, conv2); allowed: one chain of nodes"),
        ([("conv1", "conv1_neurons")], "edge from conv1 to conv1_neurons: is there 2 times; allowed: once"),
        ([("conv1", "other")], "edge from conv1 to other: the graph has no node other"),
        ([("output", "input")], "the graph loops at input"),
    ],
)
def test_what_is_no_chain_is_refused_for_that_alone(edges, reason):
    graph = to_nir(small(), DT)
    graph.edges += edges
    assert lone_reason(graph).startswith(reason)


def test_nodes_without_an_edge_are_named():
    graph = to_nir(small(), DT)
    graph.edges.remove(("flatten", "fc1"))
    assert lone_reason(graph).startswith("the graph has a part of its own from fc1 on")


def nested(graph, first, last):
    """The same graph, its nodes from one to another in a graph of their own."""
    names = list(graph.nodes)
    inner = names[names.index(first) : names.index(last) + 1]
    parts = {"a": nir.Input(np.array([1])), **{name: graph.nodes[name] for name in inner}, "z": nir.Output(np.array([1]))}
    block = nir.NIRGraph(parts, list(zip(parts, list(parts)[1:], strict=False)), type_check=False)
    order = [*names[: names.index(first)], "block", *names[names.index(last) + 1 :]]
    nodes = {name: block if name == "block" else graph.nodes[name] for name in order}
    return nir.NIRGraph(nodes, list(zip(order, order[1:], strict=False)), type_check=False)


def test_a_nested_graph_is_its_nodes_in_its_place(tmp_path):
    network = small()
    graph = nested(nested(to_nir(network, DT), "pool1", "conv2"), "block", "conv2_neurons")
    write_graph(graph, tmp_path / "x.nir")
    back = exact_network(from_nir(read_graph(tmp_path / "x.nir"), Interface(SHAPE, 4, 10), dt=DT))
    assert all(np.array_equal(layer.theta, again.theta) for layer, again in zip(network.layers, back.layers, strict=True)
               if not isinstance(layer, Pool))  # fmt: skip


def test_a_nested_graph_that_is_no_chain_is_named():
    graph = nested(to_nir(small(), DT), "conv1", "conv2")
    graph.nodes["block"].edges.append(("conv1", "conv2"))
    assert lone_reason(graph).startswith("the graph branches at block.conv1 (to block.conv1_neurons, block.conv2)")


def test_sums_of_currents_before_neurons():
    """+3 and -3 add up to 0, which is not above 0.5, and 3 is: no OR of spikes."""
    written = to_nir(small(), DT)
    nodes = dict(written.nodes)
    order = [name for name in nodes if name not in ("conv1_neurons", "conv1")]
    order.insert(1, "conv1")
    graph = nir.NIRGraph({name: nodes[name] for name in order}, list(zip(order, order[1:], strict=False)), type_check=False)
    network = exact_network(from_nir(graph, Interface(SHAPE, 2, 4), dt=DT))
    assert network.layers[0].current_pool == CurrentPool("sum", (2, 2)) and network.layers[0].neuron.multiplier == 0
    images = images_for(network)
    simulator = Simulator(Case(graph, Interface(SHAPE, 2, 4), DT, "zero", False))
    trace = golden.run(network, images)
    assert 0 < trace.spikes["conv1"].mean() < 1
    for n, image in enumerate(images):
        assert np.array_equal(trace.spikes["conv1"][n], simulator.run(image)[0])


@pytest.mark.parametrize(
    "shape, values, reason",
    [
        ((3, 1, 1), [5.0, 6.0, 7.0], None),
        ((3, 7, 6), np.repeat([5.0, 6.0, 7.0], 42), None),
        ((1, 3, 7, 6), np.repeat([5.0, 6.0, 7.0], 42), None),
        ((), [5.0], None),
        ((6,), [5.0] * 6, None),
        ((6,), range(6), "conv1_neurons LIF: v_threshold has several values within a channel, laid along neurons of (3, 7, 6)"),
        ((3,), [5.0, 6.0, 7.0], "conv1_neurons LIF: v_threshold has shape (3,); allowed: what numpy broadcasts to the neurons'"),
        ((2, 3, 1, 1), range(6), "conv1_neurons LIF: v_threshold has shape (2, 3, 1, 1); allowed: what numpy broadcasts"),
    ],
)
def test_parameters_lie_along_the_neurons_as_numpy_broadcasts(shape, values, reason):
    graph = to_nir(small(), DT)
    graph.nodes["conv1_neurons"].v_threshold = np.reshape(np.array(list(values), dtype=float), shape)
    if reason:
        assert lone_reason(graph).startswith(reason)
        return
    layer = from_nir(graph, Interface(SHAPE, 4, 10), dt=DT).layers[0]
    wanted = np.broadcast_to(graph.nodes["conv1_neurons"].v_threshold, (1, 3, 7, 6))[0, :, 0, 0]
    assert np.array_equal(layer.threshold, wanted)


def test_a_batch_of_one_before_the_image_is_left_out():
    graph = to_nir(small(), DT)
    graph.nodes["input"].input_type["input"] = np.array([1, *SHAPE])
    graph.nodes["flatten"] = nir.Flatten({"input": np.array([1, 4, 3, 3])}, 1, -1)
    assert exact_network(from_nir(graph, Interface(SHAPE, 4, 10), dt=DT)).input_shape == SHAPE
    graph.nodes["input"].input_type["input"] = np.array([2, *SHAPE])
    assert lone_reason(graph).startswith("the graph's input has shape (2, 2, 7, 6), and (2, 7, 6) was asked for")


def test_a_flatten_that_leaves_an_axis_is_refused():
    graph = to_nir(small(), DT)
    graph.nodes["flatten"] = nir.Flatten({"input": np.array([4, 3, 3])}, 1, -1)
    assert lone_reason(graph) == "flatten Flatten: dimensions 1 to -1 of (4, 3, 3); allowed: 0 to -1, all of them"


def test_spikes_at_the_threshold_are_asked_for():
    """Whole numbers at whole thresholds: at them and above is above the numbers before."""
    graph = to_nir(small("zero", 0, 0), DT)
    above, at = (from_nir(graph, Interface(SHAPE, 4, 10), dt=DT, inclusive=inclusive) for inclusive in (False, True))
    for one, other in zip(exact_network(above).layers, exact_network(at).layers, strict=True):
        if not isinstance(one, Pool):
            assert np.array_equal(one.theta - 1, other.theta)


def test_spikes_at_the_threshold_in_floats_are_those_of_the_integers():
    """Both run the same source, and one that spikes above its threshold only differs."""
    network = small("zero", 1, 1)
    images, interface, graph = images_for(network), Interface(SHAPE, 4, 10), to_nir(network, DT)
    for node in graph.nodes.values():
        if isinstance(node, nir.LIF):
            node.v_threshold = np.floor(node.v_threshold)
    above, at = (from_nir(graph, interface, dt=DT, inclusive=inclusive) for inclusive in (False, True))
    found = golden.run(exact_network(at), images).spikes
    for name, maps in floats.run(at, images):
        assert np.array_equal(maps.transpose(0, 1).numpy(), found[name]), name
    assert any((maps.transpose(0, 1).numpy() != found[name]).any() for name, maps in floats.run(above, images))


@pytest.mark.parametrize("inclusive", [False, True])
def test_whole_weights_are_not_rounded(inclusive):
    """Without a leak, whose floor would count, no spike is another one."""
    network = small("zero", 0, 0)
    images, graph = images_for(network), to_nir(network, DT)
    for node in graph.nodes.values():
        if isinstance(node, nir.LIF):
            node.v_threshold = np.floor(node.v_threshold)
    source = from_nir(graph, Interface(SHAPE, 4, 10), dt=DT, inclusive=inclusive)
    found = compare(source, quantized_network(source, 4, images), Dataset(images, None))
    assert set(found.other_spikes.values()) == {0}


def test_float32_that_rounds_at_the_threshold_is_refused():
    """0.1 three times is 0.3, or beside it, as the order of the sum and the float type have it."""
    graph = to_nir(small("zero", 0, 0), DT)
    graph.nodes["fc1"].weight = np.float32(0.1) * np.sign(graph.nodes["fc1"].weight).astype(np.float32)
    graph.nodes["fc1"].bias[:] = 0
    graph.nodes["fc1_neurons"].v_threshold[:] = 0.3
    assert "source rounds" in lone_reason(graph)
    graph.nodes["fc1_neurons"].v_threshold[:] = 0.25
    assert exact_network(from_nir(graph, Interface(SHAPE, 4, 10), dt=DT)).layers[-1].theta[0] == 2


@pytest.mark.parametrize(
    "content, reason", [(None, "not found"), (b"", "not a NIR graph"), (b"\x89HDF\r\n\x1a\n123", "not a NIR graph")]
)
def test_files_that_are_no_graphs_are_refused(tmp_path, content, reason):
    if content is not None:
        (tmp_path / "x.nir").write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_graph(tmp_path / "x.nir")


def test_fractions_are_read_through_their_rounding_and_no_further():
    assert near_fraction(1 - float(np.float32(1e-4) / np.float32(2e-4)), FLOAT32) == Fraction(1, 2)
    assert near_fraction(1 - 1e-4 / (1e-4 / (1 - 31 / 32)), FLOAT64) == Fraction(31, 32)
    assert near_fraction(0.9, FLOAT32) == Fraction(0.9)
    assert near_fraction(0.5 + 1e-5, FLOAT32) != Fraction(1, 2)
    # Fractions over 2^16 lie so close that float32's rounding would meet one by chance.
    chance = Fraction(54613, 2**16) + Fraction(1, 2**30)
    assert near_fraction(chance, FLOAT32) == chance
    assert near_gain(Fraction(float(np.float32(1 / 3))) * 3, FLOAT32) == 1
    assert near_gain(Fraction(3, 10), FLOAT32) == Fraction(3, 10)


def test_the_time_step_is_not_guessed():
    for dt in (0.0, -1e-3, float("nan"), float("inf"), 1e-60, 1e60):
        with pytest.raises(InputError, match="dt"):
            from_nir(to_nir(small(), DT), Interface(SHAPE, 4, 10), dt=dt)
    with pytest.raises(InputError, match="beta 0.75|beta|leak"):
        exact_network(from_nir(to_nir(small("zero", 1, 1, 7), DT), Interface(SHAPE, 7, 10), dt=DT / 3))
