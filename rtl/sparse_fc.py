"""The sparse fully connected stage."""

from dataclasses import dataclass

from myhdl import block, instances

from .checks import check_layer, check_number, check_ports
from .event_queue import event_queue
from .fc_accumulator import fc_accumulator
from .lif import Lif, lif
from .memory import Table
from .scanner import event_width, scanner
from .stream import Stream, groups_of
from .weight_fetch import weight_fetch


@dataclass(frozen=True, kw_only=True)
class SparseFc:
    """Parameters of a sparse fully connected stage.

    parts: of the input map, processed one after the other as they arrive: its rows, or a fixed number for each row. chunks,
    lanes_in: beats of a part and channels in a beat; input chunk * lanes_in + lane of a part is that lane of its beat `chunk`.
    banks: parts that the row buffer holds. lanes: neurons computed side by side.
    bias: see fc_accumulator(). weights: see weight_fetch(). neuron: see lif().
    """

    parts: int
    chunks: int
    lanes_in: int
    outputs: int
    lanes: int
    timesteps: int
    passes: int
    banks: int
    queue_depth: int
    bias: Table
    weights: Table
    neuron: Lif

    def __post_init__(self):
        check_number("sparse_fc", 1, parts=self.parts, chunks=self.chunks, lanes_in=self.lanes_in, queue_depth=self.queue_depth)
        check_number("sparse_fc", 2, banks=self.banks)
        check_layer("sparse_fc", self, self.parts * self.chunks * self.lanes_in, 1)

    @property
    def groups(self) -> int:
        return groups_of(self.outputs, self.lanes)

    @property
    def input_bits(self) -> int:
        return self.lanes_in * self.timesteps

    @property
    def output_bits(self) -> int:
        return self.lanes * self.timesteps


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
    inputs = stage.chunks * stage.lanes_in
    events = Stream(event_width(inputs, stage.timesteps))
    queued = Stream(event_width(inputs, stage.timesteps))
    weighted = Stream(stage.weights.width + stage.timesteps + 1)
    currents = Stream(stage.lanes * stage.timesteps * stage.neuron.current_bits)

    scan_rows = scanner(
        clk, rst, src, events, parts=stage.parts, width=1, padding=0, chunks=stage.chunks, lanes=stage.lanes_in,
        timesteps=stage.timesteps, scans=stage.groups, flush=0, banks=stage.banks,
    )  # fmt: skip
    queue_events = event_queue(clk, rst, events, queued, depth=stage.queue_depth)
    fetch_weights = weight_fetch(
        clk, rst, queued, weighted, load, frame_rows=1, scans=stage.parts * stage.groups, positions=1, flush=0,
        channels=inputs, timesteps=stage.timesteps, weights=stage.weights,
    )  # fmt: skip
    accumulate_events = fc_accumulator(
        clk, rst, weighted, currents, counts, load, parts=stage.parts, timesteps=stage.timesteps, lanes=stage.lanes,
        weight_bits=stage.weights.width // stage.lanes, current_bits=stage.neuron.current_bits, bias=stage.bias,
    )  # fmt: skip
    fire_neurons = lif(
        clk, rst, currents, dst, load, lanes=stage.lanes, timesteps=stage.timesteps, rows=1, columns=1, passes=stage.passes,
        neuron=stage.neuron,
    )  # fmt: skip
    return instances()
