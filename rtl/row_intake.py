"""The intake of the image window: pixels go to the banks of its ring, row by row."""

from myhdl import Signal, always, always_comb, block, instances

from .checks import check_number, check_width
from .stream import counter, index_bits


@block
def row_intake(clk, rst, valid, ready, rows_out, write, write_bank, write_column, level, *, width, banks):
    """Fills the banks in turn, a row of pixels each, as long as one of them is free.

    Ports:
        valid         in   1       a pixel comes
        ready         out  1       a bank is free
        rows_out      in   index   rows that are not needed after this edge
        write         out  1       the pixel is stored at this edge
        write_bank    out  index   where: the bank, 0 .. banks - 1
        write_column  out  index   and the column, 0 .. width - 1
        level         out  index   whole rows that have come and are still needed, 0 .. banks

    Parameters:
        width: pixels of a row
        banks: rows that the ring holds

    Timing: a pixel a cycle. Two columns, two banks; the first row is freed:

        valid         /~~~~~~~~~~~~~~~~~~~~
        ready         ~~~~~~~~~~~~~~~~\\___/~
        write_column  |0  |1  |0  |1  |0
        write_bank    |0      |1      |0
        level         |0      |1      |2  |1
        rows_out      |0              |1  |0
    """
    check_number("row_intake", 1, width=width)
    check_number("row_intake", 2, banks=banks)
    check_width("row_intake", index_bits(banks), write_bank=write_bank)
    check_width("row_intake", index_bits(width), write_column=write_column)
    check_width("row_intake", index_bits(banks + 1), level=level)
    last_column, last_bank = width - 1, banks - 1
    bank, column, rows = counter(banks), counter(width), counter(banks + 1)
    accepts, row_in = Signal(bool(0)), Signal(bool(0))

    @always_comb
    def accept_pixel():
        ready.next = rows != banks
        accepts.next = valid and rows != banks
        row_in.next = valid and rows != banks and column == last_column

    @always_comb
    def give_position():
        write.next = accepts
        write_bank.next = bank
        write_column.next = column
        level.next = rows

    @always(clk.posedge)
    def advance_column():
        if rst:
            bank.next = 0
            column.next = 0
        elif accepts:
            if column != last_column:
                column.next = column + 1
            else:
                column.next = 0
                if bank != last_bank:
                    bank.next = bank + 1
                else:
                    bank.next = 0

    @always(clk.posedge)
    def count_rows():
        if rst:
            rows.next = 0
        elif row_in:
            rows.next = rows + 1 - rows_out
        else:
            rows.next = rows - rows_out

    return instances()
