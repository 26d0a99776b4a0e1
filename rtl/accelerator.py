"""The accelerator: a chain of stages from the image to the class."""

from itertools import pairwise

from myhdl import ConcatSignal, Signal, always_comb, block, intbv

from .activity import ACTIVITY_BITS
from .checks import check_number, check_width
from .dense_core import DenseCore, dense_core
from .dense_fc import DenseFc, dense_fc
from .encoder import Encoder, encoder
from .errors import DesignError
from .memory import Table
from .pool import Pool, pool
from .readout import Readout, readout
from .sparse_conv import SparseConv, sparse_conv
from .sparse_fc import SparseFc, sparse_fc
from .stage import NeuronStage
from .stream import Stream

BLOCKS = {
    DenseCore: dense_core,
    DenseFc: dense_fc,
    Encoder: encoder,
    Pool: pool,
    SparseConv: sparse_conv,
    SparseFc: sparse_fc,
    Readout: readout,
}


def traced_streams(stages) -> dict[str, int]:
    """The streams of the trace port in order: the stage that drives each, and the width of its payload."""
    return {name: stages[name].output_bits for name in list(stages)[:-1]}


def trace_bits(stages) -> int:
    """Width of the trace port."""
    return sum(2 + bits for bits in traced_streams(stages).values())


def parameter_tables(stages) -> list[Table]:
    """Weights, biases, thresholds and leaks of all stages, in their order."""
    with_parameters = [stage for stage in stages.values() if isinstance(stage, NeuronStage)]
    return [table for stage in with_parameters for table in (stage.weights, stage.bias, *stage.neuron.tables)]


def check_chain(stages):
    """Refuse stages of which one does not take what the one before gives."""
    check_number("accelerator", 1, stages=len(stages))
    for name, stage in stages.items():
        if type(stage) not in BLOCKS:
            raise DesignError(f"accelerator: stage {name} is a {type(stage).__name__}; allowed: "
                              f"{', '.join(kind.__name__ for kind in BLOCKS)}")  # fmt: skip
    for (before, source), (name, sink) in pairwise(stages.items()):
        if source.output_bits != sink.input_bits:
            raise DesignError(
                f"accelerator: {before} gives beats of {source.output_bits} bits; allowed: {sink.input_bits}, which {name} takes"
            )


@block
def accelerator(clk, rst, src, dst, counts, trace, load=None, *, stages):
    """The whole network.

    Ports:
        src     sink    pixels of the image, see dense_core(), dense_fc() and encoder(), or spikes if the first stage takes these
        dst     source  one beat an image, see readout()
        counts  out     activity counters of all stages, the first stage in the lowest bits
        trace   out     the streams between the stages, for watching them: of each stage but the last, the first in the lowest
                        bits, valid, ready and payload, valid lowest; leave it open otherwise
        load    in      of a loadable core, see loading.Load

    Parameters:
        stages: dictionary of stage name to parameters (of a type in BLOCKS), in order

    Timing: all stages work at once, each on rows as they arrive; images follow each other without a gap.
    """
    check_chain(stages)
    names = list(stages)
    check_width("accelerator", stages[names[0]].input_bits, src=src.data)
    check_width("accelerator", stages[names[-1]].output_bits, dst=dst.data)
    check_width("accelerator", len(names) * ACTIVITY_BITS, counts=counts)
    check_width("accelerator", trace_bits(stages), trace=trace)
    between = [Stream(bits) for bits in traced_streams(stages).values()]
    streams = [src, *between, dst]
    stage_counts = [Signal(intbv(0)[ACTIVITY_BITS:]) for _ in names]
    all_counts = ConcatSignal(*reversed(stage_counts))
    all_streams = ConcatSignal(*(signal for s in reversed(between) for signal in (s.data, s.ready, s.valid)))
    blocks = {}
    for i in range(len(names)):
        build = BLOCKS[type(stages[names[i]])]
        loads = [load] if isinstance(stages[names[i]], NeuronStage) else []
        blocks[names[i]] = build(clk, rst, streams[i], streams[i + 1], stage_counts[i], *loads, stage=stages[names[i]])

    @always_comb
    def drive_counts_and_trace():
        counts.next = all_counts
        trace.next = all_streams

    return *blocks.values(), drive_counts_and_trace
