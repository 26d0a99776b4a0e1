"""What the parameters of all stages have in common, and the rules of the hardware that follow from them.

A rule that more than one place needs is written here, or in the record of its stage: the blocks, the cycle model, the energy
model and the reports take it from there.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from .checks import check_number
from .crop import Crop
from .current_pool import CurrentPool
from .lif import Lif, lif_pause
from .memory import Table
from .scanner import event_width
from .stream import groups_of


@dataclass(frozen=True, kw_only=True)
class Stage(ABC):
    """Parameters of a stage. lanes: channels in a beat of its spike stream. timesteps: of a pass, all in one beat."""

    kind: ClassVar[str]
    """What reports call it."""

    lanes: int
    timesteps: int

    @property
    @abstractmethod
    def input_bits(self) -> int:
        """Width of a beat that it takes."""

    @property
    def output_bits(self) -> int:
        """Width of a beat that it gives."""
        return self.lanes * self.timesteps

    @property
    @abstractmethod
    def input_beats(self) -> int:
        """Beats that it takes in each pass of an image."""

    @property
    @abstractmethod
    def output_beats(self) -> int:
        """Beats that it gives in each pass of an image."""


@dataclass(frozen=True, kw_only=True)
class NeuronStage(Stage):
    """Parameters of a stage with neurons.

    outputs: output channels, or neurons of a fully connected layer; `lanes` of them are computed side by side. passes: of an
    image. bias: one word for each group of outputs, a field for each lane. weights: see the stage. neuron: see lif().
    current_pool: of the currents before the neurons, or None.
    """

    outputs: int
    passes: int
    bias: Table
    weights: Table
    neuron: Lif
    current_pool: CurrentPool | None = None

    @property
    def output_bits(self) -> int:
        return self.neuron.result_bits(self.lanes, self.timesteps)

    @property
    def groups(self) -> int:
        """Groups of outputs, one after the other."""
        return groups_of(self.outputs, self.lanes)

    @property
    @abstractmethod
    def taps(self) -> int:
        """Weights of each lane in a word."""

    @property
    @abstractmethod
    def group_words(self) -> int:
        """Words of weights for each group."""

    @property
    def weight_bits(self) -> int:
        return self.weights.width // (self.lanes * self.taps)

    @property
    def current_map(self) -> tuple[int, int]:
        """Rows and columns of the currents, before they are pooled."""
        return 1, 1

    @property
    def output_map(self) -> tuple[int, int]:
        """Rows and columns of the neurons."""
        rows, columns = self.current_map
        if self.current_pool is None:
            return rows, columns
        return self.current_pool.windows(0, rows).count, self.current_pool.windows(1, columns).count

    @property
    def output_beats(self) -> int:
        return self.groups * self.output_map[0] * self.output_map[1]

    @property
    def sum_bits(self) -> int:
        """Signed width of a current before it is pooled, and of the biases."""
        return self.current_pool.bits if self.current_pool else self.neuron.current_bits

    @property
    def sums_bits(self) -> int:
        """Width of a beat of currents, from the accumulators or the MAC array."""
        return self.lanes * self.timesteps * self.sum_bits

    @property
    def currents_bits(self) -> int:
        """Width of a beat of currents to the neurons."""
        return self.lanes * self.timesteps * self.neuron.current_bits

    @property
    def pause(self) -> int:
        """Cycles for which the neurons take no beat after each one."""
        return lif_pause(self.output_beats, self.timesteps, self.passes)


@dataclass(frozen=True, kw_only=True)
class DenseStage(NeuronStage):
    """Parameters of a stage that takes the image.

    height, width: of the image. channels, image_bits, image_signed: a pixel of it. frames: images that a beat has a pixel of:
    1, the image of all timesteps, or one for each timestep of a pass.
    """

    height: int
    width: int
    channels: int
    image_bits: int
    image_signed: bool
    frames: int = 1

    @property
    def pixels(self) -> int:
        """Pixels of an image."""
        return self.height * self.width

    @property
    def repeat(self) -> int:
        """Timesteps that have the same currents."""
        return self.timesteps // self.frames

    @property
    def input_bits(self) -> int:
        return self.channels * self.frames * self.image_bits

    @property
    def input_beats(self) -> int:
        return self.pixels


@dataclass(frozen=True, kw_only=True)
class SpikeSums:
    """Sums of spikes over windows side by side, which a stage takes in: each spike of a window is an event of the same weights.

    kernel: rows and columns of a window. rows, columns: of the map of spikes that comes in. groups: beats for each pixel of it.
    """

    kernel: tuple[int, int]
    rows: int
    columns: int
    groups: int

    def __post_init__(self):
        check_number("spike_sums", 1, rows=self.rows, columns=self.columns, groups=self.groups)
        check_number("spike_sums", 1, self.rows, kernel_rows=self.kernel[0])
        check_number("spike_sums", 1, self.columns, kernel_columns=self.kernel[1])

    @property
    def height(self) -> int:
        """Rows of sums."""
        return self.rows // self.kernel[0]

    @property
    def width(self) -> int:
        """Columns of sums."""
        return self.columns // self.kernel[1]

    @property
    def kept(self) -> tuple[int, int]:
        """Rows and columns of spikes in complete windows."""
        return self.height * self.kernel[0], self.width * self.kernel[1]

    @property
    def cropping(self) -> Crop | None:
        """What leaves out the rows and columns of no complete window; None if there are none."""
        rows, columns = self.kept
        if (rows, columns) == (self.rows, self.columns):
            return None
        return Crop(rows=self.rows, columns=self.columns, groups=self.groups, kept_rows=rows, kept_columns=columns)

    @property
    def beats(self) -> int:
        return self.rows * self.columns * self.groups


@dataclass(frozen=True, kw_only=True)
class SparseStage(NeuronStage):
    """Parameters of an event-driven stage, which scans parts of its input one after the other as they arrive.

    parts: see the stage. chunks, lanes_in: beats for each pixel of a part, and channels in a beat. banks: parts that the row
    buffer holds. queue_depth: events between scanner and accumulators. weights: see weight_fetch(). spike_sums: the input is
    sums of spikes; then each row of a window is scanned as a part of its own, and its columns as more chunks of a pixel, which
    read the same weights.
    """

    parts: int
    chunks: int
    lanes_in: int
    banks: int
    queue_depth: int
    spike_sums: SpikeSums | None = None

    @property
    def window(self) -> tuple[int, int]:
        """Rows and columns of spikes that are one pixel of the stage."""
        return self.spike_sums.kernel if self.spike_sums else (1, 1)

    @property
    def cropping(self) -> Crop | None:
        return self.spike_sums.cropping if self.spike_sums else None

    @property
    def row_parts(self) -> int:
        """Parts that are scanned for `parts`: each row of a window has its own."""
        return self.parts * self.window[0]

    @property
    def scanned_chunks(self) -> int:
        """Chunks that are scanned for each pixel of a part."""
        return self.chunks * self.window[1]

    @property
    def channels(self) -> int:
        """Channels of a part: those of all columns of a window count once."""
        return self.chunks * self.lanes_in

    @property
    def input_bits(self) -> int:
        return self.lanes_in * self.timesteps

    @property
    def event_bits(self) -> int:
        """Width of an event."""
        return event_width(self.channels, self.timesteps)

    @property
    def weighted_bits(self) -> int:
        """Width of an event with its weights: the word, the timestep mask, the mark of a pixel's last event."""
        return self.weights.width + self.timesteps + 1

    @property
    def group_words(self) -> int:
        return self.parts * self.channels

    @property
    @abstractmethod
    def pixels(self) -> int:
        """Pixels of a part."""

    @property
    @abstractmethod
    def frame_parts(self) -> int:
        """Parts of a whole map."""

    @property
    def padding(self) -> int:
        """Empty pixels after each scan over a part."""
        return 0

    @property
    def flush(self) -> int:
        """Empty pixels after the last scan of a map."""
        return 0

    @property
    def positions(self) -> int:
        """Pixels of a scan, empty ones too."""
        return self.pixels + self.padding

    @property
    def empty_pixels(self) -> int:
        """Empty pixels that the scanner adds to a map in all."""
        return self.frame_parts * self.groups * self.padding + self.flush

    @property
    def part_beats(self) -> int:
        """Beats of a part that the row buffer keeps."""
        return self.pixels * self.scanned_chunks

    @property
    def input_beats(self) -> int:
        return self.spike_sums.beats if self.spike_sums else self.frame_parts * self.part_beats

    @property
    def buffer_words(self) -> int:
        """Words of the row buffer."""
        return self.banks * self.part_beats
