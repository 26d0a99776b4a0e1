"""Proofs of the event queue."""

from functools import partial

from duospike.rtl.event_queue import event_queue
from duospike.rtl.stream import Stream
from verification.proof import Fault, Proof, bit

DEPTHS = (1, 2, 3, 4, 5)

WAITS = Fault("valid waits for ready", "assign dst_valid = has_words;", "assign dst_valid = has_words && dst_ready;", "ready")


def faults(depth: int) -> tuple[Fault, ...]:
    """What a queue of any depth must not do; a queue of one word has only one place."""
    full = Fault("a full queue takes a word", f"has_room <= (level != {depth - 1});", "has_room <= 1;")
    empty = Fault("an empty queue gives a word", "has_words <= (level != 1);", "has_words <= 1;")
    if depth == 1:
        return full, empty, WAITS
    return (
        full,
        empty,
        Fault("the head skips a word", "head <= (head + 1);", "head <= (head + 2);"),
        Fault("a word is stored in the wrong place", "mem[tail] <= src_data;", "mem[head] <= src_data;"),
        WAITS,
    )


def queue(depth: int):
    """A queue of words of 4 bits."""
    return event_queue(bit(), bit(), Stream(4), Stream(4), depth=depth)


PROOFS = tuple(
    Proof(
        f"event_queue, depth {depth}", "words leave in the order in which they came, none lost, none doubled", "ring event_queue",
        partial(queue, depth), depth + 4, faults(depth),
        {"DEPTH": depth},
    )
    for depth in DEPTHS
)  # fmt: skip
