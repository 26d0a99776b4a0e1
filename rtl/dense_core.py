"""The dense core: a convolution of the multi-bit image."""

from dataclasses import dataclass

from myhdl import Signal, always_comb, block, instances

from .activity import activity
from .checks import check_image, check_layer, check_ports
from .current_pool import current_pool
from .current_sum import current_sum
from .image_window import image_window
from .kernel import check_kernel, check_places
from .lif import lif
from .mac_array import mac_array
from .stage import DenseStage
from .stream import Stream
from .timestep_select import timestep_select


@dataclass(frozen=True, kw_only=True)
class DenseCore(DenseStage):
    """Parameters of the dense core.

    out_rows, out_columns: ranges, the output window: of the outputs of a map of the image's size those that leave, see
    kernel.py. kernel: (rows, columns). bias, weights: see mac_array(); input (a * columns + b) * channels + c is channel c under
    the kernel's tap (a, b). Each lane has rows * columns * channels multipliers.
    """

    kind = "dense"

    out_rows: range
    out_columns: range
    kernel: tuple[int, int]

    def __post_init__(self):
        check_image("dense_core", self)
        check_kernel("dense_core", self.kernel)
        check_places("dense_core", self.height, out_rows=self.out_rows)
        check_places("dense_core", self.width, out_columns=self.out_columns)
        check_layer("dense_core", self)

    @property
    def inputs(self) -> int:
        """Pixels under the kernel, each channel by itself."""
        return self.kernel[0] * self.kernel[1] * self.channels

    @property
    def taps(self) -> int:
        return self.inputs

    @property
    def group_words(self) -> int:
        return 1

    @property
    def current_map(self) -> tuple[int, int]:
        return len(self.out_rows), len(self.out_columns)


@block
def dense_core(clk, rst, src, dst, counts, load=None, *, stage):
    """Convolution of the image, once for all timesteps that have the same, and neurons unrolled over the timesteps.

    Ports:
        src     sink    pixels: stage.channels * stage.frames fields of stage.image_bits, field channel * frames + t, in the
                        order frame, row, column
        dst     source  spike stream, stage.lanes * stage.timesteps bits
        counts  out     activity counters of the MAC array: busy in each cycle in which it takes a window
        load    in      of a loadable core, see loading.Load

    Timing: one pixel of one channel group and one image a cycle, also where its output does not leave.
    """
    check_ports("dense_core", stage, src, dst)
    windows, currents = Stream(stage.inputs * stage.image_bits), Stream(stage.currents_bits)
    busy, stall_in, stall_out, never = [Signal(bool(0)) for _ in range(4)]
    # The windows and the sums of all images of a beat, and the currents before they are pooled: streams where these are others.
    several, pools = stage.frames > 1, stage.current_pool is not None
    shown = Stream(stage.inputs * stage.frames * stage.image_bits) if several else None
    sums = Stream(stage.lanes * stage.sum_bits) if several else None
    unpooled = Stream(stage.sums_bits) if pools else None

    slide_window = image_window(
        clk, rst, src, shown if several else windows, height=stage.height, width=stage.width, out_rows=stage.out_rows,
        out_columns=stage.out_columns, kernel=stage.kernel, groups=stage.groups, pixel_bits=stage.input_bits,
    )  # fmt: skip
    if several:
        select_timestep = timestep_select(
            clk, rst, shown, windows, inputs=stage.inputs, input_bits=stage.image_bits, timesteps=stage.frames
        )
    multiply = mac_array(
        clk, rst, windows, sums if several else unpooled if pools else currents, load, lanes=stage.lanes,
        columns=len(stage.out_columns) * stage.frames, repeat=stage.repeat, inputs=stage.inputs, input_bits=stage.image_bits,
        input_signed=stage.image_signed, current_bits=stage.sum_bits, bias=stage.bias, weights=stage.weights,
    )  # fmt: skip
    if several:
        join_timesteps = current_sum(
            clk, rst, sums, unpooled if pools else currents, lanes=stage.lanes, words=0, timesteps=stage.frames,
            repeat=stage.repeat, current_bits=stage.sum_bits, bias=None,
        )  # fmt: skip
    if pools:
        pool_currents = current_pool(
            clk, rst, unpooled, currents, fields=stage.lanes * stage.timesteps, rows=stage.current_map[0],
            columns=stage.current_map[1], groups=stage.groups, bits=stage.neuron.current_bits, pool=stage.current_pool,
        )  # fmt: skip
    fire_neurons = lif(
        clk, rst, currents, dst, load, lanes=stage.lanes, timesteps=stage.timesteps, rows=stage.output_map[0],
        columns=stage.output_map[1], passes=stage.passes, neuron=stage.neuron,
    )  # fmt: skip
    count_activity = activity(clk, rst, busy, stall_in, stall_out, never, never, counts)

    @always_comb
    def classify_cycle():
        busy.next = windows.valid and windows.ready
        stall_in.next = not windows.valid
        stall_out.next = windows.valid and not windows.ready
        never.next = False

    return instances()
