"""Random networks, their images, sizing and stalls, through Icarus: `python -m verification.random_networks` runs many more."""

import json
from collections import Counter

import numpy as np
import pytest

from duospike.cosim.cycles.model import run_model
from duospike.cosim.errors import CosimError
from duospike.reference import golden
from duospike.reference.coding import CODINGS
from duospike.reference.errors import InputError
from duospike.reference.network import KERNELS, READOUTS, WEIGHT_BITS
from duospike.rtl.checks import RESETS
from verification import random_networks
from verification.random_networks import Finding, check, draw, largest, plain_trace, read_records, run_all, table

SEED = 2
QUICK = (2, 29, 87, 104)
DRAWN = (
    *(f"coding: {coding}" for coding in CODINGS), *(f"read-out: {readout}" for readout in READOUTS),
    *(f"kernel: {taps} {axis}" for taps in KERNELS for axis in ("rows", "columns")),
    "stride: 1", "stride: 2", "stride: 3", "stride: 4", "kernel: not square", "kernel: even",
    "padding: less than the kernel takes", "map: of one pixel, of a convolution", "map: of one row or column, of a convolution",
    "kernel: square and odd, of stride 1, keeps its map's size",
    *(f"reset: {kind}" for kind in RESETS), *(f"weights: {bits} bits" for bits in WEIGHT_BITS),
    "map: odd sides", "map: long and thin", "map: narrow", "pool: drops an odd last row", "pool: drops an odd last column",
    "pool: pools in a row", "pool: OR of other windows", "pool: windows overlap", "pool: windows with padding",
    "pool: sums before a convolution", "pool: sums before a fully connected layer", "pool: largest currents",
    "pool: sums of currents", "pool: first layer", "pool: gives a map with a side of 1", "pool: none", "sizing: several passes",
    "sizing: rows in parts", "sizing: several frames a pass", "sizing: words of several pixels",
    "sizing: words of parts of a pixel",
    "sizing: queues of depth 1", "pixels: signed", "pixels: 1 bit", "pixels: 2 to 8 bits", "pixels: 9 to 16 bits", "timesteps: 1",
    "timesteps: 2 to 8", "timesteps: 9 to 64", "timesteps: 65 to 1024",
    "map: of a first fully connected layer", "weights: ends of their range", "weights: all the largest",
    "weights: all the smallest", "leak: beta 0", "leak: beta 1", "leak: of each channel", "theta: negative",
    "theta: always or never fire", "bias and theta: at the edge of what is accepted", "stalls of the second run: image side",
    "stalls of the second run: class side", "stalls of the second run: both sides", "images back to back: 2 to 4",
)  # fmt: skip
"""Traits of which some must be among the first networks."""


@pytest.mark.parametrize(
    "number", [*QUICK, *(pytest.param(number, marks=pytest.mark.slow) for number in range(100) if number not in QUICK)]
)
def test_bits_are_those_of_the_plain_model_and_cycles_those_of_the_cycle_model(number, tmp_path):
    """The quick ones: frames and events into a fully connected layer; strides, kernels of an even side and not square; the
    largest currents, the OR of windows, sums of spikes; potentials and first spikes."""
    finding = check(draw(SEED, number), tmp_path)
    assert finding.wrong == ()
    assert finding.cycles is None
    assert finding.outputs > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", range(110, 120))
def test_bits_and_cycles_in_vhdl(number, tmp_path):
    finding = check(draw(SEED, number), tmp_path, "ghdl")
    assert (finding.wrong, finding.cycles) == ((), None)


def test_all_that_is_to_be_drawn_is_drawn():
    cases = [draw(SEED, number) for number in range(100)]
    found = Counter(trait for case in cases for trait in case.traits)
    assert [trait for trait in DRAWN if found[trait] < 3] == []
    late = [run_model(case.stages, golden.run(case.network, case.images)) for case in cases[:60]]
    # A class before the last beats is what a pool on an odd map leads to, or a stride that leaves out the last row.
    assert sum(max(int(of_stage.max()) for of_stage in run.lasts.values()) >= run.cycles for run in late) >= 2


