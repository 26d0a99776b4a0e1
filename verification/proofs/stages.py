"""Proofs of what the pools and the read-out compute."""

from duospike.rtl.current_pool import CurrentPool, current_pool
from duospike.rtl.pool import Pool, pool
from duospike.rtl.readout import Readout, readout
from duospike.rtl.stream import Stream
from verification.proof import Fault, Proof, bit, stage

WINDOW_FIELDS = {"K": "kernel", "S": "step", "P": "padding", "N": "count", "L": "positions"}
"""By the first letter of a constant, for rows R and columns C, what it is of Windows."""


def pooling(
    height: int, width: int, groups: int, depth: int, *faults: Fault, kernel=(2, 2), stride=(2, 2), padding=(0, 0)
) -> Proof:
    made = Pool(
        height=height, width=width, groups=groups, lanes=1, timesteps=2, kernel=kernel, stride=stride, padding=padding
    )  # fmt: skip
    axes = {"R": made.rows, "C": made.columns}
    sizes = {f"{what}{axis}": getattr(windows, field) for axis, windows in axes.items() for what, field in WINDOW_FIELDS.items()}
    shown = "" if kernel == (2, 2) else f", kernel {kernel}, stride {stride}, padding {padding}"
    positions = groups * made.rows.positions * made.columns.positions
    return Proof(
        f"pool, {height} x {width}, groups {groups}{shown}",
        "an output is the OR of the inputs of its window; incomplete last windows are dropped",
        "pool", stage(pool, made), depth, faults, {"HEIGHT": height, "WIDTH": width, "GROUPS": groups} | sizes,
        {"ram": "ram", "window_axis": "window_axis", "delay_line": "delay_line"}, 3 + positions,
    )  # fmt: skip


def pooling_currents(op: str, kernel: tuple[int, int], height: int, width: int, groups: int, depth: int, *faults: Fault) -> Proof:
    """A proof of a pool of currents of two bits."""
    bits = 2 + (kernel[0] * kernel[1] - 1).bit_length() if op == "sum" else 2
    return Proof(
        f"current_pool, {op} of {kernel[0]} x {kernel[1]}, {height} x {width}, groups {groups}",
        f"an output is the {op} of the currents of its window, one beat after the last of them; incomplete windows are dropped",
        "current_pool",
        lambda: current_pool(
            bit(), bit(), Stream(2), Stream(bits), fields=1, rows=height, columns=width, groups=groups, bits=bits,
            pool=CurrentPool(op=op, kernel=kernel, bits=2),
        ),
        depth, faults,
        {"HEIGHT": height, "WIDTH": width, "GROUPS": groups, "KR": kernel[0], "KC": kernel[1], "SUM": op == "sum"},
        {"ram": "ram", "window_axis": "window_axis", "delay_line": "delay_line"}, 3 + 2 * height * width * groups,
    )  # fmt: skip


SCORES = {"count": 0, "first_spike": 1, "last_membrane": 2, "max_membrane": 2}
POTENTIAL_BITS = 3


def reading(score: str, outputs: int, lanes: int, timesteps: int, classes: int, depth: int, *faults: Fault) -> Proof:
    parameters = Readout(
        outputs=outputs, lanes=lanes, timesteps=timesteps, passes=1, classes=classes, score=score, potential_bits=POTENTIAL_BITS
    )
    of_neurons = {"count": "its spikes", "first_spike": "what is left from its first spike"}.get(score, "its potential")
    return Proof(
        f"readout, {score}, {outputs} neurons, {classes} classes, lanes {lanes}",
        f"a score is made of its neurons, of each {of_neurons}; the class is the smallest with the highest score; an image has "
        "an answer",
        "readout", stage(readout, parameters), depth, faults,
        {
            "OUTPUTS": outputs, "LANES": lanes, "TIMESTEPS": timesteps, "CLASSES": classes, "SCORE": SCORES[score],
            "FIELD": parameters.field_bits,
        },
        {}, depth + 4 + outputs,
    )  # fmt: skip


PROOFS: tuple[Proof, ...] = (
    pooling(
        2, 4, 1, 8,
        Fault("the columns before are left out", "waiting <= still_waiting;", "waiting <= 0;"),
    ),
    pooling(
        3, 3, 2, 8,
        Fault("each row gives outputs", "(step && column_ends && row_ends);", "(step && column_ends);"),
        Fault("a window of one group is that of another", "next_place = (place == 1) ?", "next_place = (place == 0) ?"),
    ),
    pooling(
        3, 4, 1, 8,
        Fault("a window is kept in each column", "assign keep = (step && column_ends);", "assign keep = step;"),
        kernel=(3, 3), padding=(1, 1),
    ),
    pooling(
        2, 2, 1, 8,
        Fault("beats count beyond the map", "beat = 0;", "beat = src_data;"),
        kernel=(3, 3), stride=(1, 1), padding=(1, 1),
    ),
    pooling_currents(
        "max", (2, 2), 2, 4, 1, 8,
        Fault("each row begins anew", "(opening_column_begins && opening_row_begins)", "opening_column_begins"),
        Fault("the smallest current wins", "> currents[i])", "< currents[i])"),
        Fault("each column meets the row above", "if (opening_column_begins) begin", "if (1) begin"),
        Fault(
            "a beat is taken while the output waits",
            "assign take = (src_valid && (dst_ready || (!valid)));", "assign take = src_valid;",
        ),
    ),
    pooling_currents(
        "sum", (2, 2), 3, 3, 2, 8,
        Fault("a result is given in each row", "(take && column_ends && row_ends);", "(take && column_ends);"),
    ),
    reading(
        "count", 6, 4, 2, 3, 11,
        Fault("the last of equal classes wins", "(score > best)", "(score >= best)"),
        Fault("the best of the frame before counts", "((counted_class == 0) || (score > best))", "(score > best)"),
        Fault("lanes without a neuron are counted", "((lane == 3) || (neuron == 5))", "(lane == 3)"),
        Fault("the next image is counted before the last class is compared", "(!voted_all) && (!closing) && ", ""),
    ),
    reading(
        "count", 2, 1, 1, 2, 7,
        Fault("the last of equal classes wins", "(score > best)", "(score >= best)"),
    ),
    reading(
        "first_spike", 4, 3, 2, 2, 9,
        Fault("the last spike counts", "if (field[((2 - 1) - t)]) begin", "if (field[t]) begin"),
        Fault("the latest neuron of a class counts", "if ((given > total)) begin", "if ((given < total)) begin"),
    ),
    reading(
        "last_membrane", 3, 2, 1, 3, 9,
        Fault("scores have no sign", "(score > best)", "($unsigned(score) > $unsigned(best))"),
    ),
    reading(
        "max_membrane", 3, 2, 1, 3, 9,
        Fault(
            "a potential is cut off at zero",
            "total = given;\n        if (voted", "total = given < 0 ? 0 : given;\n        if (voted",
        ),
    ),
)  # fmt: skip
