import random
from dataclasses import dataclass, field

import pytest
from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.scan_position import position_width, scan_position
from duospike.rtl.stream import Stream, counter, index_bits
from tests.benches.stream_bench import cycle

CYCLES = 600


@dataclass
class Positions:
    """What is to be given, by the parts that are full, taken and read."""

    parts: int
    width: int
    padding: int
    chunks: int
    scans: int
    flush: int
    banks: int
    given: int = 0
    taken: list[int] = field(default_factory=list)

    def next(self) -> tuple[int | None, int | None, int | None, bool]:
        """Part since the start, pixel and chunk address, each None without one, and whether the position ends its part."""
        per_part = self.scans * (self.width + self.padding)
        frame, place = divmod(self.given, self.parts * per_part + self.flush)
        if place >= self.parts * per_part:
            return None, None, None, False
        part, step = frame * self.parts + place // per_part, place % per_part
        column, pixels = step % (self.width + self.padding), part % self.banks * self.width
        ends = step == per_part - 1
        if column >= self.width:
            return part, None, None, ends
        return part, pixels + column, (pixels + column) * self.chunks, ends


@pytest.mark.parametrize("rates", [(0.3, 0.3, 0.3), (0.2, 0.9, 0.9), (0.9, 0.05, 0.9)])
@pytest.mark.parametrize(
    ("parts", "width", "padding", "chunks", "scans", "flush", "banks"),
    [(9, 1, 0, 1, 1, 0, 2), (9, 1, 0, 1, 1, 0, 3), (2, 3, 1, 2, 2, 3, 2), (1, 4, 2, 3, 1, 7, 4), (3, 2, 0, 5, 3, 1, 5)],
)
def test_a_position_in_each_cycle_in_which_one_is_there(place, rates, parts, width, padding, chunks, scans, flush, banks):
    """Parts come, are read and their positions taken at random; what is given in every cycle is compared.

    rates: of a part that comes, of one that is read, and of a position that is taken, in a cycle.
    """
    words = banks * width * chunks
    clk, rst, dst = Signal(bool(0)), Signal(bool(1)), Stream(position_width(words))
    full, freed, freed_bank = Signal(intbv(0)[banks:]), Signal(bool(0)), counter(banks)
    pixel_addr = counter(banks * width)
    dut = place(
        scan_position, clk=clk, rst=rst, full=full, freed=freed, freed_bank=freed_bank, pixel_addr=pixel_addr, dst=dst,
        parts=parts, width=width, padding=padding, chunks=chunks, scans=scans, flush=flush, banks=banks,
    )  # fmt: skip
    model = Positions(parts, width, padding, chunks, scans, flush, banks)
    choose = random.Random(f"{parts} {banks} {rates}")
    wrong, (comes, leaves, takes) = [], rates

    def bench():
        filled, read = 0, 0
        for _ in range(2):
            yield from cycle(clk)
        rst.next = False
        for time in range(CYCLES):
            # Banks are filled and freed in turn; one is freed once all its positions have been taken.
            if filled - read < banks and choose.random() < comes:
                filled += 1
            freed.next = read < len(model.taken) and choose.random() < leaves
            freed_bank.next = read % banks
            full.next = sum(1 << part % banks for part in range(read, filled))
            dst.ready.next = choose.random() < takes
            yield delay(1)
            part, pixel, word, ends = model.next()
            valid = part is None or (part < filled and part not in model.taken)
            found = int(dst.data)
            if bool(dst.valid) != valid:
                wrong.append(f"cycle {time}: valid {bool(dst.valid)}")
            elif valid:
                address = word if found >> index_bits(words) & 1 else found % 2 ** index_bits(words)
                if (address, found >> index_bits(words) & 1, found >> index_bits(words) + 1) != (word, pixel is None, ends):
                    wrong.append(f"cycle {time}: position {found:b}")
                if pixel is not None and int(pixel_addr) != pixel:
                    wrong.append(f"cycle {time}: pixel {int(pixel_addr)}")
            if valid and dst.ready:
                model.given += 1
                model.taken += [part] if ends else []
            read += bool(freed)
            yield from cycle(clk)
        raise StopSimulation

    simulate(dut.instance, bench())
    assert wrong == []
    assert len(model.taken) > banks