def test_a_number_gives_the_same_network_again():
    one, same, other = draw(SEED, 5), draw(SEED, 5), draw(SEED, 6)
    assert one.traits == same.traits and one.sizing == same.sizing and np.array_equal(one.images, same.images)
    for layer, twin in zip(one.network.layers, same.network.layers, strict=True):
        if hasattr(layer, "weights"):
            assert np.array_equal(layer.weights, twin.weights) and np.array_equal(layer.theta, twin.theta)
    assert one.network.shapes != other.network.shapes


def test_the_plain_model_gives_what_the_golden_model_gives():
    """In all codings; the spikes are not all alike."""
    for number in range(30):
        case = draw(SEED, number)
        plain, trace = plain_trace(case.network, case.images), golden.run(case.network, case.images)
        assert plain.spikes.keys() == trace.spikes.keys()
        for name, spikes in plain.spikes.items():
            assert np.array_equal(spikes, trace.spikes[name]), (number, name)
        assert np.array_equal(plain.scores, trace.scores) and np.array_equal(plain.predicted, trace.predicted)


def test_a_wrong_spike_and_a_wrong_cycle_are_found(tmp_path, monkeypatch):
    """Planted: one spike of the last layer in the plain model, and a last beat of conv1 a cycle later in the cycle model."""
    case = draw(SEED, 48)
    trace = plain_trace(case.network, case.images)
    name = case.network.layers[-1].name
    trace.spikes[name][-1, -1, 0] ^= 1
    late = run_model(case.stages, golden.run(case.network, case.images))
    late.lasts["conv1"][-1] += 1
    monkeypatch.setattr(random_networks, "plain_trace", lambda *args: trace)
    monkeypatch.setattr(random_networks, "run_model", lambda *args: late)
    finding = check(case, tmp_path)
    where = f"image {len(case.images) - 1}, stage {name}, timestep {case.network.timesteps - 1}, channel 0, y 0, x 0"
    assert [text.split(": expected")[0] for text in finding.wrong] == [
        f"golden model: other spikes of {name}", f"free: {where}", f"held: {where}"
    ]  # fmt: skip
    assert finding.cycles.startswith("lasts of conv1")


def test_the_largest_number_that_holds():
    assert [largest(lambda n, top=top: n <= top, 100) for top in (0, 1, 57, 98, 99, 1000)] == [0, 1, 57, 98, 99, 99]
    with pytest.raises(InputError):
        largest(lambda n: False, 100)


@pytest.fixture
def quick(monkeypatch):
    """check() without a simulator: network 2 is wrong, and the tool fails at network 3. Keeps the numbers of those that ran."""
    ran = []

    def check(case, folder):
        ran.append(case)
        if len(ran) == 4:
            raise CosimError("iverilog failed")
        wrong = ("free: image 0, stage conv1",) if len(ran) == 3 else ()
        return Finding(100, wrong, None, ("coding: direct",))

    monkeypatch.setattr(random_networks, "check", check)
    return ran


def test_a_run_goes_on_where_it_was_stopped(tmp_path, quick):
    file = tmp_path / "networks.jsonl"
    run_all(SEED, 2, file)
    assert len(quick) == 2
    with file.open("a") as lines:
        lines.write('{"number": 2, "outp')
    run_all(SEED, 5, file)
    assert len(quick) == 5
    records = read_records(file, SEED)
    assert [record["number"] for record in records] == [0, 1, 2, 3, 4]
    assert [bool(record["wrong"]) for record in records] == [False, False, True, True, False]
    rows = table(records).splitlines()
    assert rows[2] == "| all | 5 | 400 | 2 | 0 |"
    assert any(row.startswith("| coding: direct | ") for row in rows)


def test_a_run_does_not_go_on_with_another_seed_or_other_sources(tmp_path, quick, monkeypatch):
    file = tmp_path / "networks.jsonl"
    run_all(SEED, 1, file)
    with pytest.raises(InputError, match="of another seed or of other sources"):
        run_all(SEED + 1, 1, file)
    monkeypatch.setattr(random_networks, "origin", lambda seed: {"seed": seed, "sources": {}})
    with pytest.raises(InputError, match="of another seed or of other sources"):
        read_records(file, SEED)
    assert json.loads(file.read_text().splitlines()[0])["seed"] == SEED
