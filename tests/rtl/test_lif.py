import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.block_simulation.dut import instantiate
from duospike.cosim.design.beats import pack_fields
from duospike.reference.network import RESETS
from duospike.reference.widths import signed_bits
from duospike.rtl.lif import Lif, lif
from duospike.rtl.memory import Table
from tests.benches.stream_bench import STALLS, run_stream

ROWS = 3

LEAKS = [(0, 0), (0, 3), (1, 0), (5, 5), (32, 5), (19, 7)]
"""(multiplier, shift): nothing kept, all kept, and floors of negative potentials in between."""


def fire(kind, multiplier, shift, theta, currents):
    """Spikes of one neuron, and every value that its adders form: Python integers, floor division instead of a shift."""
    v, s, spikes, formed = 0, 0, [], [theta]
    for current in currents:
        if kind == "subtract":
            kept = [v - theta * s, multiplier * (v - theta * s) // 2**shift]
        elif kind == "subtract_delayed":
            kept = [multiplier * v // 2**shift, multiplier * v // 2**shift - theta * s]
        else:
            kept = [0 if s else multiplier * v // 2**shift]
        v = kept[-1] + current
        s = int(v > theta)
        spikes.append(s)
        formed += [*kept, v]
    # The pipeline resets after the last timestep too.
    return spikes, [*formed, v - theta] if kind == "subtract" and s else formed


def aim(kind, leak, theta, currents, t, above):
    """Change the current of timestep t so that its potential is theta + above: 0 is no spike yet, 1 is one."""
    spikes, formed = fire(kind, *leak, theta, [int(a) for a in currents[: t + 1]])
    reset = theta if kind == "subtract" and spikes[-1] else 0
    currents[t] += theta + above - (formed[-1] + reset)


def layer_of(kind, leak, thetas, columns, currents):
    """Parameters with the smallest widths, and the spikes [beat, lane, t] of currents [beat, lane, t].

    thetas: [group, lane]; each group has as many beats as it has columns, group after group, again and again.
    """
    beats, lanes, _ = currents.shape
    spikes, formed = np.zeros(currents.shape, int), []
    for beat, lane in np.ndindex(beats, lanes):
        theta = int(thetas[beat // columns % len(thetas), lane])
        spikes[beat, lane], values = fire(kind, *leak, theta, [int(a) for a in currents[beat, lane]])
        formed += values
    theta_bits, current_bits = (signed_bits(int(values.min()), int(values.max())) for values in (thetas, currents))
    potential_bits = max(signed_bits(min(formed), max(formed)), current_bits, theta_bits)
    table = Table("theta.hex", lanes * theta_bits, pack_fields(thetas, theta_bits))
    neuron = Lif(
        reset=kind, multiplier=leak[0], shift=leak[1], current_bits=current_bits, potential_bits=potential_bits,
        theta_bits=theta_bits, theta=table,
    )  # fmt: skip
    return neuron, spikes


def by_pass(values, images, passes):
    """Values [beats of all images, lane, t of all passes] in the order of the stream: [beats, lane * t of a pass]."""
    _, lanes, timesteps = values.shape
    split = values.reshape(images, -1, lanes, passes, timesteps // passes).transpose(0, 3, 1, 2, 4)
    return split.reshape(-1, lanes * timesteps // passes)


def check(
    place, kind, leak, groups, columns, lanes, timesteps, low=-40, high=50, rows=ROWS, passes=1, images=1, stalls=(0.3, 0.3),
    seed=1,
):  # fmt: skip
    choose = np.random.default_rng(seed)
    thetas = choose.integers(-12, 20, (groups, lanes))
    # With a second group each bit of each threshold is 0 once and 1 once.
    thetas[1:2] = ~thetas[:1]
    currents = choose.integers(low, high, (images * rows * groups * columns, lanes, timesteps * passes))
    # Often a potential at the threshold itself or one above, where every bit counts and only a strict compare is right.
    for beat, lane in np.ndindex(len(currents), lanes):
        if beat % 4:
            theta = int(thetas[beat // columns % groups, lane])
            aim(kind, leak, theta, currents[beat, lane], *choose.integers((timesteps * passes, 2)))
    neuron, spikes = layer_of(kind, leak, thetas, columns, currents)
    words = pack_fields(by_pass(currents, images, passes), neuron.current_bits)
    run = run_stream(
        place, lif, words, widths=(lanes * timesteps * neuron.current_bits, lanes * timesteps), expected=len(words),
        stalls=stalls, seed=seed, counted=False, lanes=lanes, timesteps=timesteps, rows=rows, columns=columns, passes=passes,
        neuron=neuron,
    )  # fmt: skip
    assert tuple(run.beats) == pack_fields(by_pass(spikes, images, passes), 1)
    return run


@pytest.mark.parametrize("kind", RESETS)
@pytest.mark.parametrize(("timesteps", "passes"), [(1, 3), (2, 2), (3, 4)])
@pytest.mark.parametrize(("rows", "groups", "columns"), [(1, 1, 1), (1, 2, 1), (1, 4, 1), (1, 5, 1), (2, 1, 3), (3, 2, 2)])
def test_potentials_go_on_over_passes(place, kind, timesteps, passes, rows, groups, columns):
    """Maps of so few beats that each waits for the one before, and maps of just enough; a second image starts from 0."""
    check(
        place, kind, (5, 3), groups, columns, 2, timesteps, rows=rows, passes=passes, images=2, stalls=(0.2, 0.3), seed=timesteps
    )  # fmt: skip


def test_waiting_for_a_potential_costs_a_pipeline(place):
    run = check(place, "subtract", (5, 3), 1, 1, 1, 2, rows=1, passes=4, stalls=(0, 0))
    assert np.diff(run.sent).tolist() == [6] * 3


@pytest.mark.parametrize("kind", RESETS)
@pytest.mark.parametrize("leak", LEAKS)
def test_all_kinds_and_leaks(place, kind, leak):
    check(place, kind, leak, groups=4, columns=5, lanes=2, timesteps=4, rows=6)


@pytest.mark.parametrize("kind", RESETS)
@pytest.mark.parametrize("stalls", STALLS)
def test_all_kinds_under_stalls(place, kind, stalls):
    check(place, kind, LEAKS[-1], groups=4, columns=5, lanes=2, timesteps=4, rows=6, stalls=stalls)


@pytest.mark.parametrize("timesteps", [1, 2, 3, 4])
@pytest.mark.parametrize(("groups", "columns", "lanes"), [(1, 1, 1), (1, 7, 1), (3, 1, 2), (3, 4, 3)])
def test_groups_take_turns(place, groups, columns, lanes, timesteps):
    check(place, "subtract", (5, 3), groups, columns, lanes, timesteps)


@settings(max_examples=6)
@given(
    kind=st.sampled_from(RESETS),
    leak=st.integers(0, 8).flatmap(lambda shift: st.tuples(st.integers(0, 2**shift), st.just(shift))),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.integers(1, 4)),
    passes=st.integers(1, 3),
    limits=st.sampled_from([(-1, 2), (-300, -200), (200, 300), (-2000, 2000)]),
    stalls=st.sampled_from(STALLS),
    seed=st.integers(0, 99),
)
def test_any_neuron(place, kind, leak, shape, passes, limits, stalls, seed):
    check(place, kind, leak, *shape, *limits, passes=passes, images=passes, stalls=stalls, seed=seed)


@pytest.mark.parametrize("timesteps", [1, 4])
def test_one_beat_a_cycle(place, timesteps):
    run = check(place, "subtract", (5, 5), 2, 10, 1, timesteps, stalls=(0, 0))
    assert run.cycles[0] - run.sent[0] == 2 * timesteps + 1
    assert run.cycles[-1] - run.cycles[0] == len(run.beats) - 1


def test_a_potential_beyond_its_width_is_an_error(tmp_path):
    """The simulation trips over a width that the data does not keep."""

    def in_myhdl(function, **arguments):
        return instantiate(function, simulator="myhdl", folder=tmp_path, **arguments)

    neuron = Lif(
        reset="subtract", multiplier=1, shift=0, current_bits=4, potential_bits=4, theta_bits=4, theta=Table("theta.hex", 4, (7,))
    )
    with pytest.raises(ValueError, match=">= maximum"):
        run_stream(
            in_myhdl,
            lif,
            [0x77],
            widths=(8, 2),
            expected=1,
            counted=False,
            lanes=1,
            timesteps=2,
            rows=1,
            columns=1,
            passes=1,
            neuron=neuron,
        )
