"""What a column of the accumulators' window begins with."""

from myhdl import always_comb, block, instances

from .checks import check_number, check_width
from .kernel import check_kernel
from .line_buffer import waiting_rows
from .stream import pack, signed, unpack


@block
def column_start(fresh, biases, stored_word, entering, same_row=None, *, kernel, parts, timesteps, lanes, current_bits):
    """Gives a column that enters the window its biases, or what the line buffer has kept for it. It is a part of its
    accumulator's module.

    Ports:
        fresh        in   1  the column begins with the biases
        biases       in      lanes fields of current_bits
        stored_word  in      waiting_rows() for each timestep and lane
        entering     out     field (t * lanes + lane) * rows + a, of current_bits, for row a
        same_row     in   1  the column goes on with the sums of the part before; None where there is one part, or one row

    Parameters: those of accumulator(); rows = kernel[0]

    Timing: no latency.
    """
    check_kernel("column_start", kernel)
    check_number("column_start", 1, parts=parts, timesteps=timesteps, lanes=lanes, current_bits=current_bits)
    kernel_rows, rows = kernel[0], len(waiting_rows(kernel, parts))
    check_number("column_start", 1, waiting_rows=rows)
    neurons = timesteps * lanes
    check_width("column_start", lanes * current_bits, biases=biases)
    check_width("column_start", neurons * rows * current_bits, stored_word=stored_word)
    check_width("column_start", neurons * kernel_rows * current_bits, entering=entering)
    # One more than is used: HDL also holds the index after the last slot, in a branch that is never taken.
    stored = [signed(current_bits) for _ in range(neurons * rows + 1)]
    begins = [signed(current_bits) for _ in range(lanes)]
    enters = [signed(current_bits) for _ in range(neurons * kernel_rows)]

    stored_fields = unpack(stored_word, stored[:-1])
    bias_fields = unpack(biases, begins)
    entering_fields = pack(enters, entering)

    if same_row is not None:

        @always_comb
        def enter():
            for n in range(neurons):
                for a in range(kernel_rows):
                    enters[n * kernel_rows + a].next = begins[n % lanes]
                    if same_row:
                        enters[n * kernel_rows + a].next = stored[n * kernel_rows + a]
                    elif a != kernel_rows - 1 and not fresh:
                        enters[n * kernel_rows + a].next = stored[n * kernel_rows + a + 1]

    elif kernel_rows == 1:

        @always_comb
        def enter():
            for n in range(neurons):
                enters[n].next = begins[n % lanes]
                if not fresh:
                    enters[n].next = stored[n]

    else:
        # In the next row the output of row a is the one of row a - 1.
        @always_comb
        def enter():
            for n in range(neurons):
                for a in range(kernel_rows):
                    enters[n * kernel_rows + a].next = begins[n % lanes]
                    if a != kernel_rows - 1 and not fresh:
                        enters[n * kernel_rows + a].next = stored[n * rows + a]

    return instances()
