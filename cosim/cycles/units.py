"""The units of the cycle model: for each block between two streams, the registers that decide when something moves.

A unit is a record of integers: parameters, which never change, then registers. Its step function takes what it meets in a
cycle, valid of the stream before it and ready of the stream after it, moves its registers to the next cycle, and returns
its own ready. `valid` in the record is that of its output, out of a register as in the RTL. The functions follow the
generators of the blocks in rtl/ line by line; numba compiles them.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

LAST, EVENT = 1, 2
"""Flags of an event: it is the last of its pixel; it has a spike."""


def unit_type(parameters: str, registers: str) -> np.dtype:
    """The record of a kind of unit; each counts for the stage of number `stage`."""
    return np.dtype([(name, np.int64) for name in ("stage", *parameters.split(), "valid", "flags", *registers.split())])


ENCODER = unit_type("", "")
OUTPUT_WINDOW = "first_row end_row row_step first_column end_column column_step"
WINDOW = unit_type(f"height width rows columns groups {OUTPUT_WINDOW}", "level write_column row group column fetched leaving")
IMAGE = unit_type("pixels per_word parts words scans", "place pixel held level write_word word scan")
MAC = unit_type("steps timesteps", "moving timestep")
SUM = unit_type("beats", "beat")
LIF = unit_type("timesteps spacing depth slots", "moving head inside queued pause")
SCANNER = unit_type(
    "parts width positions scans flush banks beats pixels rows columns groups kept_rows kept_columns",
    "row column_in group "
    "filled beat completing scannable taken bank_part part scan column flushing ahead ahead_at ahead_end ahead_ends_part "
    "walking at end ends_part spanning span_at span_end span_last span_ends_part "
    "chosen chosen_last chosen_events chosen_ends_part fetched fetch_last fetch_events encoding encode_last left",
)
QUEUE = unit_type("depth slots", "head level")
FETCH = unit_type("steps", "moving")
CONV = unit_type(
    f"rows columns height positions groups parts {OUTPUT_WINDOW}",
    "priming emits column group part row tail",
)
FC = unit_type("groups parts", "priming group read_part next_part part")
POOL = unit_type(
    "counted groups rows row_positions row_first_end row_step row_first_phase row_end_phase row_cut "
    "columns column_positions column_first_end column_step column_first_phase column_end_phase column_cut",
    "row row_phase group column column_phase",
)
READOUT = unit_type("lanes outputs passes", "voted_all closing holding lane neuron pass_index")

KINDS = (ENCODER, WINDOW, IMAGE, MAC, SUM, LIF, SCANNER, QUEUE, FETCH, CONV, FC, POOL, READOUT)
"""In this order a chain's units lie in the arrays that step_chain() takes."""
(
    ENCODER_KIND, WINDOW_KIND, IMAGE_KIND, MAC_KIND, SUM_KIND, LIF_KIND, SCANNER_KIND, QUEUE_KIND, FETCH_KIND, CONV_KIND,
    FC_KIND, POOL_KIND, READOUT_KIND,
) = range(len(KINDS))  # fmt: skip
"""The numbers of the kinds in that order."""

compiled: Callable = numba.njit(cache=True, nogil=True)


@compiled
def count_cycle(activity, stage, busy, stall_out):
    """A cycle is busy, or a stall on one side."""
    activity[stage, 0] += busy
    activity[stage, 2] += stall_out
    activity[stage, 1] += not (busy or stall_out)


@compiled
def step_encoder(unit, src_valid, dst_ready, activity):
    free = dst_ready or not unit.valid
    count_cycle(activity, unit.stage, src_valid and free, src_valid and not free)
    if free:
        unit.valid = src_valid
    return free


@compiled
def leaves(unit, row, column):
    """Whether the output at a row and column of a map is in the output window."""
    in_rows = unit.first_row <= row < unit.end_row and (row - unit.first_row) % unit.row_step == 0
    return in_rows and unit.first_column <= column < unit.end_column and (column - unit.first_column) % unit.column_step == 0


