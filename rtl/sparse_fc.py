"""The sparse fully connected stage."""

from dataclasses import dataclass

from myhdl import block, instances

from .checks import check_layer, check_number, check_ports
from .errors import DesignError
from .event_queue import event_queue
from .fc_accumulator import fc_accumulator
from .lif import lif
from .scanner import scanner
from .stage import SparseStage
from .stream import Stream
from .weight_fetch import weight_fetch


@dataclass(frozen=True, kw_only=True)
class SparseFc(SparseStage):
    """Parameters of a sparse fully connected stage.

    parts: of the input map: its rows, or a fixed number for each row. A part is scanned as one pixel: its input
    chunk * lanes_in + lane is that lane of its beat `chunk`. bias: see fc_accumulator().
    """

    kind = "sparse_fc"

    def __post_init__(self):
        check_number("sparse_fc", 1, parts=self.parts, chunks=self.chunks, lanes_in=self.lanes_in, queue_depth=self.queue_depth)
        check_number("sparse_fc", 2, banks=self.banks)
        if self.spike_sums and self.parts % self.spike_sums.height:
            rows = self.spike_sums.height
            raise DesignError(f"sparse_fc: {self.parts} parts; allowed: as many for each of {rows} rows of sums")
        check_layer("sparse_fc", self)

    @property
    def taps(self) -> int:
        return 1

    @property
    def pixels(self) -> int:
        return 1

    @property
    def sum_row_parts(self) -> int:
        """Parts of a row of sums."""
        return self.parts // self.spike_sums.height if self.spike_sums else self.parts

    @property
    def frame_parts(self) -> int:
        return self.row_parts


@block
def sparse_fc(clk, rst, src, dst, counts, load=None, *, stage):
    """Event-driven fully connected layer with neurons, working on parts of its input as they arrive.

    Ports:
        src     sink    spike stream, stage.lanes_in * stage.timesteps bits
        dst     source  spike stream of one pixel, stage.lanes * stage.timesteps bits
        counts  out     activity counters of the accumulators
        load    in      of a loadable core, see loading.Load

    Timing: see fc_accumulator(); when the frame ends only its last part is left to do.
    """
    check_ports("sparse_fc", stage, src, dst)
    events, queued = Stream(stage.event_bits), Stream(stage.event_bits)
    weighted, currents = Stream(stage.weighted_bits), Stream(stage.currents_bits)

    scan_rows = scanner(
        clk, rst, src, events, parts=stage.frame_parts, width=stage.pixels, padding=stage.padding, chunks=stage.scanned_chunks,
        lanes=stage.lanes_in, timesteps=stage.timesteps, scans=stage.groups, flush=stage.flush, banks=stage.banks,
        columns=stage.window[1], cropping=stage.cropping,
    )  # fmt: skip
    queue_events = event_queue(clk, rst, events, queued, depth=stage.queue_depth)
    fetch_weights = weight_fetch(
        clk, rst, queued, weighted, load, frame_rows=1, scans=stage.parts * stage.groups, positions=stage.positions,
        flush=stage.flush, channels=stage.channels, timesteps=stage.timesteps, weights=stage.weights,
        repeats=stage.window[0], repeated_scans=stage.sum_row_parts * stage.groups,
    )  # fmt: skip
    accumulate_events = fc_accumulator(
        clk, rst, weighted, currents, counts, load, parts=stage.row_parts, timesteps=stage.timesteps, lanes=stage.lanes,
        weight_bits=stage.weight_bits, current_bits=stage.neuron.current_bits, bias=stage.bias,
    )  # fmt: skip
    fire_neurons = lif(
        clk, rst, currents, dst, load, lanes=stage.lanes, timesteps=stage.timesteps, rows=1, columns=1, passes=stage.passes,
        neuron=stage.neuron,
    )  # fmt: skip
    return instances()
