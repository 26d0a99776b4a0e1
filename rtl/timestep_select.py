"""The timesteps of a beat, one after the other."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .stream import counter, pack, unpack


@block
def timestep_select(clk, rst, src, dst, *, inputs, input_bits, timesteps):
    """Gives what a beat holds for each of its timesteps, one after the other, and only then takes the next beat.

    Ports:
        src  sink    inputs * timesteps fields of input_bits, field input * timesteps + t
        dst  source  inputs fields of input_bits, of timestep 0, then 1 and so on

    Timing: one beat a cycle at dst, latency 0. Two timesteps, beats A and B:

        src        |A      |B      |----
        src.ready  ____/~~~\\___/~~~\\____
        dst        |A0 |A1 |B0 |B1 |----
    """
    check_number("timestep_select", 1, inputs=inputs, input_bits=input_bits)
    check_number("timestep_select", 2, timesteps=timesteps)
    check_width("timestep_select", inputs * timesteps * input_bits, src=src.data)
    check_width("timestep_select", inputs * input_bits, dst=dst.data)
    last_timestep = timesteps - 1
    timestep = counter(timesteps)
    values = [Signal(intbv(0)[input_bits:]) for _ in range(inputs * timesteps)]
    selected = [Signal(intbv(0)[input_bits:]) for _ in range(inputs)]

    value_fields = unpack(src.data, values)
    selected_fields = pack(selected, dst.data)

    @always_comb
    def select_values():
        for i in range(inputs):
            selected[i].next = values[i * timesteps]
            for t in range(1, timesteps):
                if timestep == t:
                    selected[i].next = values[i * timesteps + t]

    @always_comb
    def handshake():
        src.ready.next = src.valid and dst.ready and timestep == last_timestep
        dst.valid.next = src.valid

    @always(clk.posedge)
    def advance_timestep():
        if rst:
            timestep.next = 0
        elif src.valid and dst.ready:
            timestep.next = 0 if timestep == last_timestep else timestep + 1

    return instances()
