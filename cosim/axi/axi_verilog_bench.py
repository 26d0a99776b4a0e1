"""The test bench of the AXI shell in Verilog, which a host program drives through pipes while it runs.

The host writes one command a line, the bench answers each with one line of `=` and numbers; time passes only within commands.

    r ADDRESS                 read: response, data
    w ADDRESS DATA STROBES    write: response
    s COUNT LAST              begin to send COUNT beats of send.hex as one transfer, with TLAST on the last one if LAST is 1
    e                         run until the transfer is sent: 1, or 0 if nothing moved for too long
    a                         take words of results up to and with a TLAST, and then no more
    p                         run until they have come: as e
    c CYCLES                  run
    z CYCLES                  hold aresetn low; what is being sent or taken is given up

Numbers are hexadecimal with 8 digits, STROBES and LAST with one. A line `m DATA` is a word that has come from the core, in
between. axi_vhdl_bench.py has the same bench in VHDL.
"""

from __future__ import annotations

from duospike.cosim.conversion.convert import Module
from duospike.cosim.simulation.bench import FAULT_PREFIX
from duospike.cosim.templates import fill

IDLE_LIMIT = 20_000
"""Cycles without a beat or an answer after which the bench gives up."""


def axi_verilog_bench(top: Module, waves: bool = False) -> str:
    """The bench module around the converted shell."""
    return fill("duospike.cosim.axi", "bench.v", top=top, waves=waves, fault_prefix=FAULT_PREFIX)
