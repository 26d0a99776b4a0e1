"""The dense core: the multi-bit input layer of a direct-coded network."""

from dataclasses import dataclass

from myhdl import Signal, always_comb, block, instances

from .activity import activity
from .checks import KERNELS, check_choice, check_layer, check_number, check_ports
from .current_pool import current_pool
from .image_window import image_window
from .lif import lif
from .mac_array import mac_array
from .stage import NeuronStage
from .stream import Stream


@dataclass(frozen=True, kw_only=True)
class DenseCore(NeuronStage):
    """Parameters of the dense core.

    height, width: the image, and the map of outputs. channels, image_bits, image_signed: a pixel of the image.
    bias, weights: see mac_array(); input (a * kernel + b) * channels + c is channel c under the kernel's tap (a, b). Each lane
    has kernel * kernel * channels multipliers.
    """

    kind = "dense"

    height: int
    width: int
    channels: int
    image_bits: int
    image_signed: bool
    kernel: int

    def __post_init__(self):
        check_number("dense_core", 1, height=self.height, width=self.width, channels=self.channels, image_bits=self.image_bits)
        check_choice("dense_core", (False, True), image_signed=self.image_signed)
        check_choice("dense_core", KERNELS, kernel=self.kernel)
        check_layer("dense_core", self)

    @property
    def inputs(self) -> int:
        """Pixels under the kernel, each channel by itself."""
        return self.kernel * self.kernel * self.channels

    @property
    def taps(self) -> int:
        return self.inputs

    @property
    def group_words(self) -> int:
        return 1

    @property
    def input_bits(self) -> int:
        return self.channels * self.image_bits

    @property
    def input_beats(self) -> int:
        return self.height * self.width

    @property
    def current_map(self) -> tuple[int, int]:
        return self.height, self.width


@block
def dense_core(clk, rst, src, dst, counts, load=None, *, stage):
    """Convolution of the image, once for all timesteps, and neurons unrolled over them.

    Ports:
        src     sink    pixels: stage.channels fields of stage.image_bits, in the order frame, row, column
        dst     source  spike stream, stage.lanes * stage.timesteps bits
        counts  out     activity counters of the MAC array: busy in each cycle in which it takes a window
        load    in      of a loadable core, see loading.Load

    Timing: one pixel of one channel group a cycle.
    """
    check_ports("dense_core", stage, src, dst)
    windows = Stream(stage.inputs * stage.image_bits)
    currents = Stream(stage.sums_bits)
    busy, stall_in, stall_out, never = [Signal(bool(0)) for _ in range(4)]

    slide_window = image_window(
        clk, rst, src, windows, height=stage.height, width=stage.width, kernel=stage.kernel, groups=stage.groups,
        pixel_bits=stage.input_bits,
    )  # fmt: skip
    multiply = mac_array(
        clk, rst, windows, currents, load, lanes=stage.lanes, columns=stage.width, repeat=stage.timesteps,
        inputs=stage.inputs, input_bits=stage.image_bits, input_signed=stage.image_signed, current_bits=stage.sum_bits,
        bias=stage.bias, weights=stage.weights,
    )  # fmt: skip
    if stage.current_pool is None:
        pooled = currents
    else:
        pooled = Stream(stage.currents_bits)
        pool_currents = current_pool(
            clk, rst, currents, pooled, fields=stage.lanes * stage.timesteps, rows=stage.current_map[0],
            columns=stage.current_map[1], groups=stage.groups, bits=stage.neuron.current_bits, pool=stage.current_pool,
        )  # fmt: skip
    fire_neurons = lif(
        clk, rst, pooled, dst, load, lanes=stage.lanes, timesteps=stage.timesteps, rows=stage.output_map[0],
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
