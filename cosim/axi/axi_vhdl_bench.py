"""The test bench of the AXI shell in VHDL-2008; it takes the commands of axi_verilog_bench.py and answers as its twin does."""

from __future__ import annotations

from duospike.cosim.conversion.convert import Module
from duospike.cosim.simulation.bench import FAULT_PREFIX
from duospike.cosim.templates import fill


def axi_vhdl_bench(top: Module) -> str:
    """The bench entity around the converted shell; its generics are the plusargs of the Verilog one."""
    return fill("duospike.cosim.axi", "bench.vhd", top=top, fault_prefix=FAULT_PREFIX)
