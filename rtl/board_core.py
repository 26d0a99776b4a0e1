"""What runs on a board: the AXI shell of an accelerator behind a serial line."""

from myhdl import Signal, always_comb, block, instances

from .axi_lite import AxiLite
from .axi_shell import axi_shell
from .axi_stream import AxiStream
from .result_output import RESULT_BITS
from .uart_bridge import uart_bridge


@block
def board_core(clk, rst, rxd, txd, *, shell, line):
    """The AXI shell and the bridge that masters it.

    Ports:
        rst  in   1  synchronous reset, for two cycles or more
        rxd  in   1  from the host, in time with no clock
        txd  out  1  to the host

    Parameters:
        shell: an AxiShell
        line: a packets.Line
    """
    bus, images, results = AxiLite(shell.address_bits), AxiStream(shell.image_data_bits), AxiStream(RESULT_BITS)
    aresetn = Signal(bool(0))

    @always_comb
    def drive_reset():
        aresetn.next = not rst

    bridge = uart_bridge(clk, rst, rxd, txd, bus, images, results, line=line)
    shell_block = axi_shell(clk, aresetn, bus, images, results, shell=shell)

    return instances()
