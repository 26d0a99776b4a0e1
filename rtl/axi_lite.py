"""The AXI4-Lite slave: bus accesses become reads and writes of registers."""

from dataclasses import dataclass

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_table, check_width
from .memory import rom
from .stream import counter, index_bits, unpack

OKAY, SLVERR, DECERR = 0, 2, 3
WORD_BITS = 32


class AxiLite:
    """The signals of an AXI4-Lite slave with a data bus of 32 bits; AWPROT and ARPROT have no meaning here and are left out."""

    def __init__(self, address_bits: int):
        check_number("AxiLite", 3, address_bits=address_bits)
        self.awaddr = Signal(intbv(0)[address_bits:])
        self.awvalid = Signal(bool(0))
        self.awready = Signal(bool(0))
        self.wdata = Signal(intbv(0)[WORD_BITS:])
        self.wstrb = Signal(intbv(0)[WORD_BITS // 8 :])
        self.wvalid = Signal(bool(0))
        self.wready = Signal(bool(0))
        self.bresp = Signal(intbv(0)[2:])
        self.bvalid = Signal(bool(0))
        self.bready = Signal(bool(0))
        self.araddr = Signal(intbv(0)[address_bits:])
        self.arvalid = Signal(bool(0))
        self.arready = Signal(bool(0))
        self.rdata = Signal(intbv(0)[WORD_BITS:])
        self.rresp = Signal(intbv(0)[2:])
        self.rvalid = Signal(bool(0))
        self.rready = Signal(bool(0))


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the registers lie: `constants` words that a ROM holds, then `commands`, which can be written, then `states`."""

    constants: int
    commands: int
    states: int

    def __post_init__(self):
        check_number("layout", 1, constants=self.constants, commands=self.commands, states=self.states)


@block
def axi_lite(clk, rst, bus, values, write, write_index, write_data, bad_access, *, layout, identity):
    """AXI4-Lite slave of a register map.

    The channels are independent: address and data of a write may come in any order and at any distance, a read may pass a
    write. Every access gets an answer, see registers.ACCESS_RULES. The two lowest address bits do not count.

    Ports:
        bus          slave       see AxiLite
        values       in          words of the command and status registers, the first in the lowest bits
        write        out  1      a command register is written at this edge
        write_index  out  index  which: 0 .. commands - 1
        write_data   out  32     what, all its bytes with their strobes
        bad_access   out  1      an access is answered with an error

    Parameters:
        layout: a Layout
        identity: Table of the constants

    Timing: a read takes 2 cycles, a write 3, from its last address or data beat to the end of the answer.
    """
    constants, commands, states = layout.constants, layout.commands, layout.states
    first_state, total = constants + commands, constants + commands + states
    address_msb = len(bus.awaddr)
    count, all_strobes = commands + states, 2 ** len(bus.wstrb) - 1
    check_number("axi_lite", (total - 1).bit_length() + 2, address_bits=address_msb)
    check_width("axi_lite", address_msb, araddr=bus.araddr)
    check_width("axi_lite", count * WORD_BITS, values=values)
    check_width("axi_lite", index_bits(commands), write_index=write_index)
    check_width("axi_lite", WORD_BITS, write_data=write_data)
    check_table("axi_lite", WORD_BITS, constants, identity=identity)

    fetch, commit = Signal(bool(0)), Signal(bool(0))
    words = [Signal(intbv(0)[WORD_BITS:]) for _ in range(count)]
    value_fields = unpack(values, words)

    # Reads.
    read_index = Signal(intbv(0)[address_msb - 2 :])
    constant_index, value_index = counter(constants), counter(count)
    constant_word, value = Signal(intbv(0)[WORD_BITS:]), Signal(intbv(0)[WORD_BITS:])
    answering, is_constant, read_missing, answer_missing = [Signal(bool(0)) for _ in range(4)]

    # Writes.
    has_address, has_data, responding, write_missing, write_refused, read_only = [Signal(bool(0)) for _ in range(6)]
    is_empty, is_whole = Signal(bool(0)), Signal(bool(0))
    address = Signal(intbv(0)[address_msb - 2 :])
    data = Signal(intbv(0)[WORD_BITS:])
    response = Signal(intbv(0)[2:])

    constant_rom = rom(clk, fetch, constant_index, constant_word, table=identity)

    @always_comb
    def decode_read():
        read_index.next = bus.araddr[address_msb:2]
        fetch.next = bus.arvalid and not answering

    @always_comb
    def find_word():
        read_missing.next = read_index >= total
        constant_index.next = 0
        value_index.next = 0
        if read_index < constants:
            constant_index.next = read_index
        elif read_index < total:
            value_index.next = read_index - constants

    @always(clk.posedge)
    def read_word():
        if fetch:
            is_constant.next = read_index < constants
            answer_missing.next = read_missing
            value.next = 0
            if not read_missing:
                value.next = words[value_index]
        if rst:
            answering.next = False
        elif fetch:
            answering.next = True
        elif bus.rready:
            answering.next = False

    @always_comb
    def answer_read():
        bus.arready.next = not answering
        bus.rvalid.next = answering
        bus.rdata.next = value
        bus.rresp.next = OKAY
        if is_constant:
            bus.rdata.next = constant_word
        if answer_missing:
            bus.rresp.next = DECERR

    @always_comb
    def decode_write():
        commit.next = has_address and has_data and not responding
        write_missing.next = address >= total
        read_only.next = address < constants or address >= first_state

    @always_comb
    def refuse_write():
        write_refused.next = write_missing or (not is_empty and (read_only or not is_whole))

    @always(clk.posedge)
    def collect_write():
        if bus.awvalid and not has_address:
            address.next = bus.awaddr[address_msb:2]
        if bus.wvalid and not has_data:
            data.next = bus.wdata
            is_empty.next = bus.wstrb == 0
            is_whole.next = bus.wstrb == all_strobes
        if rst or commit:
            has_address.next = False
            has_data.next = False
        else:
            if bus.awvalid:
                has_address.next = True
            if bus.wvalid:
                has_data.next = True

    @always(clk.posedge)
    def respond_to_write():
        if commit:
            response.next = OKAY
            if write_missing:
                response.next = DECERR
            elif write_refused:
                response.next = SLVERR
        if rst:
            responding.next = False
        elif commit:
            responding.next = True
        elif bus.bready:
            responding.next = False

    @always_comb
    def drive_write_channels():
        bus.awready.next = not has_address
        bus.wready.next = not has_data
        bus.bvalid.next = responding
        bus.bresp.next = response

    @always_comb
    def drive_command():
        write.next = commit and is_whole and not write_refused
        write_data.next = data
        write_index.next = 0
        if address >= constants and address < first_state:
            write_index.next = address - constants
        bad_access.next = (commit and write_refused) or (fetch and read_missing)

    return instances()
