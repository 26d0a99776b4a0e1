"""What a neuron contributes to the score of its class."""

from myhdl import always, block, instances, intbv

from .checks import READOUTS, check_choice, check_number, check_signed, check_width
from .stream import counter, index_bits


@block
def neuron_score(clk, step, word, given, rst=None, ends_pass=None, *, score, timesteps, passes):
    """Looks at one neuron in each pass: counts its spikes, finds its first one, or takes its potential.

    It is a part of its readout's module.

    Ports:
        step       in   1      `word` is that of the next neuron
        word       in          its spikes, bit t of the pass, or its potential
        given      out         of that neuron, one cycle later: its spikes (count), timesteps less that of its first spike of the
                               pass, 0 if there is none (first_spike), or its potential, signed
        rst        in   1      reset; None except with first_spike and several passes, as ends_pass
        ends_pass  in   1      with `step`: the neuron is the last of its pass

    Parameters:
        score: one of READOUTS
        timesteps: of a pass
        passes: of an image

    Timing: one neuron a cycle, latency 1.
    """
    check_choice("neuron_score", READOUTS, score=score)
    check_number("neuron_score", 1, timesteps=timesteps, passes=passes)
    later_timesteps = (passes - 1) * timesteps

    if score == "count":
        check_width("neuron_score", timesteps, word=word)
        check_width("neuron_score", index_bits(timesteps + 1), given=given)

        @always(clk.posedge)
        def count_spikes():
            spikes = intbv(0, min=0, max=timesteps + 1)
            if step:
                spikes[:] = 0
                for t in range(timesteps):
                    if word[t]:
                        spikes[:] = spikes + 1
                given.next = spikes

    elif score == "first_spike":
        check_width("neuron_score", timesteps, word=word)
        check_width("neuron_score", index_bits(later_timesteps + timesteps + 1), given=given)
        # Timesteps of the passes that are left.
        left = counter(later_timesteps + 1) if passes > 1 else 0

        @always(clk.posedge)
        def find_first_spike():
            earliness = intbv(0, min=0, max=later_timesteps + timesteps + 1)
            if step:
                earliness[:] = 0
                for t in range(timesteps):
                    if word[timesteps - 1 - t]:
                        earliness[:] = left + t + 1
                given.next = earliness

        if passes > 1:

            @always(clk.posedge)
            def count_passes():
                if rst:
                    left.next = later_timesteps
                elif step and ends_pass:
                    if left == 0:
                        left.next = later_timesteps
                    else:
                        left.next = left - timesteps

    else:
        check_signed("neuron_score", len(word), given=given)

        @always(clk.posedge)
        def take_potential():
            if step:
                given.next = word.signed()

    return instances()
