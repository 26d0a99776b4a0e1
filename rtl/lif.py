"""The leaky integrate-and-fire neurons of a layer, unrolled over time."""

from dataclasses import dataclass

from myhdl import Signal, always, always_comb, block, instances, intbv

from .group_walk import group_walk
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
    low, high = -(2 ** (neuron.potential_bits - 1)), 2 ** (neuron.potential_bits - 1)
    product_low, product_high = low * max(multiplier, 1), high * max(multiplier, 1)

    step = Signal(bool(0))
    arriving = Signal(intbv(0)[timesteps:])
    occupied = Signal(intbv(0)[timesteps:])
    currents = [signed(neuron.current_bits) for _ in range(spike_bits)]
    theta_word = Signal(intbv(0)[neuron.theta.width :])
    thetas = [signed(neuron.theta_bits) for _ in range(lanes)]
    take = Signal(bool(0))
    next_group = counter(groups)
    always_read = Signal(bool(1))

    # Registers of pipeline stage s: its spikes so far, and what the stages after it need.
    spikes = [Signal(intbv(0)[spike_bits:]) for _ in range(timesteps)]
    held = [signed(neuron.current_bits) for _ in range(timesteps * spike_bits)]
    held_thetas = [signed(neuron.theta_bits) for _ in range(timesteps * lanes)]
    membrane = [signed(neuron.potential_bits) for _ in range(timesteps * lanes)]

    current_fields = unpack(src.data, currents)
    walk = group_walk(clk, rst, take, next_group, columns, groups)
    theta_rom = rom(clk, always_read, next_group, theta_word, neuron.theta)
    theta_fields = unpack(theta_word, thetas)

    @always_comb
    def flow():
        step.next = dst.ready or not occupied[last_stage]

    @always_comb
    def find_arriving():
        for s in range(timesteps):
            if s == 0:
                arriving.next[s] = src.valid
            else:
                arriving.next[s] = occupied[s - 1]

    @always_comb
    def handshake():
        src.ready.next = step
        take.next = src.valid and step
        always_read.next = True
        dst.valid.next = occupied[last_stage]
        dst.data.next = spikes[last_stage]

    @always(clk.posedge)
    def move():
        if rst:
            occupied.next = 0
        elif step:
            occupied.next = arriving

    @always(clk.posedge)
    def fire():
        v = intbv(0, min=low, max=high)
        product = intbv(0, min=product_low, max=product_high)
        theta = intbv(0, min=low, max=high)
        spike = False
        pattern = intbv(0)[spike_bits:]
        for s in range(timesteps):
            if step and arriving[s]:
                pattern[:] = 0
                if s != 0:
                    pattern[:] = spikes[s - 1]
                for p in range(lanes):
                    if s == 0:
                        theta[:] = thetas[p]
                        v[:] = currents[p * timesteps]
                    else:
                        theta[:] = held_thetas[(s - 1) * lanes + p]
                        # Widened first: in VHDL a product with a constant has the width of the other factor.
                        product[:] = membrane[(s - 1) * lanes + p]
                        product[:] = product * multiplier
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
