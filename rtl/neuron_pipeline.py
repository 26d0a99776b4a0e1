"""The neurons of a beat: all lanes and timesteps, one pipeline."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .neuron import neuron as neuron_step
from .stream import pack, signed, unpack


@block
def neuron_pipeline(
    clk, rst, take, currents, thetas, done, spikes, recalled=None, recalled_spikes=None, potentials=None, last_spikes=None, *,
    lanes, timesteps, neuron,
):  # fmt: skip
    """A neuron() for each lane and timestep: those of a timestep pass the leaked potentials to those of the next.

    What a later timestep needs travels along: thresholds, its currents, and the spikes of earlier timesteps.

    Ports:
        take             in   1                  a beat begins at this edge
        currents         in                      of that beat: lanes * timesteps fields of neuron.current_bits, field
                                                 lane * timesteps + t
        thetas           in                      of that beat: lanes fields of neuron.theta_bits
        done             out  1                  a beat has come to its end
        spikes           out  lanes * timesteps  of the beat at its end, bit lane * timesteps + t
        recalled         in                      of the beat that begins: what it had at its end in the pass before, as
                                                 potentials; None: 0
        recalled_spikes  in   lanes              the same, as last_spikes
        potentials       out                     of the beat at its end: lanes fields of neuron.potential_bits, leaked; None
                                                 where there is one pass
        last_spikes      out  lanes              of the beat at its end: those of the last timestep; None except for
                                                 subtract_delayed with several passes

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
    check_width("neuron_pipeline", lanes * neuron.theta_bits, thetas=thetas)
    check_width("neuron_pipeline", lanes * timesteps, spikes=spikes)
    beat_bits, last_timestep = lanes * timesteps, timesteps - 1
    current_bits, potential_bits = neuron.current_bits, neuron.potential_bits
    is_delayed = neuron.reset == "subtract_delayed"
    leaking = timesteps - 1 if potentials is None else timesteps

    now = [signed(current_bits) for _ in range(beat_bits)]
    entering_thetas = [signed(neuron.theta_bits) for _ in range(lanes)]
    # A beat enters timestep t, it is in its first stage, it is in its second.
    entering, charging, firing = [[Signal(bool(0)) for _ in range(timesteps)] for _ in range(3)]
    # Of the beats in the two stages: spikes of the timesteps before t, currents of all, thresholds.
    charging_spikes, firing_spikes = [[Signal(intbv(0)[beat_bits:]) for _ in range(timesteps)] for _ in range(2)]
    charging_currents, firing_currents = [[signed(current_bits) for _ in range(timesteps * beat_bits)] for _ in range(2)]
    charging_thetas, firing_thetas = [[signed(neuron.theta_bits) for _ in range(beat_bits)] for _ in range(2)]
    # Of the beat in the second stage: spikes of timestep t, those up to it, and potentials that timestep t + 1 begins with.
    fired = [Signal(bool(0)) for _ in range(beat_bits)]
    patterns = [Signal(intbv(0)[beat_bits:]) for _ in range(timesteps)]
    leaked = [signed(potential_bits) for _ in range(leaking * lanes)]
    # What timestep 0 begins with.
    first_potentials, first_spikes = [None] * lanes, [None] * lanes

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

    current_fields = unpack(currents, now)
    theta_fields = unpack(thetas, entering_thetas)
    neurons = [
        neuron_step(
            clk, entering[t], charging[t], (now + firing_currents)[(t * lanes + p) * timesteps + t],
            (entering_thetas + firing_thetas)[t * lanes + p], charging_thetas[t * lanes + p], fired[t * lanes + p],
            (first_potentials + leaked)[t * lanes + p], (first_spikes + fired)[t * lanes + p] if is_delayed else None,
            leaked[t * lanes + p] if t < leaking else None,
            reset=neuron.reset, multiplier=neuron.multiplier, shift=neuron.shift, potential_bits=potential_bits,
        )
        for t in range(timesteps) for p in range(lanes)
    ]  # fmt: skip

    @always_comb
    def give_spikes():
        done.next = firing[last_timestep]
        spikes.next = patterns[last_timestep]

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

    @always_comb
    def add_spikes():
        pattern = intbv(0)[beat_bits:]
        for t in range(timesteps):
            pattern[:] = firing_spikes[t]
            for p in range(lanes):
                pattern[p * timesteps + t] = fired[t * lanes + p]
            patterns[t].next = pattern

    @always(clk.posedge)
    def carry_to_charge():
        if entering[0]:
            charging_spikes[0].next = 0
            for i in range(beat_bits):
                charging_currents[i].next = now[i]
        for t in range(1, timesteps):
            if entering[t]:
                charging_spikes[t].next = patterns[t - 1]
                for i in range(beat_bits):
                    charging_currents[t * beat_bits + i].next = firing_currents[(t - 1) * beat_bits + i]

    @always(clk.posedge)
    def carry_to_fire():
        for t in range(timesteps):
            if charging[t]:
                firing_spikes[t].next = charging_spikes[t]
                for p in range(lanes):
                    firing_thetas[t * lanes + p].next = charging_thetas[t * lanes + p]
                for i in range(beat_bits):
                    firing_currents[t * beat_bits + i].next = charging_currents[t * beat_bits + i]

    return instances()
