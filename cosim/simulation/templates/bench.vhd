{# The file-driven test bench, see bench.py and vhdl_bench.py. #}
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
signal src_data: unsigned(${bench.width("src_data") - 1} downto 0) := (others => '0');
signal dst_data: unsigned(${bench.width("dst_data") - 1} downto 0);
signal counts: unsigned(${bench.width("counts") - 1} downto 0);
{% if bench.watch %}
signal trace: unsigned(${bench.width("trace") - 1} downto 0);
{% else %}

{% endif %}
{% for name, low, width in bench.trace_fields %}
signal ${name}_valid, ${name}_ready: std_logic;
signal ${name}_data: unsigned(${width - 1} downto 0);
{% endfor %}
begin

dut: entity work.${bench.top.name} port map (
    clk => clk, rst => rst,
    src_valid => src_valid, src_ready => src_ready, src_data => src_data,
    dst_valid => dst_valid, dst_ready => dst_ready, dst_data => dst_data,
    counts => counts${", trace => trace" if bench.watch}
);
{% for name, low, width in bench.trace_fields %}
${name}_valid <= trace(${low});
${name}_ready <= trace(${low + 1});
${name}_data <= trace(${low + width + 1} downto ${low + 2});
{% else %}

{% endfor %}
clk <= not clk after 5 ns;
rst <= '0' after reset_time;

run: process is
    file src_file: text open read_mode is "src.hex";
    file counts_file: text open write_mode is "counts.txt";
    file starts_file: text open write_mode is "starts.txt";
{% for name in bench.streams %}
    file ${name}_file: text open write_mode is "${name}.txt";
{% endfor %}
{% for name, beats in bench.expected_beats.items() %}
    variable ${name}_left: integer := ${beats};
{% endfor %}
    variable row: line;
    variable word: std_logic_vector(${(bench.width("src_data") + 3) // 4 * 4 - 1} downto 0);
    variable seed_1, seed_2: positive := ${bench.seed + 1};
    variable chance: real;
    variable cycle, sent, offered, idle, after_last: natural := 0;
    variable worked, worked_before: unsigned(${counter_bits - 1} downto 0) := (others => '0');

    procedure fault(message: string) is
    begin
        write(row, string'("${fault_prefix}") & message);
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
{% for name in bench.streams %}
        if ${name}_valid = '1' and ${name}_ready = '1' then
            put(${name}_file, ${name}_data, ${name}_left);
        end if;
        if is_x(${name}_valid xor ${name}_ready) then
            fault("unknown valid or ready on stream ${name} at cycle " & integer'image(cycle));
        end if;
{% endfor %}
        if dst_valid = '1' and dst_ready = '1' and dst_left = 0 then
            write(row, integer'image(cycle + 1) & " " & to_hstring(std_logic_vector(counts)));
            writeline(counts_file, row);
        end if;
        if src_valid = '1' and src_ready = '1' then
            if sent mod ${bench.frame_beats} = 0 then
                write(row, integer'image(cycle));
                writeline(starts_file, row);
            end if;
            sent := sent + 1;
            idle := 0;
        end if;
        worked := {% for low, high in bench.busy_counters %}unsigned'(counts(${high} downto ${low}))${" + " if not loop.last}{% endfor %};
        if worked /= worked_before then
            idle := 0;
        end if;
        worked_before := worked;
        if {% for name in bench.streams %}${name}_left > 0${" or " if not loop.last}{% endfor %} then
            idle := idle + 1;
        else
            after_last := after_last + 1;
        end if;
        if after_last > ${drain_cycles} then
            finish;
        end if;
        if idle > ${bench.idle_limit} then
            write(row, string'("${fault_prefix}nothing moved for ${bench.idle_limit} cycles, "));
            write(row, integer'image(sent) & " of ${bench.beats | length} beats sent");
{% for name in bench.streams %}
            if ${name}_left > 0 then
                write(row, ", missing on ${name}: " & integer'image(${name}_left));
            end if;
{% endfor %}
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
            if offered < ${bench.beats | length} and chance * 256.0 >= ${bench.src_stall | float} then
                readline(src_file, row);
                hread(row, word);
                src_data <= unsigned(word(src_data'range));
                src_valid <= '1';
                offered := offered + 1;
            end if;
        end if;
        uniform(seed_1, seed_2, chance);
        -- A surplus beat must not hide behind a stall.
        dst_ready <= '1' when chance * 256.0 >= ${bench.dst_stall | float} or dst_left <= 0 else '0';
    end if;
end process;

end architecture;
