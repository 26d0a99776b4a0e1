"""The GTKWave save file that goes with a wave dump: the stream between every two stages."""

from __future__ import annotations

from .bench import Bench

DUMP = "waves.fst"
SAVE_FILE = "waves.gtkw"


def save_file(bench: Bench) -> str:
    """Text of the save file: clock, reset, the input, the watched streams and the output."""
    streams = {"src": bench.width("src_data"), **bench.watch, "dst": bench.width("dst_data")}
    lines = [f'[dumpfile] "{DUMP}"', "[timestart] 0", "bench.clk", "bench.rst"]
    for name, width in streams.items():
        lines += [f"-{name}", f"bench.{name}_valid", f"bench.{name}_ready", f"bench.{name}_data[{width - 1}:0]"]
    return "\n".join(lines) + "\n"