@compiled
def step_window(unit, src_valid, dst_ready):
    """`leaving`: a bit for each column of the window, the newest highest, and `fetched`: whether it is there and leaves."""
    rows_before, rows_after, columns_before = unit.rows // 2, (unit.rows - 1) // 2, unit.columns // 2
    ready = unit.level != unit.rows + 1
    row_in = False
    if src_valid and ready:
        row_in = unit.write_column == unit.width - 1
        unit.write_column = 0 if row_in else unit.write_column + 1
    needed = min(unit.row + rows_after, unit.height - 1) - max(unit.row - rows_before, 0) + 1
    available = unit.level >= needed
    rows_out = 0
    if dst_ready or not unit.valid:
        unit.leaving = (unit.leaving >> 1) | (unit.fetched << (unit.columns - 1))
        unit.valid = (unit.leaving >> columns_before) & 1
        unit.fetched = available and leaves(unit, unit.row, unit.column)
        if available:
            if unit.column != unit.width - 1:
                unit.column += 1
            else:
                unit.column = 0
                if unit.group != unit.groups - 1:
                    unit.group += 1
                else:
                    unit.group = 0
                    if unit.row == unit.height - 1:
                        unit.row = 0
                        rows_out = min(rows_before + 1, unit.height)
                    else:
                        rows_out = unit.row >= rows_before
                        unit.row += 1
    unit.level += row_in - rows_out
    return ready


@compiled
def step_image(unit, src_valid, dst_ready):
    """The words of pixels, and the memory that keeps them."""
    free = unit.level != 2
    if unit.parts > 1:
        # `held` words of a pixel are left.
        write = unit.held != 0 and free
        ready = unit.held == 0 or (free and unit.held == 1)
        if src_valid and ready:
            unit.held = unit.parts
        elif write:
            unit.held -= 1
    else:
        ends_word = unit.place == unit.per_word - 1 or unit.pixel == unit.pixels - 1
        ready = free or not ends_word
        write = src_valid and free and ends_word
        if src_valid and ready:
            unit.place = 0 if ends_word else unit.place + 1
            unit.pixel = 0 if unit.pixel == unit.pixels - 1 else unit.pixel + 1
    completed = freed = False
    if write:
        completed = unit.write_word == unit.words - 1
        unit.write_word = 0 if completed else unit.write_word + 1
    if dst_ready or not unit.valid:
        unit.valid = unit.level != 0
        if unit.valid:
            if unit.word != unit.words - 1:
                unit.word += 1
            else:
                unit.word = 0
                freed = unit.scan == unit.scans - 1
                unit.scan = 0 if freed else unit.scan + 1
    unit.level += int(completed) - int(freed)
    return ready


@compiled
def step_mac(unit, src_valid, dst_ready, activity):
    """The MAC array, and the selection of the timestep before it."""
    step = dst_ready or not unit.valid
    count_cycle(activity, unit.stage, src_valid and step, src_valid and not step)
    ready = step and unit.timestep == unit.timesteps - 1
    if step:
        if src_valid:
            unit.timestep = 0 if unit.timestep == unit.timesteps - 1 else unit.timestep + 1
        unit.moving = ((unit.moving << 1) | int(src_valid)) & ((1 << unit.steps) - 1)
        unit.valid = unit.moving >> (unit.steps - 1)
    return ready


@compiled
def step_sum(unit, src_valid, dst_ready):
    ready = dst_ready or not unit.valid
    if dst_ready:
        unit.valid = 0
    if src_valid and ready:
        unit.valid = unit.beat == unit.beats - 1
        unit.beat = 0 if unit.valid else unit.beat + 1
    return ready


@compiled
def step_lif(unit, src_valid, dst_ready, ring):
    """The pipeline is a part of the ring, which turns while a beat is in it: one that enters leaves a whole turn later."""
    ready = unit.inside != unit.depth and unit.pause == 0
    take = src_valid and ready
    leave = unit.valid and dst_ready
    slot = unit.slots + unit.head
    unit.queued += ring[slot] - int(leave)
    unit.inside += int(take) - int(leave)
    unit.moving += int(take) - ring[slot]
    ring[slot] = take
    if unit.moving != 0:
        unit.head = (unit.head + 1) % (2 * unit.timesteps)
    unit.valid = unit.queued != 0
    if take:
        unit.pause = unit.spacing
    elif unit.pause != 0:
        unit.pause -= 1
    return ready


@compiled
def look_at_pixel(unit, first_chunk):
    """Look at the next position of a scan, or at the next empty pixel of a flush; returns whether it is the last of its part."""
    if unit.flushing != 0:
        unit.flushing -= 1
        return False
    if unit.column < unit.width:
        pixel = unit.pixels + unit.bank_part * unit.width + unit.column
        unit.ahead_at, unit.ahead_end = first_chunk[pixel], first_chunk[pixel + 1]
    if unit.column != unit.positions - 1:
        unit.column += 1
        return False
    unit.column = 0
    if unit.scan != unit.scans - 1:
        unit.scan += 1
        return False
    unit.scan = 0
    unit.ahead_ends_part = 1
    unit.bank_part += 1
    if unit.part != unit.parts - 1:
        unit.part += 1
    else:
        unit.part = 0
        unit.flushing = unit.flush
    return True


