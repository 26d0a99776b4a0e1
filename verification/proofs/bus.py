"""Proofs of the AXI4-Lite slave."""

from duospike.rtl.axi_lite import AxiLite, Layout, axi_lite
from duospike.rtl.stream import counter
from verification.proof import Fault, Proof, bit, table, vector

ADDRESS_BITS = 5
"""Of a bus to 8 words."""


def slave(layout: Layout, *faults: Fault) -> Proof:
    """A proof of the slave with fewer registers than the bus has words."""
    constants, words = layout.constants, layout.commands + layout.states
    return Proof(
        f"axi_lite, {constants + words} registers",
        "each access is answered once, as its address and strobes have it, and a write of a whole word is done once, no other",
        "axi_lite",
        lambda: axi_lite(
            bit(), bit(), AxiLite(ADDRESS_BITS), vector(32 * words), bit(), counter(layout.commands), vector(32), bit(),
            layout=layout, identity=table("identity.hex", 32, constants),
        ),
        6, faults, {"CONSTANTS": constants, "COMMANDS": layout.commands, "TOTAL": constants + words},
    )  # fmt: skip


PROOFS: tuple[Proof, ...] = (
    slave(
        Layout(constants=2, commands=2, states=1),
        Fault("a part of a word is written", "is_whole <= (bus_wstrb == 15);", "is_whole <= (bus_wstrb != 0);"),
        Fault("no strobe is an error", "is_empty <= (bus_wstrb == 0);", "is_empty <= 1'b0;"),
        Fault("a word without strobes is written", "(commit && is_whole &&", "(commit && (is_whole || is_empty) &&"),
        Fault("a status register is written", "(address >= 4)", "(address >= 5)"),
        Fault("a write does not wait for the answer before it", " && has_data && (!responding))", " && has_data)"),
        Fault("an answer does not wait for the master", "else if (bus_bready) begin", "else begin"),
        Fault("only a bad read is reported", "((commit && write_refused) ||", "("),
        Fault("a read gives the register before", "value_index = (read_index - 2);", "value_index = (read_index - 3);"),
    ),
)
