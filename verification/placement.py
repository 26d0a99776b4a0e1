"""The Verilog of a proof: the block's modules with the properties inside, or with a fault planted."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.errors import CosimError
from duospike.reference.files import write_file
from verification.proof import Fault, Proof

PROPERTIES = Path(__file__).parent / "properties"

KNOWN = """
// known: reset has been seen, so the registers hold what the design put there.
reg known = 0;
always @(posedge clk) known <= 1;
"""

RESET = """
always @(*) if (!known) assume(rst);
"""

STREAM_RULES = """
reg {stream}_waits = 0;
always @(posedge clk) {stream}_waits <= !rst && {stream}_valid && !{stream}_ready;
always @(posedge clk) if (known && {stream}_waits) begin
    {must}({stream}_valid);
    {must}({stream}_data == $past({stream}_data));
end
"""


COLLISION = re.compile(r"// synthesis translate_off\n(.*?)\{(\d+) \+ 1\{1'bx\}\}(.*?)// synthesis translate_on\n", re.DOTALL)
"""What simulators alone see of a module: that a word has unknown bits."""


def planted(modules: list[Module], fault: Fault) -> list[Module]:
    """The modules with a fault in them; CosimError if its place is not there, or not once in each module of one block."""
    found = [module for module in modules if fault.old in module.text]
    places = sum(module.text.count(fault.old) for module in found)
    if places != len(found) or len({block_of(module) for module in found}) != 1:
        raise CosimError(f"the fault {fault.what!r} has {places} places; allowed: 1 in each module of one block")
    return [replace(module, text=module.text.replace(fault.old, fault.new)) for module in modules]


def place(proof: Proof, modules: list[Module], folder: Path):
    """Write the modules to `folder`, each with its properties before its end, and their hex files."""
    write_modules(modules, folder)
    for module in modules:
        before, end, after = any_collision(module.text).rpartition("endmodule")
        write_file(folder / module.file, f"{before}{properties(proof, module, module is modules[-1])}\n{end}{after}")


def any_collision(text: str) -> str:
    """A module in which a word that simulators show as unknown bits is any word, another one in each cycle."""
    if not (found := COLLISION.search(text)):
        return text
    chosen = f"(* anyseq *) wire [{found[2]}:0] collided_word;\n"
    before, module, after = COLLISION.sub(r"\1collided_word\3", text).partition(");\n")
    return before + module + chosen + after


def properties(proof: Proof, module: Module, is_top: bool) -> str:
    """What is placed inside a module: the rules of its streams, and the properties that the proof has for its block."""
    inside = [names for block, names in proof.inside.items() if block_of(module) == block]
    own = "".join(text_of(names) for names in ([proof.properties] if is_top else inside))
    rules = "".join(stream_rules(stream, is_top and direction == "input") for stream, direction in streams(module).items())
    if not own and not rules:
        return ""
    constants = "".join(f"localparam {name} = {int(value)};\n" for name, value in proof.constants.items())
    has_reset = is_top and any(port.name == "rst" for port in module.ports)
    return KNOWN + (RESET if has_reset else "") + constants + rules + own


def text_of(names: str) -> str:
    """The properties of these names."""
    return "".join((PROPERTIES / f"{name}.sv").read_text() for name in names.split())


def streams(module: Module) -> dict[str, str]:
    """The streams among the ports, with the direction of their valid."""
    return {port.name.removesuffix("_valid"): port.direction for port in module.ports if port.name.endswith("_valid")}


def stream_rules(stream: str, is_given: bool) -> str:
    """Rule 2 of a stream: assumed of what the block is given, else asserted."""
    return STREAM_RULES.format(stream=stream, must="assume" if is_given else "assert")


def block_of(module: Module) -> str:
    """Name of the block that a module was made from, as its header has it."""
    return module.text.removeprefix("// ").partition(":")[0]


def covers(proof: Proof) -> int:
    """The covers of a proof's properties."""
    return text_of(" ".join([proof.properties, *proof.inside.values()])).count("cover(")
