"""Proofs of the memory in banks: each read gets its word."""

from rtl.banked_memory import banked_memory

from ..proof import Fault, Proof, bit, table, vector

WORD_BITS = 4


def banked(depth: int, bank_words: int, *faults: Fault) -> Proof:
    """A proof of a memory of three banks, the last of which may be smaller; up to 16 words all differ."""
    address_bits = (depth - 1).bit_length()
    return Proof(
        f"banked_memory, {depth} words in banks of {bank_words}",
        "two steps after a read its word is there, whatever the read before and the one after",
        "banked_memory",
        lambda: banked_memory(
            bit(), bit(), bit(), vector(address_bits), vector(WORD_BITS), table("w.hex", WORD_BITS, depth), bank_words
        ),
        6, faults, {"DEPTH": depth, "BANK": bank_words}, {"rom": "ram"},
    )  # fmt: skip


PROOFS: tuple[Proof, ...] = (
    banked(
        10, 4,
        Fault("the bank is that of the read after", "kept_number <= read_number;", "kept_number <= number;"),
        Fault("words do not wait for the step", "if (step) begin", "begin"),
        Fault("only the first bank is read", "== i));", "== 0) && (i == 0));"),
        Fault("the last bank takes a bit less", "last_offset = address[1-1:0];", "last_offset = 0;"),
    ),
    banked(9, 4, Fault("the banks have half their words", "number = address[4-1:2];", "number = address[3-1:1];")),
    banked(12, 4, Fault("two banks are joined", "if (($signed({1'b0, kept_number}) == i)) begin", "begin")),
)  # fmt: skip
