"""The master of an AXI4-Lite bus: one access at a time."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .axi_lite import OKAY, WORD_BITS
from .checks import check_width


@block
def bus_master(clk, rst, bus, asks, writes, address, data, done, value, failed):
    """Reads or writes a word.

    Ports:
        bus      master      see axi_lite.AxiLite
        asks     in      1   begin an access; none is under way
        writes   in      1   it is a write
        address  in          of the word
        data     in      32  what to write
        done     out     1   the access is answered, for one cycle
        value    out     32  what was read, at `done`
        failed   out     1   the answer is an error, at `done`

    Timing: the request is on the bus one cycle after `asks`, `done` one cycle after the answer.
    """
    check_width("bus_master", len(bus.awaddr), address=address)
    check_width("bus_master", WORD_BITS, data=data, value=value)
    all_strobes = 2 ** len(bus.wstrb) - 1
    place, word, answer = Signal(intbv(0)[len(bus.awaddr) :]), Signal(intbv(0)[WORD_BITS:]), Signal(intbv(0)[WORD_BITS:])
    asks_read, asks_address, asks_data, waits_read, waits_write = [Signal(bool(0)) for _ in range(5)]
    answered, wrong = Signal(bool(0)), Signal(bool(0))

    @always(clk.posedge)
    def request():
        if asks:
            place.next = address
            word.next = data
        if rst:
            asks_read.next = False
            asks_address.next = False
            asks_data.next = False
        elif asks:
            asks_read.next = not writes
            asks_address.next = writes
            asks_data.next = writes
        else:
            if bus.arready:
                asks_read.next = False
            if bus.awready:
                asks_address.next = False
            if bus.wready:
                asks_data.next = False

    @always(clk.posedge)
    def take_answer():
        if rst:
            waits_read.next = False
            waits_write.next = False
        elif asks:
            waits_read.next = not writes
            waits_write.next = writes
        else:
            if bus.rvalid:
                waits_read.next = False
            if bus.bvalid:
                waits_write.next = False
        answered.next = not rst and ((waits_read and bus.rvalid) or (waits_write and bus.bvalid))
        answer.next = bus.rdata
        wrong.next = (waits_read and bus.rresp != OKAY) or (waits_write and bus.bresp != OKAY)

    @always_comb
    def drive_bus():
        bus.araddr.next = place
        bus.arvalid.next = asks_read
        bus.rready.next = waits_read
        bus.awaddr.next = place
        bus.awvalid.next = asks_address
        bus.wdata.next = word
        bus.wstrb.next = all_strobes
        bus.wvalid.next = asks_data
        bus.bready.next = waits_write

    @always_comb
    def drive_answer():
        done.next = answered
        value.next = answer
        failed.next = wrong

    return instances()
