"""The leaky integrate-and-fire neurons of a layer, unrolled over time."""

from dataclasses import dataclass

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import RESETS, check_choice, check_number, check_table, check_width
from .event_queue import event_queue
from .group_walk import group_walk
from .loaded_memory import parameter_memory
from .memory import Table, ram
from .stream import Stream, counter, pack, signed, unpack


@dataclass(frozen=True, kw_only=True)
class Lif:
    """Parameters of a layer's neurons.

    reset: subtract, subtract_delayed or zero. multiplier, shift: leak(v) = (multiplier * v) >> shift.
    current_bits, potential_bits, theta_bits: signed widths that the layer's weights prove sufficient.
    theta: one word for each channel group, the thresholds of its lanes, the first lane in the lowest bits.
    """

    reset: str
    multiplier: int
    shift: int
    current_bits: int
    potential_bits: int
    theta_bits: int
    theta: Table

    def __post_init__(self):
        check_choice("lif", RESETS, reset=self.reset)
        check_number("lif", 0, shift=self.shift)
        check_number("lif", 0, 2**self.shift, multiplier=self.multiplier)
        check_number("lif", 1, potential_bits=self.potential_bits)
        check_number("lif", 1, self.potential_bits, current_bits=self.current_bits, theta_bits=self.theta_bits)


def lif_latency(timesteps: int) -> int:
    """Cycles from a beat's currents to its spikes: two pipeline stages for each timestep, and the queue."""
    return 2 * timesteps + 1


def lif_spacing(timesteps: int) -> int:
    """Cycles after which a beat may come back in the next pass: its potentials are in the memory, and read again."""
    return 2 * timesteps + 2


def lif_pause(beats: int, timesteps: int, passes: int) -> int:
    """Cycles for which no beat is taken after one, in a map of `beats` beats: 0 if none comes back too soon."""
    spacing = lif_spacing(timesteps)
    return spacing - 1 if passes > 1 and beats < spacing else 0


def lif_depth(timesteps: int) -> int:
    """Beats that may be inside at once: those of the latency, and one more, since a place is free only when it is seen free."""
    return lif_latency(timesteps) + 1


