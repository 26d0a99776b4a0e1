"""The leaky integrate-and-fire neurons of a layer, unrolled over time."""

from dataclasses import dataclass

from myhdl import ConcatSignal, Signal, always_comb, block, instances, intbv

from .beat_spacing import beat_spacing
from .checks import MEMBRANE_READOUTS, RESETS, check_choice, check_number, check_table, check_width
from .credit_counter import credit_counter
from .fifo import fifo
from .group_walk import group_walk
from .loaded_memory import parameter_memory
from .memory import Table
from .neuron_pipeline import neuron_pipeline
from .pass_memory import pass_memory
from .stream import Stream, counter, index_bits

SPIKES = "spikes"
"""What the neurons of a layer give, except for a read-out of potentials."""


@dataclass(frozen=True, kw_only=True)
class Lif:
    """Parameters of a layer's neurons.

    reset: subtract, subtract_delayed, zero or none. multiplier, shift: leak(v) = (multiplier * v) >> shift.
    current_bits, potential_bits, theta_bits: signed widths that the layer's weights prove sufficient.
    theta: one word for each channel group, the thresholds of its lanes, the first lane in the lowest bits.
    leaks: the same of multipliers, fields of multiplier_bits, up to `multiplier`; None: all neurons have `multiplier`.
    gives: what leaves: SPIKES, or for a read-out of the same name last_membrane or max_membrane, the potential of the last
    timestep of each pass, before its reset, or the largest of them.
    """

    reset: str
    multiplier: int
    shift: int
    current_bits: int
    potential_bits: int
    theta_bits: int
    theta: Table
    leaks: Table | None = None
    gives: str = SPIKES

    def __post_init__(self):
        check_choice("lif", RESETS, reset=self.reset)
        check_number("lif", 0, shift=self.shift)
        check_number("lif", 0, 2**self.shift, multiplier=self.multiplier)
        check_number("lif", 1, potential_bits=self.potential_bits)
        check_number("lif", 1, self.potential_bits, current_bits=self.current_bits, theta_bits=self.theta_bits)
        check_choice("lif", (SPIKES, *MEMBRANE_READOUTS), gives=self.gives)

    @property
    def multiplier_bits(self) -> int:
        """Width of a multiplier in `leaks`."""
        return index_bits(self.multiplier + 1)

    @property
    def gives_spikes(self) -> bool:
        return self.gives == SPIKES

    @property
    def has_thresholds(self) -> bool:
        """Whether it matters which neuron spikes: that leaves, or resets the potential."""
        return self.gives_spikes or self.reset != "none"

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that the hardware has, in the order in which they are loaded."""
        return (*((self.theta,) if self.has_thresholds else ()), *((self.leaks,) if self.leaks else ()))

    def result_bits(self, lanes: int, timesteps: int) -> int:
        """Width of a beat that leaves: spikes, bit lane * timesteps + t, or lanes fields of potential_bits."""
        return lanes * (timesteps if self.gives_spikes else self.potential_bits)

    def read_timesteps(self, timesteps: int) -> range:
        """Timesteps of a pass whose potentials the read-out asks for."""
        return {"last_membrane": range(timesteps - 1, timesteps), "max_membrane": range(timesteps)}.get(self.gives, range(0))


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

    The pipeline of neurons never stands still: a beat enters only if the queue at its end has a place for it, so src.ready
    is a register. Only where an image takes several passes, a memory keeps the leaked potential of every neuron from one pass
    to the next, and with subtract_delayed its last spike.

    Ports:
        src  sink    currents, lanes * timesteps fields of neuron.current_bits, field lane * timesteps + t
        dst  source  spike stream, lanes * timesteps bits, or potentials, see Lif
        load in      of a loadable core, see loading.Load

    Parameters:
        timesteps: of a pass
        rows, columns: of the map; a row has `columns` beats of each channel group, one group after the other
        passes: how often the map goes through for an image; the first begins with a potential of 0
        neuron: a Lif

    Timing: one beat a cycle, latency lif_latency(). If a map has so few beats that one comes back before its potentials
    are in the memory, each beat waits for the one before. One timestep, beats A and B:

        src          |A  |B  |----------------
        done         ________/~~~~~~~\\________
        dst          ------------|A  |B  |----
    """
    check_number("lif", 1, lanes=lanes, timesteps=timesteps, rows=rows, columns=columns, passes=passes)
    check_table("lif", lanes * neuron.theta_bits, neuron.theta.depth, theta=neuron.theta)
    check_width("lif", lanes * timesteps * neuron.current_bits, src=src.data)
    check_width("lif", neuron.result_bits(lanes, timesteps), dst=dst.data)
    if neuron.leaks is not None:
        check_number("lif", 2, timesteps_with_leaks=timesteps * passes)
        check_table("lif", lanes * neuron.multiplier_bits, neuron.theta.depth, leaks=neuron.leaks)
    groups, potential_bits = neuron.theta.depth, lanes * neuron.potential_bits
    beats, depth, spacing = rows * groups * columns, lif_depth(timesteps), lif_spacing(timesteps)

    take, leave, always_read, has_room = [Signal(bool(0)) for _ in range(4)]
    next_group, read_group = counter(groups), counter(groups)
    thetas, factors = None, None
    fired, spiking = [Stream(neuron.result_bits(lanes, timesteps)) for _ in range(2)]
    recalled, recalled_spikes, potentials, last_spikes = None, None, None, None

    if neuron.tables:
        walk = group_walk(clk, rst, take, next_group, columns=columns, groups=groups)

        @always_comb
        def read_tables():
            always_read.next = True
            read_group.next = next_group

    if neuron.has_thresholds:
        thetas = Signal(intbv(0)[neuron.theta.width :])
        theta_rom = parameter_memory(load)(clk, always_read, read_group, thetas, table=neuron.theta)
    if neuron.leaks is not None:
        factors = Signal(intbv(0)[neuron.leaks.width :])
        leak_rom = parameter_memory(load)(clk, always_read, read_group, factors, table=neuron.leaks)
    credits = credit_counter(clk, rst, take, leave, has_room, places=depth)
    queue_spikes = fifo(clk, rst, fired, spiking, depth=depth)

    if passes > 1:
        recalled, potentials = [Signal(intbv(0)[potential_bits:]) for _ in range(2)]
        state, stored = potentials, recalled
        if neuron.reset == "subtract_delayed":
            recalled_spikes, last_spikes = [Signal(intbv(0)[lanes:]) for _ in range(2)]
            state, stored = ConcatSignal(last_spikes, potentials), Signal(intbv(0)[potential_bits + lanes :])

            @always_comb
            def split_stored():
                recalled.next = stored[potential_bits:]
                recalled_spikes.next = stored[:potential_bits]

        states = pass_memory(clk, rst, take, stored, fired.valid, state, beats=beats, passes=passes)

    pipeline = neuron_pipeline(
        clk, rst, take, src.data, fired.valid, fired.data, thetas, factors, recalled, recalled_spikes, potentials, last_spikes,
        lanes=lanes, timesteps=timesteps, neuron=neuron,
    )  # fmt: skip

    if passes > 1 and beats < spacing:
        is_due = Signal(bool(0))
        space_beats = beat_spacing(clk, rst, take, is_due, cycles=spacing)

        @always_comb
        def accept():
            src.ready.next = has_room and is_due
            take.next = src.valid and has_room and is_due

    else:

        @always_comb
        def accept():
            src.ready.next = has_room
            take.next = src.valid and has_room

    @always_comb
    def give_results():
        dst.valid.next = spiking.valid
        dst.data.next = spiking.data
        spiking.ready.next = dst.ready
        leave.next = spiking.valid and dst.ready

    return instances()
