{# The test bench of the AXI shell, see axi_vhdl_bench.py. #}
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;
use ieee.math_real.all;
use std.textio.all;
use std.env.all;

entity bench is
    generic (stall: natural; seed: natural; idle_limit: natural);
end entity;

architecture pipes of bench is

signal aclk, aresetn: std_logic := '0';
signal s_axi_awaddr, s_axi_araddr: unsigned(${top.width("s_axi_awaddr") - 1} downto 0);
signal s_axi_awvalid, s_axi_wvalid, s_axi_bready, s_axi_arvalid, s_axi_rready: std_logic := '0';
signal s_axi_wdata, s_axi_rdata, m_axis_tdata: unsigned(31 downto 0);
signal s_axi_wstrb: unsigned(3 downto 0);
signal s_axi_awready, s_axi_wready, s_axi_bvalid, s_axi_arready, s_axi_rvalid: std_logic;
signal s_axi_bresp, s_axi_rresp: unsigned(1 downto 0);
signal s_axis_tvalid, m_axis_tready: std_logic := '0';
signal s_axis_tlast, s_axis_tready, m_axis_tvalid, m_axis_tlast: std_logic;
signal s_axis_tdata: unsigned(${top.width("s_axis_tdata") - 1} downto 0);

begin

dut: entity work.${top.name} port map (
{% for port in top.ports %}
    ${port.name} => ${port.name}${"," if not loop.last}
{% endfor %}
);

aclk <= not aclk after 5 ns;

run: process is
    -- A channel of the bus waits for its moment, then offers (or is ready to take), and is done with the transfer.
    type step is (waiting, offering, done);
    file send_file: text;
    variable row: line;
    variable seed_1, seed_2: positive := seed + 1;
    variable command: character;
    variable address, data, count: std_logic_vector(31 downto 0);
    variable digit: std_logic_vector(3 downto 0);
    variable beat: std_logic_vector(${(top.width("s_axis_tdata") + 3) // 4 * 4 - 1} downto 0);
    variable response: unsigned(1 downto 0);
    variable answer: unsigned(31 downto 0);
    variable left, idle: natural := 0;
    variable taken, taking, send_last, held: boolean := false;
    variable held_data: unsigned(31 downto 0);
    variable held_last: std_logic;
    variable address_sent, data_sent, answered: boolean;

    procedure say(text: string) is
    begin
        write(row, text);
        writeline(output, row);
        flush(output);
    end procedure;

    procedure fail(text: string) is
    begin
        say("${fault_prefix}" & text & ", at " & time'image(now));
        finish;
    end procedure;

    impure function stalled return boolean is
        variable chance: real;
    begin
        uniform(seed_1, seed_2, chance);
        return chance * 256.0 < real(stall);
    end function;

    function answer_of(is_so: boolean) return string is
    begin
        if is_so then
            return "= 1";
        end if;
        return "= 0";
    end function;

    -- The DMA engine at an edge: what the edge transferred.
    procedure watch_streams is
    begin
        idle := idle + 1;
        taken := aresetn = '0' or (s_axis_tvalid = '1' and s_axis_tready = '1');
        if aresetn = '0' then
            held := false;
            return;
        end if;
        if is_x(s_axis_tready xor m_axis_tvalid) then
            fail("unknown handshake of a stream");
        end if;
        if held and (m_axis_tvalid = '0' or m_axis_tdata /= held_data or m_axis_tlast /= held_last) then
            fail("a result was dropped or changed before it was taken");
        end if;
        held := m_axis_tvalid = '1' and m_axis_tready = '0';
        held_data := m_axis_tdata;
        held_last := m_axis_tlast;
        if taken then
            left := left - 1;
            idle := 0;
        end if;
        if m_axis_tvalid = '1' and m_axis_tready = '1' then
            if is_x(std_logic_vector(m_axis_tdata)) or is_x(m_axis_tlast) then
                fail("unknown bits in a result");
            end if;
            say("m " & to_hstring(std_logic_vector(m_axis_tdata)));
            if m_axis_tlast = '1' then
                taking := false;
            end if;
            idle := 0;
        end if;
    end procedure;

    -- And after it: what it offers next.
    procedure drive_streams is
    begin
        if s_axis_tvalid = '0' or taken then
            s_axis_tvalid <= '0';
            s_axis_tdata <= (others => 'X');
            s_axis_tlast <= 'X';
            if left > 0 and not stalled then
                readline(send_file, row);
                hread(row, beat);
                s_axis_tdata <= unsigned(beat(s_axis_tdata'range));
                s_axis_tlast <= '1' when send_last and left = 1 else '0';
                s_axis_tvalid <= '1';
            end if;
        end if;
        m_axis_tready <= '1' when taking and not stalled else '0';
    end procedure;

    -- A clock cycle, from one moment after an edge to the next.
    procedure cycle is
    begin
        wait until rising_edge(aclk);
        address_sent := (s_axi_awvalid = '1' and s_axi_awready = '1') or (s_axi_arvalid = '1' and s_axi_arready = '1');
        data_sent := s_axi_wvalid = '1' and s_axi_wready = '1';
        answered := (s_axi_bready = '1' and s_axi_bvalid = '1') or (s_axi_rready = '1' and s_axi_rvalid = '1');
        if s_axi_rready = '1' and s_axi_rvalid = '1' then
            answer := s_axi_rdata;
            response := s_axi_rresp;
        elsif answered then
            response := s_axi_bresp;
        end if;
        watch_streams;
        wait for 1 ns;
        drive_streams;
    end procedure;

    procedure advance(channel: inout step) is
    begin
        if channel = waiting and not stalled then
            channel := offering;
        end if;
    end procedure;

    function bit_of(channel: step; matters: boolean) return std_logic is
    begin
        if channel = offering and matters then
            return '1';
        end if;
        return '0';
    end function;

    -- An access: each channel begins at a moment of its own. An access without an answer must not leave the host without one.
    procedure access_register(writing: boolean) is
        variable request, payload, reply: step := waiting;
        variable waited: natural := 0;
    begin
        payload := waiting when writing else done;
        while request /= done or payload /= done or reply /= done loop
            advance(request);
            advance(payload);
            advance(reply);
            s_axi_awvalid <= bit_of(request, writing);
            s_axi_awaddr <= unsigned(address(s_axi_awaddr'range)) when request = offering else (others => 'X');
            s_axi_wvalid <= bit_of(payload, writing);
            s_axi_wdata <= unsigned(data) when payload = offering else (others => 'X');
            s_axi_wstrb <= unsigned(digit) when payload = offering else (others => 'X');
            s_axi_bready <= bit_of(reply, writing);
            s_axi_arvalid <= bit_of(request, not writing);
            s_axi_araddr <= unsigned(address(s_axi_araddr'range)) when request = offering else (others => 'X');
            s_axi_rready <= bit_of(reply, not writing);
            cycle;
            request := done when address_sent else request;
            payload := done when data_sent else payload;
            reply := done when answered else reply;
            waited := waited + 1;
            if waited > idle_limit then
                fail("the bus hangs");
            end if;
        end loop;
        s_axi_awvalid <= '0';
        s_axi_wvalid <= '0';
        s_axi_bready <= '0';
        s_axi_arvalid <= '0';
        s_axi_rready <= '0';
        if is_x(std_logic_vector(response)) or (not writing and is_x(std_logic_vector(answer))) then
            fail("unknown bits in what an access gave");
        end if;
    end procedure;

    procedure cycles(number: natural) is
    begin
        for i in 1 to number loop
            cycle;
        end loop;
    end procedure;

    procedure reset(number: natural) is
    begin
        aresetn <= '0';
        left := 0;
        taking := false;
        cycles(number);
        aresetn <= '1';
    end procedure;
begin
    reset(4);
    while not endfile(input) loop
        readline(input, row);
        read(row, command);
        case command is
            when 'r' =>
                hread(row, address);
                access_register(false);
                say("= " & to_hstring(std_logic_vector(response)) & " " & to_hstring(std_logic_vector(answer)));
            when 'w' =>
                hread(row, address);
                hread(row, data);
                hread(row, digit);
                access_register(true);
                say("= " & to_hstring(std_logic_vector(response)));
            when 's' =>
                if left > 0 then
                    fail("a transfer begins before the one before is sent");
                end if;
                file_close(send_file);
                file_open(send_file, "send.hex", read_mode);
                hread(row, count);
                hread(row, digit);
                left := to_integer(unsigned(count));
                send_last := digit /= x"0";
                idle := 0;
                say("=");
            when 'e' =>
                while left > 0 and idle < idle_limit loop
                    cycle;
                end loop;
                say(answer_of(left = 0));
            when 'a' =>
                taking := true;
                idle := 0;
                say("=");
            when 'p' =>
                while taking and idle < idle_limit loop
                    cycle;
                end loop;
                say(answer_of(not taking));
            when 'c' =>
                hread(row, count);
                cycles(to_integer(unsigned(count)));
                say("=");
            when 'z' =>
                hread(row, count);
                reset(to_integer(unsigned(count)));
                say("=");
            when others =>
                fail("an unknown command");
        end case;
    end loop;
    finish;
end process;

end architecture;
