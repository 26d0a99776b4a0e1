"""Proofs of the accumulators: what their memories hold is what they need."""

from collections.abc import Callable

from duospike.rtl.accumulator import accumulator, row_padding
from duospike.rtl.fc_accumulator import fc_accumulator
from duospike.rtl.stream import Stream
from verification.proof import Fault, Misuse, Proof, activity_counts, bit, leaving_constants, shown, table

CURRENT_BITS, WEIGHT_BITS = 3, 2
K3 = (3, 3)


Size = tuple[int, int]


def places(size: int, leaving: range | None) -> range:
    """Those that leave, by default all."""
    return range(size) if leaving is None else leaving


def build(height: int, width: int, groups: int, kernel: Size, padding: int, rows: range, columns: range) -> Callable:
    """Builder of an accumulator of one channel, lane and timestep."""
    return lambda: accumulator(
        bit(), bit(), Stream(kernel[0] * kernel[1] * WEIGHT_BITS + 2), Stream(CURRENT_BITS), activity_counts(),
        height=height, width=width, out_rows=rows, out_columns=columns, parts=1, padding=padding, kernel=kernel, timesteps=1,
        lanes=1, weight_bits=WEIGHT_BITS, current_bits=CURRENT_BITS, bias=table("b.hex", CURRENT_BITS, groups),
    )  # fmt: skip


def accumulation(
    height: int, width: int, groups: int, kernel: Size, depth: int, reach: int, *faults: Fault,
    out_rows: range | None = None, out_columns: range | None = None,
) -> Proof:  # fmt: skip
    """A proof of an accumulator with no more padding than it needs. out_rows, out_columns: the output window, by default all."""
    rows, columns = places(height, out_rows), places(width, out_columns)
    padding = row_padding(width, groups, kernel, 1)
    less = Misuse(
        "padding is one pixel less", build(height, width, groups, kernel, padding - 1, rows, columns), {"PADDING": padding - 1},
        "duospike.rtl.accumulator.row_padding",
    )  # fmt: skip
    leaving = "" if len(rows) == height and len(columns) == width else f", rows {shown(rows)}, columns {shown(columns)}"
    return Proof(
        f"accumulator, {height} x {width}, groups {groups}, kernel {kernel[0]} x {kernel[1]}{leaving}",
        "an event reaches the columns of its scan; a frame gives a beat for each place of the output window and group"
        + "; the line buffer gives what left the window last" * (kernel[0] > 1),
        "accumulator line_buffer" if kernel[0] > 1 else "accumulator",
        build(height, width, groups, kernel, padding, rows, columns), depth, faults,
        {
            "HEIGHT": height, "WIDTH": width, "GROUPS": groups, "PADDING": padding, "KERNEL_ROWS": kernel[0],
            "KERNEL": kernel[1], **leaving_constants(rows, columns),
        },
        {"ram": "ram", "line_buffer": "line_addresses"}, reach, (less,) if padding else (),
    )  # fmt: skip


def fc_accumulation(rows: int, groups: int, depth: int, *faults: Fault) -> Proof:
    """A proof of a fully connected accumulator of one lane and timestep."""
    return Proof(
        f"fc_accumulator, rows {rows}, groups {groups}",
        "a current is its bias and the weights of all events of its passes; those of the row before come back",
        "fc_accumulator fc_state" if rows > 1 and groups > 1 else "fc_accumulator",
        lambda: fc_accumulator(
            bit(), bit(), Stream(WEIGHT_BITS + 2), Stream(CURRENT_BITS), activity_counts(),
            parts=rows, timesteps=1, lanes=1, weight_bits=WEIGHT_BITS, current_bits=CURRENT_BITS,
            bias=table("b.hex", CURRENT_BITS, groups),
        ),
        depth, faults, {"ROWS": rows, "GROUPS": groups}, {"rom": "ram"}, depth + 4,
    )  # fmt: skip


BLOCKED = "assign blocked = (valid && (!dst_ready));"
FC_ADD = "assign add = (src_valid && primed && (!(src_data[3] && valid && (!dst_ready))));"
OWN = "own_scan[b] <= (parities[(b + 1)] == parities[(1 + 1)]);"

