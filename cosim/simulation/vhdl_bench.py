"""The file-driven test bench in VHDL-2008, see bench.py."""

from __future__ import annotations

from duospike.cosim.templates import fill
from duospike.rtl.activity import COUNTER_BITS

from .bench import DRAIN_CYCLES, FAULT_PREFIX, Bench


def vhdl_bench(bench: Bench) -> str:
    """The bench entity; it does what the Verilog one does, and writes the same files."""
    constants = {"fault_prefix": FAULT_PREFIX, "drain_cycles": DRAIN_CYCLES, "counter_bits": COUNTER_BITS}
    return fill("duospike.cosim.simulation", "bench.vhd", bench=bench, **constants)
