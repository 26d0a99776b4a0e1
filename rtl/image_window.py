"""The image window: rows of the image in, one kernel x kernel x channels window a cycle out."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import KERNELS, check_choice, check_number, check_width
from .memory import ram
from .stream import counter, pack
from .window_position import window_position


@block
def image_window(clk, rst, src, dst, *, height, width, kernel, groups, pixel_bits):
    """Buffers rows of an image and shows, for each output row, group and column, the pixels under the kernel.

    A ring of kernel + 1 row banks holds the rows under the kernel and the one that is arriving. Each scan over a row
    reads one column of all banks a cycle; scans, rows and frames follow each other without a gap as long as pixels
    arrive. Pixels outside the image are 0.

    Ports:
        src  sink    pixels of pixel_bits, in the order frame, row, column
        dst  source  windows, kernel * kernel fields of pixel_bits, field a * kernel + b for the pixel at row
                     a - kernel // 2 and column b - kernel // 2 from the output's, in the order frame, row, group, column

    Timing: one window a cycle; the first follows kernel // 2 + 1 rows of pixels. Kernel 3, columns of the first row of outputs:

        column read    |0  |1  |2  |3  |
        banks give     ----|0  |1  |2  |
        window, right  --------|0  |1  |
        dst.valid      ____________/~~~~
        dst column     ------------|0  |
    """
    check_number("image_window", 1, height=height, width=width, groups=groups, pixel_bits=pixel_bits)
    check_choice("image_window", KERNELS, kernel=kernel)
    check_width("image_window", pixel_bits, src=src.data)
    check_width("image_window", kernel * kernel * pixel_bits, dst=dst.data)
    radius = kernel // 2
    banks = kernel + 1
    last_column, last_bank = width - 1, banks - 1

    # Write side: the bank that is being filled; `level` counts whole rows that are still needed.
    write_bank, write_column = counter(banks), counter(width)
    level = counter(banks + 1)
    write, row_in = Signal(bool(0)), Signal(bool(0))
    rows_out = counter(radius + 2)

    # Read side: the column being read, and the bank of the output row.
    column, center = counter(width), counter(banks)
    parity, available, advance = [Signal(bool(0)) for _ in range(3)]
    row_exists = Signal(intbv(0)[kernel:])
    pixels = [Signal(intbv(0)[pixel_bits:]) for _ in range(banks)]

    # The column that comes out of the banks, then the window's columns.
    fetched, fetched_parity = Signal(bool(0)), Signal(bool(0))
    fetched_center = counter(banks)
    fetched_rows = Signal(intbv(0)[kernel:])
    columns = [Signal(intbv(0)[pixel_bits:]) for _ in range(kernel * kernel)]
    shown = [Signal(intbv(0)[pixel_bits:]) for _ in range(kernel * kernel)]
    valids = Signal(intbv(0)[kernel:])
    parities = Signal(intbv(0)[kernel:])
    bank_writes = [Signal(bool(0)) for _ in range(banks)]

    rows = [ram(clk, bank_writes[i], write_column, src.data, advance, column, pixels[i], depth=width) for i in range(banks)]
    find_column = window_position(
        clk, rst, advance, level, available, column, center, parity, row_exists, rows_out, height=height, width=width,
        kernel=kernel, groups=groups,
    )  # fmt: skip
    window_fields = pack(shown, dst.data)

    @always_comb
    def accept_pixel():
        src.ready.next = level != banks
        write.next = src.valid and level != banks
        row_in.next = src.valid and level != banks and write_column == last_column

    @always_comb
    def choose_bank():
        for i in range(banks):
            bank_writes[i].next = write and write_bank == i

    @always(clk.posedge)
    def advance_write():
        if rst:
            write_bank.next = 0
            write_column.next = 0
        elif write:
            if write_column != last_column:
                write_column.next = write_column + 1
            else:
                write_column.next = 0
                if write_bank != last_bank:
                    write_bank.next = write_bank + 1
                else:
                    write_bank.next = 0

    @always_comb
    def move_window():
        advance.next = dst.ready or not valids[radius]
        dst.valid.next = valids[radius]

    @always(clk.posedge)
    def count_rows():
        if rst:
            level.next = 0
        elif row_in:
            level.next = level + 1 - rows_out
        else:
            level.next = level - rows_out

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
        bank = intbv(0, min=0, max=banks + kernel)
        if rst:
            valids.next = 0
        elif advance:
            for b in range(kernel - 1):
                valids.next[b] = valids[b + 1]
                parities.next[b] = parities[b + 1]
                for a in range(kernel):
                    columns[a * kernel + b].next = columns[a * kernel + b + 1]
            valids.next[kernel - 1] = fetched
            parities.next[kernel - 1] = fetched_parity
            for a in range(kernel):
                bank[:] = fetched_center + a
                if bank < radius:
                    bank[:] = bank + (banks - radius)
                elif bank >= banks + radius:
                    bank[:] = bank - (banks + radius)
                else:
                    bank[:] = bank - radius
                columns[a * kernel + kernel - 1].next = 0
                if fetched_rows[a]:
                    columns[a * kernel + kernel - 1].next = pixels[bank]

    @always_comb
    def mask_columns():
        for a in range(kernel):
            for b in range(kernel):
                shown[a * kernel + b].next = 0
                if valids[b] and parities[b] == parities[radius]:
                    shown[a * kernel + b].next = columns[a * kernel + b]

    return instances()
