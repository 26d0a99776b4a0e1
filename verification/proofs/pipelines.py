"""Proofs of the pipelines: what the neurons and the MAC array compute, and when."""

from duospike.rtl.lif import Lif, lif, lif_depth, lif_latency
from duospike.rtl.mac_array import mac_array, mac_latency
from duospike.rtl.membrane_value import membrane_value
from duospike.rtl.memory import Table
from duospike.rtl.stream import Stream, signed
from verification.proof import Fault, Proof, bit, table

KINDS = ("subtract", "subtract_delayed", "zero", "none")
GROUPS, COLUMNS = 2, 2
CURRENT_BITS, THETA_BITS, POTENTIAL_BITS = 3, 3, 6
MULTIPLIER, SHIFT = 3, 2
TIMESTEPS = 2


def neurons(kind: str, *faults: Fault, own_leaks: bool = False) -> Proof:
    """A proof of two timesteps of neurons; the potential is as wide as any current of CURRENT_BITS needs.

    own_leaks: each channel has a multiplier of its own.
    """
    neuron = Lif(
        reset=kind, multiplier=MULTIPLIER, shift=SHIFT, current_bits=CURRENT_BITS, potential_bits=POTENTIAL_BITS,
        theta_bits=THETA_BITS, theta=table("theta.hex", THETA_BITS, GROUPS),
        leaks=table("leak.hex", MULTIPLIER.bit_length(), GROUPS) if own_leaks else None,
    )  # fmt: skip
    return Proof(
        f"lif, {kind}" + ", own leaks" * own_leaks,
        "the spikes are those of the neuron's equation; a beat comes out after five cycles, none is lost or made up, and none "
        "taken that the queue may not hold",
        "room lif " + ("own_leaks" if own_leaks else "fixed_leak"),
        lambda: lif(
            bit(), bit(), Stream(2 * CURRENT_BITS), Stream(2),
            lanes=1, timesteps=TIMESTEPS, rows=1, columns=COLUMNS, passes=1, neuron=neuron,
        ),
        10, faults,
        {
            "KIND": KINDS.index(kind), "MULTIPLIER": MULTIPLIER, "SHIFT": SHIFT,
            "THETA": THETA_BITS, "GROUPS": GROUPS, "COLUMNS": COLUMNS,
            "LATENCY": lif_latency(TIMESTEPS), "DEPTH": lif_depth(TIMESTEPS),
        },
        {
            "rom": "ram", "fifo": "ring", "credit_counter": "credits", "neuron_pipeline": "steps neuron_pipeline",
            "neuron": "neuron",
        }, 12,
    )  # fmt: skip


def values(*faults: Fault) -> Proof:
    """A proof of one timestep of a potential that a read-out takes, the largest up to it."""
    return Proof(
        "membrane_value", "a value is the larger one of the potential and the value that came with it", "membrane_value",
        lambda: membrane_value(bit(), bit(), signed(4), signed(4), bit(), signed(4)), 6, faults, {}, {}, 6,
    )  # fmt: skip


def multiplication(
    inputs: int, words: tuple[int, ...], is_signed: bool, *faults: Fault, has_bias: bool = True, columns: int = COLUMNS
) -> Proof:
    """A proof of windows of `inputs` pixels of two bits; words: the weights of each group, three bits each."""
    current_bits, repeat = 7, 2
    bias, weights = table("b.hex", current_bits, GROUPS) if has_bias else None, Table("w.hex", 3 * inputs, words)
    stages = mac_latency(inputs + has_bias)
    return Proof(
        f"mac_array, {inputs} inputs, {'signed' if is_signed else 'unsigned'} image" + ", no bias" * (not has_bias),
        f"a current is {'the bias and ' * has_bias}the sum of weight times pixel; a window comes out after {stages} cycles, none "
        "is lost or made up",
        f"{'mac_bias' if has_bias else 'no_bias'} mac_array", lambda: mac_array(
            bit(), bit(), Stream(2 * inputs), Stream(repeat * current_bits),
            lanes=1, columns=columns, repeat=repeat, inputs=inputs, input_bits=2, input_signed=is_signed,
            current_bits=current_bits, bias=bias, weights=weights,
        ), 8, faults,
        {
            "SIGNED": is_signed, "INPUTS": inputs, "REPEAT": repeat, "GROUPS": GROUPS, "COLUMNS": columns, "STAGES": stages,
        },
        {"rom": "ram"}, 12,
    )  # fmt: skip


