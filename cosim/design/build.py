"""Elaboration of a stage or a whole accelerator, ready to convert."""

from __future__ import annotations

from myhdl import Signal, intbv

from duospike.cosim.conversion.convert import Module, convert
from duospike.cosim.conversion.elaboration import one_level, quick_inspection
from duospike.cosim.conversion.internals import Block
from duospike.rtl.accelerator import BLOCKS, accelerator, trace_bits
from duospike.rtl.activity import ACTIVITY_BITS
from duospike.rtl.stage import Stage
from duospike.rtl.stream import Stream

TOP = "accelerator"


def build_stage(stage: Stage) -> Block:
    """One stage on its own."""
    signals = _ports(stage.input_bits, stage.output_bits, 1)
    with quick_inspection():
        return BLOCKS[type(stage)](*signals, stage=stage)


def build_accelerator(stages: dict[str, Stage]) -> Block:
    """The chain of stages, with nothing inside them: to convert and not to simulate."""
    first, last = list(stages.values())[0], list(stages.values())[-1]
    signals = _ports(first.input_bits, last.output_bits, len(stages))
    trace = Signal(intbv(0)[trace_bits(stages) :])
    with one_level():
        return accelerator(*signals, trace, stages=stages)


def convert_stages(stages: dict[str, Stage], language: str = "verilog") -> tuple[Module, ...]:
    """The accelerator in Verilog or VHDL, its top last."""
    return tuple(convert(build_accelerator(stages), TOP, language))


def _ports(input_bits: int, output_bits: int, stages: int) -> tuple:
    counts = Signal(intbv(0)[stages * ACTIVITY_BITS :])
    return Signal(bool(0)), Signal(bool(0)), Stream(input_bits), Stream(output_bits), counts
