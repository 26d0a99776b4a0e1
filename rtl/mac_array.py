"""The weight-stationary MAC array of the dense core."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .adder_step import FAN_IN, adder_step
from .checks import check_choice, check_number, check_table, check_width
from .group_walk import group_walk
from .loaded_memory import parameter_memory
from .stream import counter, groups_of, pack, signed, unpack


def adder_groups(terms: int) -> list[int]:
    """Groups of FAN_IN terms that each step of the adder tree sums, for each lane: of products and bias down to one."""
    groups = [groups_of(terms, FAN_IN)]
    while groups[-1] > 1:
        groups.append(groups_of(groups[-1], FAN_IN))
    return groups


def mac_latency(terms: int) -> int:
    """Cycles from a window to its sums of `terms` products and biases: taken, multiplied, brought to the tree, and through it."""
    return 3 + len(adder_groups(terms))


@block
def mac_array(
    clk, rst, src, dst, load=None, *, lanes, columns, repeat, inputs, input_bits, input_signed, current_bits, bias, weights
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
        current_bits: signed width of the currents; without a bias of all sums of some of the products
        bias: Table, one word for each group: lanes fields of current_bits; None: the sums have none
        weights: Table, one word for each group: field lane * inputs + i is the weight of input i

    Timing: one window a cycle, latency mac_latency() cycles.
    """
    check_number("mac_array", 1, lanes=lanes, columns=columns, repeat=repeat, inputs=inputs, input_bits=input_bits)
    check_number("mac_array", 1, current_bits=current_bits)
    check_choice("mac_array", (False, True), input_signed=input_signed)
    groups = weights.depth
    weight_bits = max(1, weights.width // (lanes * inputs))
    check_table("mac_array", lanes * inputs * weight_bits, groups, weights=weights)
    check_width("mac_array", inputs * input_bits, src=src.data)
    check_width("mac_array", lanes * repeat * current_bits, dst=dst.data)
    # A sum of some products lies between two currents, and so needs one bit more at most, as an image may be 0 anywhere.
    sum_bits = current_bits if bias is None else current_bits + 1
    summed = inputs if bias is None else inputs + 1
    tree = adder_groups(summed)
    terms = tree[0] * FAN_IN
    stages = mac_latency(summed)
    last_stage = stages - 1

    always_read = Signal(bool(1))
    step, next_window = Signal(bool(0)), Signal(bool(0))
    # Windows on their way: taken, multiplied, at the tree, after each step of it.
    arriving = Signal(intbv(0)[stages:])
    occupied = Signal(intbv(0)[stages:])
    next_group = counter(groups)
    weight_word = Signal(intbv(0)[weights.width :])
    taps = [signed(weight_bits) for _ in range(lanes * inputs)]
    # Signed also where the image is not: MyHDL does not extend an unsigned list element in a signed product.
    values = [signed(input_bits + 1) for _ in range(inputs)]
    fields = [signed(input_bits) if input_signed else Signal(intbv(0)[input_bits:]) for _ in range(inputs)]
    # Registers twice: multipliers have their places on a chip, and the adders are elsewhere.
    products = [signed(sum_bits) for _ in range(lanes * summed)]
    added = [signed(sum_bits) for _ in range(lanes * terms)]
    sums = [signed(sum_bits) for _ in range(lanes)]
    currents = [signed(current_bits) for _ in range(lanes * repeat)]

    walk = group_walk(clk, rst, next_window, next_group, columns=columns, groups=groups)
    weight_rom = parameter_memory(load)(clk, always_read, next_group, weight_word, table=weights)
    weight_fields = unpack(weight_word, taps)
    value_fields = unpack(src.data, fields)
    current_fields = pack(currents, dst.data)

    # The vectors between the steps: the terms of each, and at the end one sum for each lane.
    widths = [lanes * count * FAN_IN * sum_bits for count in tree] + [lanes * sum_bits]
    vectors = [Signal(intbv(0)[width:]) for width in widths]
    term_fields = pack(added, vectors[0])
    sum_fields = unpack(vectors[-1], sums)
    adders = []
    for k in range(len(tree)):
        padded = tree[k + 1] * FAN_IN if k + 1 < len(tree) else 1
        adders.append(
            adder_step(clk, step, vectors[k], vectors[k + 1], lanes=lanes, groups=tree[k], padded=padded, bits=sum_bits)
        )

    @always_comb
    def find_step():
        step.next = dst.ready or not occupied[last_stage]

    @always_comb
    def handshake():
        src.ready.next = step
        next_window.next = occupied[0] and step
        always_read.next = True
        dst.valid.next = occupied[last_stage]

    @always_comb
    def find_arriving():
        for s in range(stages):
            if s == 0:
                arriving.next[s] = src.valid
            else:
                arriving.next[s] = occupied[s - 1]

    @always(clk.posedge)
    def move_windows():
        if rst:
            occupied.next = 0
        elif step:
            occupied.next = arriving

    @always(clk.posedge)
    def register_window():
        if step:
            for i in range(inputs):
                values[i].next = fields[i]

    if bias is None:

        @always(clk.posedge)
        def multiply_taps():
            if step:
                for p in range(lanes):
                    for i in range(inputs):
                        products[p * summed + i].next = taps[p * inputs + i] * values[i]

    else:
        check_table("mac_array", lanes * current_bits, groups, bias=bias)
        bias_word = Signal(intbv(0)[bias.width :])
        biases = [signed(current_bits) for _ in range(lanes)]
        bias_rom = parameter_memory(load)(clk, always_read, next_group, bias_word, table=bias)
        bias_fields = unpack(bias_word, biases)

        @always(clk.posedge)
        def multiply_taps():
            if step:
                for p in range(lanes):
                    for i in range(inputs):
                        products[p * summed + i].next = taps[p * inputs + i] * values[i]
                    products[p * summed + inputs].next = biases[p]

    @always(clk.posedge)
    def register_products():
        if step:
            for p in range(lanes):
                for i in range(terms):
                    added[p * terms + i].next = 0
                for i in range(summed):
                    added[p * terms + i].next = products[p * summed + i]

    @always_comb
    def repeat_currents():
        for p in range(lanes):
            for t in range(repeat):
                currents[p * repeat + t].next = sums[p]

    return instances()
