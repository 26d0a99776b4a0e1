"""A small network's board in a simulator, and what disturbs its serial line."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from duospike.cosim.axi.loadable import load_file
from duospike.cosim.axi.shell import plan_of, shell_of
from duospike.cosim.axi.shell_folder import description
from duospike.cosim.board.bitstream import BITSTREAM, CONSTRAINTS, BoardDesign, Routed
from duospike.cosim.board.boards import board_named
from duospike.cosim.board.core import convert_core
from duospike.cosim.board.folder import write_board
from duospike.cosim.board.simulated_port import simulated_board
from duospike.cosim.conversion.convert import Module
from duospike.cosim.design.sizing import choose_sizing
from duospike.reference.data.datasets import random_images
from duospike.reference.network import Network
from duospike.rtl.packets import Line
from duospike.rtl.stage import Stage
from tests.benches.shell_bench import loadable_core
from tests.benches.small_networks import small_network, small_stages

LINE = Line(divider=4, timeout=2000)
PATIENCE = 5
"""Seconds."""


@dataclass(frozen=True, eq=False)
class SmallBoard:
    """words: what loads a loadable core, else None."""

    network: Network
    stages: dict[str, Stage]
    modules: tuple[Module, ...]
    description: dict
    words: bytes | None

    def images(self, count, seed=5):
        return random_images(count, self.network.image_shape, self.network.pixel_range, seed)


@cache
def small_board(loadable=False, shape=(1, 9, 7), **settings) -> SmallBoard:
    """Converted once, since that takes most of a test's time. Pixels do not fill the last word. settings: of the network."""
    network = small_network("2C3-FC6", shape, rate=0.4, classes=6, **settings)
    stages, core = loadable_core(network) if loadable else (small_stages(network), None)
    shell = shell_of(network, stages, core)
    words = load_file(network, core) if loadable else None
    return SmallBoard(
        network, small_stages(network), convert_core(shell, LINE), description(network, stages, shell, core), words
    )


PLACED = {
    "fmax": {"clk": {"achieved": 50.0}},
    "utilization": {"TRELLIS_COMB": {"used": 9, "available": 24288}},
    "critical_paths": [
        {
            "from": "posedge clk",
            "to": "posedge clk",
            "path": [{"type": "routing", "delay": 0.5, "from": {"cell": "a"}, "to": {"cell": "b"}}],
        }
    ],
}
"""What nextpnr might report; placement takes minutes."""


def write_built(network, folder, headroom=None, logs=None):
    """A folder as build writes it, except that its bitstream and all HDL but one empty module are missing. headroom: of a
    loadable core. logs: what the tools have printed, by file."""
    folder.mkdir(exist_ok=True)
    for name in (BITSTREAM, CONSTRAINTS):
        (folder / name).write_bytes(b"as nextpnr and ecppack would")
    sizing = choose_sizing(network, 2)
    plan = plan_of(network, sizing, headroom)
    top = Module("board_top", "board_top.v", "module board_top;\nendmodule\n", (), (plan.shell.identity,))
    routed = Routed(BoardDesign(board_named("ulx3s-25f"), (top,), 45.0), folder, PLACED, 1, "nextpnr 0.0", logs or {})
    write_board(folder, network, sizing, plan, routed, 115200, headroom)
    return folder


@contextmanager
def board_running(folder, board=None, simulator="verilator"):
    """The port of a simulated board."""
    with simulated_board((board or small_board()).modules, LINE, folder, simulator) as port:
        yield port


class DisturbedPort:
    """A port on which something happens once: what `disturb(port, data)` returns is written instead of request number `at`."""

    def __init__(self, port, at, disturb):
        self.port, self.left, self.disturb, self.opened = port, at, disturb, 0
        self.read, self.settle, self.close = port.read, port.settle, port.close

    def open(self):
        self.opened += 1
        return self

    def write(self, data):
        self.left -= 1
        self.port.write(self.disturb(self.port, data) if self.left == 0 else data)
