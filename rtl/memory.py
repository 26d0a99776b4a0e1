"""Memories: block RAMs, and a ROM that is initialised from a hex file."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from myhdl import always, block

from .checks import check_number, check_width
from .errors import DesignError
from .stream import index_bits


@dataclass(frozen=True)
class Table:
    """Contents of a ROM: `words` of `width` bits (unsigned), kept in the hex file `path` beside the HDL.

    The words take no part in comparison and repr, so that a module's name does not follow the weights.
    """

    path: str
    width: int
    words: Sequence[int] = field(repr=False, compare=False)
    depth: int = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "depth", len(self.words))
        check_number(f"table {self.path}", 1, width=self.width, words=self.depth)

    def part(self, first: int, end: int) -> "Table":
        """Words first .. end - 1, in a file of their own."""
        return Table(f"{self.path.removesuffix('.hex')}_{first}.hex", self.width, self.words[first:end])

    def check_words(self):
        """Refuse words that the width does not hold."""
        for place, word in enumerate(self.words):
            if not 0 <= word < 2**self.width:
                raise DesignError(f"table {self.path}: word {place} is {word}; allowed: 0 to {2**self.width - 1}")

    def hex_lines(self) -> str:
        """The file's text: one word a line, as $readmemh reads it."""
        digits = -(-self.width // 4)
        return "".join(f"{word:0{digits}x}\n" for word in self.words)


# A list of words and not of Signals, of which MyHDL keeps every one: a memory may have very many. The templates say more
# than MyHDL could: synthesis need not care what a collision gives, and simulators show it as unknown bits.
@block
def ram(clk, write, write_addr, write_data, read, read_addr, q, *, depth):
    """Simple dual-port RAM with a registered read; infers block RAM.

    Nothing may use the word of a read at whose edge the same address is written, nor that of an address never written: in
    the HDL it is unknown, in MyHDL the old word, or 0.

    Ports:
        write       in   1      store write_data at this edge
        write_addr  in   index  0 .. depth - 1
        write_data  in   width
        read        in   1      load q at this edge; q holds its value otherwise
        read_addr   in   index  0 .. depth - 1
        q           out  width  one cycle after the read
    """
    check_number("ram", 1, depth=depth)
    check_width("ram", index_bits(depth), write_addr=write_addr, read_addr=read_addr)
    check_width("ram", len(q), write_data=write_data, q=q)
    words = [0] * depth
    depth_1, msb = depth - 1, len(q) - 1  # noqa: F841 (names of the HDL templates)

    @always(clk.posedge)
    def transfer():
        if read:
            q.next = words[read_addr]
        if write:
            words[write_addr] = int(write_data)

    clk.read = write.read = write_addr.read = write_data.read = read.read = read_addr.read = True
    q.driven = "reg"
    return transfer


ram.vhdl_code = """\
memory: block
    type words_t is array (0 to $depth_1) of unsigned($msb downto 0);
    signal mem: words_t;
begin
    transfer: process ($clk) is
    begin
        if rising_edge($clk) then
            if $write = '1' then
                mem(to_integer($write_addr)) <= $write_data;
            end if;
            if $read = '1' then
                $q <= mem(to_integer($read_addr));
                -- synthesis translate_off
                if $write = '1' and $write_addr = $read_addr then
                    $q <= (others => 'X');
                end if;
                -- synthesis translate_on
            end if;
        end if;
    end process;
end block;"""
ram.verilog_code = """\
(* no_rw_check *) reg [$msb:0] mem [0:$depth_1];

always @(posedge $clk) begin: TRANSFER
    if ($write) begin
        mem[$write_addr] <= $write_data;
    end
    if ($read) begin
        $q <= mem[$read_addr];
        // synthesis translate_off
        if ($write && $write_addr == $read_addr) begin
            $q <= {$msb + 1{1'bx}};
        end
        // synthesis translate_on
    end
end"""


@block
def rom(clk, read, read_addr, q, *, table):
    """ROM with a registered read, initialised from table.path; infers block RAM.

    Ports:
        read       in   1      load q at this edge; q holds its value otherwise
        read_addr  in   index  0 .. table.depth - 1
        q          out  width  one cycle after the read
    """
    table.check_words()
    check_width("rom", index_bits(table.depth), read_addr=read_addr)
    check_width("rom", table.width, q=q)
    words = list(table.words)
    path, depth_1, msb = table.path, table.depth - 1, table.width - 1  # noqa: F841 (names of the HDL templates)
    digits = -(-table.width // 4)  # noqa: F841

    @always(clk.posedge)
    def transfer():
        if read:
            q.next = words[read_addr]

    clk.read = read.read = read_addr.read = True
    q.driven = "reg"
    return transfer


rom.vhdl_code = """\
memory: block
    type words_t is array (0 to $depth_1) of unsigned($msb downto 0);

    impure function load return words_t is
        file source: text open read_mode is "$path";
        variable row: line;
        variable word: std_logic_vector($digits * 4 - 1 downto 0);
        variable words: words_t;
    begin
        for i in words'range loop
            readline(source, row);
            hread(row, word);
            words(i) := unsigned(word($msb downto 0));
        end loop;
        return words;
    end function;

    signal mem: words_t := load;
begin
    transfer: process ($clk) is
    begin
        if rising_edge($clk) then
            if $read = '1' then
                $q <= mem(to_integer($read_addr));
            end if;
        end if;
    end process;
end block;"""
rom.verilog_code = """\
reg [$msb:0] mem [0:$depth_1];

initial $$readmemh("$path", mem);

always @(posedge $clk) begin: TRANSFER
    if ($read) begin
        $q <= mem[$read_addr];
    end
end"""
