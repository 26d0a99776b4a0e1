"""The AXI shell: the accelerator behind an AXI4-Lite slave and two AXI4-Streams."""

from dataclasses import dataclass

from myhdl import ConcatSignal, Signal, always_comb, block, instances, intbv

from .accelerator import accelerator, check_chain, parameter_tables, trace_bits
from .activity import ACTIVITY_BITS, COUNTERS
from .axi_lite import WORD_BITS, Layout, axi_lite
from .axi_stream import data_bits
from .checks import check_number, check_table, check_width
from .fifo import fifo
from .image_intake import image_intake
from .load_control import STATES, load_control
from .loading import Load, LoadedTable
from .memory import Table
from .readout import Readout
from .registers import COMMAND, CONSTANT, CONSTANTS_FILE, STATUS, RegisterMap
from .result_output import RESULT_BITS, result_output
from .shell_control import shell_control
from .stream import Stream, counter

MARKS_A_STAGE = 4
"""Images that may be under way for each stage; more than the buffers of any stage hold."""


@dataclass(frozen=True, kw_only=True)
class AxiShell:
    """Parameters of the shell.

    stages: of the accelerator by name, in order. image_beats: beats of an image, all its passes. layout, address_bits, identity:
    of the registers, the last a Table of the constants.
    """

    stages: dict
    image_beats: int
    layout: Layout
    address_bits: int
    identity: Table

    def __post_init__(self):
        check_chain(self.stages)
        check_number("axi_shell", 1, image_beats=self.image_beats)
        check_number("axi_shell", 3, address_bits=self.address_bits)
        check_table("axi_shell", WORD_BITS, self.layout.constants, identity=self.identity)

    @property
    def image_bits(self) -> int:
        """Width of a beat of the accelerator's image stream."""
        return list(self.stages.values())[0].input_bits

    @property
    def image_data_bits(self) -> int:
        """Width of the TDATA that brings it."""
        return data_bits(self.image_bits)

    @property
    def load_pieces(self) -> int:
        """Pieces in which a network is loaded, 0 if it lies in ROMs."""
        return max(table.end if isinstance(table, LoadedTable) else 0 for table in parameter_tables(self.stages))

    @property
    def readout(self) -> Readout:
        return list(self.stages.values())[-1]


def plan_shell(stages, image_beats: int, registers: RegisterMap) -> AxiShell:
    """The shell of an accelerator of these stages with these registers."""
    constants = registers.of_kind(CONSTANT)
    layout = Layout(constants=len(constants), commands=len(registers.of_kind(COMMAND)), states=len(registers.of_kind(STATUS)))
    identity = Table(CONSTANTS_FILE, WORD_BITS, tuple(register.value for register in constants))
    return AxiShell(stages=stages, image_beats=image_beats, layout=layout, address_bits=registers.address_bits, identity=identity)


@block
def axi_shell(aclk, aresetn, s_axi, s_axis, m_axis, *, shell):
    """The accelerator as a slave of a processor, with a network in ROMs, or one that the processor loads.

    Ports:
        aclk     in      clock
        aresetn  in      synchronous reset, active low
        s_axi    slave   AXI4-Lite, see axi_lite(); the registers are those of registers.register_map()
        s_axis   sink    AXI4-Stream of images, see image_intake(): a packet an image, the image as often as it has passes
        m_axis   source  AXI4-Stream of results, see result_output(): a packet for each image packet, in their order

    Parameters:
        shell: an AxiShell

    Timing: images follow each other without a gap while the core is running.
    """
    check_width("axi_shell", shell.address_bits, awaddr=s_axi.awaddr, araddr=s_axi.araddr)
    check_width("axi_shell", shell.image_data_bits, s_axis=s_axis.tdata)
    check_width("axi_shell", RESULT_BITS, m_axis=m_axis.tdata)
    stages, readout = shell.stages, shell.readout
    marks_depth = MARKS_A_STAGE * len(stages)
    counts_bits = len(stages) * ACTIVITY_BITS

    rst, core_rst, write, bad_access, enable, active = [Signal(bool(0)) for _ in range(6)]
    ended, ended_early, ended_late, sent = [Signal(bool(0)) for _ in range(4)]
    taking, sending = Signal(bool(0)), Signal(bool(0))
    write_index, write_data = counter(shell.layout.commands), Signal(intbv(0)[WORD_BITS:])
    state_values = Signal(intbv(0)[(shell.layout.commands + shell.layout.states - len(stages) * len(COUNTERS)) * WORD_BITS :])
    counts, trace = Signal(intbv(0)[counts_bits:]), Signal(intbv(0)[trace_bits(stages) :])
    values = ConcatSignal(counts, state_values)
    pixels, results = Stream(shell.image_bits), Stream(readout.output_bits)
    marks, marks_held = Stream(1), Stream(1)

    if shell.load_pieces:
        command, control_rst = Signal(bool(0)), Signal(bool(0))
        command_data, control_values = Signal(intbv(0)[WORD_BITS:]), Signal(intbv(0)[STATES * WORD_BITS :])
        load = Load(shell.load_pieces)
        loading = load_control(
            aclk, rst, write, write_index, write_data, control_values, control_rst, command, command_data, core_rst, load,
            state_values, pieces=shell.load_pieces,
        )  # fmt: skip
    else:
        command, command_data, control_rst, control_values, load = write, write_data, core_rst, state_values, None

    bus_slave = axi_lite(
        aclk, rst, s_axi, values, write, write_index, write_data, bad_access, layout=shell.layout,
        identity=shell.identity,
    )  # fmt: skip
    control = shell_control(
        aclk, rst, command, write_index, command_data, bad_access, ended_early, ended_late, ended, sent, active,
        control_rst, enable, control_values,
    )  # fmt: skip
    intake = image_intake(
        aclk, core_rst, enable, s_axis, pixels, marks, ended, ended_early, ended_late, taking,
        beats=shell.image_beats,
    )  # fmt: skip
    mark_queue = fifo(aclk, core_rst, marks, marks_held, depth=marks_depth)
    core = accelerator(aclk, core_rst, pixels, results, counts, trace, load, stages=stages)
    result_words = result_output(
        aclk, rst, core_rst, results, marks_held, m_axis, sent, sending, classes=readout.classes,
        score_bits=readout.score_bits, is_signed=readout.reads_membranes,
    )  # fmt: skip

    @always_comb
    def drive_reset_and_active():
        rst.next = not aresetn
        active.next = taking or sending or marks_held.valid

    return instances()
