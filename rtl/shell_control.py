"""The control of the AXI shell: commands, state, error flags and counts of packets and cycles."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv, modbv

from .checks import check_width
from .registers import CONTROL, ERRORS, STATE
from .stream import counter

RESET_CYCLES = 4
"""Cycles for which the core is held in reset."""
CONTROL_INDEX, ERRORS_INDEX = 0, 1
"""Position of the registers among the command registers."""


@block
def shell_control(
    clk, rst, write, write_index, write_data, bad_access, ended_early, ended_late, ended, sent, active, core_rst, enable, values
):
    """Acts on what is written to CONTROL and ERRORS, and holds the values of the registers from CONTROL to CYCLES.

    Ports:
        write, write_index, write_data  in   see axi_lite()
        bad_access                      in   1    an access was answered with an error
        ended_early, ended_late, ended  in   1    see image_intake()
        sent                            in   1    a result packet was sent whole
        active                          in   1    an image or a result is under way
        core_rst                        out  1    reset of all but the bus and a result packet that has begun
        enable                          out  1    images are taken
        values                          out  192  CONTROL, ERRORS, STATUS, IMAGES, RESULTS, CYCLES, the first in the lowest bits
    """
    check_width("shell_control", 32, write_data=write_data)
    check_width("shell_control", 192, values=values)
    start, stop, reset = CONTROL.bit("START").mask, CONTROL.bit("STOP").mask, CONTROL.bit("RESET").mask
    short_image, long_image = ERRORS.bit("SHORT_IMAGE").low, ERRORS.bit("LONG_IMAGE").low
    wrong_access, wrong_command = ERRORS.bit("BAD_ACCESS").low, ERRORS.bit("BAD_COMMAND").low
    running_bit, busy_bit = STATE.bit("RUNNING").low, STATE.bit("BUSY").low
    flag_count = len(ERRORS.bits)
    first_hold = RESET_CYCLES - 1

    running, resetting, restart, bad_command = [Signal(bool(0)) for _ in range(4)]
    hold = counter(RESET_CYCLES)
    flags, raised = Signal(intbv(0)[flag_count:]), Signal(intbv(0)[flag_count:])
    n_images, n_results, n_cycles = [Signal(modbv(0)[32:]) for _ in range(3)]
    control_word, errors_word, status_word = [Signal(intbv(0)[32:]) for _ in range(3)]
    joined = ConcatSignal(n_cycles, n_results, n_images, status_word, errors_word, control_word)

    @always_comb
    def decode_command():
        restart.next = write and write_index == CONTROL_INDEX and write_data == reset
        bad_command.next = (
            write
            and write_index == CONTROL_INDEX
            and write_data != 0
            and write_data != start
            and write_data != stop
            and write_data != reset
        )

    @always_comb
    def find_errors():
        raised.next = 0
        raised.next[short_image] = ended_early
        raised.next[long_image] = ended_late
        raised.next[wrong_access] = bad_access
        raised.next[wrong_command] = bad_command

    @always(clk.posedge)
    def run_commands():
        if rst or restart:
            running.next = False
            resetting.next = True
            hold.next = first_hold
        else:
            if hold != 0:
                hold.next = hold - 1
            else:
                resetting.next = False
            if write and write_index == CONTROL_INDEX:
                if write_data == start:
                    running.next = True
                elif write_data == stop:
                    running.next = False

    @always(clk.posedge)
    def hold_errors():
        if rst or restart:
            flags.next = 0
        elif write and write_index == ERRORS_INDEX:
            flags.next = (flags & ~write_data[flag_count:]) | raised
        else:
            flags.next = flags | raised

    @always(clk.posedge)
    def count_packets():
        if rst or resetting:
            n_images.next = 0
            n_results.next = 0
            n_cycles.next = 0
        else:
            n_cycles.next = n_cycles + 1
            if ended:
                n_images.next = n_images + 1
            if sent:
                n_results.next = n_results + 1

    @always_comb
    def form_words():
        control_word.next = 0
        errors_word.next = flags
        status_word.next = 0
        status_word.next[running_bit] = running
        status_word.next[busy_bit] = active

    @always_comb
    def drive_values():
        core_rst.next = resetting
        enable.next = running
        values.next = joined

    return instances()
