"""The leaky integrate-and-fire neurons of a layer, unrolled over time."""

from dataclasses import dataclass

from myhdl import Signal, always, always_comb, block, instances, intbv

from .memory import Table, rom
from .stream import counter, signed, unpack


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
def lif(clk, rst, src, dst, lanes, timesteps, columns, neuron):
    """Turns the currents of all timesteps into spikes: v_t = reset-and-leak(v_(t-1)) + a_t, spike if v_t > theta.

    There is no membrane memory: a pipeline stage for each timestep hands the potential on to the next.

    Ports:
        src  sink    currents, lanes * timesteps fields of neuron.current_bits, field lane * timesteps + t
        dst  source  spike stream, lanes * timesteps bits

    Parameters:
        columns: beats of one channel group before the next group's begin
        neuron: a Lif

    Timing: one beat a cycle, latency `timesteps` cycles.
    """
    multiplier, shift = neuron.multiplier, neuron.shift
    resets_at_once = neuron.kind == "subtract"
    resets_delayed = neuron.kind == "subtract_delayed"
    resets_to_zero = neuron.kind == "zero"
    groups = neuron.theta.depth
    spike_bits = lanes * timesteps
    last_stage = timesteps - 1
    last_column, last_group = columns - 1, groups - 1
    low, high = -(2 ** (neuron.potential_bits - 1)), 2 ** (neuron.potential_bits - 1)
    product_low, product_high = low * max(multiplier, 1), high * max(multiplier, 1)

    step = Signal(bool(0))
    occupied = Signal(intbv(0)[timesteps:])
    currents = [signed(neuron.current_bits) for _ in range(spike_bits)]
    theta_word = Signal(intbv(0)[neuron.theta.width :])
    thetas = [signed(neuron.theta_bits) for _ in range(lanes)]
    column, group_index, next_group = counter(columns), counter(groups), counter(groups)
    always_read = Signal(bool(1))

    # Registers of pipeline stage s: its spikes so far, and what the stages after it need.
    spikes = [Signal(intbv(0)[spike_bits:]) for _ in range(timesteps)]
    held = [signed(neuron.current_bits) for _ in range(timesteps * spike_bits)]
    held_thetas = [signed(neuron.theta_bits) for _ in range(timesteps * lanes)]
    membrane = [signed(neuron.potential_bits) for _ in range(timesteps * lanes)]

    current_fields = unpack(src.data, currents)
    theta_rom = rom(clk, always_read, next_group, theta_word, neuron.theta)
    theta_fields = unpack(theta_word, thetas)

    @always_comb
    def flow():
        step.next = dst.ready or not occupied[last_stage]

    @always_comb
    def handshake():
        src.ready.next = step
        dst.valid.next = occupied[last_stage]
        dst.data.next = spikes[last_stage]

    @always_comb
    def find_group():
        always_read.next = True
        next_group.next = group_index
        if rst:
            next_group.next = 0
        elif src.valid and step and column == last_column:
            if group_index == last_group:
                next_group.next = 0
            else:
                next_group.next = group_index + 1

    @always(clk.posedge)
    def count():
        group_index.next = next_group
        if rst:
            column.next = 0
            occupied.next = 0
        elif step:
            for s in range(timesteps):
                if s == 0:
                    occupied.next[0] = src.valid
                else:
                    occupied.next[s] = occupied[s - 1]
            if src.valid:
                if column == last_column:
                    column.next = 0
                else:
                    column.next = column + 1

    @always(clk.posedge)
    def fire():
        v = intbv(0, min=low, max=high)
        product = intbv(0, min=product_low, max=product_high)
        theta = intbv(0, min=low, max=high)
        spike = False
        pattern = intbv(0)[spike_bits:]
        if step:
            for s in range(timesteps):
                pattern[:] = 0
                if s != 0:
                    pattern[:] = spikes[s - 1]
                for p in range(lanes):
                    if s == 0:
                        theta[:] = thetas[p]
                        v[:] = currents[p * timesteps]
                    else:
                        theta[:] = held_thetas[(s - 1) * lanes + p]
                        product[:] = membrane[(s - 1) * lanes + p] * multiplier
                        v[:] = product >> shift
                        if resets_delayed and pattern[p * timesteps + s - 1]:
                            v[:] = v - theta
                        v[:] = v + held[((s - 1) * lanes + p) * timesteps + s]
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
                        if s == 0:
                            held[p * timesteps + t].next = currents[p * timesteps + t]
                        else:
                            held[(s * lanes + p) * timesteps + t].next = held[((s - 1) * lanes + p) * timesteps + t]
                spikes[s].next = pattern

    return instances()
