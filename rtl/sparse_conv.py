"""The sparse convolution stage: row buffer, scanner, event queue, accumulators and neurons."""

from dataclasses import dataclass

from myhdl import block, instances

from .accumulator import accumulator, row_padding
from .checks import KERNELS, check_choice, check_layer, check_number, check_ports
from .event_queue import event_queue
from .lif import Lif, lif
from .memory import Table
from .scanner import event_width, scanner
from .stream import Stream, groups_of
from .weight_fetch import weight_fetch


@dataclass(frozen=True, kw_only=True)
class SparseConv:
    """Parameters of a sparse convolution stage.

    height, width: the map, of input and output. parts, chunks, lanes_in: a row is processed in `parts`, one after the other as
    they arrive, with `chunks` beats for each pixel, each of lanes_in channels. banks: parts that the row buffer holds.
    lanes: output channels computed side by side. kernel: 1, 3 or 5. queue_depth: events between scanner and accumulators.
    bias: see accumulator(). weights: see weight_fetch(). neuron: see lif().
    """

    height: int
    width: int
    parts: int
    chunks: int
    lanes_in: int
    outputs: int
    lanes: int
    kernel: int
    timesteps: int
    passes: int
    banks: int
    queue_depth: int
    bias: Table
    weights: Table
    neuron: Lif

    def __post_init__(self):
        check_number("sparse_conv", 1, height=self.height, width=self.width, parts=self.parts, chunks=self.chunks)
        check_number("sparse_conv", 1, lanes_in=self.lanes_in, queue_depth=self.queue_depth)
        check_number("sparse_conv", 2, banks=self.banks)
        check_choice("sparse_conv", KERNELS, kernel=self.kernel)
        check_layer("sparse_conv", self, self.parts * self.chunks * self.lanes_in, self.kernel * self.kernel)

    @property
    def groups(self) -> int:
        return groups_of(self.outputs, self.lanes)

    @property
    def weight_bits(self) -> int:
        return self.weights.width // (self.lanes * self.kernel * self.kernel)

    @property
    def input_bits(self) -> int:
        return self.lanes_in * self.timesteps

    @property
    def output_bits(self) -> int:
        return self.lanes * self.timesteps


@block
def sparse_conv(clk, rst, src, dst, counts, load=None, *, stage):
    """Event-driven convolution with neurons: spikes in, spikes out.

    Ports:
        src     sink    spike stream, stage.lanes_in * stage.timesteps bits
        dst     source  spike stream, stage.lanes * stage.timesteps bits
        counts  out     activity counters of the accumulators
        load    in      of a loadable core, see loading.Load

    Timing: a row of input gives the row of output kernel // 2 above it; see accumulator().
    """
    check_ports("sparse_conv", stage, src, dst)
    padding = row_padding(stage.width, stage.groups, stage.kernel, stage.parts)
    radius = stage.kernel // 2
    channels = stage.chunks * stage.lanes_in
    flush = radius * stage.groups * (stage.width + padding) + radius

    events = Stream(event_width(channels, stage.timesteps))
    queued = Stream(event_width(channels, stage.timesteps))
    weighted = Stream(stage.weights.width + stage.timesteps + 1)
    currents = Stream(stage.lanes * stage.timesteps * stage.neuron.current_bits)

    scan_rows = scanner(
        clk, rst, src, events,
        parts=stage.height * stage.parts, width=stage.width, padding=padding, chunks=stage.chunks, lanes=stage.lanes_in,
        timesteps=stage.timesteps, scans=stage.groups, flush=flush, banks=stage.banks,
    )  # fmt: skip
    queue_events = event_queue(clk, rst, events, queued, depth=stage.queue_depth)
    fetch_weights = weight_fetch(
        clk, rst, queued, weighted, load,
        frame_rows=stage.height, scans=stage.parts * stage.groups, positions=stage.width + padding, flush=flush,
        channels=channels, timesteps=stage.timesteps, weights=stage.weights,
    )  # fmt: skip
    accumulate_events = accumulator(
        clk, rst, weighted, currents, counts, load,
        height=stage.height, width=stage.width, parts=stage.parts, padding=padding, kernel=stage.kernel,
        timesteps=stage.timesteps, lanes=stage.lanes, weight_bits=stage.weight_bits, current_bits=stage.neuron.current_bits,
        bias=stage.bias,
    )  # fmt: skip
    fire_neurons = lif(
        clk, rst, currents, dst, load, lanes=stage.lanes, timesteps=stage.timesteps, rows=stage.height, columns=stage.width,
        passes=stage.passes, neuron=stage.neuron,
    )  # fmt: skip
    return instances()
