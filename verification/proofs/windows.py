"""Proofs of the image window: what it shows are the pixels under the kernel."""

from duospike.rtl.image_window import image_window
from duospike.rtl.stream import Stream
from verification.proof import Fault, Proof, bit


def window(height: int, width: int, groups: int, kernel: int, depth: int, reach: int, *faults: Fault) -> Proof:
    """A proof of a window over pixels of one bit."""
    return Proof(
        f"image_window, {height} x {width}, groups {groups}, kernel {kernel}",
        "each window shows the pixels under its kernel and 0 outside the image; a row is read only once it has come",
        "image_window",
        lambda: image_window(
            bit(), bit(), Stream(1), Stream(kernel * kernel),
            height=height, width=width, kernel=kernel, groups=groups, pixel_bits=1,
        ),
        depth, faults, {"HEIGHT": height, "WIDTH": width, "GROUPS": groups, "KERNEL": kernel}, {"ram": "ram"}, reach,
    )  # fmt: skip


COUNTED = "assign row_in = (src_valid && (level != 4) && (write_column == 2));"
COUNTED_5 = COUNTED.replace("level != 4", "level != 6")
SHOWN = "if ((valids[b] && (parities[b] == parities[1]))) begin"
ADVANCE = "assign advance = (dst_ready || (!valids[1]));"

PROOFS: tuple[Proof, ...] = (
    # In maps of one column all banks are in use within a few cycles.
    window(
        5, 1, 1, 3, 10, 13,
        Fault("the bank above bank 0 is not the last", "+ (4 - 1));", "+ (4 - 2));"),
        Fault("the bank below the last is not bank 0", "bank = (bank - (4 + 1));", "bank = (bank - 4);"),
        Fault("a row is overwritten while the next one needs it", "else if ((row >= 1)) begin", "else begin"),
        Fault("the last rows of an image are not freed", "rows_out = (1 + 1);", "rows_out = 1;"),
        Fault("a row is read before the one below has come", "1: needed = 3;", "1: needed = 2;"),
        Fault("a row outside the image is not 0", "if (fetched_rows[a]) begin", "if (1) begin"),
    ),
    window(
        3, 1, 2, 3, 8, 14,
        Fault("a row is freed after its first group", "(column == 0) && (group_index == 1)))", "(column == 0)))"),
        Fault("a column of another scan is shown", SHOWN, "if (valids[b]) begin"),
        Fault("both groups have one parity", "parity <= (!parity);", "parity <= parity ^ group_index;"),
        Fault("a column has the parity of the next", "parities[(3 - 1)] <= fetched_parity;", "parities[(3 - 1)] <= parity;"),
        Fault("windows change while they wait", ADVANCE, "assign advance = 1;"),
        Fault("valid waits for ready", "assign dst_valid = valids[1];", "assign dst_valid = valids[1] && dst_ready;", "ready"),
    ),
    window(
        3, 3, 2, 3, 4, 29,
        Fault("a row counts from its first pixel on", COUNTED, COUNTED.replace("_column == 2", "_column == 0")),
    ),
    window(
        3, 3, 1, 5, 4, 24,
        Fault("the first row is read before both rows below have come", "0: needed = 3;", "0: needed = 2;"),
        Fault("a row counts before its last pixel", COUNTED_5, COUNTED_5.replace("_column == 2", "_column == 1")),
    ),
    window(
        2, 3, 2, 1, 9, 19,
        Fault("a full ring takes a pixel", "assign write = (src_valid && (level != 2));", "assign write = src_valid;"),
    ),
)  # fmt: skip