NEXT_GROUP = "else if ((advance && (column == 1))) begin"

PROOFS: tuple[Proof, ...] = (
    neurons(
        "subtract",
        Fault("a potential at the threshold fires", "crosses = (charged > kept_theta);", "crosses = (charged >= kept_theta);"),
        Fault("no reset", "remaining = (charged - kept_theta);", "remaining = charged;"),
        Fault("thresholds change a beat too late", NEXT_GROUP, NEXT_GROUP.replace("1", "0")),
        Fault("a beat is made up", "entering[t] = take;", "entering[t] = 1;"),
        Fault("a beat is taken that the queue may not hold", "has_room <= (beats_inside != 5);", "has_room <= 1;"),
        Fault("a place is free before its beat has left", "leave = (spiking_valid && dst_ready);", "leave = spiking_valid;"),
    ),
    neurons(
        "subtract_delayed",
        Fault("no reset", "if (spiked) begin", "if (1'b0) begin"),
        Fault("the leak is another", "leaked <= $signed(product >>> 2);", "leaked <= $signed(product >>> 1);"),
        Fault("the second current is the next beat's", ".current(firing_currents[1])", ".current(now[1])"),
    ),
    neurons(
        "zero",
        Fault("the threshold is another beat's", ".theta(neurons_0_carried_theta)", ".theta(neurons_0_theta)"),
    ),
    neurons(
        "subtract",
        Fault("the multiplier is the next beat's", "$signed({1'b0, kept_factor})", "$signed({1'b0, factor})"),
        Fault(
            "all channels have one multiplier", ".read_addr(read_group),\n    .q(factors)", ".read_addr(1'b0),\n    .q(factors)"
        ),
        own_leaks=True,
    ),
    values(
        Fault("an earlier value is forgotten", "if ((kept > charged)) begin", "if (0) begin"),
        Fault("values have no sign", "(kept > charged)", "($unsigned(kept) > $unsigned(charged))"),
        Fault("the earlier value is another beat's", "value <= kept;", "value <= earlier;"),
    ),
    neurons(
        "none",
        Fault("a spike resets", "product = charged;", "product = spike ? 0 : charged;"),
    ),
    multiplication(
        2, (0o35, 0o62), False,
        Fault("the bias is left out", "<= biases[p];", "<= 0;"),
        Fault("half of the terms are left out", "<= (left + right);", "<= left;"),
        Fault("weights change a window too late", NEXT_GROUP, NEXT_GROUP.replace("1", "0")),
        Fault("weights change as a window comes in", "window = (occupied[0] && step);", "window = (src_valid && step);"),
        Fault("a window is lost", "occupied <= arriving;", "occupied <= arriving & {3{src_valid}};"),
    ),
    multiplication(
        2, (0o35, 0o62), True,
        Fault("a pixel's sign is lost", "values[i] <= fields[i];", "values[i] <= fields[i] & 3;"),
    ),
    multiplication(
        4, (0o3512, 0o6237), False,
        Fault("what pads the sums of the first step is not zero", "totals[((p * 4) + g)] <= 0;", "totals[((p * 4) + g)] <= 1;"),
        Fault("the second group of terms is left out", "totals[((p * 4) + g)] <= (left", "if (g == 0) totals[p * 4] <= (left"),
    ),
    # As in a fully connected stage: each word has weights of its own.
    multiplication(
        2, (0o35, 0o62), True,
        Fault(
            "the last product is left out", "i<2; i=i+1) begin\n                products",
            "i<1; i=i+1) begin\n                products",
        ),
        Fault("weights change as a window comes in", "window = (occupied[0] && step);", "window = (src_valid && step);"),
        has_bias=False, columns=1,
    ),
)  # fmt: skip