@compiled
def step_scanner(unit, src_valid, dst_ready, first_chunk, chunk_events, next_span):
    """The scanner, and the crop before it; without one `rows` is 0.

    first_chunk: for each pixel of all parts, where its chunks with events begin in chunk_events, and where they end.
    next_span: for each of those chunks, where those of its span end.
    """
    kept = unit.row < unit.kept_rows and unit.column_in < unit.kept_columns
    ready = unit.filled < unit.banks or not kept
    last_lane = unit.left <= 1
    encode_ready = not unit.encoding or (dst_ready and last_lane)
    fetch_ready = encode_ready or not unit.fetched
    choose_ready = fetch_ready or not unit.chosen
    last_chunk = unit.span_end - unit.span_at <= 1
    span_ready = not unit.spanning or (choose_ready and last_chunk)
    span_end = next_span[unit.at] if unit.at != unit.end else unit.end
    last_span = span_end == unit.end
    walk_ready = not unit.walking or (span_ready and last_span)
    freed = unit.chosen and fetch_ready and unit.chosen_ends_part

    if encode_ready:
        unit.encoding, unit.encode_last, unit.left = unit.fetched, unit.fetch_last, unit.fetch_events
    elif dst_ready:
        unit.left -= 1
    if fetch_ready:
        unit.fetched, unit.fetch_last, unit.fetch_events = unit.chosen, unit.chosen_last, unit.chosen_events
    if choose_ready:
        unit.chosen, unit.chosen_last = unit.spanning, unit.span_last and last_chunk
        unit.chosen_ends_part = unit.span_ends_part and unit.span_last and last_chunk
        unit.chosen_events = 0
        if unit.spanning and unit.span_end != unit.span_at:
            unit.chosen_events = chunk_events[unit.span_at]
    if span_ready:
        unit.spanning, unit.span_at, unit.span_end = unit.walking, unit.at, span_end
        unit.span_last, unit.span_ends_part = last_span, unit.ends_part
    elif choose_ready:
        unit.span_at += 1

    available = unit.flushing != 0 or unit.scannable > unit.taken
    takes_part = False
    ahead_is_free = walk_ready or not unit.ahead
    if walk_ready:
        unit.walking, unit.at, unit.end = unit.ahead, unit.ahead_at, unit.ahead_end
        unit.ends_part = unit.ahead_ends_part
    elif span_ready:
        unit.at = span_end
    if ahead_is_free:
        unit.ahead = available
        unit.ahead_at = unit.ahead_end = unit.ahead_ends_part = 0
        if available:
            takes_part = look_at_pixel(unit, first_chunk)

    unit.scannable += unit.completing - int(freed)
    unit.completing = 0
    if src_valid and ready and unit.rows != 0:
        unit.column_in = 0 if unit.column_in == unit.columns - 1 else unit.column_in + 1
        if unit.column_in == 0:
            unit.group = 0 if unit.group == unit.groups - 1 else unit.group + 1
            if unit.group == 0:
                unit.row = 0 if unit.row == unit.rows - 1 else unit.row + 1
    if src_valid and ready and kept:
        unit.beat += 1
        if unit.beat == unit.beats:
            unit.beat = 0
            unit.filled += 1
            unit.completing = 1
    unit.filled -= freed
    unit.taken += int(takes_part) - int(freed)
    unit.valid = unit.encoding
    unit.flags = (LAST if unit.encode_last and unit.left <= 1 else 0) | (EVENT if unit.left != 0 else 0)
    return ready


@compiled
def step_queue(unit, src_valid, src_flags, dst_ready, ring):
    ready = unit.level != unit.depth
    push = src_valid and ready
    if push:
        ring[unit.slots + (unit.head + unit.level) % unit.depth] = src_flags
    if dst_ready and unit.level != 0:
        unit.head = (unit.head + 1) % unit.depth
        unit.level -= 1
    unit.level += push
    unit.valid = unit.level != 0
    unit.flags = ring[unit.slots + unit.head]
    return ready


@compiled
def step_fetch(unit, src_valid, src_flags, dst_ready):
    """`moving` holds three bits for each step, the first one lowest: valid, then the flags of the event."""
    step = dst_ready or not unit.valid
    if step:
        unit.moving = ((unit.moving << 3) | (src_flags << 1) | int(src_valid)) & ((1 << (3 * unit.steps)) - 1)
        last = unit.moving >> (3 * (unit.steps - 1))
        unit.valid, unit.flags = last & 1, last >> 1
    return step


