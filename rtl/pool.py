"""The OR-pool stage: max-pooling of spikes."""

from dataclasses import dataclass

from myhdl import Signal, always, always_comb, block, instances, intbv

from .activity import activity
from .checks import check_number, check_ports
from .memory import ram
from .stage import Stage
from .stream import counter


@dataclass(frozen=True, kw_only=True)
class Pool(Stage):
    """Parameters of an OR-pool stage. height, width: its input map. groups: beats for each pixel."""

    kind = "pool"

    height: int
    width: int
    groups: int

    def __post_init__(self):
        check_number("pool", 2, height=self.height, width=self.width)
        check_number("pool", 1, groups=self.groups, lanes=self.lanes, timesteps=self.timesteps)

    @property
    def pairs(self) -> int:
        """Pairs of a row, which wait for the row below."""
        return self.groups * (self.width // 2)

    @property
    def input_bits(self) -> int:
        return self.output_bits

    @property
    def input_beats(self) -> int:
        return self.groups * self.height * self.width

    @property
    def output_beats(self) -> int:
        return self.pairs * (self.height // 2)


@block
def pool(clk, rst, src, dst, counts, *, stage):
    """OR of 2 x 2 spikes, stride 2; an odd last row or column is dropped.

    Ports:
        src     sink    spike stream
        dst     source  spike stream of height // 2 rows and width // 2 columns
        counts  out     activity counters: busy in each cycle in which it takes a beat

    Timing: one beat in a cycle; a row of pairs waits in a memory for the row below.
    """
    check_ports("pool", stage, src, dst)
    bits, height, width, groups = stage.output_bits, stage.height, stage.width, stage.groups
    pairs = stage.pairs
    last_row, last_group, last_column, last_pair = height - 1, groups - 1, width - 1, pairs - 1

    row, group_index, column = counter(height), counter(groups), counter(width)
    pair_addr = counter(pairs)
    left = Signal(intbv(0)[bits:])
    pair = Signal(intbv(0)[bits:])
    above = Signal(intbv(0)[bits:])
    pooled = Signal(intbv(0)[bits:])
    valid = Signal(bool(0))
    take, keep_pair, fetch_pair, complete = [Signal(bool(0)) for _ in range(4)]
    stall_in, stall_out, never = [Signal(bool(0)) for _ in range(3)]

    upper_row = ram(clk, keep_pair, pair_addr, pair, fetch_pair, pair_addr, above, depth=pairs)
    count_activity = activity(clk, rst, take, stall_in, stall_out, never, never, counts)

    @always_comb
    def handshake():
        src.ready.next = dst.ready or not valid
        dst.valid.next = valid
        dst.data.next = pooled
        take.next = src.valid and (dst.ready or not valid)

    @always_comb
    def classify_cycle():
        stall_in.next = not src.valid
        stall_out.next = src.valid and valid and not dst.ready
        never.next = False

    @always_comb
    def combine_pair():
        pair.next = left | src.data
        keep_pair.next = take and column[0] and not row[0]
        fetch_pair.next = take and not column[0]
        complete.next = take and column[0] and row[0]

    @always(clk.posedge)
    def register_result():
        if take:
            left.next = src.data
        if complete:
            pooled.next = pair | above
        if rst:
            valid.next = False
        elif complete:
            valid.next = True
        elif dst.ready:
            valid.next = False

    @always(clk.posedge)
    def advance_position():
        if rst:
            row.next = 0
            group_index.next = 0
            column.next = 0
            pair_addr.next = 0
        elif take:
            if column[0]:
                pair_addr.next = 0 if pair_addr == last_pair else pair_addr + 1
            column.next = 0 if column == last_column else column + 1
            if column == last_column:
                group_index.next = 0 if group_index == last_group else group_index + 1
                if group_index == last_group:
                    row.next = 0 if row == last_row else row + 1

    return instances()
