"""The dense fully connected stage: a fully connected layer of the multi-bit image."""

from dataclasses import dataclass

from myhdl import Signal, always_comb, block, instances

from .activity import activity
from .checks import check_image, check_layer, check_number, check_ports
from .current_sum import current_sum, part_bits
from .errors import DesignError
from .image_memory import image_memory
from .lif import lif
from .mac_array import mac_array
from .pixel_words import pixel_words, words_of_image
from .stage import DenseStage
from .stream import Stream
from .timestep_select import timestep_select


def check_multipliers(name: str, multipliers: int, channels: int, pixels: int):
    """Refuse multipliers of a lane that neither divide a pixel's channels among them nor take whole pixels."""
    most = channels * pixels
    if not 1 <= multipliers <= most or (multipliers > channels and multipliers % channels):
        multiples = f", or a multiple of these up to {most}" if pixels > 1 else ""
        raise DesignError(
            f"layer {name}: {multipliers} multipliers; allowed: 1 to {channels}, the channels of a pixel{multiples}"
        )


@dataclass(frozen=True, kw_only=True)
class DenseFc(DenseStage):
    """Parameters of a dense fully connected stage.

    multipliers: of each lane: as many inputs make a word. They are channels of a pixel, or the channels of as many pixels.
    weights: word group * group_words + word, field lane * multipliers + i for input i of that word, see pixel_words(); the
    weights of inputs that a word has beyond those of the image are 0. bias: see current_sum().
    """

    kind = "dense_fc"

    multipliers: int

    def __post_init__(self):
        check_image("dense_fc", self)
        check_number("dense_fc", 1, multipliers=self.multipliers)
        check_multipliers("dense_fc", self.multipliers, self.channels, self.pixels)
        check_layer("dense_fc", self)

    @property
    def taps(self) -> int:
        return self.multipliers

    @property
    def word_bits(self) -> int:
        """Width of a word of inputs."""
        return self.multipliers * self.frames * self.image_bits

    @property
    def group_words(self) -> int:
        return words_of_image(self.pixels, self.input_bits, self.word_bits)

    @property
    def part_bits(self) -> int:
        """Signed width of a lane's sum of products of one word."""
        return part_bits(self.neuron.current_bits, self.group_words)

    @property
    def output_beats(self) -> int:
        return self.groups


@block
def dense_fc(clk, rst, src, dst, counts, load=None, *, stage):
    """Fully connected layer of the image, once for all timesteps that have the same, and neurons unrolled over the timesteps.

    Ports:
        src     sink    pixels: stage.channels * stage.frames fields of stage.image_bits, field channel * frames + t, in the
                        order frame, row, column
        dst     source  spike stream of one pixel, stage.lanes * stage.timesteps bits
        counts  out     activity counters of the MAC array: busy in each cycle in which it takes a word
        load    in      of a loadable core, see loading.Load

    Timing: one word of one group and one image a cycle, while the next image comes in.
    """
    check_ports("dense_fc", stage, src, dst)
    kept = Stream(stage.word_bits)
    sums, currents = Stream(stage.lanes * stage.part_bits), Stream(stage.currents_bits)
    busy, stall_in, stall_out, never = [Signal(bool(0)) for _ in range(4)]

    if stage.frames == 1:
        words = kept
    else:
        words = Stream(stage.multipliers * stage.image_bits)
        select_timestep = timestep_select(
            clk, rst, kept, words, inputs=stage.multipliers, input_bits=stage.image_bits, timesteps=stage.frames
        )

    if stage.word_bits == stage.input_bits:
        arriving = src
    else:
        arriving = Stream(stage.word_bits)
        form_words = pixel_words(
            clk, rst, src, arriving, pixels=stage.pixels, pixel_bits=stage.input_bits, word_bits=stage.word_bits
        )
    keep_image = image_memory(clk, rst, arriving, kept, words=stage.group_words, scans=stage.groups)
    multiply = mac_array(
        clk, rst, words, sums, load, lanes=stage.lanes, columns=stage.frames, repeat=1, inputs=stage.multipliers,
        input_bits=stage.image_bits, input_signed=stage.image_signed, current_bits=stage.part_bits, bias=None,
        weights=stage.weights,
    )  # fmt: skip
    add_words = current_sum(
        clk, rst, sums, currents, load, lanes=stage.lanes, words=stage.group_words, timesteps=stage.frames,
        repeat=stage.repeat, current_bits=stage.neuron.current_bits, bias=stage.bias,
    )  # fmt: skip
    fire_neurons = lif(
        clk, rst, currents, dst, load, lanes=stage.lanes, timesteps=stage.timesteps, rows=1, columns=1, passes=stage.passes,
        neuron=stage.neuron,
    )  # fmt: skip
    count_activity = activity(clk, rst, busy, stall_in, stall_out, never, never, counts)

    @always_comb
    def classify_cycle():
        busy.next = words.valid and words.ready
        stall_in.next = not words.valid
        stall_out.next = words.valid and not words.ready
        never.next = False

    return instances()
