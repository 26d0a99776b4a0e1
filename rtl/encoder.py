"""The rate encoder: pixels in, random spikes out."""

from dataclasses import dataclass

from myhdl import Signal, always, always_comb, block, instances, intbv

from .activity import activity
from .checks import check_number, check_ports, check_table
from .group_walk import group_walk
from .memory import Table, rom
from .stage import Stage
from .stream import counter, unpack


@dataclass(frozen=True, kw_only=True)
class Encoder(Stage):
    """Parameters of the rate encoder.

    height, width, image_bits: the image, of unsigned pixels with a channel for each lane. register_bits, feedback: the shift
    registers. states: word p holds the states at the beginning of pass p, field lane * timesteps + t.
    """

    kind = "encoder"

    height: int
    width: int
    image_bits: int
    register_bits: int
    feedback: int
    states: Table

    def __post_init__(self):
        check_number("encoder", 1, height=self.height, width=self.width, lanes=self.lanes, image_bits=self.image_bits)
        check_number("encoder", 1, timesteps=self.timesteps)
        check_number("encoder", self.image_bits, register_bits=self.register_bits)
        check_number("encoder", 1, 2**self.register_bits - 1, feedback=self.feedback)
        check_table("encoder", self.output_bits * self.register_bits, self.passes, states=self.states)

    @property
    def passes(self) -> int:
        """Passes of an image."""
        return self.states.depth

    @property
    def input_bits(self) -> int:
        return self.lanes * self.image_bits

    @property
    def input_beats(self) -> int:
        return self.height * self.width

    @property
    def output_beats(self) -> int:
        return self.input_beats


@block
def encoder(clk, rst, src, dst, counts, *, stage):
    """Compares each pixel with the low bits of a shift register, one for each channel and timestep: a spike if it is larger.

    The image comes once in each pass. Between two pixels a register moves as many steps as a pixel has bits, so that it
    shows none of them twice.

    Ports:
        src     sink    pixels: stage.lanes fields of stage.image_bits, in the order frame, row, column
        dst     source  spike stream of one channel group, stage.lanes * stage.timesteps bits
        counts  out     activity counters: busy in each cycle in which it takes a pixel

    Timing: one pixel a cycle, latency 1.
    """
    check_ports("encoder", stage, src, dst)
    channels, timesteps, bits = stage.lanes, stage.timesteps, stage.image_bits
    registers = channels * timesteps
    pixels = stage.input_beats
    last_pixel, feedback = pixels - 1, stage.feedback

    take, valid, always_read, stall_in, stall_out, never = [Signal(bool(0)) for _ in range(6)]
    starting = Signal(bool(0))
    pixel, next_pass = counter(pixels), counter(stage.passes)
    values = [Signal(intbv(0)[bits:]) for _ in range(channels)]
    first_word = Signal(intbv(0)[stage.states.width :])
    first = [Signal(intbv(0)[stage.register_bits :]) for _ in range(registers)]
    kept = [Signal(intbv(0)[stage.register_bits :]) for _ in range(registers)]
    states = [Signal(intbv(0)[stage.register_bits :]) for _ in range(registers)]
    spikes = Signal(intbv(0)[registers:])

    count_passes = group_walk(clk, rst, take, next_pass, columns=pixels, groups=stage.passes)
    state_rom = rom(clk, always_read, next_pass, first_word, table=stage.states)
    first_fields = unpack(first_word, first)
    value_fields = unpack(src.data, values)
    count_activity = activity(clk, rst, take, stall_in, stall_out, never, never, counts)

    @always_comb
    def handshake():
        src.ready.next = dst.ready or not valid
        take.next = src.valid and (dst.ready or not valid)
        dst.valid.next = valid
        dst.data.next = spikes
        always_read.next = True

    @always_comb
    def classify_cycle():
        stall_in.next = not src.valid
        stall_out.next = src.valid and valid and not dst.ready
        never.next = False

    @always_comb
    def select_states():
        for i in range(registers):
            states[i].next = kept[i]
            if starting:
                states[i].next = first[i]

    @always(clk.posedge)
    def advance_pixel():
        if rst:
            pixel.next = 0
            starting.next = True
        elif take:
            pixel.next = 0 if pixel == last_pixel else pixel + 1
            starting.next = pixel == last_pixel

    @always(clk.posedge)
    def shift_registers():
        state = intbv(0)[stage.register_bits :]
        if take:
            for i in range(registers):
                state[:] = states[i]
                for step in range(bits):  # noqa: B007 (VHDL takes no name of an underscore)
                    if state[0]:
                        state[:] = (state >> 1) ^ feedback
                    else:
                        state[:] = state >> 1
                kept[i].next = state

    @always(clk.posedge)
    def compare_pixel():
        number = intbv(0)[bits:]
        if rst:
            valid.next = False
        elif take:
            valid.next = True
            for c in range(channels):
                for t in range(timesteps):
                    number[:] = states[c * timesteps + t][bits:]
                    spikes.next[c * timesteps + t] = values[c] > number
        elif dst.ready:
            valid.next = False

    return instances()
