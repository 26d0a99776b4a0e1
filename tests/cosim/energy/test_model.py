"""The energy model: its counts against walks through the loops of the hardware, its coefficients against the published table."""

import math
from collections import Counter
from dataclasses import replace
from itertools import product

import pytest

from duospike.cosim.cycles.model import run_model
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.energy.model import (
    Coefficients,
    Operation,
    as_float,
    by_coefficient,
    count_operations,
    drawn_ratio,
    energy_by_stage,
    sensitivity,
    total_energy,
)
from duospike.reference import golden
from duospike.reference.data.datasets import random_images
from tests.benches.small_networks import small_network

BY = Coefficients()


def counted(
    architecture="3C3-5C3-MP2-FC6", shape=(2, 6, 7), lanes=None, parts=None, lane_multipliers=None, **settings
):  # fmt: skip
    """A network, its stages, a trace and what is counted: by layer, Counter of accesses, products and sums."""
    network = small_network(architecture, shape, rate=0.3, **settings)
    stages = plan_stages(network, choose_sizing(network, lanes, parts, lane_multipliers=lane_multipliers))
    trace = golden.run(network, random_images(2, network.image_shape, network.pixel_range, 1))
    done = count_operations(network, stages, run_model(stages, trace).activity, trace)
    counts = {name: Counter() for name in done}
    for name, of_stage in done.items():
        for one in of_stage:
            counts[name][one.what, one.kind] += one.count
    return network, stages, trace, done, counts


def test_the_dense_core_multiplies_each_pixel_under_each_tap():
    *_, counts = counted(lanes={"conv1": 2})
    # Three channels are two groups of two lanes; the second one's second lane works, too.
    products = sum(1 for _ in product(range(2), range(6), range(7), range(2), range(2), range(9), range(2)))
    assert counts["conv1"]["products", "multiply"] == counts["conv1"]["additions", "add"] == products
    assert counts["conv1"]["weights", "access"] == sum(1 for _ in product(range(2), range(6), range(7), range(2)))
    assert counts["conv1"]["image rows", "access"] == 2 * 6 * 7 * (1 + 2 * 4)


def test_frames_of_a_pass_share_what_is_read_of_the_image():
    *_, counts = counted(lanes={"conv1": 2}, coding="frames", timesteps=2)
    windows = 2 * 6 * 7 * 2 * 2
    assert counts["conv1"]["products", "multiply"] == counts["conv1"]["additions", "add"] == windows * 2 * 9 * 2
    assert counts["conv1"]["weights", "access"] == windows
    assert counts["conv1"]["image rows", "access"] == 2 * 6 * 7 * (1 + 2 * 4)


@pytest.mark.parametrize(("coding", "frames"), [("direct", 1), ("frames", 2)])
def test_a_fully_connected_layer_of_the_image_reads_it_for_each_group(coding, frames):
    """Two images of 35 pixels, words of 4 of them, 5 outputs in 3 groups of 2 lanes."""
    *_, counts = counted("FC5-FC6", (1, 5, 7), {"fc1": 2}, coding=coding, timesteps=2, lane_multipliers=4)
    sums = sum(1 for _ in product(range(2), range(3), range(9), range(frames)))
    assert counts["fc1"]["products", "multiply"] == counts["fc1"]["additions", "add"] == sums * 2 * 4
    assert counts["fc1"]["weights", "access"] == sums
    assert counts["fc1"]["image", "access"] == 2 * 9 * (1 + 3)
    assert counts["fc1"]["bias", "access"] == counts["fc1"]["thresholds", "access"] == 2 * 3


@pytest.mark.parametrize("parts", [1, 2])
def test_a_sparse_layer_adds_each_spike_to_each_tap_and_lane(parts):
    lanes = {"conv1": 2, "conv2": 3}
    _, _, trace, _, counts = counted(lanes=lanes, parts={"conv2": parts})
    adds = events = silent = 0
    for image, _group in product(range(2), range(2)):
        spikes = trace.spikes["conv1"][image]
        adds += sum(3 * 9 for spike in spikes.flat if spike)
        for row, part, column in product(range(6), range(parts), range(7)):
            channels = [2 * part, 2 * part + 1] if parts == 2 else [0, 1, 2]
            found = sum(any(spikes[t, c, row, column] for t in range(2)) for c in channels if c < 3)
            events, silent = events + found, silent + (not found)
    assert counts["conv2"]["additions", "add"] == adds
    weights = counts["conv2"]["weights", "access"]
    # Behind the last row come a row and a column of empty pixels, of the last image only as many as its class waits for.
    assert events + silent < weights <= events + silent + 2 * (2 * 7 + 1)
    assert counts["conv2"]["queue", "access"] == 2 * weights
    columns = sum(1 for _ in product(range(2), range(6 * parts + 1), range(2), range(7)))
    assert counts["conv2"]["partial sums", "access"] == 2 * columns


def test_fully_connected_layers_and_pools():
    _, _, trace, _, counts = counted(lanes={"conv2": 5, "fc1": 4}, parts={"fc1": 1})
    spikes = trace.spikes["pool1"]
    assert counts["fc1"]["additions", "add"] == sum(2 * 4 for spike in spikes.flat if spike)
    rows = [spikes[image, :, :, row].any(0) for image, row in product(range(2), range(3))]
    assert counts["fc1"]["weights", "access"] == sum(2 * max(1, int(row.sum())) for row in rows)
    assert counts["fc1"]["partial sums", "access"] == 2 * 2 * 3 * 2


