"""Proofs of the pipelines: what the neurons and the MAC array compute, and when."""

from rtl.lif import Lif, lif, lif_depth, lif_latency
from rtl.mac_array import mac_array
from rtl.stream import Stream

from ..proof import Fault, Proof, bit, table

KINDS = ("subtract", "subtract_delayed", "zero")
GROUPS, COLUMNS = 2, 2
CURRENT_BITS, THETA_BITS, POTENTIAL_BITS = 3, 3, 6
MULTIPLIER, SHIFT = 3, 2
TIMESTEPS = 2


def neurons(kind: str, *faults: Fault) -> Proof:
    """A proof of two timesteps of neurons; the potential is as wide as any current of CURRENT_BITS needs."""
    theta = table("theta.hex", THETA_BITS, GROUPS)
    neuron = Lif(kind, MULTIPLIER, SHIFT, CURRENT_BITS, POTENTIAL_BITS, THETA_BITS, theta)
    return Proof(
        f"lif, {kind}",
        "the spikes are those of the neuron's equation; a beat comes out after five cycles, none is lost or made up, and none "
        "taken that the queue may not hold",
        "lif", lambda: lif(bit(), bit(), Stream(2 * CURRENT_BITS), Stream(2), 1, TIMESTEPS, 1, COLUMNS, 1, neuron), 10, faults,
        {
            "KIND": KINDS.index(kind), "MULTIPLIER": MULTIPLIER, "SHIFT": SHIFT,
            "THETA": THETA_BITS, "GROUPS": GROUPS, "COLUMNS": COLUMNS,
            "LATENCY": lif_latency(TIMESTEPS), "DEPTH": lif_depth(TIMESTEPS),
        },
        {"rom": "ram", "event_queue": "ring"}, 12,
    )  # fmt: skip


def multiplication(is_signed: bool, *faults: Fault) -> Proof:
    current_bits, repeat = 7, 2
    bias, weights = table("b.hex", current_bits, GROUPS), table("w.hex", 6, GROUPS)
    return Proof(
        f"mac_array, {'signed' if is_signed else 'unsigned'} image",
        "a current is the bias and the sum of weight times pixel; a window comes out after two cycles, none is lost or made up",
        "mac_array", lambda: mac_array(
            bit(), bit(), Stream(4), Stream(repeat * current_bits),
            1, COLUMNS, repeat, 2, 2, is_signed, current_bits, bias, weights,
        ), 6, faults,
        {"SIGNED": is_signed, "REPEAT": repeat, "GROUPS": GROUPS, "COLUMNS": COLUMNS}, {"rom": "ram"}, 10,
    )  # fmt: skip


NEXT_GROUP = "else if ((advance && (column == 1))) begin"

PROOFS: tuple[Proof, ...] = (
    neurons(
        "subtract",
        Fault("a potential at the threshold fires", "spike = (v > theta);", "spike = (v >= theta);"),
        Fault("no reset", "if (1'b1) begin", "if (1'b0) begin"),
        Fault("thresholds change a beat too late", NEXT_GROUP, NEXT_GROUP.replace("1", "0")),
        Fault("a beat is made up", "entering[t] = take;", "entering[t] = 1;"),
        Fault("a beat is taken that the queue may not hold", "has_room <= (inside != 5);", "has_room <= 1;"),
        Fault("a place is free before its beat has left", "leave = (spiking_valid && dst_ready);", "leave = spiking_valid;"),
    ),
    neurons(
        "subtract_delayed",
        Fault("no reset", "if ((1'b1 && spiked", "if ((1'b0 && spiked"),
        Fault("the leak is another", "v = $signed(product >>> 2);", "v = $signed(product >>> 1);"),
        Fault("the second current is the next beat's", "= held[(((t - 1) * 2) + i)];", "= currents[(((t - 1) * 2) + i)];"),
    ),
    neurons(
        "zero",
        Fault("the threshold is another beat's", "= held_thetas[", "= thetas[0]; spiked[0] = held_thetas["),
    ),
    multiplication(
        False,
        Fault("the bias is that of the window behind", "total = held_biases[p];", "total = biases[p];"),
        Fault("weights change a window too late", NEXT_GROUP, NEXT_GROUP.replace("1", "0")),
        Fault("a window is lost", "summed <= multiplied;", "summed <= multiplied && src_valid;"),
    ),
    multiplication(
        True,
        Fault("a pixel's sign is lost", "values[i] = fields[i];", "values[i] = fields[i] & 3;"),
    ),
)  # fmt: skip
