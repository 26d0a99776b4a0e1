"""Proofs of the weight fetch: each event gets the word of its channel in its scan."""

from duospike.rtl.scanner import event_width
from duospike.rtl.stream import Stream
from duospike.rtl.weight_fetch import weight_fetch
from verification.proof import Fault, Proof, bit, table

WEIGHT_BITS = 4


def fetching(
    frame_rows: int, scans: int, positions: int, flush: int, channels: int, timesteps: int, depth: int, *faults: Fault,
    repeats: int = 1, repeated_scans: int = 1,
) -> Proof:  # fmt: skip
    """A proof of a weight fetch; up to 16 words all differ."""
    weights = table("w.hex", WEIGHT_BITS, scans * channels)
    pixels = frame_rows * scans * repeats * positions + flush
    return Proof(
        f"weight_fetch, rows {frame_rows}, scans {scans}, positions {positions}, flush {flush}, channels {channels}, "
        f"timesteps {timesteps}" + f", {repeated_scans} scans {repeats} times" * (repeats > 1),
        "each event comes out once, in order, after three steps, with the word of its channel in its scan",
        f"weight_fetch {'fetched_rounds' if repeats > 1 else 'fetched_rows'}",
        lambda: weight_fetch(
            bit(), bit(), Stream(event_width(channels, timesteps)), Stream(WEIGHT_BITS + timesteps + 1),
            frame_rows=frame_rows, scans=scans, positions=positions, flush=flush, channels=channels, timesteps=timesteps,
            weights=weights, repeats=repeats, repeated_scans=repeated_scans,
        ),
        depth, faults,
        {
            "FRAME_ROWS": frame_rows, "SCANS": scans, "POSITIONS": positions, "FLUSH": flush, "CHANNELS": channels,
            "TIMESTEPS": timesteps, "REPEATS": repeats, "REPEATED": repeated_scans,
        },
        {"rom": "ram"}, 2 * pixels + 6,
    )  # fmt: skip


STEP = "assign step = (dst_ready || (!fetched));"

PROOFS: tuple[Proof, ...] = (
    fetching(
        2, 2, 2, 2, 3, 1, 14,
        Fault("an event is overtaken while it waits", STEP, "assign step = 1;"),
        Fault("the fetch waits for ready", STEP, "assign step = dst_ready;", "ready"),
        Fault("an event is lost on the way", "fetched <= reading;", "fetched <= (reading && (!fetched));"),
        Fault("an event is made up", "located <= src_valid;", "located <= (src_valid || reading);"),
        Fault("the next word is read while the step waits", ".read(read)", ".read(located)"),
        Fault("the mask is that of the event after", "fetched_mask <= reading_mask;", "fetched_mask <= located_mask;"),
        Fault("the words of the last scan are not reached", "base <= (base == 3) ?", "base <= (base == 0) ?"),
        Fault("the second row has words of its own", "(base == 3) ? 0 :", "(base == 3) ? 3 :"),
        Fault("the second row is flushed as well", "if ((row == 1)) begin", "begin"),
        Fault("the flush is one pixel short", "flushing <= 2;", "flushing <= 1;"),
        Fault("the walk goes on in the flush", "if ((flushing != 0)) begin", "if (0) begin"),
    ),
    fetching(
        1, 4, 1, 0, 2, 2, 9,
        Fault("a scan begins at the second word of the one before", ": (base + 2);", ": (base + 1);"),
        Fault("an event that is not taken moves the walk", "assign take = (src_valid && step);", "assign take = src_valid;"),
    ),
    fetching(
        1, 1, 2, 1, 5, 1, 8,
        Fault("an event has the word of the channel before", "next_address = (base + src_data[3-1:0]);", "next_address = base;"),
    ),
    fetching(
        1, 4, 1, 0, 2, 1, 14,
        Fault("the scans come once", "(find_base_round_number != 1)", "0"),
        Fault("the second round goes on behind the first", "base <= find_base_first_base;", "base <= (base + 2);"),
        Fault(
            "each round begins with the first words of all",
            "_first_base <= (base == 6) ? 0 : (base + 2);", "_first_base <= 0;",
        ),
        Fault("a scan is a round", "if ((find_base_repeated != 1)) begin", "if (0) begin"),
        repeats=2, repeated_scans=2,
    ),
    fetching(
        1, 2, 2, 0, 1, 1, 14,
        Fault("a round ends with its first pixel", "if ((position == 1)) begin", "if (1) begin"),
        Fault(
            "the rounds of the next scan are fewer", "else begin\n                find_base_round_number <= 0;",
            "else begin\n                find_base_round_number <= 1;",
        ),
        repeats=3, repeated_scans=1,
    ),
)  # fmt: skip
