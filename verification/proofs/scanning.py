"""Proofs of the row buffer and of the scanner, which walks over what the buffer holds."""

from rtl.row_buffer import row_buffer
from rtl.scanner import event_width, scanner
from rtl.stream import Stream, index_bits

from ..proof import Fault, Proof, bit, vector


def buffering(pixels: int, chunks: int, banks: int, depth: int, *faults: Fault) -> Proof:
    """A proof of a row buffer of two-bit beats."""
    beats = pixels * chunks
    return Proof(
        f"row_buffer, pixels {pixels}, chunks {chunks}, banks {banks}",
        "what is read and peeked at in a whole part is what came; a bank is whole from its last beat until it is freed",
        "row_buffer freed_bank",
        lambda: row_buffer(
            bit(), bit(), Stream(2), vector(banks), bit(), vector(index_bits(banks)), bit(), vector(index_bits(banks * beats)),
            vector(2), vector(index_bits(banks * pixels)), vector(chunks), pixels, chunks, banks,
        ),
        depth, faults, {"PIXELS": pixels, "CHUNKS": chunks, "BANKS": banks}, {"ram": "ram"},
        banks * beats + beats + 3,
    )  # fmt: skip


def scanning(
    parts: int, width: int, padding: int, chunks: int, lanes: int, timesteps: int, scans: int, flush: int, banks: int,
    depth: int, reach: int, *faults: Fault,
) -> Proof:  # fmt: skip
    """A proof of a scanner, with what its row buffer holds proven beside it."""
    return Proof(
        f"scanner, parts {parts}, positions {width}+{padding}, chunks {chunks}, lanes {lanes}, timesteps {timesteps}, "
        f"scans {scans}, flush {flush}, banks {banks}",
        "each scan of a part gives each set bit once and in order, an empty pixel one silent event, within three cycles; "
        "no word is used that was not written",
        "scanner",
        lambda: scanner(
            bit(), bit(), Stream(lanes * timesteps), Stream(event_width(chunks * lanes, timesteps)),
            parts, width, padding, chunks, lanes, timesteps, scans, flush, banks,
        ),
        depth, faults,
        {
            "PARTS": parts, "WIDTH": width, "PIXELS": width, "PADDING": padding, "CHUNKS": chunks, "LANES": lanes,
            "TIMESTEPS": timesteps, "SCANS": scans, "FLUSH": flush, "BANKS": banks,
        },
        {"ram": "ram", "row_buffer": "row_buffer"}, reach,
    )  # fmt: skip


WAKE = "walking <= ((next_flushing != 0) || full[next_bank]);"
ENCODE_READY = "encode_ready = ((!encoding) || (dst_ready && last_lane));"
EVENT_LAST = "event_last = (encode_last && last_lane);"

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
    scanning(
        1, 1, 0, 1, 1, 1, 1, 0, 2, 10, 13,
        Fault("a part is walked before it is whole", WAKE, "walking <= 1'b1;"),
        Fault("the part at hand is taken for the next", WAKE, WAKE.replace("next_bank", "bank")),
        Fault("a silent pixel is not marked last", EVENT_LAST, EVENT_LAST.replace("last_lane", "last_lane && (pending != 0)")),
        Fault("a part is never freed", "free_bank = part_done;", "free_bank = 0;"),
        Fault("the encoder waits for ready", ENCODE_READY, ENCODE_READY.replace("(!encoding) || ", ""), "ready"),
    ),
    scanning(
        2, 1, 1, 1, 2, 1, 2, 0, 2, 10, 16,
        Fault("a part is freed after its first scan", "free_bank = part_done;", "free_bank = (step && (next_column == 0));"),
        Fault("a part is scanned once", "if ((scan != 1)) begin", "if (0) begin"),
        Fault("an empty pixel has spikes", " || (next_column >= 1))", ")"),
        Fault("a chunk's last channel is lost", "last_lane = (!several);", "last_lane = 1;"),
        Fault("a channel comes again and again", "pending[lane] <= 0;", "pending[lane] <= encoding;"),
    ),
    scanning(
        1, 1, 0, 2, 2, 1, 1, 2, 3, 8, 17,
        Fault("a pixel's last chunk is lost", "last_chunk = (!several);", "last_chunk = 1;"),
        Fault("a silent pixel has the spikes that are read", "fetch_silent <= (todo == 0);", "fetch_silent <= 0;"),
        Fault("the channels of a chunk follow the chunk's number", "fetch_channel <= scaled;", "fetch_channel <= chunk;"),
        Fault("an empty pixel is missing", "next_flushing = 2;", "next_flushing = 1;"),
    ),
    scanning(
        1, 2, 1, 1, 2, 2, 1, 1, 2, 10, 18,
        Fault("an event has the mask of the first channel", "event_mask = masks[lane];", "event_mask = masks[0];"),
        Fault("the second bank begins at the first", "next_bank_base = (bank_base + 2);", "next_bank_base = bank_base;"),
        Fault("an event changes while it waits", ENCODE_READY, ENCODE_READY.replace("dst_ready && ", "")),
    ),
    scanning(
        2, 1, 0, 1, 1, 1, 1, 1, 4, 10, 14,
        Fault("the third bank begins at the second", "next_bank_base = (bank_base + 1);", "next_bank_base = 1;"),
        Fault("the first part is flushed as well", "if ((part != 1)) begin", "if (0) begin"),
    ),
)  # fmt: skip
