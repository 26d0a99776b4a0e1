"""The spikes of a beat on its way through the timesteps."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width


@block
def spike_history(clk, entering, charging, fired, spikes, *, lanes, timesteps):
    """Takes the spikes of earlier timesteps along with each beat. It is a part of its neuron_pipeline's module.

    Ports:
        entering  in                       list: a beat enters timestep t
        charging  in                       list: a beat is in the first stage of timestep t
        fired     in                       list: spikes of the beat in the second stage of timestep t, place t * lanes + lane
        spikes    out  lanes * timesteps   of the beat in the second stage of the last timestep, bit lane * timesteps + t
    """
    check_number("spike_history", 1, lanes=lanes, timesteps=timesteps)
    check_width("spike_history", lanes * timesteps, spikes=spikes)
    beat_bits, last_timestep = lanes * timesteps, timesteps - 1
    # Of the beats in the two stages: spikes of the timesteps before t; then those up to t of the one in the second.
    charging_spikes, firing_spikes, patterns = [[Signal(intbv(0)[beat_bits:]) for _ in range(timesteps)] for _ in range(3)]

    @always_comb
    def give_spikes():
        spikes.next = patterns[last_timestep]

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
        for t in range(1, timesteps):
            if entering[t]:
                charging_spikes[t].next = patterns[t - 1]

    @always(clk.posedge)
    def carry_to_fire():
        for t in range(timesteps):
            if charging[t]:
                firing_spikes[t].next = charging_spikes[t]

    return instances()