def test_neurons_are_updated_each_timestep_and_kept_between_passes():
    network, stages, _, _, counts = counted(timesteps=6, lanes={"conv2": 3})
    assert stages["conv2"].passes == 2
    # Five outputs in two groups of three lanes.
    neurons = 2 * 6 * 6 * 6 * 7
    assert counts["conv2"]["neurons", "multiply"] == neurons and counts["conv2"]["neurons", "add"] == 3 * neurons
    beats = 2 * 2 * 2 * 6 * 7
    assert counts["conv2"]["thresholds", "access"] == beats
    assert counts["conv2"]["state memory", "access"] == 2 * beats
    *_, once = counted(timesteps=2)
    assert once["conv2"]["state memory", "access"] == 0


@pytest.mark.parametrize(
    "operation, published, within",
    [
        (Operation("", "add", 1, 8), 0.03, 0),
        (Operation("", "add", 1, 32), 0.1, 0),
        (Operation("", "multiply", 1, 8, factor_bits=8), 0.2, 0.05),
        (Operation("", "multiply", 1, 32, factor_bits=32), 3.1, 0),
        (Operation("", "access", 1, 64, words=1024), 10, 0),
        (Operation("", "access", 1, 64, words=8 * 1024), 10, 0),
        (Operation("", "access", 1, 64, words=256), 5, 0),
        (Operation("", "add", 1, 20).as_float(), 0.9, 0),
        (Operation("", "multiply", 1, 4, factor_bits=8).as_float(), 3.7, 0),
        (Operation("", "access", 3, 4 * 9, words=4096, number_bits=4).as_float(), 3 * 9 * 32 * 10 / 64, 0),
        (Operation("", "access", 1, 64, words=1024).as_float(), 10, 0),
    ],
)
def test_coefficients_are_those_of_the_table(operation, published, within):
    assert operation.energy(BY) == pytest.approx(published, rel=within or 1e-9)


def test_sums_the_float_twin_and_sensitivity():
    *_, done, _ = counted()
    by_hand = sum(one.energy(BY) for of_stage in done.values() for one in of_stage)
    assert total_energy(done, BY) == pytest.approx(by_hand)
    assert sum(sum(parts.values()) for parts in energy_by_stage(done, BY).values()) == pytest.approx(by_hand)
    ratio = total_energy(as_float(done), BY) / by_hand
    assert ratio > 4
    costs, twin_costs = by_coefficient(done, BY), by_coefficient(as_float(done), BY)
    assert sum(costs.values()) == pytest.approx(by_hand) and sum(twin_costs.values()) == pytest.approx(ratio * by_hand)
    found = sensitivity(twin_costs, costs)
    assert set(found) == {"add8", "add32", "multiply", "float_add", "float_multiply", "bank_bit"}
    # What only the float twin has raises its ratio, what only the integers have lowers it.
    assert found["float_add"][0] < ratio < found["float_add"][1]
    assert found["multiply"][0] > ratio > found["multiply"][1]
    assert not any(math.isclose(low, high) for low, high in found.values())
    for name, ratios in found.items():
        for factor, ratio in zip((0.5, 2.0), ratios, strict=True):
            changed = replace(BY, **{name: factor * getattr(BY, name)})
            assert ratio == pytest.approx(total_energy(as_float(done), changed) / total_energy(done, changed))


def test_all_coefficients_drawn_at_once():
    """Logarithms of two numbers between 1/2 and 2, uniform: their difference is triangular, with 2.5 % below -2 + sqrt(0.2)."""
    middle, low, high = drawn_ratio({"a": 3.0, "b": 0.0}, {"a": 0.0, "b": 1.0})
    end = 2 ** (2 - 0.2**0.5)
    assert (middle, low, high) == pytest.approx((3, 3 / end, 3 * end), rel=0.05)
    # What both have in the same shares moves no ratio; the same draws each time.
    assert drawn_ratio({"a": 4.0, "b": 2.0}, {"a": 2.0, "b": 1.0}) == pytest.approx((2, 2, 2))
    assert drawn_ratio({"a": 3.0, "b": 0.0}, {"a": 0.0, "b": 1.0}) == (middle, low, high)


@pytest.mark.parametrize("readout, compared", [("last_membrane", 0), ("max_membrane", 1)])
def test_leaks_of_channels_are_read_and_potentials_need_no_thresholds(readout, compared):
    settings = {"leaks": True, "reset": "none", "readout": readout, "classes": 6}
    _, stages, trace, done, counts = counted("3C3-FC6", (2, 4, 3), timesteps=8, lanes={"conv1": 2, "fc1": 4}, **settings)
    assert trace.membranes is not None and "fc1" not in trace.spikes
    # Two images, two passes; four lanes take two groups for six neurons.
    assert counts["fc1"]["leaks", "access"] == 2 * 2 * 2 and counts["fc1"]["thresholds", "access"] == 0
    neurons = 2 * 8 * 2 * 4
    assert counts["fc1"]["neurons", "multiply"] == neurons and counts["fc1"]["neurons", "add"] == (1 + compared) * neurons
    assert counts["conv1"]["thresholds", "access"] == counts["conv1"]["leaks", "access"] == 2 * 2 * 2 * 4 * 3
    (products,) = [one for one in done["fc1"] if one.kind == "multiply"]
    assert products.factor_bits == stages["fc1"].neuron.leaks.width // 4
