"""The accelerator: a chain of stages from the image to the class."""

from myhdl import ConcatSignal, Signal, always_comb, block, intbv

from .activity import ACTIVITY_BITS
from .dense_core import DenseCore, dense_core
from .pool import Pool, pool
from .readout import Readout, readout
from .sparse_conv import SparseConv, sparse_conv
from .sparse_fc import SparseFc, sparse_fc
from .stream import Stream

BLOCKS = {DenseCore: dense_core, Pool: pool, SparseConv: sparse_conv, SparseFc: sparse_fc, Readout: readout}


@block
def accelerator(clk, rst, src, dst, counts, stages):
    """The whole network.

    Ports:
        src     sink    pixels of the image, see dense_core()
        dst     source  one beat an image, see readout()
        counts  out     activity counters of all stages, the first stage in the lowest bits

    Parameters:
        stages: dictionary of stage name to parameters (DenseCore, Pool, SparseConv, SparseFc, Readout), in order

    Timing: all stages work at once, each on rows as they arrive; images follow each other without a gap.
    """
    names = list(stages)
    streams = [src, *(Stream(stages[name].output_bits) for name in names[:-1]), dst]
    stage_counts = [Signal(intbv(0)[ACTIVITY_BITS:]) for _ in names]
    all_counts = ConcatSignal(*reversed(stage_counts))
    blocks = {}
    for i in range(len(names)):
        build = BLOCKS[type(stages[names[i]])]
        blocks[names[i]] = build(clk, rst, streams[i], streams[i + 1], stage_counts[i], stages[names[i]])

    @always_comb
    def show_counts():
        counts.next = all_counts

    return *blocks.values(), show_counts
