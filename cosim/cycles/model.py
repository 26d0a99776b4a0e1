"""The cycle model: what each stage does in each cycle, from spikes alone, without the arithmetic.

It follows the registers that decide when something moves, and nothing else: of an event only whether it is a pixel's last
and whether it is silent, of a stream only valid and ready. So its counters equal those of the RTL, with no tolerance, for
any network, lanes, row parts and queues, at thousands of times the speed of Icarus.

The units, see units.py, work from the last to the first in each cycle: `ready` goes upstream within a cycle, while
`valid` comes out of registers, so each unit still sees the valid of the unit before it as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from duospike.cosim.design.beats import grouped
from duospike.cosim.design.plan import READOUT, image_packet_beats, stage_beats
from duospike.cosim.errors import CosimError
from duospike.cosim.interval import mean_interval
from duospike.reference.coding import ENCODER
from duospike.reference.golden import Trace
from duospike.rtl.activity import COUNTERS
from duospike.rtl.crop import Crop
from duospike.rtl.dense_core import DenseCore
from duospike.rtl.dense_fc import DenseFc
from duospike.rtl.encoder import Encoder
from duospike.rtl.kernel import reach
from duospike.rtl.lif import lif_depth
from duospike.rtl.mac_array import mac_latency
from duospike.rtl.pool import Pool
from duospike.rtl.readout import Readout
from duospike.rtl.span_select import chunk_span
from duospike.rtl.sparse_conv import SparseConv
from duospike.rtl.sparse_fc import SparseFc
from duospike.rtl.stage import NeuronStage, SparseStage, Stage
from duospike.rtl.stream import groups_of
from duospike.rtl.weight_fetch import fetch_steps
from duospike.rtl.window_axis import Windows

from . import units

SOURCE = "source"
"""Where the images come from, among the names of the stages."""

PROGRESS_CYCLES = 1_000_000
"""Cycles between two reports of progress."""


@dataclass(frozen=True, eq=False)
class CycleRun:
    """activity: counters by stage name, see rtl/activity.py, when the last class came. cycles: until then. firsts, lasts: by
    the name of a stage, or SOURCE, int64 [images]: the cycles of the first and the last beat that it gives for each image; a
    stage before a pool that drops an odd last row may give its last beats after the class."""

    cycles: int
    activity: dict[str, dict[str, int]]
    firsts: dict[str, np.ndarray]
    lasts: dict[str, np.ndarray]

    @property
    def starts(self) -> np.ndarray:
        """Cycle of each image's first beat in."""
        return self.firsts[SOURCE]

    @property
    def ends(self) -> np.ndarray:
        """Cycle of each image's class."""
        return self.lasts[READOUT]

    @property
    def latency(self) -> int:
        """Cycles from the first image's first beat to its class."""
        return int(self.ends[0] - self.starts[0] + 1)

    def interval(self, warmup: int = 1) -> float | None:
        """See interval.py; None for a single image."""
        return mean_interval(self.ends, warmup)


