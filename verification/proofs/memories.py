"""Proofs of the memory in banks: each read gets its word; and of the control that fills the memories of a loadable core."""

from duospike.rtl.banked_memory import banked_memory
from duospike.rtl.load_control import load_control
from duospike.rtl.loading import Load
from duospike.rtl.stream import counter
from verification.proof import Fault, Proof, bit, table, vector

WORD_BITS = 4


def banked(depth: int, bank_words: int, *faults: Fault) -> Proof:
    """A proof of a memory of three banks, the last of which may be smaller; up to 16 words all differ."""
    address_bits = (depth - 1).bit_length()
    return Proof(
        f"banked_memory, {depth} words in banks of {bank_words}",
        "three steps after its address a word is there, whatever the address before and the one after",
        "banked_memory",
        lambda: banked_memory(
            bit(), bit(), bit(), vector(address_bits), vector(WORD_BITS),
            table=table("w.hex", WORD_BITS, depth), bank_words=bank_words,
        ),
        6, faults, {"DEPTH": depth, "BANK": bank_words}, {"rom": "ram"},
    )  # fmt: skip


def loading(pieces: int, *faults: Fault) -> Proof:
    """A proof of the control of a load."""
    return Proof(
        f"load_control, {pieces} pieces",
        "each piece comes to the memories once and in its place, and the core is in reset, and no START passes, before all have",
        "load_control",
        lambda: load_control(
            bit(), bit(), bit(), counter(3), vector(32), vector(192), bit(), bit(), vector(32), bit(), Load(pieces), vector(288),
            pieces=pieces,
        ),
        pieces + 8, faults, {"PIECES": pieces},
    )  # fmt: skip


PROOFS: tuple[Proof, ...] = (
    banked(
        10, 4,
        Fault("the bank is that of the read after", "kept_number <= read_number;", "kept_number <= number;"),
        Fault("words do not wait for the step", "if (step) begin\n        read_number", "begin\n        read_number"),
        Fault("a bank does not wait for the step", "(wants[i] && step)", "wants[i]"),
        Fault("only the first bank is read", "next_number}) == i));", "next_number}) == 0) && (i == 0));"),
        Fault("the last bank takes a bit less", "last_offset <= address[1-1:0];", "last_offset <= 0;"),
    ),
    banked(9, 4, Fault("the banks have half their words", "next_number = address[4-1:2];", "next_number = address[3-1:1];")),
    banked(12, 4, Fault("two banks are joined", "if (($signed({1'b0, kept_number}) == i)) begin", "begin")),
    loading(
        3,
        Fault("a core without a network is started", "command = (write && (!too_early));", "command = write;"),
        Fault("a core without a network leaves its reset", "(rst || restart || (!complete))", "(rst || restart)"),
        Fault("the core leaves its reset before the last memory is filled", "hold <= 3;", "hold <= 0;"),
        Fault("the last piece is not waited for", "complete <= (taken == 2);", "complete <= (taken == 1);"),
        Fault("a load does not begin at the first piece", "if ((rst || restart)) begin", "if (rst) begin"),
        Fault("a piece is in the place of the next", "load_position <= taken;", "load_position <= (taken + due);"),
        Fault("a load leaves the control behind as it is", "command_data = 4;", "command_data = 8;"),
        Fault("a piece too many is not flagged", "bad_load <= 1'b1;", "bad_load <= bad_load;"),
    ),
    loading(1, Fault("a single piece is not enough", "complete <= (taken == 0);", "complete <= (taken == 1);")),
)  # fmt: skip
