"""The leaky integrate-and-fire neurons of a layer, unrolled over time."""

from dataclasses import dataclass

from myhdl import Signal, always, always_comb, block, instances, intbv

from .group_walk import group_walk
from .loading import parameter_memory
from .memory import Table, ram
from .stream import counter, pack, signed, unpack


@dataclass(frozen=True)
class Lif:
    """Parameters of a layer's neurons.

    kind: subtract, subtract_delayed or zero. multiplier, shift: leak(v) = (multiplier * v) >> shift.
    current_bits, potential_bits, theta_bits: signed widths that the layer's weights prove sufficient.
    theta: one word for each channel group, the thresholds of its lanes, the first lane in the lowest bits.
    """

    kind: str
    multiplier: int
    shift: int
    current_bits: int
    potential_bits: int
    theta_bits: int
    theta: Table


@block
def lif(clk, rst, src, dst, lanes, timesteps, rows, columns, passes, neuron, load=None):
    """Turns the currents of all timesteps into spikes: v_t = reset-and-leak(v_(t-1)) + a_t, spike if v_t > theta.

    A pipeline stage for each timestep of a pass hands the potential on to the next. Only where an image takes several
    passes, a memory keeps the potential of every neuron from one pass to the next.

    Ports:
        src  sink    currents, lanes * timesteps fields of neuron.current_bits, field lane * timesteps + t
        dst  source  spike stream, lanes * timesteps bits
        load in      of a loadable core, see loading.Load

    Parameters:
        timesteps: of a pass
        rows, columns: of the map; a row has `columns` beats of each channel group, one group after the other
        passes: how often the map goes through for an image; the first begins with a potential of 0
        neuron: a Lif

    Timing: one beat a cycle, latency `timesteps` cycles. If a map has so few beats that one comes back before its potentials
    are in the memory, each beat waits for the one before.
    """
    multiplier, shift = neuron.multiplier, neuron.shift
    resets_at_once = neuron.kind == "subtract"
    resets_delayed = neuron.kind == "subtract_delayed"
    resets_to_zero = neuron.kind == "zero"
    groups = neuron.theta.depth
    spike_bits = lanes * timesteps
    last_stage = timesteps - 1
    low, high = -(2 ** (neuron.potential_bits - 1)), 2 ** (neuron.potential_bits - 1)
    product_low, product_high = low * max(multiplier, 1), high * max(multiplier, 1)
    beats = rows * groups * columns
    last_beat, last_pass = beats - 1, passes - 1
    # From taking a beat to reading its potentials back: through the pipeline, into the memory, and out of it.
    spacing = timesteps + 2
    spaced = passes > 1 and beats < spacing

    step, take, always_read, waiting = [Signal(bool(0)) for _ in range(4)]
    arriving = Signal(intbv(0)[timesteps:])
    occupied = Signal(intbv(0)[timesteps:])
    currents = [signed(neuron.current_bits) for _ in range(spike_bits)]
    theta_word = Signal(intbv(0)[neuron.theta.width :])
    thetas = [signed(neuron.theta_bits) for _ in range(lanes)]
    next_group = counter(groups)

    # What pipeline stage s takes: potentials and spikes of the timestep before, spikes so far, currents, thresholds.
    carried = [signed(neuron.potential_bits) for _ in range(timesteps * lanes)]
    spiked = Signal(intbv(0)[timesteps * lanes :])
    patterns = [Signal(intbv(0)[spike_bits:]) for _ in range(timesteps)]
    coming = [signed(neuron.current_bits) for _ in range(timesteps * spike_bits)]
    coming_thetas = [signed(neuron.theta_bits) for _ in range(timesteps * lanes)]

    # What it hands on.
    membrane = [signed(neuron.potential_bits) for _ in range(timesteps * lanes)]
    spikes = [Signal(intbv(0)[spike_bits:]) for _ in range(timesteps)]
    held = [signed(neuron.current_bits) for _ in range(timesteps * spike_bits)]
    held_thetas = [signed(neuron.theta_bits) for _ in range(timesteps * lanes)]

    # Potentials and spikes at the end of the pass before.
    recalled = [signed(neuron.potential_bits) for _ in range(lanes)]
    recalled_spikes = Signal(intbv(0)[lanes:])

    current_fields = unpack(src.data, currents)
    walk = group_walk(clk, rst, take, next_group, columns, groups)
    theta_rom = parameter_memory(load)(clk, always_read, next_group, theta_word, neuron.theta)
    theta_fields = unpack(theta_word, thetas)

    if passes > 1:
        leave = Signal(bool(0))
        beat, next_beat, leaving_beat, pass_index = counter(beats), counter(beats), counter(beats), counter(passes)
        potential_word = Signal(intbv(0)[lanes * neuron.potential_bits :])
        stored_potentials = Signal(intbv(0)[lanes * neuron.potential_bits :])
        stored = [signed(neuron.potential_bits) for _ in range(lanes)]
        stored_spikes = Signal(intbv(0)[lanes:])
        potential_fields = pack([membrane[last_stage * lanes + p] for p in range(lanes)], potential_word)
        potentials = ram(clk, leave, leaving_beat, potential_word, always_read, next_beat, stored_potentials, beats)
        stored_fields = unpack(stored_potentials, stored)
        if resets_delayed:
            last_spikes = Signal(intbv(0)[lanes:])
            spike_memory = ram(clk, leave, leaving_beat, last_spikes, always_read, next_beat, stored_spikes, beats)

            @always_comb
            def find_last_spikes():
                for p in range(lanes):
                    last_spikes.next[p] = spikes[last_stage][p * timesteps + last_stage]

        @always_comb
        def find_leaving():
            leave.next = occupied[last_stage] and dst.ready

        @always_comb
        def recall():
            recalled_spikes.next = 0
            if resets_delayed and pass_index != 0:
                recalled_spikes.next = stored_spikes
            for p in range(lanes):
                recalled[p].next = 0
                if pass_index != 0:
                    recalled[p].next = stored[p]

        @always_comb
        def find_next_beat():
            next_beat.next = beat
            if rst:
                next_beat.next = 0
            elif take:
                if beat == last_beat:
                    next_beat.next = 0
                else:
                    next_beat.next = beat + 1

        @always(clk.posedge)
        def walk_beats():
            beat.next = next_beat
            if rst:
                pass_index.next = 0
                leaving_beat.next = 0
            else:
                if take and beat == last_beat:
                    if pass_index == last_pass:
                        pass_index.next = 0
                    else:
                        pass_index.next = pass_index + 1
                if leave:
                    if leaving_beat == last_beat:
                        leaving_beat.next = 0
                    else:
                        leaving_beat.next = leaving_beat + 1

    else:
        # Clocked, since MyHDL takes no process that waits for nothing; synthesis makes constants of it.
        @always(clk.posedge)
        def recall():
            recalled_spikes.next = 0
            for p in range(lanes):
                recalled[p].next = 0

    if spaced:
        pause = counter(spacing)

        @always_comb
        def hold_back():
            waiting.next = pause != 0

        @always(clk.posedge)
        def space_beats():
            if rst:
                pause.next = 0
            elif step:
                if take:
                    pause.next = spacing - 1
                elif pause != 0:
                    pause.next = pause - 1

    else:

        @always(clk.posedge)
        def hold_back():
            waiting.next = False

    @always_comb
    def flow():
        step.next = dst.ready or not occupied[last_stage]

    @always_comb
    def find_arriving():
        for s in range(timesteps):
            if s == 0:
                arriving.next[s] = src.valid and not waiting
            else:
                arriving.next[s] = occupied[s - 1]

    @always_comb
    def handshake():
        src.ready.next = step and not waiting
        take.next = src.valid and step and not waiting
        always_read.next = True
        dst.valid.next = occupied[last_stage]
        dst.data.next = spikes[last_stage]

    @always(clk.posedge)
    def move():
        if rst:
            occupied.next = 0
        elif step:
            occupied.next = arriving

    @always_comb
    def enter():
        patterns[0].next = 0
        for p in range(lanes):
            carried[p].next = recalled[p]
            spiked.next[p] = recalled_spikes[p]
            coming_thetas[p].next = thetas[p]
        for i in range(spike_bits):
            coming[i].next = currents[i]
        for s in range(1, timesteps):
            patterns[s].next = spikes[s - 1]
            for p in range(lanes):
                carried[s * lanes + p].next = membrane[(s - 1) * lanes + p]
                spiked.next[s * lanes + p] = spikes[s - 1][p * timesteps + s - 1]
                coming_thetas[s * lanes + p].next = held_thetas[(s - 1) * lanes + p]
            for i in range(spike_bits):
                coming[s * spike_bits + i].next = held[(s - 1) * spike_bits + i]

    @always(clk.posedge)
    def fire():
        v = intbv(0, min=low, max=high)
        product = intbv(0, min=product_low, max=product_high)
        theta = intbv(0, min=low, max=high)
        spike = False
        pattern = intbv(0)[spike_bits:]
        for s in range(timesteps):
            if step and arriving[s]:
                pattern[:] = patterns[s]
                for p in range(lanes):
                    theta[:] = coming_thetas[s * lanes + p]
                    # Widened first: in VHDL a product with a constant has the width of the other factor.
                    product[:] = carried[s * lanes + p]
                    product[:] = product * multiplier
                    v[:] = product >> shift
                    if resets_delayed and spiked[s * lanes + p]:
                        v[:] = v - theta
                    v[:] = v + coming[(s * lanes + p) * timesteps + s]
                    spike = v > theta
                    pattern[p * timesteps + s] = spike
                    if spike:
                        if resets_at_once:
                            v[:] = v - theta
                        if resets_to_zero:
                            v[:] = 0
                    membrane[s * lanes + p].next = v
                    held_thetas[s * lanes + p].next = theta
                    for t in range(timesteps):
                        held[(s * lanes + p) * timesteps + t].next = coming[(s * lanes + p) * timesteps + t]
                spikes[s].next = pattern

    return instances()