class _Chain:
    """The units of an accelerator, in order, in the arrays that step_chain() takes."""

    def __init__(self):
        self.kinds: list[int] = []
        self.records: list[list[np.ndarray]] = [[] for _ in units.KINDS]
        self.first_chunk: list[np.ndarray] = [np.zeros(1, np.int64)]
        self.chunk_events: list[np.ndarray] = []
        self.next_span: list[np.ndarray] = []
        self.pixels = self.chunks = self.slots = 0

    def add(self, kind: np.dtype, stage: int, **fields: int):
        record = np.zeros((), kind)
        record["stage"] = stage
        for name, value in fields.items():
            record[name] = value
        # Kinds with the same fields are equal as types, so they are compared by identity.
        number = next(i for i, other in enumerate(units.KINDS) if other is kind)
        self.kinds.append(number)
        self.records[number].append(record)

    def add_events(self, events: np.ndarray) -> int:
        """Events [pixels, chunks] of a scanner's whole run; returns the number of its first pixel."""
        first, (pixels, chunks) = self.pixels, events.shape
        present = events != 0
        pixel, chunk = np.nonzero(present)
        span = pixel * chunks + chunk // chunk_span(chunks)
        self.next_span.append(self.chunks + np.searchsorted(span, span, "right"))
        self.first_chunk.append(self.chunks + np.cumsum(present.sum(1)))
        self.chunk_events.append(events[present])
        self.pixels += pixels
        self.chunks += int(present.sum())
        return first

    def add_stage(self, number: int, stage: Stage, spikes: np.ndarray | None):
        """The units of a stage. spikes: what comes in, [images, timesteps, channels, height, width]; only sparse ones need it."""
        match stage:
            case Encoder():
                self.add(units.ENCODER, number)
            case DenseCore():
                self.add_dense(number, stage)
            case DenseFc():
                self.add_dense_fc(number, stage)
            case SparseConv():
                self.add_conv(number, stage, part_events(spikes, stage))
            case SparseFc():
                self.add_fc(number, stage, part_events(spikes, stage))
            case Pool():
                self.add_pool(number, stage.rows, stage.columns, stage.groups, counted=1)
            case Readout():
                self.add(units.READOUT, number, lanes=stage.lanes, outputs=stage.outputs, passes=stage.passes)

    def add_dense(self, number: int, stage: DenseCore):
        rows, columns = stage.kernel
        self.add(
            units.WINDOW, number, height=stage.height, width=stage.width, rows=rows, columns=columns, groups=stage.groups,
            **output_window(stage),
        )  # fmt: skip
        self.add(units.MAC, number, steps=mac_latency(stage.inputs + 1), timesteps=stage.frames)
        if stage.frames > 1:
            self.add(units.SUM, number, beats=stage.frames)
        self.add_neurons(number, stage)

    def add_dense_fc(self, number: int, stage: DenseFc):
        self.add(
            units.IMAGE, number, pixels=stage.pixels, per_word=max(1, stage.multipliers // stage.channels),
            parts=groups_of(stage.channels, stage.multipliers), words=stage.group_words, scans=stage.groups,
        )  # fmt: skip
        self.add(units.MAC, number, steps=mac_latency(stage.multipliers), timesteps=stage.frames)
        self.add(units.SUM, number, beats=stage.group_words * stage.frames)
        self.add_neurons(number, stage)

    def add_conv(self, number: int, stage: SparseConv, events: np.ndarray):
        rows, columns = stage.kernel
        self.add_scanner(number, stage, events)
        self.add(
            units.CONV, number, rows=rows, columns=columns, height=stage.height, positions=stage.positions, groups=stage.groups,
            parts=stage.row_parts, priming=reach(columns)[0] + 1, **output_window(stage),
        )  # fmt: skip
        self.add_neurons(number, stage)

    def add_fc(self, number: int, stage: SparseFc, events: np.ndarray):
        self.add_scanner(number, stage, events)
        self.add(units.FC, number, groups=stage.groups, parts=stage.row_parts, priming=2)
        self.add_lif(number, stage)

    def add_scanner(self, number: int, stage: SparseStage, events: np.ndarray):
        self.add(
            units.SCANNER, number, parts=stage.frame_parts, width=stage.pixels, positions=stage.positions, scans=stage.groups,
            flush=stage.flush, banks=stage.banks, beats=stage.part_beats, pixels=self.add_events(events),
            **_cropped(stage.cropping),
        )  # fmt: skip
        self.add(units.QUEUE, number, depth=stage.queue_depth, slots=self.slots)
        self.slots += stage.queue_depth
        self.add(units.FETCH, number, steps=fetch_steps(stage.weights.depth))

    def add_pool(self, number: int, rows: Windows, columns: Windows, groups: int, counted: int):
        self.add(
            units.POOL, number, counted=counted, groups=groups,
            rows=rows.size, row_positions=rows.positions, row_first_end=rows.first_end, row_step=rows.step,
            row_first_phase=rows.first_phase, row_phase=rows.first_phase, row_end_phase=rows.end_phase, row_cut=rows.is_cut,
            columns=columns.size, column_positions=columns.positions, column_first_end=columns.first_end,
            column_step=columns.step, column_first_phase=columns.first_phase, column_phase=columns.first_phase,
            column_end_phase=columns.end_phase, column_cut=columns.is_cut,
        )  # fmt: skip

    def add_neurons(self, number: int, stage: NeuronStage):
        """The pool of currents, if the stage has one, and the neurons."""
        if stage.current_pool:
            rows, columns = (stage.current_pool.windows(axis, stage.current_map[axis]) for axis in (0, 1))
            self.add_pool(number, rows, columns, stage.groups, counted=0)
        self.add_lif(number, stage)

    def add_lif(self, number: int, stage: NeuronStage):
        depth = lif_depth(stage.timesteps)
        self.add(units.LIF, number, timesteps=stage.timesteps, spacing=stage.pause, depth=depth, slots=self.slots)
        self.slots += 2 * stage.timesteps

    def arrays(self) -> tuple:
        """What step_chain() takes of the units: its arguments from `kinds` to `streams`."""
        index = [self.kinds[:i].count(kind) for i, kind in enumerate(self.kinds)]
        records = [np.array(of_kind, kind) for kind, of_kind in zip(units.KINDS, self.records, strict=True)]
        places = len(self.kinds) + 1
        # The last unit of a stage gives what the stage gives; stream 0 is the source's.
        stage = [int(self.records[kind][i]["stage"]) for kind, i in zip(self.kinds, index, strict=True)]
        ends = [i + 1 == len(stage) or stage[i] != stage[i + 1] for i in range(len(stage))]
        streams = [0, *(number + 1 if is_end else -1 for number, is_end in zip(stage, ends, strict=True))]
        return (
            np.array(self.kinds), np.array(index), *records, np.concatenate(self.first_chunk),
            np.concatenate([*self.chunk_events, np.zeros(1, np.int64)]),
            np.concatenate([*self.next_span, np.zeros(1, np.int64)]), np.zeros(max(1, self.slots), np.int64),
            np.zeros(places, np.int64), np.zeros(places, np.int64), np.array(streams),
        )  # fmt: skip


def output_window(stage: DenseCore | SparseConv) -> dict[str, int]:
    """The rows and columns that leave, as fields of a unit."""
    rows, columns = stage.out_rows, stage.out_columns
    return {
        "first_row": rows.start, "end_row": rows.stop, "row_step": rows.step,
        "first_column": columns.start, "end_column": columns.stop, "column_step": columns.step,
    }  # fmt: skip


def _cropped(crop: Crop | None) -> dict[str, int]:
    """Fields of a scanner's unit: the map that comes in, and what is kept of it."""
    return {"kept_rows": 1, "kept_columns": 1} if crop is None else asdict(crop)


def part_events(spikes: np.ndarray | None, stage: SparseStage) -> np.ndarray:
    """Events in each chunk of each pixel, in the order of the scanner: int64 [frames * parts * pixels, chunks].

    spikes: [images, timesteps, channels, height, width].
    """
    assert spikes is not None
    merged = np.any(spikes.reshape(-1, stage.timesteps, *spikes.shape[2:]), axis=1)  # [frame, channel, y, x]
    by_chunk = grouped(merged.swapaxes(0, 1), stage.lanes_in).sum(1, dtype=np.int64)  # [chunk, frame, y, x]
    if stage.spike_sums:
        rows, columns = stage.spike_sums.kept
        by_chunk = by_chunk[:, :, :rows, :columns]
    if isinstance(stage, SparseFc):
        return by_chunk.transpose(1, 2, 0, 3).reshape(-1, stage.scanned_chunks)
    frames, height, width = by_chunk.shape[1:]
    by_part = by_chunk.reshape(stage.parts, stage.chunks, frames, height, width // stage.window[1], stage.window[1])
    return by_part.transpose(2, 3, 0, 4, 1, 5).reshape(-1, stage.scanned_chunks)


def run_model(stages: dict[str, Stage], trace: Trace, progress: Callable[[int], None] = lambda images: None) -> CycleRun:
    """The cycles of an accelerator on the images of a trace, one after the other, nothing held back on either side.

    progress: gets the number of finished images, every PROGRESS_CYCLES cycles. CosimError: nothing moves any more, which no
    network may cause.
    """
    chain, spikes = _Chain(), trace.spikes.get(ENCODER)
    for number, (name, stage) in enumerate(stages.items()):
        chain.add_stage(number, stage, spikes)
        spikes = trace.spikes.get(name, spikes)
    images = len(trace.predicted)
    beats = np.array([image_packet_beats(stages), *stage_beats(stages).values()])
    firsts, lasts = np.zeros((2, len(beats), images), np.int64)
    activity, cycle, moved = np.zeros((len(stages), len(COUNTERS)), np.int64), np.zeros(1, np.int64), np.zeros_like(beats)
    activity_at_end = np.zeros_like(activity)
    arrays = chain.arrays()
    changing = [*(array for array in arrays if array.dtype.names), moved]
    before = None
    while not units.step_chain(*arrays, activity, activity_at_end, cycle, moved, beats, firsts, lasts, PROGRESS_CYCLES):
        state = b"".join(array.tobytes() for array in changing)
        if state == before:
            earlier = cycle[0] - PROGRESS_CYCLES
            raise CosimError(f"the cycle model stopped: the same registers after {earlier} and {cycle[0]} cycles")
        before = state
        progress(int(moved[-1]))
    progress(images)
    names = [SOURCE, *stages]
    return CycleRun(
        int(lasts[-1, -1]) + 1,
        {name: dict(zip(COUNTERS, map(int, row), strict=True)) for name, row in zip(stages, activity_at_end, strict=True)},
        dict(zip(names, firsts, strict=True)),
        dict(zip(names, lasts, strict=True)),
    )
