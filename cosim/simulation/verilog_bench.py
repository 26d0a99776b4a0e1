"""The file-driven test bench in Verilog, see bench.py.

Its text depends on the design only, so that a compiled simulation serves any run: what changes from run to run comes in as
plusargs.
"""

from __future__ import annotations

from duospike.cosim.templates import fill

from .bench import DRAIN_CYCLES, FAULT_PREFIX, Bench


def plusargs(bench: Bench) -> list[str]:
    """The run's own settings on the simulation's command line."""
    settings = {
        "beats": len(bench.beats),
        "frame_beats": bench.frame_beats,
        "src_stall": bench.src_stall,
        "dst_stall": bench.dst_stall,
        "seed": bench.seed,
        "idle_limit": bench.idle_limit,
        **{f"left_{name}": beats for name, beats in bench.expected_beats.items()},
    }
    return [f"+{name}={value}" for name, value in settings.items()]


def verilog_bench(bench: Bench) -> str:
    """The bench module: each watched stream is cut out of the trace port, and has a recorder like the output's."""
    return fill("duospike.cosim.simulation", "bench.v", bench=bench, fault_prefix=FAULT_PREFIX, drain_cycles=DRAIN_CYCLES)
