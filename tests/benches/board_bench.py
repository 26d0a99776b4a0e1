"""A small network's board in a simulator, and what disturbs its serial line."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from duospike.cosim.axi.loadable import load_file
from duospike.cosim.axi.shell import shell_of
from duospike.cosim.axi.shell_folder import description
from duospike.cosim.board.core import convert_core
from duospike.cosim.board.simulated_port import simulated_board
from duospike.cosim.conversion.convert import Module
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
