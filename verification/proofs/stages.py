"""Proofs of what the pools and the read-out compute."""

from duospike.rtl.crop import Crop, crop
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
    is_plain = (kernel, stride, padding) == ((2, 2), (2, 2), (0, 0))
    shown = "" if is_plain else f", kernel {kernel}, stride {stride}, padding {padding}"
    positions = groups * made.rows.positions * made.columns.positions
    return Proof(
        f"pool, {height} x {width}, groups {groups}{shown}",
        "an output is the OR of the inputs of its window; incomplete last windows are dropped",
        "pool", stage(pool, made), depth, faults, {"HEIGHT": height, "WIDTH": width, "GROUPS": groups} | sizes,
        {"ram": "ram", "window_axis": "window_axis", "delay_line": "delay_line"}, 3 + positions,
    )  # fmt: skip


def cropping(rows: int, columns: int, groups: int, kept_rows: int, kept_columns: int, depth: int, *faults: Fault) -> Proof:
    """A proof of a crop of beats of two bits."""
    sizes = Crop(rows=rows, columns=columns, groups=groups, kept_rows=kept_rows, kept_columns=kept_columns)
    return Proof(
        f"crop, {rows} x {columns}, groups {groups}, kept {kept_rows} x {kept_columns}",
        "the beats of the first rows and columns leave in the cycle in which they come, the others are taken and dropped",
        "crop", lambda: crop(bit(), bit(), Stream(2), Stream(2), sizes=sizes), depth, faults,
        {"ROWS": rows, "COLUMNS": columns, "GROUPS": groups, "KEPT_ROWS": kept_rows, "KEPT_COLUMNS": kept_columns}, {},
        2 * rows * columns * groups + 6,
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


SCORES = {"count": 0, "first_spike": 1, "last_membrane": 2, "max_membrane": 3}
POTENTIAL_BITS = 3


def reading(
    score: str, outputs: int, lanes: int, timesteps: int, classes: int, depth: int, *faults: Fault, passes: int = 1
) -> Proof:
    parameters = Readout(
        outputs=outputs, lanes=lanes, timesteps=timesteps, passes=passes, classes=classes, score=score,
        potential_bits=POTENTIAL_BITS,
    )  # fmt: skip
    of_neurons = {"count": "its spikes", "first_spike": "what is left from its first spike"}.get(score, "its potential")
    return Proof(
        f"readout, {score}, {outputs} neurons, {classes} classes, lanes {lanes}" + f", {passes} passes" * (passes > 1),
        f"a score is made of its neurons, of each {of_neurons}; the class is the smallest with the highest score; an image has "
        "an answer",
        "readout", stage(readout, parameters), depth, faults,
        {
            "OUTPUTS": outputs, "LANES": lanes, "TIMESTEPS": timesteps, "CLASSES": classes, "SCORE": SCORES[score],
            "FIELD": parameters.field_bits, "PASSES": passes,
        },
        {}, depth + 4 + 2 * outputs * passes,
    )  # fmt: skip


PROOFS: tuple[Proof, ...] = (
    cropping(
        3, 3, 2, 2, 2, 16,
        Fault("a column more is kept", "(column < 2)", "(column < 3)"),
        Fault("a row more is kept", "(row < 2)", "(row < 3)"),
        Fault("a row ends with its first group", "if ((group_index == 1)) begin", "if (1) begin"),
        Fault(
            "a beat that is dropped waits for the output",
            "assign take = (src_valid && (dst_ready || (!keep)));", "assign take = (src_valid && dst_ready);",
        ),
    ),
    cropping(
        2, 3, 1, 2, 1, 10,
        Fault("the next map begins in the last row", "row <= (row == 1) ? 0 : (row + 1);", "row <= 1;"),
        Fault("a map begins a column late", "column <= (column == 2) ? 0", "column <= (column == 2) ? 1"),
    ),
    cropping(3, 2, 2, 2, 2, 10),
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
    pooling(
        3, 3, 1, 8,
        Fault("the row above is left out", ".stored(above)", ".stored(2'b0)"),
        kernel=(2, 1), stride=(1, 2),
    ),
    # Columns and rows between the windows are in none of them.
    pooling(
        5, 5, 1, 8,
        Fault("each row gives outputs", "(step && column_ends && row_ends);", "(step && column_ends);"),
        kernel=(2, 2), stride=(3, 3), padding=(0, 1),
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
    pooling_currents(
        "sum", (3, 1), 3, 2, 1, 8,
        Fault("a sum begins in its last row", "_column_begins && opening_row_begins)", "_column_begins && row_ends)"),
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
    reading(
        "count", 4, 2, 1, 2, 9,
        Fault("an image has the answer of its first pass", "last_neuron && (pass_index == 1));", "last_neuron);"),
        Fault("each pass counts anew", "else if (voted_later) begin", "else if (0) begin"),
        passes=2,
    ),
    reading(
        "first_spike", 2, 1, 2, 2, 8,
        Fault(
            "a spike of a later pass is as early", "look_at_neuron_left <= (look_at_neuron_left - 2);",
            "look_at_neuron_left <= look_at_neuron_left;",
        ),
        Fault(
            "the next image has no passes left", "if ((look_at_neuron_left == 0)) begin\n            look_at_neuron_left <= 2;",
            "if ((look_at_neuron_left == 0)) begin\n            look_at_neuron_left <= 0;",
        ),
        passes=2,
    ),
    reading(
        "last_membrane", 3, 2, 1, 3, 9,
        Fault("potentials of a later pass are not kept", "    merge_scores_kept[", "    if (!pass_index) merge_scores_kept["),
        passes=2,
    ),
    reading(
        "max_membrane", 2, 1, 1, 2, 8,
        Fault("the potential is that of the last pass", "if (voted_later) begin", "if (0) begin"),
        Fault("the last image's potentials count", "voted_later <= (pass_index != 0);", "voted_later <= 1;"),
        passes=3,
    ),
)  # fmt: skip
