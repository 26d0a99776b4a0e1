"""A small network behind the AXI shell in a simulator, and what host code needs for it."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np

from duospike.cosim.axi.loadable import core_description, loadable_stages, loadable_widths
from duospike.cosim.axi.pynq_driver import Accelerator
from duospike.cosim.axi.shell import convert_shell, shell_of
from duospike.cosim.axi.shell_folder import description
from duospike.cosim.axi.simulated_overlay import SimulatedOverlay
from duospike.cosim.conversion.convert import Module
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.simulation.network_run import SIMULATORS
from duospike.reference.data.datasets import random_images
from duospike.reference.network import Network
from tests.benches.small_networks import small_network, small_stages


@dataclass(frozen=True, eq=False)
class ShellDesign:
    """A network with its shell: the simulator that takes the modules' language, the modules, and what the driver reads."""

    network: Network
    simulator: str
    modules: tuple[Module, ...]
    description: dict

    def images(self, count, seed=5):
        return random_images(count, self.network.image_shape, self.network.pixel_range, seed)


def shell_design(
    architecture="2C3-FC6", shape=(1, 9, 8), lanes=None, loadable=False, headroom=0, simulator="icarus", **settings
) -> ShellDesign:
    """The shell around a small network; converted once, since that takes most of a test's time."""
    wanted = {"rate": 0.4, "classes": 6} | settings
    return _design(architecture, shape, lanes, loadable, headroom, simulator, tuple(wanted.items()))


@cache
def _design(architecture, shape, lanes, loadable, headroom, simulator, settings):
    network = small_network(architecture, shape, **dict(settings))
    if loadable:
        stages, core = loadable_core(network, lanes, headroom)
    else:
        stages, core = small_stages(network, lanes), None
    shell = shell_of(network, stages, core)
    modules = convert_shell(shell, SIMULATORS[simulator][0])
    return ShellDesign(network, simulator, modules, description(network, stages, shell, core))


def loadable_core(network, lanes=None, headroom=0):
    """Stages and description of a core that takes its network through the bus."""
    sizing, widths = choose_sizing(network, lanes), loadable_widths(network, headroom)
    stages = loadable_stages(plan_stages(network, sizing, widths))
    return stages, core_description(network, sizing, widths, stages)


@contextmanager
def shell_running(folder, design, modules=None, **settings):
    """(overlay, core) of a simulation in `folder`; modules: others than the design's own."""
    folder.mkdir(exist_ok=True)
    with SimulatedOverlay(modules or design.modules, folder, simulator=design.simulator, **settings) as overlay:
        yield overlay, Accelerator(design.description, overlay.ip, overlay.dma, overlay.allocate)


def receive(overlay, core):
    """Take one result; its words."""
    result = overlay.allocate(core.registers["RESULT_WORDS"]["value"], np.uint32)
    overlay.dma.recvchannel.transfer(result)
    overlay.dma.recvchannel.wait()
    return result


def send_packet(overlay, core, packet):
    """Send one packet of bytes; returns the words of its result."""
    result = overlay.allocate(core.registers["RESULT_WORDS"]["value"], np.uint32)
    overlay.dma.recvchannel.transfer(result)
    overlay.dma.sendchannel.transfer(packet)
    overlay.dma.sendchannel.wait()
    overlay.dma.recvchannel.wait()
    return result
