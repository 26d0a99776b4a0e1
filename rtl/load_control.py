"""The control of a loadable core: takes a network word by word, and lets the core run only with a whole one."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .crc32 import crc32
from .registers import LOADABLE_CONTROL, LOADABLE_ERRORS, LOADABLE_STATE
from .shell_control import CONTROL_INDEX, RESET_CYCLES
from .stream import counter, index_bits, unpack

WORD_BITS = 32
ERRORS_INDEX, LOAD_INDEX = 1, 2
"""Position of the registers among the command registers."""
STATES = 6
"""Words that shell_control() shows: CONTROL, ERRORS, STATUS and the counts that follow them."""


@block
def load_control(
    clk, rst, write, write_index, write_data, states, control_rst, command, command_data, core_rst, load, values, *,
    pieces,
):  # fmt: skip
    """Between axi_lite() and shell_control(): carries out the commands of loading, and passes all others.

    A LOAD command makes shell_control() reset and the loading begin; START goes through only once all pieces have come.
    Until then the core is in reset, so that nothing of it has read a memory before it is filled.

    Ports:
        write, write_index, write_data  in   see axi_lite()
        states        in   192  values of shell_control()
        control_rst   in   1    core_rst of shell_control()
        command       out  1    write, and command_data write_data, as shell_control() is to see them
        command_data  out  32
        core_rst      out  1    reset of the core
        load          out       see loading.Load
        values        out  288  states with LOAD_DATA after the first two, with what loading adds to ERRORS and STATUS, and
                                with LOADED_WORDS and LOAD_CRC after all

    Parameters:
        pieces: that make a network

    Timing: takes a word a cycle; it is on the bus one cycle later. The core leaves reset RESET_CYCLES cycles after the last.
    """
    check_number("load_control", 1, pieces=pieces)
    check_number("load_control", index_bits(LOAD_INDEX + 1), index_bits=len(write_index))
    check_width("load_control", WORD_BITS, write_data=write_data, command_data=command_data, load_data=load.data)
    check_width("load_control", STATES * WORD_BITS, states=states)
    check_width("load_control", (STATES + 3) * WORD_BITS, values=values)
    check_width("load_control", index_bits(pieces + 1), load_position=load.position)
    start, reset = LOADABLE_CONTROL.bit("START").mask, LOADABLE_CONTROL.bit("RESET").mask
    begin = LOADABLE_CONTROL.bit("LOAD").mask
    not_loaded_bit, bad_load_bit = LOADABLE_ERRORS.bit("NOT_LOADED").low, LOADABLE_ERRORS.bit("BAD_LOAD").low
    loaded_bit = LOADABLE_STATE.bit("LOADED").low
    last_piece, first_hold = pieces - 1, RESET_CYCLES - 1

    restart, too_early, due, surplus, clear = [Signal(bool(0)) for _ in range(5)]
    complete, unsettled = Signal(bool(0)), Signal(bool(0))
    not_loaded, bad_load = Signal(bool(0)), Signal(bool(0))
    taken = counter(pieces + 1)
    hold = counter(RESET_CYCLES)
    crc = Signal(intbv(0)[WORD_BITS:])
    state_words = [Signal(intbv(0)[WORD_BITS:]) for _ in range(STATES)]
    errors_word, status_word, load_word, taken_word = [Signal(intbv(0)[WORD_BITS:]) for _ in range(4)]
    joined = ConcatSignal(
        crc, taken_word, *reversed(state_words[3:]), status_word, load_word, errors_word, state_words[0]
    )  # fmt: skip

    state_fields = unpack(states, state_words)
    checksum = crc32(clk, load.restart, load.write, load.data, crc)

    @always_comb
    def decode_command():
        restart.next = write and write_index == CONTROL_INDEX and write_data == begin
        too_early.next = write and write_index == CONTROL_INDEX and write_data == start and not complete
        due.next = write and write_index == LOAD_INDEX and not complete
        surplus.next = write and write_index == LOAD_INDEX and complete

    @always_comb
    def find_clear():
        clear.next = restart or (write and write_index == CONTROL_INDEX and write_data == reset)

    @always_comb
    def pass_command():
        command.next = write and not too_early
        command_data.next = write_data
        if restart:
            command_data.next = reset

    @always(clk.posedge)
    def load_piece():
        load.restart.next = rst or restart
        load.write.next = due and not rst
        load.position.next = taken
        load.data.next = write_data
        if rst or restart:
            taken.next = 0
            complete.next = False
        elif due:
            taken.next = taken + 1
            complete.next = taken == last_piece

    @always(clk.posedge)
    def hold_reset():
        if rst or restart or not complete:
            unsettled.next = True
            hold.next = first_hold
        elif hold != 0:
            hold.next = hold - 1
        else:
            unsettled.next = False

    @always(clk.posedge)
    def set_errors():
        if rst or clear:
            not_loaded.next = False
            bad_load.next = False
        else:
            if too_early:
                not_loaded.next = True
            elif write and write_index == ERRORS_INDEX and write_data[not_loaded_bit]:
                not_loaded.next = False
            if surplus:
                bad_load.next = True
            elif write and write_index == ERRORS_INDEX and write_data[bad_load_bit]:
                bad_load.next = False

    @always_comb
    def form_words():
        errors_word.next = state_words[1]
        errors_word.next[not_loaded_bit] = not_loaded
        errors_word.next[bad_load_bit] = bad_load
        status_word.next = state_words[2]
        status_word.next[loaded_bit] = complete
        load_word.next = 0
        taken_word.next = taken

    @always_comb
    def drive_values():
        core_rst.next = control_rst or unsettled
        values.next = joined

    return instances()
