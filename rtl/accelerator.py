"""The accelerator: a chain of stages from the image to the class."""

from myhdl import ConcatSignal, Signal, always_comb, block, intbv

from .activity import ACTIVITY_BITS
from .dense_core import DenseCore, dense_core
from .encoder import Encoder, encoder
from .memory import Table
from .pool import Pool, pool
from .readout import Readout, readout
from .sparse_conv import SparseConv, sparse_conv
from .sparse_fc import SparseFc, sparse_fc
from .stream import Stream

BLOCKS = {
    DenseCore: dense_core,
    Encoder: encoder,
    Pool: pool,
    SparseConv: sparse_conv,
    SparseFc: sparse_fc,
    Readout: readout,
}
WITH_PARAMETERS = (DenseCore, SparseConv, SparseFc)
"""Types of stages that have weights, biases and thresholds."""


def traced_streams(stages) -> dict[str, int]:
    """The streams of the trace port in order: the stage that drives each, and the width of its payload."""
    return {name: stages[name].output_bits for name in list(stages)[:-1]}


def trace_bits(stages) -> int:
    """Width of the trace port."""
    return sum(2 + bits for bits in traced_streams(stages).values())


def parameter_tables(stages) -> list[Table]:
    """Weights, biases and thresholds of all stages, in their order."""
    with_parameters = [stage for stage in stages.values() if isinstance(stage, WITH_PARAMETERS)]
    return [table for stage in with_parameters for table in (stage.weights, stage.bias, stage.neuron.theta)]


@block
def accelerator(clk, rst, src, dst, counts, trace, stages, load=None):
    """The whole network.

    Ports:
        src     sink    pixels of the image, see dense_core() and encoder(), or spikes if the first stage takes these
        dst     source  one beat an image, see readout()
        counts  out     activity counters of all stages, the first stage in the lowest bits
        trace   out     the streams between the stages, for watching them: of each stage but the last, the first in the lowest
                        bits, valid, ready and payload, valid lowest; leave it open otherwise
        load    in      of a loadable core, see loading.Load

    Parameters:
        stages: dictionary of stage name to parameters (of a type in BLOCKS), in order

    Timing: all stages work at once, each on rows as they arrive; images follow each other without a gap.
    """
    names = list(stages)
    between = [Stream(bits) for bits in traced_streams(stages).values()]
    streams = [src, *between, dst]
    stage_counts = [Signal(intbv(0)[ACTIVITY_BITS:]) for _ in names]
    all_counts = ConcatSignal(*reversed(stage_counts))
    all_streams = ConcatSignal(*(signal for s in reversed(between) for signal in (s.data, s.ready, s.valid)))
    blocks = {}
    for i in range(len(names)):
        build = BLOCKS[type(stages[names[i]])]
        loads = [load] if isinstance(stages[names[i]], WITH_PARAMETERS) else []
        blocks[names[i]] = build(clk, rst, streams[i], streams[i + 1], stage_counts[i], stages[names[i]], *loads)

    @always_comb
    def show():
        counts.next = all_counts
        trace.next = all_streams

    return *blocks.values(), show
