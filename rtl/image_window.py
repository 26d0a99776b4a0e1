"""The image window: rows of the image in, one window of rows x columns x channels a cycle out."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .kernel import check_kernel, check_places, leaves_all, near_slots, reach
from .memory import ram
from .row_intake import row_intake
from .stream import counter, pack
from .tag_line import tag_line
from .window_position import window_position


@block
def image_window(clk, rst, src, dst, *, height, width, out_rows, out_columns, kernel, groups, pixel_bits):
    """Buffers rows of an image and shows, for each output row, group and column, the pixels under the kernel.

    A ring of rows + 1 row banks holds the rows under the kernel and the one that is arriving. Each scan over a row
    reads one column of all banks a cycle; scans, rows and frames follow each other without a gap as long as pixels
    arrive. Pixels outside the image are 0. A window whose output is not in the output window takes its cycle as well, but
    does not leave.

    Ports:
        src  sink    pixels of pixel_bits, in the order frame, row, column
        dst  source  windows, rows * columns fields of pixel_bits, field a * columns + b for the pixel at row a - rows // 2
                     and column b - columns // 2 from the output's, in the order frame, row, group, column

    Parameters:
        height, width: the image
        out_rows, out_columns: ranges, the output window: the rows and columns of outputs whose windows leave
        kernel: (rows, columns)
        groups: scans over each row
        pixel_bits: width of a pixel

    Timing: one window a cycle; the first follows (rows - 1) // 2 + 1 rows of pixels. Kernel 3 x 3, columns of the first row of
    outputs:

        column read    |0  |1  |2  |3  |
        banks give     ----|0  |1  |2  |
        window, right  --------|0  |1  |
        dst.valid      ____________/~~~~
        dst column     ------------|0  |
    """
    check_number("image_window", 1, height=height, width=width, groups=groups, pixel_bits=pixel_bits)
    check_kernel("image_window", kernel)
    check_places("image_window", height, out_rows=out_rows)
    check_places("image_window", width, out_columns=out_columns)
    kernel_rows, kernel_columns = kernel
    check_width("image_window", pixel_bits, src=src.data)
    check_width("image_window", kernel_rows * kernel_columns * pixel_bits, dst=dst.data)
    rows_before, middle = reach(kernel_rows)[0], reach(kernel_columns)[0]
    first_near, end_near = near_slots(width, middle, kernel_columns)
    banks = kernel_rows + 1

    # Write side: the bank that is being filled; `level` counts whole rows that are still needed.
    write_bank, write_column = counter(banks), counter(width)
    write, level, rows_out = Signal(bool(0)), counter(banks + 1), counter(rows_before + 2)

    # Read side: the column being read, and the bank of the output row.
    column, center = counter(width), counter(banks)
    parity, available, advance = [Signal(bool(0)) for _ in range(3)]
    row_exists = Signal(intbv(0)[kernel_rows:])
    pixels = [Signal(intbv(0)[pixel_bits:]) for _ in range(banks)]

    # The column that comes out of the banks, then the window's columns.
    fetched, fetched_parity = Signal(bool(0)), Signal(bool(0))
    fetched_center = counter(banks)
    fetched_rows = Signal(intbv(0)[kernel_rows:])
    columns = [Signal(intbv(0)[pixel_bits:]) for _ in range(kernel_rows * kernel_columns)]
    shown = [Signal(intbv(0)[pixel_bits:]) for _ in range(kernel_rows * kernel_columns)]
    valids = Signal(intbv(0)[kernel_columns:])
    parities = Signal(intbv(0)[kernel_columns:])
    bank_writes = [Signal(bool(0)) for _ in range(banks)]
    leaves = None if leaves_all(height, width, out_rows, out_columns) else Signal(bool(0))

    rows = [ram(clk, bank_writes[i], write_column, src.data, advance, column, pixels[i], depth=width) for i in range(banks)]
    fill_banks = row_intake(
        clk, rst, src.valid, src.ready, rows_out, write, write_bank, write_column, level, width=width, banks=banks
    )  # fmt: skip
    find_column = window_position(
        clk, rst, advance, level, available, column, center, parity, row_exists, rows_out, leaves, height=height, width=width,
        out_rows=out_rows, out_columns=out_columns, kernel=kernel, groups=groups,
    )  # fmt: skip
    window_fields = pack(shown, dst.data)

    @always_comb
    def choose_bank():
        for i in range(banks):
            bank_writes[i].next = write and write_bank == i

    if leaves is None:

        @always_comb
        def move_window():
            advance.next = dst.ready or not valids[middle]
            dst.valid.next = valids[middle]

    else:
        leaving = Signal(bool(0))
        move_tag = tag_line(clk, rst, advance, leaves, leaving, steps=kernel_columns - middle + 1)

        @always_comb
        def move_window():
            advance.next = dst.ready or not leaving
            dst.valid.next = leaving

    @always(clk.posedge)
    def fetch_column():
        if rst:
            fetched.next = False
        elif advance:
            fetched.next = available
            fetched_parity.next = parity
            fetched_center.next = center
            fetched_rows.next = row_exists

    @always(clk.posedge)
    def slide_columns():
        bank = intbv(0, min=0, max=banks + kernel_rows)
        if rst:
            valids.next = 0
        elif advance:
            for b in range(kernel_columns - 1):
                valids.next[b] = valids[b + 1]
                parities.next[b] = parities[b + 1]
                for a in range(kernel_rows):
                    columns[a * kernel_columns + b].next = columns[a * kernel_columns + b + 1]
            valids.next[kernel_columns - 1] = fetched
            parities.next[kernel_columns - 1] = fetched_parity
            for a in range(kernel_rows):
                bank[:] = fetched_center + a
                if bank < rows_before:
                    bank[:] = bank + (banks - rows_before)
                elif bank >= banks + rows_before:
                    bank[:] = bank - (banks + rows_before)
                else:
                    bank[:] = bank - rows_before
                columns[a * kernel_columns + kernel_columns - 1].next = 0
                if fetched_rows[a]:
                    columns[a * kernel_columns + kernel_columns - 1].next = pixels[bank]

    @always_comb
    def mask_columns():
        for a in range(kernel_rows):
            for b in range(kernel_columns):
                shown[a * kernel_columns + b].next = 0
            for b in range(first_near, end_near):
                if valids[b] and parities[b] == parities[middle]:
                    shown[a * kernel_columns + b].next = columns[a * kernel_columns + b]

    return instances()