@compiled
def count_event(unit, add, src_flags, stall_out, activity):
    count_cycle(activity, unit.stage, add, stall_out)
    is_event = (src_flags & EVENT) != 0
    activity[unit.stage, 3] += add and is_event
    activity[unit.stage, 4] += add and not is_event


@compiled
def step_conv(unit, src_valid, src_flags, dst_ready, activity):
    rows_after, columns_after = (unit.rows - 1) // 2, (unit.columns - 1) // 2
    blocked = unit.valid and not dst_ready
    add = src_valid and unit.priming == 0 and not blocked
    shift = unit.priming != 0 or (add and (src_flags & LAST) != 0)
    count_event(unit, add, src_flags, src_valid and blocked, activity)
    if shift:
        unit.valid = unit.emits & 1
        last_of_row = unit.part == unit.parts - 1 or unit.row >= unit.height
        emit = unit.tail == 0 and last_of_row and leaves(unit, unit.row - rows_after, unit.column)
        unit.emits = (unit.emits >> 1) | (int(emit) << (unit.columns - 1))
        if unit.priming != 0:
            unit.priming -= 1
        if unit.tail != 0:
            unit.tail -= 1
        elif unit.column != unit.positions - 1:
            unit.column += 1
        else:
            unit.column = 0
            if unit.group != unit.groups - 1:
                unit.group += 1
            else:
                unit.group = 0
                if not last_of_row:
                    unit.part += 1
                else:
                    unit.part = 0
                    if unit.row != unit.height + rows_after - 1:
                        unit.row += 1
                    else:
                        unit.row = 0
                        unit.tail = columns_after
    elif dst_ready:
        unit.valid = 0
    return add


@compiled
def step_fc(unit, src_valid, src_flags, dst_ready, activity):
    ending = src_valid and (src_flags & LAST) != 0
    blocked = ending and unit.valid and not dst_ready
    add = src_valid and unit.priming == 0 and not blocked
    shift = unit.priming != 0 or (ending and not blocked)
    count_event(unit, add, src_flags, blocked, activity)
    if shift and unit.priming == 0 and unit.part == unit.parts - 1:
        unit.valid = 1
    elif dst_ready:
        unit.valid = 0
    if shift:
        if unit.priming != 0:
            unit.priming -= 1
        unit.part, unit.next_part = unit.next_part, unit.read_part
        if unit.group != unit.groups - 1:
            unit.group += 1
        else:
            unit.group = 0
            unit.read_part = 0 if unit.read_part == unit.parts - 1 else unit.read_part + 1
    return add


@compiled
def step_pool(unit, src_valid, dst_ready, activity):
    """A pool of spikes, or one of currents, which is not counted."""
    free = dst_ready or not unit.valid
    empty = unit.row >= unit.rows or unit.column >= unit.columns
    step = (src_valid or empty) and free
    if unit.counted:
        count_cycle(activity, unit.stage, step, (src_valid or empty) and not free)
    if dst_ready:
        unit.valid = 0
    if step:
        ends_row = unit.row_phase == unit.row_end_phase and unit.row >= unit.row_first_end
        ends_column = unit.column_phase == unit.column_end_phase and unit.column >= unit.column_first_end
        last_row, last_column = unit.row == unit.row_positions - 1, unit.column == unit.column_positions - 1
        if (ends_row or (unit.row_cut and last_row)) and (ends_column or (unit.column_cut and last_column)):
            unit.valid = 1
        if not last_column:
            unit.column += 1
            unit.column_phase = (unit.column_phase + 1) % unit.column_step
        else:
            unit.column, unit.column_phase = 0, unit.column_first_phase
            if unit.group != unit.groups - 1:
                unit.group += 1
            else:
                unit.group = 0
                if not last_row:
                    unit.row += 1
                    unit.row_phase = (unit.row_phase + 1) % unit.row_step
                else:
                    unit.row, unit.row_phase = 0, unit.row_first_phase
    return free and not empty


@compiled
def step_readout(unit, src_valid, dst_ready, activity):
    blocked = unit.voted_all or unit.closing or (unit.valid and not dst_ready)
    step = unit.holding and not blocked
    last_lane = unit.lane == unit.lanes - 1 or unit.neuron == unit.outputs - 1
    count_cycle(activity, unit.stage, step, unit.holding and blocked)
    ready = not unit.holding or (step and last_lane)
    if dst_ready:
        unit.valid = 0
    if unit.closing:
        unit.valid = 1
    unit.closing, unit.voted_all = unit.voted_all, 0
    if step:
        if unit.neuron != unit.outputs - 1:
            unit.neuron += 1
        else:
            unit.neuron = 0
            if unit.pass_index != unit.passes - 1:
                unit.pass_index += 1
            else:
                unit.pass_index = 0
                unit.voted_all = 1
    if ready:
        unit.holding = src_valid
        unit.lane = 0
    elif step:
        unit.lane += 1
    return ready


