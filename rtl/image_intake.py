"""The image intake of the AXI shell: packets of any length in, whole images out."""

from myhdl import Signal, always, always_comb, block, instances

from .checks import check_number, check_width
from .stream import counter


@block
def image_intake(clk, rst, enable, src, dst, mark, ended, ended_early, ended_late, active, *, beats):
    """Takes image packets and passes exactly `beats` beats for each, so that a wrong packet never puts the images after it
    out of step.

    The rest of a packet that ends early is replaced by zeros; what a packet has beyond the last beat is dropped.

    Ports:
        enable       in      1    a packet may begin; one that has begun is taken to its end
        src          sink         an AXI stream of packets; beats as the first stage takes them in the lowest bits of TDATA
        dst          source       the images' beats
        mark         source  1    for each packet as its image is complete, or known to be too short: 1 if it had another length
        ended        out     1    this edge takes the last beat of an image
        ended_early  out     1    this edge takes a TLAST before the last beat
        ended_late   out     1    this edge takes the last beat without TLAST
        active       out     1    an image is under way in the intake

    `mark` is never held back: no packet begins while its sink is not ready, and only this block fills that.

    Timing: one beat a cycle, latency 1.
    """
    check_number("image_intake", 1, beats=beats)
    check_number("image_intake", len(dst.data), data_bits=len(src.tdata))
    check_width("image_intake", 1, mark=mark.data)
    bits, last_beat = len(dst.data), beats - 1
    beat = counter(beats)
    padding, dropping, full, step, take, accepting = [Signal(bool(0)) for _ in range(6)]

    @always_comb
    def find_step():
        step.next = dst.ready or not full
        accepting.next = not padding and not dropping and (beat != 0 or (enable and mark.ready))

    @always_comb
    def handshake():
        src.tready.next = not rst and (dropping or (accepting and step))
        take.next = src.tvalid and accepting and step and not rst

    @always_comb
    def find_ends():
        ended_early.next = take and src.tlast and beat != last_beat
        ended_late.next = take and not src.tlast and beat == last_beat
        ended.next = take and (src.tlast or beat == last_beat)
        mark.valid.next = take and (src.tlast or beat == last_beat)
        mark.data.next = not (src.tlast and beat == last_beat)

    @always_comb
    def drive_output():
        dst.valid.next = full
        active.next = full or padding or dropping or beat != 0

    @always(clk.posedge)
    def advance_beat():
        if rst:
            beat.next = 0
            padding.next = False
            dropping.next = False
        else:
            if take or (padding and step):
                beat.next = 0 if beat == last_beat else beat + 1
                if beat == last_beat:
                    padding.next = False
            if ended_early:
                padding.next = True
            if ended_late:
                dropping.next = True
            elif dropping and src.tvalid and src.tlast:
                dropping.next = False

    @always(clk.posedge)
    def register_beat():
        if step:
            dst.data.next = 0
            if take:
                dst.data.next = src.tdata[bits:]
        if rst:
            full.next = False
        elif step:
            full.next = take or padding

    return instances()
