"""The AXI shell around the accelerator of a network, ready to convert."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from myhdl import Signal

from duospike.cosim.conversion.convert import Module, convert
from duospike.cosim.conversion.elaboration import one_level
from duospike.cosim.conversion.internals import Block
from duospike.cosim.design.plan import image_packet_beats, plan_stages
from duospike.cosim.design.sizing import Sizing
from duospike.cosim.version import release_numbers
from duospike.reference.modelfile import model_bytes
from duospike.reference.network import Network
from duospike.rtl.axi_lite import AxiLite
from duospike.rtl.axi_shell import AxiShell, axi_shell, plan_shell
from duospike.rtl.axi_stream import AxiStream
from duospike.rtl.registers import RegisterMap, register_map
from duospike.rtl.result_output import RESULT_BITS
from duospike.rtl.stage import Stage

from .loadable import core_description, core_hash, loadable_stages, loadable_widths

TOP = "axi_shell"


def network_hash(network: Network) -> bytes:
    """SHA-256 of the model file without its notes about the origin, which are no part of the arithmetic."""
    return hashlib.sha256(model_bytes(replace(network, metadata={}))).digest()


def shell_registers(network: Network, stages: dict[str, Stage], core: dict[str, Any] | None = None) -> RegisterMap:
    """The registers of the shell around these stages. core: of a loadable one, its description."""
    beats = image_packet_beats(stages)
    identity = network_hash(network) if core is None else core_hash(core)
    return register_map(list(stages), release_numbers(), identity, beats, 1 + network.classes, core is not None)


def shell_of(network: Network, stages: dict[str, Stage], core: dict[str, Any] | None = None) -> AxiShell:
    """The shell's parameters. core: of a loadable one, its description; `stages` are from loadable_stages then."""
    return plan_shell(stages, image_packet_beats(stages), shell_registers(network, stages, core))


@dataclass(frozen=True, eq=False)
class ShellPlan:
    """A shell with all that belongs to it. core: of a loadable one, its description."""

    stages: dict[str, Stage]
    shell: AxiShell
    core: dict[str, Any] | None


def plan_of(network: Network, sizing: Sizing, headroom: int | None = None) -> ShellPlan:
    """The shell for a network; loadable where a headroom is given, see loadable_widths."""
    core = None
    stages = plan_stages(network, sizing)
    if headroom is not None:
        widths = loadable_widths(network, headroom)
        stages = loadable_stages(plan_stages(network, sizing, widths))
        core = core_description(network, sizing, widths, stages)
    return ShellPlan(stages, shell_of(network, stages, core), core)


def build_shell(shell: AxiShell) -> Block:
    """The shell, with nothing inside its parts: to convert and not to simulate."""
    bus, images, results = AxiLite(shell.address_bits), AxiStream(shell.image_data_bits), AxiStream(RESULT_BITS)
    with one_level():
        return axi_shell(Signal(bool(0)), Signal(bool(0)), bus, images, results, shell=shell)


def convert_shell(shell: AxiShell, language: str = "verilog") -> tuple[Module, ...]:
    """The shell in Verilog or VHDL, its top last."""
    return tuple(convert(build_shell(shell), TOP, language))
