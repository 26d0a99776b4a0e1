"""The energy model's accesses against those that the memories of the MyHDL design see in simulation."""

from collections import Counter
from importlib import import_module

import pytest
from myhdl import Signal, StopSimulation, always, block, delay, instance, intbv

from duospike.cosim.cycles.model import run_model
from duospike.cosim.design.beats import image_beats
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.energy.model import count_operations
from duospike.reference import golden
from duospike.reference.data.datasets import random_images
from duospike.rtl.accelerator import accelerator, trace_bits
from duospike.rtl.activity import ACTIVITY_BITS
from duospike.rtl.stream import Stream
from tests.benches.small_networks import small_network

IMAGES = 3


@pytest.fixture
def accesses(monkeypatch):
    """Counts (block, bits, words) of each memory's writes and reads, of the designs that are built from now on."""
    counts = Counter()

    def ram_of(where):
        @block
        def ram(clk, write, write_addr, write_data, read, read_addr, q, depth):
            key, words = (where, len(q), depth), [Signal(intbv(0)[len(q) :]) for _ in range(depth)]

            @always(clk.posedge)
            def transfer():
                counts[key] += int(bool(write)) + int(bool(read))
                if write:
                    words[write_addr].next = write_data
                if read:
                    q.next = words[read_addr]

            return transfer

        return ram

    for name in sorted(set(MEMORIES.values())):
        monkeypatch.setattr(import_module(f"duospike.rtl.{name}"), "ram", ram_of(name))
    return counts


@block
def run(stages, beats, images):
    """The accelerator, fed beat by beat, until it has given the classes of all images."""
    clk, rst = Signal(bool(0)), Signal(bool(1))
    first, last = list(stages.values())[0], list(stages.values())[-1]
    src, dst = Stream(first.input_bits), Stream(last.output_bits)
    counts = Signal(intbv(0)[ACTIVITY_BITS * len(stages) :])
    trace = Signal(intbv(0)[trace_bits(stages) :])
    design = accelerator(clk, rst, src, dst, counts, trace, stages=stages)

    @instance
    def drive():
        waiting, classes = list(beats), 0
        dst.ready.next = True
        while classes < images:
            src.valid.next = bool(waiting)
            src.data.next = waiting[0] if waiting else 0
            yield delay(1)
            classes += int(bool(dst.valid))
            if waiting and src.ready and not rst:
                waiting.pop(0)
            clk.next = True
            yield delay(1)
            clk.next = False
            rst.next = False
        raise StopSimulation

    return design, drive


MEMORIES = {
    "row buffer": "row_buffer", "partial sums": "line_buffer", "rows of windows": "delay_line", "rows of currents": "delay_line",
    "image": "image_memory",
}  # fmt: skip
"""Of what the model counts, the block whose memory it is."""
POOLS = "4C3s2+MP2-5C2-AP2-4C3+AP2x1-MP3s2p1-FC6"
FC = {"lane_multipliers": {"fc1": 4}}


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "shape", "sizing", "settings", "comparisons"), [
    ("4C3-5C3-MP2-FC6", (2, 7, 9), {"lanes": {"conv1": 1, "conv2": 3, "fc1": 4}, "row_parts": {"fc1": 2}}, {}, 4),
    ("4C3-5C3-MP2-FC6", (2, 7, 9), {"lanes": {"conv1": 1, "conv2": 3, "fc1": 4}, "row_parts": {"conv2": 2, "fc1": 2}},
     {"timesteps": 6}, 4),
    (POOLS, (2, 27, 25), {"lanes": {"conv1": 1, "conv2": 2, "conv3": 3, "fc1": 4}}, {}, 7),
    ("FC5-FC6", (2, 3, 3), {"lanes": {"fc1": 2, "fc2": 4}, **FC}, {}, 2),
    ("FC5-FC6", (2, 3, 3), {"lanes": {"fc1": 2, "fc2": 4}, **FC}, {"timesteps": 6, "coding": "frames"}, 2),
])  # fmt: skip
def test_accesses_are_those_of_the_memories(architecture, shape, sizing, settings, comparisons, accesses):
    network = small_network(architecture, shape, rate=0.2, **{"timesteps": 2} | settings)
    stages = plan_stages(network, choose_sizing(network, **sizing))
    images = random_images(IMAGES, network.image_shape, network.pixel_range, 1)
    trace = golden.run(network, images)
    done = count_operations(network, stages, run_model(stages, trace).activity, trace)
    first = list(stages.values())[0]
    run(stages, image_beats(images, network.image_bits, first.passes, first.frames), IMAGES).run_sim(quiet=1)
    compared = 0
    for name, of_stage in done.items():
        for one in of_stage:
            # A fully connected stage keeps its sums in a memory that is no block of its own.
            if one.what in MEMORIES and one.count and not (name.startswith("fc") and one.what == "partial sums"):
                # Besides, there are the columns that the design holds at its start, and those left when the last class has come.
                found = accesses[MEMORIES[one.what], one.bits, one.words]
                assert found == pytest.approx(one.count, rel=0.04), (name, one.what)
                compared += 1
    assert compared >= comparisons
