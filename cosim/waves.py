"""The GTKWave save file that goes with a wave dump: the stream between every two stages."""

from __future__ import annotations

from collections.abc import Iterable

DUMP = "waves.fst"
SAVE_FILE = "waves.gtkw"


def save_file(streams: Iterable[tuple[str, int]]) -> str:
    """Text of the save file for streams (prefix of the signals, width of the payload) of the device under test."""
    lines = [f'[dumpfile] "{DUMP}"', "[timestart] 0", "bench.clk", "bench.rst"]
    for prefix, width in streams:
        bits = f"[{width - 1}:0]"
        lines += [f"-{prefix}", f"{prefix}_valid", f"{prefix}_ready", f"{prefix}_data{bits}"]
    return "\n".join(lines) + "\n"
