"""Proofs of the row buffer and of the scanner, which walks over what the buffer holds."""

from duospike.rtl.row_buffer import row_buffer
from duospike.rtl.scanner import event_width, scanner
from duospike.rtl.stream import Stream, index_bits
from verification.proof import Fault, Proof, bit, vector


def buffering(
    pixels: int, chunks: int, banks: int, depth: int, *faults: Fault, columns: int = 1, harmless: Fault | None = None
) -> Proof:
    """A proof of a row buffer of two-bit beats."""
    beats = pixels * chunks
    return Proof(
        f"row_buffer, pixels {pixels}, chunks {chunks}, banks {banks}" + f", columns {columns}" * (columns > 1)
        + (f", {harmless.what}" if harmless else ""),
        "what is read and peeked at in a whole part is what came; a bank is whole from its last beat until it is freed",
        f"{'own_column' if columns > 1 else 'one_column'} row_buffer freed_bank",
        lambda: row_buffer(
            bit(), bit(), Stream(2), vector(banks), bit(), vector(index_bits(banks)), bit(), vector(index_bits(banks * beats)),
            vector(2), vector(index_bits(banks * pixels)), vector(chunks), pixels=pixels, chunks=chunks, banks=banks,
            columns=columns,
        ),
        depth, faults,
        {"PIXELS": pixels, "CHUNKS": chunks, "BANKS": banks, "COLUMNS": columns, "HARMLESS": bool(harmless)},
        {"ram": "ram", "chunk_flags": "chunk_flags"},
        banks * beats + beats + 3, harmless=harmless,
    )  # fmt: skip