@block
def lif(clk, rst, src, dst, load=None, *, lanes, timesteps, rows, columns, passes, neuron):
    """Turns the currents of all timesteps into spikes: v_t = reset-and-leak(v_(t-1)) + a_t, spike if v_t > theta.

    Each timestep of a pass has two pipeline stages: one charges, v = leaked + a, the next fires, resets and leaks, and hands
    the leaked potential on to the next timestep. The pipeline never stands still: a beat enters only if the queue at its end
    has a place for it, so that what stands behind knows from a register whether it may go on. Only where an image takes
    several passes, a memory keeps the leaked potential of every neuron from one pass to the next.

    Ports:
        src  sink    currents, lanes * timesteps fields of neuron.current_bits, field lane * timesteps + t
        dst  source  spike stream, lanes * timesteps bits
        load in      of a loadable core, see loading.Load

    Parameters:
        timesteps: of a pass
        rows, columns: of the map; a row has `columns` beats of each channel group, one group after the other
        passes: how often the map goes through for an image; the first begins with a potential of 0
        neuron: a Lif

    Timing: one beat a cycle, latency lif_latency(). If a map has so few beats that one comes back before its potentials
    are in the memory, each beat waits for the one before.
    """
    check_number("lif", 1, lanes=lanes, timesteps=timesteps, rows=rows, columns=columns, passes=passes)
    check_table("lif", lanes * neuron.theta_bits, neuron.theta.depth, theta=neuron.theta)
    check_width("lif", lanes * timesteps * neuron.current_bits, src=src.data)
    check_width("lif", lanes * timesteps, dst=dst.data)
    multiplier, shift = neuron.multiplier, neuron.shift
    resets_at_once = neuron.reset == "subtract"
    resets_delayed = neuron.reset == "subtract_delayed"
    resets_to_zero = neuron.reset == "zero"
    groups = neuron.theta.depth
    spike_bits = lanes * timesteps
    last_timestep = timesteps - 1
    low, high = -(2 ** (neuron.potential_bits - 1)), 2 ** (neuron.potential_bits - 1)
    product_low, product_high = low * max(multiplier, 1), high * max(multiplier, 1)
    beats = rows * groups * columns
    last_beat, last_pass = beats - 1, passes - 1
    spacing = lif_spacing(timesteps)
    spaced = passes > 1 and beats < spacing
    depth = lif_depth(timesteps)
    last_place = depth - 1

    take, leave, always_read, waiting = [Signal(bool(0)) for _ in range(4)]
    has_room = Signal(bool(0))
    beats_inside = counter(depth + 1)
    currents = [signed(neuron.current_bits) for _ in range(spike_bits)]
    theta_word = Signal(intbv(0)[neuron.theta.width :])
    thetas = [signed(neuron.theta_bits) for _ in range(lanes)]
    next_group = counter(groups)
    fired, spiking = Stream(spike_bits), Stream(spike_bits)

    # What the stage takes that charges timestep t: leaked potentials and spikes of the timestep before, spikes so far,
    # currents, thresholds.
    entering = Signal(intbv(0)[timesteps:])
    leaked = [signed(neuron.potential_bits) for _ in range(spike_bits)]
    spiked = Signal(intbv(0)[spike_bits:])
    patterns = [Signal(intbv(0)[spike_bits:]) for _ in range(timesteps)]
    coming = [signed(neuron.current_bits) for _ in range(timesteps * spike_bits)]
    coming_thetas = [signed(neuron.theta_bits) for _ in range(spike_bits)]

    # What it hands to the stage that fires.
    charging = Signal(intbv(0)[timesteps:])
    charged = [signed(neuron.potential_bits) for _ in range(spike_bits)]
    charged_patterns = [Signal(intbv(0)[spike_bits:]) for _ in range(timesteps)]
    charged_currents = [signed(neuron.current_bits) for _ in range(timesteps * spike_bits)]
    charged_thetas = [signed(neuron.theta_bits) for _ in range(spike_bits)]

    # What that one hands on.
    firing = Signal(intbv(0)[timesteps:])
    membrane = [signed(neuron.potential_bits) for _ in range(spike_bits)]
    spikes = [Signal(intbv(0)[spike_bits:]) for _ in range(timesteps)]
    held = [signed(neuron.current_bits) for _ in range(timesteps * spike_bits)]
    held_thetas = [signed(neuron.theta_bits) for _ in range(spike_bits)]

    # Leaked potentials and spikes at the end of the pass before.
    recalled = [signed(neuron.potential_bits) for _ in range(lanes)]
    recalled_spikes = Signal(intbv(0)[lanes:])

    current_fields = unpack(src.data, currents)
    walk = group_walk(clk, rst, take, next_group, columns=columns, groups=groups)
    theta_rom = parameter_memory(load)(clk, always_read, next_group, theta_word, table=neuron.theta)
    theta_fields = unpack(theta_word, thetas)
    queue_spikes = event_queue(clk, rst, fired, spiking, depth=depth)

    if passes > 1:
        settled = Signal(bool(0))
        beat, next_beat, settling_beat, pass_index = counter(beats), counter(beats), counter(beats), counter(passes)
        potential_word = Signal(intbv(0)[lanes * neuron.potential_bits :])
        stored_potentials = Signal(intbv(0)[lanes * neuron.potential_bits :])
        stored = [signed(neuron.potential_bits) for _ in range(lanes)]
        stored_spikes = Signal(intbv(0)[lanes:])
        potential_fields = pack([membrane[last_timestep * lanes + p] for p in range(lanes)], potential_word)
        potentials = ram(clk, settled, settling_beat, potential_word, always_read, next_beat, stored_potentials, depth=beats)
        stored_fields = unpack(stored_potentials, stored)
        if resets_delayed:
            last_spikes = Signal(intbv(0)[lanes:])
            spike_memory = ram(clk, settled, settling_beat, last_spikes, always_read, next_beat, stored_spikes, depth=beats)

            @always_comb
            def find_last_spikes():
                for p in range(lanes):
                    last_spikes.next[p] = spikes[last_timestep][p * timesteps + last_timestep]

        @always_comb
        def find_settled():
            settled.next = firing[last_timestep]

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
                settling_beat.next = 0
            else:
                if take and beat == last_beat:
                    if pass_index == last_pass:
                        pass_index.next = 0
                    else:
                        pass_index.next = pass_index + 1
                if settled:
                    if settling_beat == last_beat:
                        settling_beat.next = 0
                    else:
                        settling_beat.next = settling_beat + 1

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
            elif take:
                pause.next = spacing - 1
            elif pause != 0:
                pause.next = pause - 1

    else:

        @always(clk.posedge)
        def hold_back():
            waiting.next = False

    @always_comb
    def handshake():
        src.ready.next = has_room and not waiting
        take.next = src.valid and has_room and not waiting
        always_read.next = True

    @always_comb
    def show_spikes():
        fired.valid.next = firing[last_timestep]
        fired.data.next = spikes[last_timestep]
        dst.valid.next = spiking.valid
        dst.data.next = spiking.data
        spiking.ready.next = dst.ready
        leave.next = spiking.valid and dst.ready

    @always(clk.posedge)
    def count_inside():
        if rst:
            beats_inside.next = 0
            has_room.next = True
        elif take and not leave:
            beats_inside.next = beats_inside + 1
            has_room.next = beats_inside != last_place
        elif leave and not take:
            beats_inside.next = beats_inside - 1
            has_room.next = True

    @always_comb
    def find_entering():
        for t in range(timesteps):
            if t == 0:
                entering.next[t] = take
            else:
                entering.next[t] = firing[t - 1]

    @always(clk.posedge)
    def move():
        if rst:
            charging.next = 0
            firing.next = 0
        else:
            charging.next = entering
            firing.next = charging

    @always_comb
    def enter():
        patterns[0].next = 0
        for p in range(lanes):
            leaked[p].next = recalled[p]
            spiked.next[p] = recalled_spikes[p]
            coming_thetas[p].next = thetas[p]
        for i in range(spike_bits):
            coming[i].next = currents[i]
        for t in range(1, timesteps):
            patterns[t].next = spikes[t - 1]
            for p in range(lanes):
                leaked[t * lanes + p].next = membrane[(t - 1) * lanes + p]
                spiked.next[t * lanes + p] = spikes[t - 1][p * timesteps + t - 1]
                coming_thetas[t * lanes + p].next = held_thetas[(t - 1) * lanes + p]
            for i in range(spike_bits):
                coming[t * spike_bits + i].next = held[(t - 1) * spike_bits + i]

    @always(clk.posedge)
    def charge():
        v = intbv(0, min=low, max=high)
        for t in range(timesteps):
            if entering[t]:
                charged_patterns[t].next = patterns[t]
                for p in range(lanes):
                    v[:] = leaked[t * lanes + p]
                    if resets_delayed and spiked[t * lanes + p]:
                        v[:] = v - coming_thetas[t * lanes + p]
                    v[:] = v + coming[(t * lanes + p) * timesteps + t]
                    charged[t * lanes + p].next = v
                    charged_thetas[t * lanes + p].next = coming_thetas[t * lanes + p]
                for i in range(spike_bits):
                    charged_currents[t * spike_bits + i].next = coming[t * spike_bits + i]

    @always(clk.posedge)
    def fire():
        v = intbv(0, min=low, max=high)
        product = intbv(0, min=product_low, max=product_high)
        theta = intbv(0, min=low, max=high)
        spike = False
        pattern = intbv(0)[spike_bits:]
        for t in range(timesteps):
            if charging[t]:
                pattern[:] = charged_patterns[t]
                for p in range(lanes):
                    v[:] = charged[t * lanes + p]
                    theta[:] = charged_thetas[t * lanes + p]
                    spike = v > theta
                    pattern[p * timesteps + t] = spike
                    if spike:
                        if resets_at_once:
                            v[:] = v - theta
                        if resets_to_zero:
                            v[:] = 0
                    # Widened first: in VHDL a product with a constant has the width of the other factor.
                    product[:] = v
                    product[:] = product * multiplier
                    v[:] = product >> shift
                    membrane[t * lanes + p].next = v
                    held_thetas[t * lanes + p].next = theta
                spikes[t].next = pattern
                for i in range(spike_bits):
                    held[t * spike_bits + i].next = charged_currents[t * spike_bits + i]

    return instances()
