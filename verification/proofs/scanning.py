"""Proofs of the row buffer and of the scanner, which walks over what the buffer holds."""

from rtl.row_buffer import row_buffer
from rtl.stream import Stream, index_bits

from ..proof import Fault, Proof, bit, vector


def buffering(pixels: int, chunks: int, banks: int, depth: int, *faults: Fault) -> Proof:
    """A proof of a row buffer of two-bit beats."""
    beats = pixels * chunks
    return Proof(
        f"row_buffer, pixels {pixels}, chunks {chunks}, banks {banks}",
        "what is read and peeked at in a whole part is what came; a bank is whole from its last beat until it is freed",
        "row_buffer",
        lambda: row_buffer(
            bit(), bit(), Stream(2), vector(banks), bit(), vector(index_bits(banks)), bit(), vector(index_bits(banks * beats)),
            vector(2), vector(index_bits(banks * pixels)), vector(chunks), pixels, chunks, banks,
        ),
        depth, faults, {"PIXELS": pixels, "CHUNKS": chunks, "BANKS": banks, "STANDS_ALONE": 1}, {"ram": "ram"},
        banks * beats + beats + 3,
    )  # fmt: skip


PROOFS: tuple[Proof, ...] = (
    buffering(
        2, 2, 2, 12,
        Fault("a part comes into a full bank", "assign free = (!occupied[bank]);", "assign free = 1;"),
        Fault("the bank being filled is freed", "occupied[freed_bank] <= 0;", "occupied[bank] <= 0;"),
        Fault("the flags of the part before stay", "if ((chunk != 0)) begin", "if (1) begin"),
        Fault("the flags of the chunks before are lost", "if ((chunk != 0)) begin", "if (0) begin"),
        Fault("a chunk goes where the one before it is", "((word_base + chunk) + 1)", "(word_base + chunk)"),
        Fault("a spike in the second timestep is not flagged", "= (src_data != 0);", "= src_data[0];"),
    ),
    buffering(
        1, 2, 3, 10,
        Fault("the third bank begins in the second", "word_base <= (word_base + 2);", "word_base <= 2;"),
        Fault("the third bank is left out", "if ((bank != 2)) begin", "if ((bank != 1)) begin"),
    ),
    buffering(
        2, 1, 3, 10,
        Fault("the flags of a bank begin at the pixel before", "flag_addr <= (flag_base + 2);", "flag_addr <= (flag_base + 1);"),
    ),
    buffering(
        1, 1, 4, 8,
        Fault("a bank is full before its part", "full = occupied;", "full = (occupied | (write << bank));"),
    ),
)  # fmt: skip