def scanning(
    parts: int, width: int, padding: int, chunks: int, lanes: int, timesteps: int, scans: int, flush: int, banks: int,
    depth: int, reach: int, *faults: Fault, columns: int = 1,
) -> Proof:  # fmt: skip
    """A proof of a scanner, with what its row buffer holds proven beside it."""
    # Columns of a single pixel are chunks like others for the row buffer.
    buffer_columns = columns if width > 1 else 1
    return Proof(
        f"scanner, parts {parts}, positions {width}+{padding}, chunks {chunks}, lanes {lanes}, timesteps {timesteps}, "
        f"scans {scans}, flush {flush}, banks {banks}" + f", columns {columns}" * (columns > 1),
        "each scan of a part gives each set bit once and in order, an empty pixel one silent event, with no gap from the seventh "
        "cycle after the part came; no word is used that was not written; a bank is freed at the last read of its part",
        "scanner",
        lambda: scanner(
            bit(), bit(), Stream(lanes * timesteps), Stream(event_width(chunks // columns * lanes, timesteps)),
            parts=parts, width=width, padding=padding, chunks=chunks, lanes=lanes, timesteps=timesteps, scans=scans,
            flush=flush, banks=banks, columns=columns,
        ),
        depth, faults,
        {
            "PARTS": parts, "WIDTH": width, "PIXELS": width, "PADDING": padding, "CHUNKS": chunks, "LANES": lanes,
            "TIMESTEPS": timesteps, "SCANS": scans, "FLUSH": flush, "BANKS": banks, "SPAN": 1 if chunks == 1 else 2,
            "HARMLESS": 0, "COLUMNS": buffer_columns, "SUMMED": columns,
        },
        {
            "ram": "ram", "row_buffer": f"{'own_column' if buffer_columns > 1 else 'one_column'} row_buffer",
            "chunk_flags": "chunk_flags", "channel_select": "channel_select",
        }, reach,
    )  # fmt: skip


AVAILABLE = "assign available = ((flushing != 0) || (full[bank] && (!taken[bank])));"
FREED = "assign freed = (chunk_valid && chunk_ready && ends_part);"
READ = "assign read = (chunk_valid && chunk_ready);"
ENCODE_READY = "encode_ready = ((!encoding) || (dst_ready && last_lane));"
EVENT_LAST = "event_last = (encode_last && last_lane);"

PROOFS: tuple[Proof, ...] = (
    buffering(
        2, 2, 2, 12,
        Fault("a part comes into a full bank", "assign free = (!occupied[bank]);", "assign free = 1;"),
        Fault("the bank being filled is freed", "occupied[freed_bank] <= 0;", "occupied[bank] <= 0;"),
        Fault("the flags of the part before stay", "if (beginning) begin", "if (0) begin"),
        Fault("the flags of the chunks before are lost", "if (beginning) begin", "if (1) begin"),
        Fault("a chunk goes where the one before it is", "((word_base + chunk) + 1)", "(word_base + chunk)"),
        Fault("a spike in the second timestep is not flagged", "(data != 0)", "data[0]"),
    ),
    # A mutant that the tests of the scanner cannot kill: what inverts a flag twice is gone before anyone looks.
    buffering(
        2, 2, 2, 12, Fault("the flags are inverted once", "beginning <= place[0];", "beginning <= 1;"),
        harmless=Fault("flag 0 inverted at each write", "flags[flagged_addr] <= updated;", "flags[flagged_addr] <= updated ^ 1;"),
    ),
    buffering(
        1, 2, 3, 10,
        Fault("the third bank begins in the second", "next_word_base = (word_base + 2);", "next_word_base = 2;"),
        Fault("the third bank is left out", "if ((bank != 2)) begin", "if ((bank != 1)) begin"),
    ),
    buffering(
        2, 1, 3, 10,
        Fault(
            "the flags of a bank begin at the pixel before", "next_flag_base = (flag_base + 2);",
            "next_flag_base = (flag_base + 1);",
        ),
    ),
    buffering(
        1, 1, 4, 8,
        Fault("a bank is full before its part", "full = scannable;", "full = (scannable | (completing << flagged_bank));"),
    ),
    buffering(
        2, 2, 2, 12,
        Fault("the flag of the column before is lost", "if ((flagging && same_pixel)) begin", "if (0) begin"),
        Fault("a pixel's columns follow those of the one before", "place <= (place >>> 1);", "place <= (place << 1);"),
        columns=2,
    ),
    buffering(
        2, 4, 2, 18,
        Fault(
            "the second group's columns begin in the first", "write_addr <= ((word_base + chunk) + 2);",
            "write_addr <= word_base;",
        ),
        Fault("the second pixel's words begin at the first's", "write_addr <= (write_addr + 3);", "write_addr <= write_addr;"),
        columns=2,
    ),
    scanning(
        1, 1, 0, 1, 1, 1, 1, 0, 2, 12, 19,
        Fault("a part is looked at before it is whole", AVAILABLE, AVAILABLE.replace("full[bank] && ", "")),
        Fault("a part that is taken is looked at again", AVAILABLE, AVAILABLE.replace(" && (!taken[bank])", "")),
        Fault("the next part waits until the one before is read", AVAILABLE, AVAILABLE.replace("taken[bank]", "(taken != 0)")),
        Fault("a bank stays taken", "taken[freed_bank] <= 0;", "taken[freed_bank] <= 1;"),
        Fault("a silent pixel is not marked last", EVENT_LAST, EVENT_LAST.replace("last_lane", "last_lane && (pending != 0)")),
        Fault("a part is never freed", FREED, "assign freed = 0;"),
        Fault("a part is freed before it is read", FREED, "assign freed = (span_valid && span_ready && span_data[4]);"),
        Fault("the encoder waits for ready", ENCODE_READY, ENCODE_READY.replace("(!encoding) || ", ""), "ready"),
    ),
    scanning(
        2, 1, 1, 1, 2, 1, 2, 0, 2, 12, 22,
        Fault("a part is freed after its first scan", "(column == 1) && (scan == 1)", "(column == 1)"),
        Fault("a part is freed while its read waits", FREED, FREED.replace("chunk_ready && ", "")),
        Fault("a part is scanned once", "if ((scan != 1)) begin", "if (0) begin"),
        Fault("an empty pixel has spikes", " || (column > 0))", ")"),
        Fault("a chunk's last channel is lost", ENCODE_READY, ENCODE_READY.replace(" && last_lane", "")),
        Fault("a channel comes again and again", "pending <= lanes_left;", "pending <= pending;"),
    ),
    scanning(
        1, 1, 0, 2, 2, 1, 1, 2, 3, 12, 23,
        Fault("a pixel's last chunk is lost", "(choose_ready && last_chunk)", "choose_ready"),
        Fault("a chunk is chosen again and again", "chunks_todo <= chunks_left;", "chunks_todo <= chunks_todo;"),
        Fault("a silent pixel has the spikes that are read", "chosen_silent <= (chunks_todo == 0);", "chosen_silent <= 0;"),
        Fault("the channels of a chunk follow the chunk's number", "fetch_channel <= first;", "fetch_channel <= chosen_chunk;"),
        Fault("a word is read while the one before waits", READ, READ.replace(" && chunk_ready", "")),
        Fault("each chunk is the pixel's first", "chosen_addr <= (span_base + chunk);", "chosen_addr <= span_base;"),
        Fault(
            "a part is freed with a pixel's first chunk",
            "(span_ends_part && span_last && last_chunk)", "(span_ends_part && span_last)",
        ),  # fmt: skip
        Fault("an empty pixel is missing", "flushing <= 2;", "flushing <= 1;"),
    ),
    scanning(
        1, 1, 0, 3, 1, 1, 1, 0, 2, 12, 24,
        Fault("a pixel's second span is lost", "(dst_ready && last_span)", "dst_ready"),
        Fault("a span is chosen again and again", "spans_todo <= spans_left;", "spans_todo <= spans_todo;"),
        Fault("an empty span takes a cycle", "if (ahead_flags[k]) begin", "if (1) begin"),
        Fault("the second span's words are the first's", "src_data[6-1:3] + first", "src_data[6-1:3]"),
        Fault("a part is freed with its first span", "(span_ends_part && span_last &&", "(span_ends_part &&"),
    ),
    scanning(
        1, 2, 1, 1, 2, 2, 2, 1, 2, 14, 29,
        Fault("an event has the mask of the first channel", "event_mask = masks[lane];", "event_mask = masks[0];"),
        Fault("the second bank's words begin at the first", "word_addr <= (word_base + (2 * 1));", "word_addr <= word_base;"),
        Fault("the second bank's flags begin at the first", "place <= (pixel_base + 2);", "place <= pixel_base;"),
        Fault("the second scan reads on where the first ended", "word_addr <= word_base;", "word_addr <= word_addr;"),
        Fault("the second scan looks on where the first ended", "place <= pixel_base;", "place <= place;"),
        Fault("an event changes while it waits", ENCODE_READY, ENCODE_READY.replace("dst_ready && ", "")),
    ),
    scanning(
        2, 1, 0, 1, 1, 1, 1, 1, 4, 14, 20,
        Fault("the third bank begins at the second", "word_addr <= (word_base + (1 * 1));", "word_addr <= 1;"),
        Fault("the fourth bank is not freed", "if ((freed_bank != 3)) begin", "if ((freed_bank != 2)) begin"),
        Fault("the first part is flushed as well", "if ((part != 1)) begin", "if (0) begin"),
    ),
    scanning(
        1, 1, 0, 2, 2, 1, 1, 0, 2, 12, 23,
        Fault("the second column has channels of its own", "default: first_channel = 0;", "default: first_channel = 1;"),
        columns=2,
    ),
    scanning(
        1, 2, 0, 2, 1, 1, 1, 0, 2, 12, 26,
        Fault("the second column is the first again", "chosen_addr <= (span_base + chunk);", "chosen_addr <= span_base;"),
        columns=2,
    ),
)  # fmt: skip