@compiled
def move(stream, cycle, moved, beats, firsts, lasts):
    """A beat of a stream between stages is transferred."""
    image, beat = moved[stream] // beats[stream], moved[stream] % beats[stream]
    if beat == 0:
        firsts[stream, image] = cycle
    if beat == beats[stream] - 1:
        lasts[stream, image] = cycle
    moved[stream] += 1


@compiled
def step_chain(
    kinds, index, encoders, windows, memories, macs, sums, lifs, scanners, queues, fetches, convs, fcs, pools, readouts,
    first_chunk, chunk_events, next_span, ring, valids, flags, streams, activity, activity_at_end, cycle, moved, beats, firsts,
    lasts, limit,
):  # fmt: skip
    """Run until all beats of all streams have come or `limit` cycles have passed; returns whether they have.

    kinds, index: of each unit its place in KINDS and in the array of that kind. valids, flags, streams: of the source's
    stream, then of the one after each unit, its state, and its row in `moved` or -1 for a stream inside a stage.
    activity: activity counters [stages, 5]. activity_at_end: those at the last class, which may come before the last beat of a
    stage in front of a pool. cycle: cycles done. moved: beats so far. beats: those of an image. firsts, lasts: see CycleRun.
    All of these go on from one call to the next.
    """
    last, classes, images = len(kinds) - 1, len(moved) - 1, firsts.shape[1]
    for _ in range(limit):
        valids[0] = moved[0] < beats[0] * images
        if valids[last + 1]:
            move(classes, cycle[0], moved, beats, firsts, lasts)
            if moved[classes] == images:
                activity_at_end[:] = activity
        if moved[classes] == images and np.all(moved == beats * images):
            return True
        ready = True
        for u in range(last, -1, -1):
            kind, i, src_valid, src_flags = kinds[u], index[u], valids[u] != 0, flags[u]
            if u < last and ready and streams[u + 1] >= 0 and valids[u + 1]:
                move(streams[u + 1], cycle[0], moved, beats, firsts, lasts)
            if kind == SCANNER_KIND:
                unit = scanners[i]
                ready = step_scanner(unit, src_valid, ready, first_chunk, chunk_events, next_span)
                valids[u + 1], flags[u + 1] = unit.valid, unit.flags
            elif kind == QUEUE_KIND:
                queue = queues[i]
                ready = step_queue(queue, src_valid, src_flags, ready, ring)
                valids[u + 1], flags[u + 1] = queue.valid, queue.flags
            elif kind == FETCH_KIND:
                fetch = fetches[i]
                ready = step_fetch(fetch, src_valid, src_flags, ready)
                valids[u + 1], flags[u + 1] = fetch.valid, fetch.flags
            elif kind == CONV_KIND:
                ready = step_conv(convs[i], src_valid, src_flags, ready, activity)
                valids[u + 1] = convs[i].valid
            elif kind == LIF_KIND:
                ready = step_lif(lifs[i], src_valid, ready, ring)
                valids[u + 1] = lifs[i].valid
            elif kind == FC_KIND:
                ready = step_fc(fcs[i], src_valid, src_flags, ready, activity)
                valids[u + 1] = fcs[i].valid
            elif kind == POOL_KIND:
                ready = step_pool(pools[i], src_valid, ready, activity)
                valids[u + 1] = pools[i].valid
            elif kind == READOUT_KIND:
                ready = step_readout(readouts[i], src_valid, ready, activity)
                valids[u + 1] = readouts[i].valid
            elif kind == ENCODER_KIND:
                ready = step_encoder(encoders[i], src_valid, ready, activity)
                valids[u + 1] = encoders[i].valid
            elif kind == WINDOW_KIND:
                ready = step_window(windows[i], src_valid, ready)
                valids[u + 1] = windows[i].valid
            elif kind == IMAGE_KIND:
                ready = step_image(memories[i], src_valid, ready)
                valids[u + 1] = memories[i].valid
            elif kind == SUM_KIND:
                ready = step_sum(sums[i], src_valid, ready)
                valids[u + 1] = sums[i].valid
            else:
                ready = step_mac(macs[i], src_valid, ready, activity)
                valids[u + 1] = macs[i].valid
        if ready and valids[0]:
            move(0, cycle[0], moved, beats, firsts, lasts)
        cycle[0] += 1
    return False
