import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.block_simulation.dut import instantiate
from duospike.cosim.design.beats import pack_fields
from duospike.reference.widths import signed_bits
from duospike.rtl.checks import MEMBRANE_READOUTS, RESETS
from duospike.rtl.lif import SPIKES, Lif, lif
from duospike.rtl.memory import Table
from tests.benches.stream_bench import STALLS, run_stream

ROWS = 3

LEAKS = [(0, 0), (0, 3), (1, 0), (5, 5), (32, 5), (19, 7)]
"""(multiplier, shift): nothing kept, all kept, and floors of negative potentials in between."""


def fire(kind, multiplier, shift, theta, currents):
    """Spikes and potentials of one neuron, and every value that its adders form: Python integers, floor division as the shift."""
    v, s, spikes, potentials, formed = 0, 0, [], [], [theta]
    for current in currents:
        if kind == "subtract":
            kept = [v - theta * s, multiplier * (v - theta * s) // 2**shift]
        elif kind == "subtract_delayed":
            kept = [multiplier * v // 2**shift, multiplier * v // 2**shift - theta * s]
        else:
            kept = [0 if s and kind == "zero" else multiplier * v // 2**shift]
        v = kept[-1] + current
        s = int(v > theta)
        spikes.append(s)
        potentials.append(v)
        formed += [*kept, v]
    # The pipeline resets after the last timestep too.
    return spikes, potentials, [*formed, v - theta] if kind == "subtract" and s else formed


def aim(kind, leak, theta, currents, t, above):
    """Change the current of timestep t so that its potential is theta + above: 0 is no spike yet, 1 is one."""
    _, potentials, _ = fire(kind, *leak, theta, [int(a) for a in currents[: t + 1]])
    currents[t] += theta + above - potentials[-1]


def table_of(name, fields, bits):
    return Table(f"{name}.hex", fields.shape[1] * bits, pack_fields(fields, bits))


def layer_of(kind, multipliers, shift, thetas, columns, currents, gives):
    """Parameters with the smallest widths, and the spikes and potentials [beat, lane, t] of currents [beat, lane, t].

    multipliers: one, or like thetas [group, lane]; each group has as many beats as it has columns, group after group, again and
    again.
    """
    beats, lanes, _ = currents.shape
    spikes, potentials, formed = np.zeros(currents.shape, int), np.zeros(currents.shape, int), []
    each = np.broadcast_to(multipliers, thetas.shape)
    for beat, lane in np.ndindex(beats, lanes):
        group = beat // columns % len(thetas)
        leak, theta = (int(each[group, lane]), shift), int(thetas[group, lane])
        made = fire(kind, *leak, theta, [int(a) for a in currents[beat, lane]])
        spikes[beat, lane], potentials[beat, lane] = made[:2]
        formed += made[2]
    theta_bits, current_bits = (signed_bits(int(values.min()), int(values.max())) for values in (thetas, currents))
    largest = int(np.max(multipliers))
    neuron = Lif(
        reset=kind, multiplier=largest, shift=shift, current_bits=current_bits,
        potential_bits=max(signed_bits(min(formed), max(formed)), current_bits, theta_bits), theta_bits=theta_bits,
        theta=table_of("theta", thetas, theta_bits), gives=gives,
        leaks=table_of("leaks", multipliers, max(1, largest.bit_length())) if np.ndim(multipliers) else None,
    )  # fmt: skip
    return neuron, spikes, potentials


def by_pass(values, images, passes):
    """Values [beats of all images, lane, t of all passes] in the order of the stream: [beats, lane, t of a pass]."""
    _, lanes, timesteps = values.shape
    split = values.reshape(images, -1, lanes, passes, timesteps // passes).transpose(0, 3, 1, 2, 4)
    return split.reshape(-1, lanes, timesteps // passes)


def results_of(neuron, spikes, potentials):
    """The beats that leave, of spikes and potentials [beat, lane, t of a pass]."""
    if neuron.gives == SPIKES:
        return pack_fields(spikes.reshape(len(spikes), -1), 1)
    read = potentials[:, :, -1] if neuron.gives == "last_membrane" else potentials.max(2)
    return pack_fields(read, neuron.potential_bits)


def check(
    place, kind, leak, groups, columns, lanes, timesteps, low=-40, high=50, rows=ROWS, passes=1, images=1, stalls=(0.3, 0.3),
    seed=1, gives=SPIKES,
):  # fmt: skip
    """leak: multiplier and shift; without a multiplier each channel has its own."""
    choose = np.random.default_rng(seed)
    thetas = choose.integers(-12, 20, (groups, lanes))
    # With a second group each bit of each threshold is 0 once and 1 once.
    thetas[1:2] = ~thetas[:1]
    multiplier, shift = leak
    multipliers = choose.integers(0, 2**shift + 1, (groups, lanes)) if multiplier is None else multiplier
    currents = choose.integers(low, high, (images * rows * groups * columns, lanes, timesteps * passes))
    # Often a potential at the threshold itself or one above, where every bit counts and only a strict compare is right.
    for beat, lane in np.ndindex(len(currents), lanes):
        if beat % 4:
            group = beat // columns % groups
            m = int(np.broadcast_to(multipliers, thetas.shape)[group, lane])
            aim(kind, (m, shift), int(thetas[group, lane]), currents[beat, lane], *choose.integers((timesteps * passes, 2)))
    neuron, spikes, potentials = layer_of(kind, multipliers, shift, thetas, columns, currents, gives)
    words = pack_fields(by_pass(currents, images, passes).reshape(-1, lanes * timesteps), neuron.current_bits)
    run = run_stream(
        place, lif, words, widths=(lanes * timesteps * neuron.current_bits, neuron.result_bits(lanes, timesteps)),
        expected=len(words), stalls=stalls, seed=seed, counted=False, lanes=lanes, timesteps=timesteps, rows=rows,
        columns=columns, passes=passes, neuron=neuron,
    )  # fmt: skip
    assert tuple(run.beats) == results_of(neuron, by_pass(spikes, images, passes), by_pass(potentials, images, passes))
    return run


@pytest.mark.parametrize("kind", [kind for kind in RESETS if kind != "none"])
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


@pytest.mark.parametrize("kind", RESETS)
@pytest.mark.parametrize(
    ("shift", "timesteps", "passes"),
    [(5, 3, 1), *(pytest.param(*one, marks=pytest.mark.slow) for one in [(0, 1, 2), (1, 2, 1), (4, 2, 3)])],
)
def test_each_channel_has_its_leak(place, kind, shift, timesteps, passes):
    check(place, kind, (None, shift), groups=4, columns=2, lanes=2, timesteps=timesteps, passes=passes, images=passes)


@pytest.mark.parametrize("gives", MEMBRANE_READOUTS)
@pytest.mark.parametrize("kind", RESETS)
@pytest.mark.parametrize(
    ("multiplier", "timesteps", "passes"),
    [(None, 3, 1), (5, 2, 3), *(pytest.param(*one, marks=pytest.mark.slow) for one in [(8, 1, 2), (None, 1, 3)])],
)
def test_potentials_leave(place, kind, gives, multiplier, timesteps, passes):
    """Of the last timestep or the largest, before their reset; whether or not the neurons reset themselves."""
    sizes = {"groups": 2, "columns": 1, "lanes": 3, "timesteps": timesteps, "rows": 4, "passes": passes, "images": 3}
    check(place, kind, (multiplier, 3), **sizes, gives=gives)


@pytest.mark.parametrize("gives", MEMBRANE_READOUTS)
def test_a_single_timestep_is_its_own_potential(place, gives):
    run = check(place, "none", (1, 0), groups=3, columns=1, lanes=2, timesteps=1, rows=4, gives=gives, stalls=(0, 0))
    assert run.cycles[0] - run.sent[0] == 3


@pytest.mark.parametrize("gives", MEMBRANE_READOUTS)
def test_the_largest_potential_may_be_below_zero(place, gives):
    check(place, "none", (7, 3), groups=2, columns=1, lanes=2, timesteps=4, low=-90, high=-20, gives=gives)


@settings(max_examples=6)
@given(
    kind=st.sampled_from(RESETS),
    leak=st.integers(0, 8).flatmap(lambda shift: st.tuples(st.none() | st.integers(0, 2**shift), st.just(shift))),
    gives=st.sampled_from((SPIKES, *MEMBRANE_READOUTS)),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.integers(1, 4)),
    passes=st.integers(1, 3),
    limits=st.sampled_from([(-1, 2), (-300, -200), (200, 300), (-2000, 2000)]),
    stalls=st.sampled_from(STALLS),
    seed=st.integers(0, 99),
)
def test_any_neuron(place, kind, leak, gives, shape, passes, limits, stalls, seed):
    if shape[-1] * passes == 1:
        # Nothing leaks and nothing is reset.
        leak, kind = (1, 0), kind if gives == SPIKES else "none"
    check(place, kind, leak, *shape, *limits, passes=passes, images=passes, stalls=stalls, seed=seed, gives=gives)


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
