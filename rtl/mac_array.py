"""The weight-stationary MAC array of the dense core."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .group_walk import group_walk
from .loading import parameter_memory
from .stream import counter, pack, signed, unpack


@block
def mac_array(
    clk, rst, src, dst, lanes, columns, repeat, inputs, input_bits, input_signed, current_bits, bias, weights, load=None
):
    """Multiplies each window with the weights of `lanes` output channels and sums: a = bias + sum of w * x.

    The weights of a channel group stay in the array for a whole scan over a row.

    Ports:
        src  sink    windows, `inputs` fields of input_bits
        dst  source  currents, lanes * repeat fields of current_bits; field lane * repeat + t is the lane's current, for
                     each t: direct coding shows the same image at every timestep
        load in      of a loadable core, see loading.Load

    Parameters:
        columns: windows of one channel group before the next group's begin
        bias: Table, one word for each group: lanes fields of current_bits
        weights: Table, one word for each group: field lane * inputs + i is the weight of input i

    Timing: one window a cycle, latency 2 cycles.
    """
    groups = weights.depth
    weight_bits = weights.width // (lanes * inputs)
    low, high = -(2 ** (current_bits - 1)), 2 ** (current_bits - 1)
    product_bits = weight_bits + input_bits

    always_read = Signal(bool(1))
    step = Signal(bool(0))
    take = Signal(bool(0))
    next_group = counter(groups)
    weight_word = Signal(intbv(0)[weights.width :])
    bias_word = Signal(intbv(0)[bias.width :])
    taps = [signed(weight_bits) for _ in range(lanes * inputs)]
    biases = [signed(current_bits) for _ in range(lanes)]
    # Signed also where the image is not: MyHDL does not extend an unsigned list element in a signed product.
    values = [signed(input_bits + 1) for _ in range(inputs)]
    fields = [signed(input_bits) if input_signed else Signal(intbv(0)[input_bits:]) for _ in range(inputs)]
    multiplied, summed = Signal(bool(0)), Signal(bool(0))
    products = [signed(product_bits) for _ in range(lanes * inputs)]
    held_biases = [signed(current_bits) for _ in range(lanes)]
    sums = [signed(current_bits) for _ in range(lanes * repeat)]

    walk = group_walk(clk, rst, take, next_group, columns, groups)
    weight_rom = parameter_memory(load)(clk, always_read, next_group, weight_word, weights)
    bias_rom = parameter_memory(load)(clk, always_read, next_group, bias_word, bias)
    weight_fields = unpack(weight_word, taps)
    bias_fields = unpack(bias_word, biases)
    value_fields = unpack(src.data, fields)
    sum_fields = pack(sums, dst.data)

    @always_comb
    def extend():
        for i in range(inputs):
            values[i].next = fields[i]

    @always_comb
    def flow():
        step.next = dst.ready or not summed

    @always_comb
    def handshake():
        src.ready.next = step
        take.next = src.valid and step
        always_read.next = True
        dst.valid.next = summed

    @always(clk.posedge)
    def move():
        if rst:
            multiplied.next = False
            summed.next = False
        elif step:
            multiplied.next = src.valid
            summed.next = multiplied

    @always(clk.posedge)
    def multiply():
        if step:
            for p in range(lanes):
                held_biases[p].next = biases[p]
                for i in range(inputs):
                    products[p * inputs + i].next = taps[p * inputs + i] * values[i]

    @always(clk.posedge)
    def add():
        total = intbv(0, min=low, max=high)
        if step:
            for p in range(lanes):
                total[:] = held_biases[p]
                for i in range(inputs):
                    total[:] = total + products[p * inputs + i]
                for t in range(repeat):
                    sums[p * repeat + t].next = total

    return instances()
