import random
import subprocess

import pytest
from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.convert import convert, write_modules
from duospike.cosim.conversion.simulation import simulate
from duospike.cosim.synthesis.synthesize import synthesize
from duospike.rtl.memory import Table, ram, rom
from duospike.rtl.stream import counter

WIDTH = 7


def clocked(clk, step, cycles):
    """A bench: step(cycle) runs before each rising edge, and once more after the last."""
    for cycle in range(cycles):
        step(cycle)
        yield delay(5)
        clk.next = True
        yield delay(5)
        clk.next = False
        yield delay(1)
    step(cycles)
    raise StopSimulation


@pytest.mark.parametrize("depth", [1, 2, 5, 16])
def test_ram_keeps_its_words(place, depth):
    """Writes and reads at random, never of one word at the same edge."""
    clk, write, read = Signal(bool(0)), Signal(bool(0)), Signal(bool(0))
    write_addr, read_addr = counter(depth), counter(depth)
    write_data, q = Signal(intbv(0)[WIDTH:]), Signal(intbv(0)[WIDTH:])
    dut = place(
        ram,
        clk=clk,
        write=write,
        write_addr=write_addr,
        write_data=write_data,
        read=read,
        read_addr=read_addr,
        q=q,
        depth=depth,
    )
    choose, stored, shown, seen = random.Random(depth), {}, [], []
    output = None

    def step(cycle):
        nonlocal output
        if output is not None:
            seen.append(int(q))
            shown.append(output)
        # Fill the memory first.
        writing, at = cycle < depth or choose.random() < 0.5, cycle if cycle < depth else choose.randrange(depth)
        reading, source = cycle >= depth and choose.random() < 0.7, choose.randrange(depth)
        reading = reading and not (writing and source == at)
        word = choose.getrandbits(WIDTH)
        write.next, write_addr.next, write_data.next = writing, at, word
        read.next, read_addr.next = reading, source
        if reading:
            output = stored[source]
        if writing:
            stored[at] = word

    simulate(dut.instance, clocked(clk, step, 150 + depth))
    assert len(seen) > 100
    assert seen == shown


@pytest.mark.parametrize(("width", "depth"), [(1, 1), (4, 2), (WIDTH, 5), (70, 33)])
def test_rom_holds_its_table(place, width, depth):
    choose = random.Random(width)
    table = Table("words.hex", width, tuple(choose.getrandbits(width) for _ in range(depth)))
    clk, read, read_addr, q = Signal(bool(0)), Signal(bool(0)), counter(depth), Signal(intbv(0)[width:])
    dut = place(rom, clk=clk, read=read, read_addr=read_addr, q=q, table=table)
    expected, seen = [], []

    def step(cycle):
        if cycle:
            seen.append(int(q))
        # A cycle with a read, then one without: the word stays.
        read.next, read_addr.next = cycle % 2 == 0, cycle // 2 % depth if cycle % 2 == 0 else (cycle + 1) // 2 % depth
        expected.append(table.words[cycle // 2 % depth])

    simulate(dut.instance, clocked(clk, step, 4 * depth))
    assert len(seen) == 4 * depth
    assert seen == expected[:-1]


def test_hex_file_pads_to_whole_digits():
    assert Table("x.hex", 9, (1, 511)).hex_lines() == "001\n1ff\n"


def test_depth_is_the_number_of_words():
    assert Table("x.hex", 4, (1, 2, 3)).depth == 3


@pytest.mark.parametrize("family", ["ecp5", pytest.param("xcup", marks=pytest.mark.slow)])
def test_a_ram_has_nothing_beside_its_block(tmp_path, family):
    """No registers and gates that give a collision the old word."""
    depth = 1024
    modules = convert(
        ram(
            Signal(bool(0)), Signal(bool(0)), counter(depth), Signal(intbv(0)[9:]), Signal(bool(0)), counter(depth),
            Signal(intbv(0)[9:]), depth=depth,
        )
    )  # fmt: skip
    area = synthesize(modules, tmp_path, family).total
    assert area.block_ram > 0 and area.ff == 0 and area.lut == 0


COLLISION = """
module bench;
    reg clk = 0;
    reg write = 1;
    reg [6:0] word = 5;
    wire [6:0] q;
    memory dut (.clk(clk), .write(write), .write_addr(2'd1), .write_data(word), .read(1'b1), .read_addr(2'd1), .q(q));
    initial begin
        #1 clk = 1; #1 clk = 0; write = 0;
        #1 clk = 1; #1 clk = 0; $display("%b", q); write = 1; word = 9;
        #1 clk = 1; #1 clk = 0; $display("%b", q); write = 0;
        #1 clk = 1; #1 $display("%b", q);
    end
endmodule
"""


def test_a_collision_is_unknown_in_simulation(tmp_path):
    """So a design that used it would not be bit-exact."""
    clk, write, read = [Signal(bool(0)) for _ in range(3)]
    write_data, q = Signal(intbv(0)[WIDTH:]), Signal(intbv(0)[WIDTH:])
    write_modules(convert(ram(clk, write, counter(4), write_data, read, counter(4), q, depth=4), "memory"), tmp_path)
    (tmp_path / "bench.v").write_text(COLLISION)
    subprocess.run(["iverilog", "-g2005", "-o", "bench", "bench.v", "memory.v"], cwd=tmp_path, check=True)
    done = subprocess.run(["vvp", "-n", "bench"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["0000101", "xxxxxxx", "0001001"]
