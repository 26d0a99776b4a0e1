"""The file-driven test bench in VHDL-2008, see bench.py."""

from __future__ import annotations

from duospike.rtl.activity import ACTIVITY_BITS, COUNTER_BITS

from .bench import DRAIN_CYCLES, FAULT, Bench


def vhdl_bench(bench: Bench) -> str:
    """The bench entity; it does what the Verilog one does, and writes the same files."""
    streams = tuple(bench.expected_beats)
    src_width, counts_width = bench.width("src_data"), bench.width("counts")
    files = "\n".join(f'    file {name}_file: text open write_mode is "{name}.txt";' for name in streams)
    left = "\n".join(f"    variable {name}_left: integer := {beats};" for name, beats in bench.expected_beats.items())
    some_left = " or ".join(f"{name}_left > 0" for name in streams)
    missing = "\n".join(_missing(name) for name in streams)
    busy_counts = (f"unsigned'(counts({low + COUNTER_BITS - 1} downto {low}))" for low in range(0, counts_width, ACTIVITY_BITS))
    return f"""\
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;
use ieee.math_real.all;
use std.textio.all;
use std.env.all;

entity bench is
end entity;

architecture files of bench is

constant reset_time: time := 36 ns;
signal clk: std_logic := '0';
signal rst: std_logic := '1';
signal src_valid, dst_ready: std_logic := '0';
signal src_ready, dst_valid: std_logic;
signal src_data: unsigned({src_width - 1} downto 0) := (others => '0');
signal dst_data: unsigned({bench.width("dst_data") - 1} downto 0);
signal counts: unsigned({counts_width - 1} downto 0);
{_watched_signals(bench)}
begin

dut: entity work.{bench.top.name} port map (
    clk => clk, rst => rst,
    src_valid => src_valid, src_ready => src_ready, src_data => src_data,
    dst_valid => dst_valid, dst_ready => dst_ready, dst_data => dst_data,
    counts => counts{", trace => trace" if bench.watch else ""}
);
{_watched_assignments(bench)}
clk <= not clk after 5 ns;
rst <= '0' after reset_time;

run: process is
    file src_file: text open read_mode is "src.hex";
    file counts_file: text open write_mode is "counts.txt";
    file starts_file: text open write_mode is "starts.txt";
{files}
{left}
    variable row: line;
    variable word: std_logic_vector({-(-src_width // 4) * 4 - 1} downto 0);
    variable seed_1, seed_2: positive := {bench.seed + 1};
    variable chance: real;
    variable cycle, sent, offered, idle, after_last: natural := 0;
    variable worked, worked_before: unsigned({COUNTER_BITS - 1} downto 0) := (others => '0');

    procedure fault(message: string) is
    begin
        write(row, string'("{FAULT}") & message);
        writeline(output, row);
        finish;
    end procedure;

    procedure put(file target: text; payload: unsigned; left: inout integer) is
    begin
        write(row, integer'image(cycle) & " " & to_hstring(std_logic_vector(payload)));
        writeline(target, row);
        if left > 0 then
            idle := 0;
        end if;
        left := left - 1;
    end procedure;
begin
    wait until rising_edge(clk);
    if rst = '0' then
{_recorders(streams)}
        if dst_valid = '1' and dst_ready = '1' and dst_left = 0 then
            write(row, integer'image(cycle + 1) & " " & to_hstring(std_logic_vector(counts)));
            writeline(counts_file, row);
        end if;
        if src_valid = '1' and src_ready = '1' then
            if sent mod {bench.frame_beats} = 0 then
                write(row, integer'image(cycle));
                writeline(starts_file, row);
            end if;
            sent := sent + 1;
            idle := 0;
        end if;
        worked := {" + ".join(busy_counts)};
        if worked /= worked_before then
            idle := 0;
        end if;
        worked_before := worked;
        if {some_left} then
            idle := idle + 1;
        else
            after_last := after_last + 1;
        end if;
        if after_last > {DRAIN_CYCLES} then
            finish;
        end if;
        if idle > {bench.idle_limit} then
            write(row, string'("{FAULT}nothing moved for {bench.idle_limit} cycles, "));
            write(row, integer'image(sent) & " of {len(bench.beats)} beats sent");
{missing}
            writeline(output, row);
            finish;
        end if;
        cycle := cycle + 1;
    end if;
    -- Drive after the edge, record what the edge transferred.
    wait for 1 ns;
    if now >= reset_time then
        if src_valid = '0' or sent = offered then
            uniform(seed_1, seed_2, chance);
            src_valid <= '0';
            src_data <= (others => 'X');
            if offered < {len(bench.beats)} and chance * 256.0 >= {float(bench.src_stall)} then
                readline(src_file, row);
                hread(row, word);
                src_data <= unsigned(word(src_data'range));
                src_valid <= '1';
                offered := offered + 1;
            end if;
        end if;
        uniform(seed_1, seed_2, chance);
        -- A surplus beat must not hide behind a stall.
        dst_ready <= '1' when chance * 256.0 >= {float(bench.dst_stall)} or dst_left <= 0 else '0';
    end if;
end process;

end architecture;
"""


def _watched_signals(bench: Bench) -> str:
    lines = [f"signal trace: unsigned({bench.width('trace') - 1} downto 0);"] if bench.watch else []
    for name, width in bench.watch.items():
        lines += [f"signal {name}_valid, {name}_ready: std_logic;", f"signal {name}_data: unsigned({width - 1} downto 0);"]
    return "\n".join(lines)


def _watched_assignments(bench: Bench) -> str:
    lines, low = [], 0
    for name, width in bench.watch.items():
        lines += [
            f"{name}_valid <= trace({low});",
            f"{name}_ready <= trace({low + 1});",
            f"{name}_data <= trace({low + width + 1} downto {low + 2});",
        ]
        low += width + 2
    return "\n".join(lines)


def _missing(name: str) -> str:
    """Adds to the line of a fault the number of beats that a stream lacks."""
    return f"""\
            if {name}_left > 0 then
                write(row, ", missing on {name}: " & integer'image({name}_left));
            end if;"""


def _recorders(streams: tuple[str, ...]) -> str:
    return "\n".join(
        f"        if {name}_valid = '1' and {name}_ready = '1' then\n"
        f"            put({name}_file, {name}_data, {name}_left);\n"
        f"        end if;\n"
        f"        if is_x({name}_valid xor {name}_ready) then\n"
        f'            fault("unknown valid or ready on stream {name} at cycle " & integer\'image(cycle));\n'
        f"        end if;"
        for name in streams
    )