PROOFS: tuple[Proof, ...] = (
    accumulation(
        2, 3, 1, K3, 12, 30,
        Fault("a column is stored at its neighbour's address", "store_addr <= addr[0];", "store_addr <= addr[1];"),
        Fault("a column is stored one step early", "store <= (shift && keeps[0]);", "store <= (shift && keeps[1]);"),
        Fault("the line is read a column late", ".read_addr(line_next_addr)", ".read_addr(line_addr)"),
        Fault("the second row starts from the bias as well", "|| (row == 0)", "|| (row <= 1)"),
        Fault("an empty pixel gives a beat", "last_of_row && (column < 3)", "last_of_row && (column < 4)"),
        Fault("an event is taken before its column is there", "is_primed <= (priming <= 1);", "is_primed <= (priming <= 2);"),
        Fault("an event reaches the columns of all scans", OWN, "own_scan[b] <= 1;"),
        Fault("an event reaches those of the scan before its own", OWN, OWN.replace("[(1 + 1)]", "[1]")),
    ),
    accumulation(1, 1, 1, K3, 11, 24),
    accumulation(
        1, 6, 2, K3, 10, 40,
        Fault("the second group is left out", "if ((channel_group != 1)) begin", "if ((channel_group != 0)) begin"),
    ),
    accumulation(1, 3, 1, (5, 5), 13, 36),
    accumulation(2, 3, 1, (2, 2), 12, 26),
    accumulation(
        2, 2, 2, (1, 4), 13, 24,
        Fault("an event reaches the first column of the next frame", "if ((tail == 0)) begin", "if ((tail == 1)) begin"),
        Fault("the window is filled with a column less", "priming <= (2 + 1);", "priming <= (2 + 0);"),
    ),
    # A window of sums that holds columns of five scans.
    accumulation(
        2, 1, 4, (1, 5), 12, 20,
        Fault("an event reaches the columns of each second scan", "for (b=2; b<3; b=b+1) begin", "for (b=0; b<5; b=b+1) begin"),
    ),
    accumulation(
        3, 3, 1, (1, 2), 12, 24,
        Fault("a row leaves that the window does not have", "1: row_leaves = 0;", "1: row_leaves = 1;"),
        Fault("a row of the window does not leave", "0: row_leaves = 1;", "0: row_leaves = 0;"),
        Fault("a column leaves that the window does not have", "0: column_leaves = 0;", "0: column_leaves = 1;"),
        Fault("the columns are not looked at", " && (column_leaves != 0)", ""),
        out_rows=range(0, 3, 2), out_columns=range(1, 3),
    ),
    accumulation(
        2, 2, 1, (1, 1), 9, 12,
        Fault("the sums change while currents wait", BLOCKED, "assign blocked = 0;"),
        Fault("the window moves with each event", "moves <= shift;", "moves <= 1;"),
        Fault("a current is lost", "valid <= leaving_emits;", "valid <= leaving_emits && !valid;"),
        Fault("an event waits for ready", BLOCKED, BLOCKED.replace("valid && ", ""), "ready"),
    ),
    fc_accumulation(
        2, 2, 10,
        Fault("sums are kept without the last event", "stored_word <= kept_word;", "stored_word <= sums[0];"),
        Fault("the second row starts from the bias", "(read_part == 0);", "(read_part == 1);"),
        Fault("the mask is not looked at", "if ((add && mask[t])) begin", "if (add) begin"),
        Fault("sums move while currents wait", "src_data[3] && (!(valid && (!dst_ready))))", "src_data[3])"),
        Fault("an event waits for ready", FC_ADD, FC_ADD.replace("] && valid", "]"), "ready"),
    ),
    fc_accumulation(
        3, 3, 8,
        Fault("the sums of the group before are loaded", "stored_word <= kept_word;", "stored_word <= total_word;"),
    ),
    fc_accumulation(
        2, 1, 8,
        Fault("each row starts from the bias", "if (next_is_first) begin", "if (1) begin"),
    ),
    fc_accumulation(
        1, 2, 8,
        Fault("the bias is that of the pass before", ".read_addr(read_group)", ".read_addr(next_read_group)"),
    ),
)  # fmt: skip
