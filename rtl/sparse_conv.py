"""The sparse convolution stage: row buffer, scanner, event queue, accumulators and neurons."""

from dataclasses import dataclass

from myhdl import block, instances

from .accumulator import accumulator, row_padding
from .checks import check_layer, check_number, check_ports
from .current_pool import current_pool
from .errors import DesignError
from .event_queue import event_queue
from .kernel import check_kernel, check_places, reach
from .lif import lif
from .line_buffer import waiting_rows
from .scanner import scanner
from .stage import SparseStage
from .stream import Stream
from .weight_fetch import weight_fetch


def flush_pixels(kernel: tuple[int, int], columns: int) -> int:
    """Empty pixels after a map that let its last currents out: rows of `columns` in all groups, and some columns more."""
    rows_after, columns_after = (reach(size)[1] for size in kernel)
    return rows_after * columns + columns_after


@dataclass(frozen=True, kw_only=True)
class SparseConv(SparseStage):
    """Parameters of a sparse convolution stage.

    height, width: the map of inputs. out_rows, out_columns: ranges, the output window: of the outputs of a map of that size
    those that leave, see kernel.py. parts: of a row, each some of its channels. kernel: (rows, columns).
    """

    kind = "sparse_conv"

    height: int
    width: int
    out_rows: range
    out_columns: range
    kernel: tuple[int, int]

    def __post_init__(self):
        check_number("sparse_conv", 1, height=self.height, width=self.width, parts=self.parts, chunks=self.chunks)
        check_number("sparse_conv", 1, lanes_in=self.lanes_in, queue_depth=self.queue_depth)
        check_number("sparse_conv", 2, banks=self.banks)
        check_kernel("sparse_conv", self.kernel)
        check_places("sparse_conv", self.height, out_rows=self.out_rows)
        check_places("sparse_conv", self.width, out_columns=self.out_columns)
        if self.spike_sums and (self.spike_sums.height, self.spike_sums.width) != (self.height, self.width):
            sums = self.spike_sums
            raise DesignError(f"sparse_conv: sums of {sums.height}x{sums.width}; allowed: {self.height}x{self.width}, its map")
        check_layer("sparse_conv", self)

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1]

    @property
    def pixels(self) -> int:
        return self.width

    @property
    def frame_parts(self) -> int:
        return self.height * self.row_parts

    @property
    def padding(self) -> int:
        return row_padding(self.width, self.groups, self.kernel, self.row_parts)

    @property
    def flush(self) -> int:
        return flush_pixels(self.kernel, self.row_columns)

    @property
    def row_columns(self) -> int:
        """Columns of partial sums that enter the window in a row, which is also the line buffer's words."""
        return self.groups * self.positions

    @property
    def columns(self) -> int:
        """Columns of partial sums that enter the window for a map."""
        return (self.frame_parts + reach(self.kernel[0])[1]) * self.row_columns

    @property
    def waiting_sums(self) -> int:
        """Sums of a column, for each lane and timestep, that wait in the line buffer."""
        return len(waiting_rows(self.kernel, self.row_parts))

    @property
    def current_map(self) -> tuple[int, int]:
        return len(self.out_rows), len(self.out_columns)


@block
def sparse_conv(clk, rst, src, dst, counts, load=None, *, stage):
    """Event-driven convolution with neurons: spikes in, spikes out.

    Ports:
        src     sink    spike stream, stage.lanes_in * stage.timesteps bits
        dst     source  spike stream, stage.lanes * stage.timesteps bits
        counts  out     activity counters of the accumulators
        load    in      of a loadable core, see loading.Load

    Timing: a row of input gives the row of output (rows - 1) // 2 above it; see accumulator().
    """
    check_ports("sparse_conv", stage, src, dst)
    events, queued = Stream(stage.event_bits), Stream(stage.event_bits)
    weighted, currents = Stream(stage.weighted_bits), Stream(stage.currents_bits)
    # The currents before they are pooled: a stream where these are others.
    pools = stage.current_pool is not None
    unpooled = Stream(stage.sums_bits) if pools else None

    scan_rows = scanner(
        clk, rst, src, events, parts=stage.frame_parts, width=stage.width, padding=stage.padding, chunks=stage.scanned_chunks,
        lanes=stage.lanes_in, timesteps=stage.timesteps, scans=stage.groups, flush=stage.flush, banks=stage.banks,
        columns=stage.window[1], cropping=stage.cropping,
    )  # fmt: skip
    queue_events = event_queue(clk, rst, events, queued, depth=stage.queue_depth)
    fetch_weights = weight_fetch(
        clk, rst, queued, weighted, load, frame_rows=stage.height * stage.window[0], scans=stage.parts * stage.groups,
        positions=stage.positions, flush=stage.flush, channels=stage.channels, timesteps=stage.timesteps, weights=stage.weights,
    )  # fmt: skip
    accumulate_events = accumulator(
        clk, rst, weighted, unpooled if pools else currents, counts, load, height=stage.height, width=stage.width,
        out_rows=stage.out_rows, out_columns=stage.out_columns, parts=stage.row_parts, padding=stage.padding,
        kernel=stage.kernel, timesteps=stage.timesteps, lanes=stage.lanes, weight_bits=stage.weight_bits,
        current_bits=stage.sum_bits, bias=stage.bias,
    )  # fmt: skip
    if pools:
        pool_currents = current_pool(
            clk, rst, unpooled, currents, fields=stage.lanes * stage.timesteps, rows=stage.current_map[0],
            columns=stage.current_map[1], groups=stage.groups, bits=stage.neuron.current_bits, pool=stage.current_pool,
        )  # fmt: skip
    fire_neurons = lif(
        clk, rst, currents, dst, load, lanes=stage.lanes, timesteps=stage.timesteps, rows=stage.output_map[0],
        columns=stage.output_map[1], passes=stage.passes, neuron=stage.neuron,
    )  # fmt: skip
    return instances()
