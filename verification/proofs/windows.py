"""Proofs of the image window: what it shows are the pixels under the kernel."""

from duospike.rtl.image_window import image_window
from duospike.rtl.stream import Stream
from verification.proof import Fault, Proof, bit, leaving_constants, shown

Size = tuple[int, int]
K3 = (3, 3)


def window(
    height: int, width: int, groups: int, kernel: Size, depth: int, reach: int, *faults: Fault,
    out_rows: range | None = None, out_columns: range | None = None,
) -> Proof:  # fmt: skip
    """A proof of a window over pixels of one bit. out_rows, out_columns: the output window, by default all."""
    rows, columns = out_rows or range(height), out_columns or range(width)
    is_whole = len(rows) == height and len(columns) == width
    leaving = "" if is_whole else f", rows {shown(rows)}, columns {shown(columns)}"
    return Proof(
        f"image_window, {height} x {width}, groups {groups}, kernel {kernel[0]} x {kernel[1]}{leaving}",
        "each window that leaves shows the pixels under its kernel and 0 outside the image; a row is read only once it has come",
        "image_window" if is_whole else "image_window image_windows_leaving",
        lambda: image_window(
            bit(), bit(), Stream(1), Stream(kernel[0] * kernel[1]), height=height, width=width, out_rows=rows,
            out_columns=columns, kernel=kernel, groups=groups, pixel_bits=1,
        ),
        depth, faults,
        {
            "HEIGHT": height, "WIDTH": width, "GROUPS": groups, "KERNEL": kernel[0], "COLUMNS": kernel[1],
            **leaving_constants(rows, columns),
        },
        {"ram": "ram"}, reach,
    )  # fmt: skip


COUNTED = "assign row_in = (valid && (rows != 4) && (column == 2));"
COUNTED_5 = COUNTED.replace("rows != 4", "rows != 6")
SHOWN = "if ((valids[b] && (parities[b] == parities[1]))) begin"
ADVANCE = "assign advance = (dst_ready || (!valids[1]));"

PROOFS: tuple[Proof, ...] = (
    # In maps of one column all banks are in use within a few cycles.
    window(
        5, 1, 1, K3, 10, 13,
        Fault("the bank above bank 0 is not the last", "+ (4 - 1));", "+ (4 - 2));"),
        Fault("the bank below the last is not bank 0", "bank = (bank - (4 + 1));", "bank = (bank - 4);"),
        Fault("a row is overwritten while the next one needs it", "else if ((row >= 1)) begin", "else begin"),
        Fault("the last rows of an image are not freed", "rows_out = (1 + 1);", "rows_out = 1;"),
        Fault("a row is read before the one below has come", "1: needed = 3;", "1: needed = 2;"),
        Fault("a row outside the image is not 0", "if (fetched_rows[a]) begin", "if (1) begin"),
    ),
    window(
        3, 1, 2, K3, 8, 14,
        Fault("a row is freed after its first group", "(column == 0) && (group_index == 1)))", "(column == 0)))"),
        Fault("both groups have one parity", "parity <= (!parity);", "parity <= parity ^ group_index;"),
        Fault("a column has the parity of the next", "parities[(3 - 1)] <= fetched_parity;", "parities[(3 - 1)] <= parity;"),
        Fault("windows change while they wait", ADVANCE, "assign advance = 1;"),
        Fault("valid waits for ready", "assign dst_valid = valids[1];", "assign dst_valid = valids[1] && dst_ready;", "ready"),
    ),
    window(
        3, 3, 2, K3, 4, 29,
        Fault("a row counts from its first pixel on", COUNTED, COUNTED.replace("column == 2", "column == 0")),
    ),
    window(
        3, 3, 1, (5, 5), 4, 24,
        Fault("the first row is read before both rows below have come", "0: needed = 3;", "0: needed = 2;"),
        Fault("a row counts before its last pixel", COUNTED_5, COUNTED_5.replace("column == 2", "column == 1")),
    ),
    window(
        2, 3, 2, (1, 1), 9, 19,
        Fault("a full ring takes a pixel", "assign accepts = (valid && (rows != 2));", "assign accepts = valid;"),
    ),
    window(
        3, 2, 1, (2, 2), 8, 20,
        Fault("a column of another scan is shown", SHOWN, "if (valids[b]) begin"),
        Fault("the output's column is the first of the window", "dst_valid = valids[1];", "dst_valid = valids[0];"),
        Fault("the row below is waited for", "0: needed = 1;", "0: needed = 2;"),
        Fault("a row is freed while it is the one above", "else if ((row >= 1)) begin", "else begin"),
    ),
    # A window that holds columns of five scans; an image of fewer rows than the kernel has above.
    window(
        1, 1, 2, (5, 5), 10, 20,
        Fault("a column of the scan before the last is shown", "for (b=2; b<3; b=b+1) begin", "for (b=0; b<3; b=b+1) begin"),
        Fault("a row is freed that is not there", "rows_out = 1;", "rows_out = 2;"),
    ),
    window(
        2, 2, 1, (1, 2), 12, 24,
        Fault("a row leaves that the output window does not have", "0: row_leaves = 0;", "0: row_leaves = 1;"),
        Fault("a column of the output window does not leave", "default: column_leaves = 1;", "default: column_leaves = 0;"),
        Fault("a window that does not leave waits for ready", "(dst_ready || (!leaving))", "(dst_ready || (!valids[1]))"),
        Fault("the tag stays behind", "moving[b] <= moving[(b + 1)];", "moving[b] <= moving[b];"),
        out_rows=range(1, 2), out_columns=range(1, 2),
    ),
)  # fmt: skip
