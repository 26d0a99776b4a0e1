"""The image window: rows of the image in, one kernel x kernel x channels window a cycle out."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import KERNELS, check_choice, check_number, check_width
from .memory import ram
from .stream import counter, pack


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

    Timing: one window a cycle; the first follows kernel // 2 + 1 rows of pixels.
    """
    check_number("image_window", 1, height=height, width=width, groups=groups, pixel_bits=pixel_bits)
    check_choice("image_window", KERNELS, kernel=kernel)
    check_width("image_window", pixel_bits, src=src.data)
    check_width("image_window", kernel * kernel * pixel_bits, dst=dst.data)
    radius = kernel // 2
    banks = kernel + 1
    last_row, last_group, last_column, last_bank = height - 1, groups - 1, width - 1, banks - 1

    # Write side: the bank that is being filled; `level` counts whole rows that are still needed.
    write_bank, write_column = counter(banks), counter(width)
    level = counter(banks + 1)
    write, row_in = Signal(bool(0)), Signal(bool(0))
    rows_out = counter(radius + 2)

    # Read side: position of the column being read, and the bank of the output row.
    row, group_index, column = counter(height), counter(groups), counter(width)
    center = counter(banks)
    parity = Signal(bool(0))
    available, advance = Signal(bool(0)), Signal(bool(0))
    pixels = [Signal(intbv(0)[pixel_bits:]) for _ in range(banks)]
    row_exists = Signal(intbv(0)[kernel:])
    needed = counter(banks + 1)
    # By output row: resident rows that it needs, from max(0, row - radius) on; bit a: its row a - radius is in the image.
    rows_needed = tuple(min(y + radius, last_row) - max(y - radius, 0) + 1 for y in range(height))
    existing_rows = tuple(sum(1 << a for a in range(kernel) if 0 <= y + a - radius < height) for y in range(height))

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
    window_fields = pack(shown, dst.data)

    @always_comb
    def accept():
        src.ready.next = level != banks
        write.next = src.valid and level != banks
        row_in.next = src.valid and level != banks and write_column == last_column

    @always_comb
    def choose_bank():
        for i in range(banks):
            bank_writes[i].next = write and write_bank == i

    @always(clk.posedge)
    def fill():
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
    def look_up_needed():
        needed.next = rows_needed[row]

    @always_comb
    def look_up_existing():
        row_exists.next = existing_rows[row]

    @always_comb
    def find_row():
        available.next = level >= needed

    @always_comb
    def flow():
        advance.next = dst.ready or not valids[radius]
        dst.valid.next = valids[radius]

    @always_comb
    def free_rows():
        rows_out.next = 0
        if advance and available and column == last_column and group_index == last_group:
            if row == last_row:
                rows_out.next = radius + 1
            elif row >= radius:
                rows_out.next = 1

    @always(clk.posedge)
    def walk():
        if rst:
            column.next = 0
            group_index.next = 0
            row.next = 0
            center.next = 0
            parity.next = False
            level.next = 0
        else:
            if row_in:
                level.next = level + 1 - rows_out
            else:
                level.next = level - rows_out
            if advance and available:
                if column != last_column:
                    column.next = column + 1
                else:
                    column.next = 0
                    parity.next = not parity
                    if group_index != last_group:
                        group_index.next = group_index + 1
                    else:
                        group_index.next = 0
                        if center != last_bank:
                            center.next = center + 1
                        else:
                            center.next = 0
                        if row != last_row:
                            row.next = row + 1
                        else:
                            row.next = 0

    @always(clk.posedge)
    def fetch():
        if rst:
            fetched.next = False
        elif advance:
            fetched.next = available
            fetched_parity.next = parity
            fetched_center.next = center
            fetched_rows.next = row_exists

    @always(clk.posedge)
    def slide():
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
    def show():
        for a in range(kernel):
            for b in range(kernel):
                shown[a * kernel + b].next = 0
                if valids[b] and parities[b] == parities[radius]:
                    shown[a * kernel + b].next = columns[a * kernel + b]

    return instances()
