"""The neurons of a beat: all lanes and timesteps, one pipeline."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .membrane_value import membrane_value
from .neuron import neuron as neuron_step
from .spike_history import spike_history
from .stream import pack, signed, unpack


@block
def neuron_pipeline(
    clk, rst, take, currents, done, results, thetas=None, factors=None, recalled=None, recalled_spikes=None, potentials=None,
    last_spikes=None, *, lanes, timesteps, neuron,
):  # fmt: skip
    """A neuron() for each lane and timestep: those of a timestep pass the leaked potentials to those of the next.

    What a later timestep needs travels along: thresholds, factors, its currents, and the spikes of earlier timesteps.

    Ports:
        take             in   1      a beat begins at this edge
        currents         in          of that beat: lanes * timesteps fields of neuron.current_bits, field lane * timesteps + t
        done             out  1      a beat has come to its end
        results          out         of the beat at its end: what its neurons give, see Lif
        thetas           in          of the beat that begins: lanes fields of neuron.theta_bits; None: no spike matters
        factors          in          of the beat that begins: lanes fields of neuron.multiplier_bits; None: neuron.multiplier
        recalled         in          of the beat that begins: what it had at its end in the pass before, as potentials; None: 0
        recalled_spikes  in   lanes  the same, as last_spikes
        potentials       out         of the beat at its end: lanes fields of neuron.potential_bits, leaked; None where there is
                                     one pass
        last_spikes      out  lanes  of the beat at its end: those of the last timestep; None except for subtract_delayed with
                                     several passes

    Parameters:
        neuron: a Lif

    Timing: one beat a cycle, latency 2 * timesteps. Two timesteps, beats A and B; a step holds a beat:

        take         __/~~~~~~~\\________________
        currents     --|A  |B  |----------------
        charging[0]  ------|A  |B  |------------
        firing[0]    ----------|A  |B  |--------
        charging[1]  --------------|A  |B  |----
        firing[1]    ------------------|A  |B  |
        done         __________________/~~~~~~~\\
    """
    check_number("neuron_pipeline", 1, lanes=lanes, timesteps=timesteps)
    check_width("neuron_pipeline", lanes * timesteps * neuron.current_bits, currents=currents)
    check_width("neuron_pipeline", neuron.result_bits(lanes, timesteps), results=results)
    beat_bits, last_timestep = lanes * timesteps, timesteps - 1
    current_bits, potential_bits = neuron.current_bits, neuron.potential_bits
    is_delayed = neuron.reset == "subtract_delayed"
    # Of how many timesteps, from the first up, somebody needs the leaked potential, the spike, the threshold, the membrane.
    leaking = timesteps - 1 if potentials is None else timesteps
    spiking = timesteps if neuron.gives_spikes else leaking if is_delayed else 0
    comparing = 0 if thetas is None else timesteps if spiking else leaking
    read = neuron.read_timesteps(timesteps)

    now = [signed(current_bits) for _ in range(beat_bits)]
    # A beat enters timestep t, it is in its first stage, it is in its second.
    entering, charging, firing = [[Signal(bool(0)) for _ in range(timesteps)] for _ in range(3)]
    # Of the beats in the two stages: currents of all timesteps.
    charging_currents, firing_currents = [[signed(current_bits) for _ in range(timesteps * beat_bits)] for _ in range(2)]
    # Of the beat in the second stage: spikes of timestep t, and what timestep t + 1 begins with.
    fired = [Signal(bool(0)) for _ in range(spiking * lanes)]
    leaked = [signed(potential_bits) for _ in range(leaking * lanes)]
    firing_thetas, firing_factors = [], []
    # What timestep 0 begins with.
    first_potentials, first_spikes, entering_thetas, entering_factors = [None] * lanes, [None] * lanes, [], []

    if recalled is not None:
        check_width("neuron_pipeline", lanes * potential_bits, recalled=recalled, potentials=potentials)
        first_potentials = [signed(potential_bits) for _ in range(lanes)]
        recalled_fields = unpack(recalled, first_potentials)
        potential_fields = pack(leaked[-lanes:], potentials)
    if recalled_spikes is not None:
        check_width("neuron_pipeline", lanes, recalled_spikes=recalled_spikes, last_spikes=last_spikes)
        first_spikes = [Signal(bool(0)) for _ in range(lanes)]
        recalled_bits = unpack(recalled_spikes, first_spikes)
        last_bits = pack(fired[-lanes:], last_spikes)
    if thetas is not None:
        check_width("neuron_pipeline", lanes * neuron.theta_bits, thetas=thetas)
        entering_thetas = [signed(neuron.theta_bits) for _ in range(lanes)]
        firing_thetas = [signed(neuron.theta_bits) for _ in range((comparing - 1) * lanes)]
        theta_fields = unpack(thetas, entering_thetas)
    if factors is not None:
        check_width("neuron_pipeline", lanes * neuron.multiplier_bits, factors=factors)
        entering_factors = [Signal(intbv(0)[neuron.multiplier_bits :]) for _ in range(lanes)]
        firing_factors = [Signal(intbv(0)[neuron.multiplier_bits :]) for _ in range((leaking - 1) * lanes)]
        factor_fields = unpack(factors, entering_factors)

    def at(signals, i):
        return signals[i] if i < len(signals) else None

    membranes = [signed(potential_bits) if i // lanes in read else None for i in range(beat_bits)]
    current_fields = unpack(currents, now)
    neurons = [
        neuron_step(
            clk, entering[t], charging[t] if t < max(spiking, leaking) else None,
            (now + firing_currents)[(t * lanes + p) * timesteps + t],
            at(entering_thetas + firing_thetas, t * lanes + p), at(firing_thetas, t * lanes + p), at(fired, t * lanes + p),
            (first_potentials + leaked)[t * lanes + p], (first_spikes + fired)[t * lanes + p] if is_delayed else None,
            at(leaked, t * lanes + p), at(entering_factors + firing_factors, t * lanes + p), at(firing_factors, t * lanes + p),
            membranes[t * lanes + p],
            reset=neuron.reset, multiplier=neuron.multiplier, shift=neuron.shift, potential_bits=potential_bits,
        )
        for t in range(timesteps) for p in range(lanes)
    ]  # fmt: skip
    if neuron.gives_spikes:
        history = spike_history(clk, entering, charging, fired, results, lanes=lanes, timesteps=timesteps)
    else:
        values = [signed(potential_bits) if i // lanes in read else None for i in range(beat_bits)]
        value_fields = pack(values[-lanes:], results)
        value_steps = [
            membrane_value(
                clk, charging[t], membranes[t * lanes + p], values[t * lanes + p],
                *((entering[t], values[(t - 1) * lanes + p]) if t > read[0] else ()),
            )
            for t in read for p in range(lanes)
        ]  # fmt: skip

    @always_comb
    def end_beat():
        done.next = firing[last_timestep]

    @always_comb
    def find_entering():
        for t in range(timesteps):
            if t == 0:
                entering[t].next = take
            else:
                entering[t].next = firing[t - 1]

    @always(clk.posedge)
    def move_beats():
        for t in range(timesteps):
            charging[t].next = entering[t] and not rst
            firing[t].next = charging[t] and not rst

    @always(clk.posedge)
    def carry_to_charge():
        if entering[0]:
            for i in range(beat_bits):
                charging_currents[i].next = now[i]
        for t in range(1, timesteps):
            if entering[t]:
                for i in range(beat_bits):
                    charging_currents[t * beat_bits + i].next = firing_currents[(t - 1) * beat_bits + i]

    @always(clk.posedge)
    def carry_to_fire():
        for t in range(timesteps):
            if charging[t]:
                for i in range(beat_bits):
                    firing_currents[t * beat_bits + i].next = charging_currents[t * beat_bits + i]

    return instances()
