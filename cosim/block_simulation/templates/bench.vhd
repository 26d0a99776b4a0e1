{# The ports of a block for MyHDL, see ghdl_cosimulation.py. #}
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;
use std.textio.all;

entity bench is
    generic (shown: string);
end entity;

architecture exchange of bench is

{% for port in top.inputs %}
signal port_${port.name}: std_logic_vector(${port.width - 1} downto 0) := (others => '0');
{% endfor %}
{% for port in top.outputs %}
signal port_${port.name}: std_logic_vector(${port.width - 1} downto 0);
{% endfor %}
signal unknown: std_logic_vector(${[1, watched | length] | max - 1} downto 0) := (others => '0');

begin

dut: entity work.${top.name} port map (
{% for connection in connections %}
    ${connection}${"," if not loop.last}
{% endfor %}
);
{% for name, valid in watched.items() %}
unknown(${loop.index0}) <= '1' when ${'port_' ~ valid ~ ' = "1" and ' if valid}is_x(port_${name}) else '0';
{% else %}

{% endfor %}

exchange: process
    file shown_file: text open write_mode is shown;
    variable row: line;

    procedure put(value: std_logic_vector) is
    begin
        swrite(row, to_hstring(value) & " ");
    end procedure;

    procedure get(signal value: out std_logic_vector) is
        variable word: std_logic_vector(value'range);
    begin
        hread(row, word);
        value <= word;
    end procedure;
begin
    wait for 1 fs;
{% for port in top.outputs %}
        put(port_${port.name});
{% endfor %}
    put(unknown);
    writeline(shown_file, row);
    flush(shown_file);
    if endfile(input) then
        wait;
    end if;
    readline(input, row);
{% for port in top.inputs %}
        get(port_${port.name});
{% endfor %}
end process;

end architecture;
