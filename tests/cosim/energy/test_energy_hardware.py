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

    for name in ("line_buffer", "row_buffer", "delay_line"):
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


@pytest.mark.slow
@pytest.mark.parametrize("parts, timesteps", [(1, 2), (2, 6)])
def test_accesses_are_those_of_the_memories(parts, timesteps, accesses):
    network = small_network("4C3-5C3-MP2-FC6", (2, 7, 9), rate=0.2, timesteps=timesteps)
    sizing = choose_sizing(network, {"conv1": 1, "conv2": 3, "fc1": 4}, {"conv2": parts, "fc1": 2})
    stages = plan_stages(network, sizing)
    images = random_images(IMAGES, network.image_shape, network.pixel_range, 1)
    trace = golden.run(network, images)
    done = count_operations(network, stages, run_model(stages, trace).activity, trace)
    run(stages, image_beats(images, network.image_bits, stages["conv2"].passes), IMAGES).run_sim(quiet=1)
    compared = 0
    where = {"row buffer": "row_buffer", "partial sums": "line_buffer", "rows of windows": "delay_line"}
    for name, of_stage in done.items():
        for one in of_stage:
            # A fully connected stage keeps its sums in a memory that is no block of its own.
            if one.what in where and one.count and (name, one.what) != ("fc1", "partial sums"):
                # Besides, there are the columns that the design holds at its start, and those left when the last class has come.
                assert accesses[where[one.what], one.bits, one.words] == pytest.approx(one.count, rel=0.04), (name, one.what)
                compared += 1
    assert compared >= 4
