"""From a network of plain integers to the stages of an accelerator: widths, lanes and the layout of the weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from duospike.reference.coding import ENCODER, FEEDBACK, REGISTER_BITS, TIMED_CODINGS, first_states
from duospike.reference.network import Conv, Linear, Network, Pool
from duospike.reference.widths import prove_widths
from duospike.rtl.current_pool import CurrentPool
from duospike.rtl.dense_core import DenseCore
from duospike.rtl.dense_fc import DenseFc
from duospike.rtl.encoder import Encoder
from duospike.rtl.lif import SPIKES, Lif
from duospike.rtl.memory import Table
from duospike.rtl.pool import Pool as PoolStage
from duospike.rtl.readout import Readout
from duospike.rtl.sparse_conv import SparseConv
from duospike.rtl.sparse_fc import SparseFc
from duospike.rtl.stage import DenseStage, SpikeSums, Stage
from duospike.rtl.stream import groups_of

from .beats import PackedFields, grouped
from .sizing import Sizing, first_lanes

READOUT = "readout"
ROWS_BUFFERED = 2
"""Rows that a row buffer holds: one that is being scanned, one that arrives."""


def readout_of(stages: dict[str, Stage]) -> Readout:
    """Parameters of the last stage."""
    stage = stages[READOUT]
    assert isinstance(stage, Readout)
    return stage


def frames_of(stages: dict[str, Stage]) -> int:
    """Images of which a beat of the first stage holds a pixel each; 1 where it takes spikes."""
    first = next(iter(stages.values()))
    return first.frames if isinstance(first, DenseStage) else 1


def image_packet_beats(stages: dict[str, Stage]) -> int:
    """How many beats the first stage takes for an image: its pixels, or those of its spike map, in each pass."""
    return readout_of(stages).passes * next(iter(stages.values())).input_beats


def stage_beats(stages: dict[str, Stage]) -> dict[str, int]:
    """How many beats each stage gives for an image."""
    passes = readout_of(stages).passes
    return {name: stage.output_beats * (1 if isinstance(stage, Readout) else passes) for name, stage in stages.items()}


@dataclass(frozen=True)
class StageWidths:
    """Signed widths of a stage with neurons: of its weights; of currents and biases; of pooled currents, which the neurons take;
    of potentials; of thresholds.

    leak_bits: unsigned, of the leak's multiplier of each channel; 0 where all have the same, which is in the logic.
    """

    weight_bits: int
    current_bits: int
    pooled_bits: int
    potential_bits: int
    theta_bits: int
    leak_bits: int = 0

    def as_json(self) -> dict[str, int]:
        """As JSON files hold it: pooled_bits only where they differ from current_bits, leak_bits only where there are such."""
        usual = {"pooled_bits": self.current_bits, "leak_bits": 0}
        return {name: bits for name, bits in asdict(self).items() if bits != usual.get(name)}


def stage_widths(network: Network) -> dict[str, StageWidths]:
    """The widths that a network's own weights prove sufficient, by layer name."""
    widths = {}
    for name, proven in prove_widths(network).items():
        layer = next(layer for layer in network.layers if layer.name == name)
        assert not isinstance(layer, Pool)
        potential_bits = max(proven.potential_bits, proven.state_bits, proven.theta_bits, proven.pooled_bits)
        widths[name] = StageWidths(
            layer.weight_bits, proven.current_bits, proven.pooled_bits, potential_bits, proven.theta_bits,
            _leak_bits(layer, network.timesteps),
        )  # fmt: skip
    return widths


def _leak_bits(layer: Conv | Linear, timesteps: int) -> int:
    """See StageWidths. In a single timestep nothing leaks."""
    multipliers = layer.neuron.multipliers
    return int(multipliers.max()).bit_length() if timesteps > 1 and len(set(multipliers.tolist())) > 1 else 0


def plan_stages(network: Network, sizing: Sizing, widths: dict[str, StageWidths] | None = None) -> dict[str, Stage]:
    """The stages of the accelerator in order, by name: one for each layer, except sums of spikes, and the read-out.

    With rate coding an encoder comes first. Sums of spikes are taken in by the stage behind them. widths: by layer name, at least
    stage_widths(network), which they are if not given.
    """
    widths = widths or stage_widths(network)
    timesteps, passes = sizing.timesteps, network.timesteps // sizing.timesteps
    stages: dict[str, Stage] = {}
    lanes_in, sums = first_lanes(network), None
    if network.coding == "rate":
        stages[ENCODER] = _encoder(network, timesteps, passes)
    for layer, shape in zip(network.layers, network.shapes, strict=False):
        channels, height, width = shape
        name = layer.name
        if isinstance(layer, Pool) and layer.op == "sum":
            sums = SpikeSums(kernel=layer.kernel, rows=height, columns=width, groups=groups_of(channels, lanes_in))
            continue
        if isinstance(layer, Pool):
            stages[name] = PoolStage(
                height=height, width=width, groups=groups_of(channels, lanes_in), lanes=lanes_in, timesteps=timesteps,
                kernel=layer.kernel, stride=layer.stride, padding=layer.padding,
            )  # fmt: skip
            continue
        gives = network.readout if layer is network.layers[-1] and network.reads_membranes else SPIKES
        common = _common(layer, widths[name], sizing.lanes[name], timesteps, passes, gives)
        weight_bits = widths[name].weight_bits
        sparse = {**common, "queue_depth": sizing.queue_depth, "spike_sums": sums}
        if isinstance(layer, Linear) and not lanes_in:
            stages[name] = _dense_fc(network, layer, sizing.lane_multipliers[name], weight_bits, common)
        elif isinstance(layer, Linear):
            stages[name] = _sparse_fc(layer, shape, lanes_in, sizing.row_parts[name], weight_bits, sparse)
        elif lanes_in:
            stages[name] = _sparse_conv(layer, shape, lanes_in, sizing.row_parts[name], weight_bits, sparse)
        else:
            stages[name] = _dense_core(network, layer, weight_bits, common)
        lanes_in, sums = sizing.lanes[name], None
    outputs = network.shapes[-1][0]
    membranes = {"potential_bits": widths[network.layers[-1].name].potential_bits} if network.reads_membranes else {}
    stages[READOUT] = Readout(
        outputs=outputs, lanes=lanes_in, timesteps=timesteps, passes=passes, classes=network.classes, score=network.readout,
        **membranes,
    )  # fmt: skip
    return stages


def _common(layer: Conv | Linear, widths: StageWidths, lanes: int, timesteps: int, passes: int, gives: str) -> dict:
    """What every stage with neurons takes."""
    return {
        "outputs": layer.outputs,
        "lanes": lanes,
        "timesteps": timesteps,
        "passes": passes,
        "bias": _table(layer, "bias", grouped(layer.bias, lanes), widths.current_bits),
        "current_pool": _current_pool(layer, widths),
        "neuron": _neurons(layer, widths, lanes, timesteps * passes, gives),
    }


def _current_pool(layer: Conv | Linear, widths: StageWidths) -> CurrentPool | None:
    if isinstance(layer, Linear) or layer.current_pool is None:
        return None
    return CurrentPool(op=layer.current_pool.op, kernel=layer.current_pool.kernel, bits=widths.current_bits)


def _neurons(layer: Conv | Linear, widths: StageWidths, lanes: int, timesteps: int, gives: str) -> Lif:
    """timesteps: of an image. gives: see Lif. Potentials of a single timestep are never reset."""
    neuron, multiplier, leaks = layer.neuron, int(layer.neuron.multipliers.max()), None
    if widths.leak_bits:
        multipliers = np.broadcast_to(neuron.multipliers, layer.outputs)
        leaks = _table(layer, "leak", grouped(multipliers, lanes), widths.leak_bits)
        # The largest that the fields hold and the shift allows.
        multiplier = min(2**widths.leak_bits - 1, 2**neuron.shift)
    return Lif(
        reset="none" if timesteps == 1 and gives != SPIKES else neuron.reset,
        multiplier=multiplier,
        shift=neuron.shift,
        current_bits=widths.pooled_bits,
        potential_bits=widths.potential_bits,
        theta_bits=widths.theta_bits,
        theta=_table(layer, "theta", grouped(layer.theta, lanes), widths.theta_bits),
        leaks=leaks,
        gives=gives,
    )


def _table(layer: Conv | Linear, what: str, fields: np.ndarray, bits: int) -> Table:
    """ROM contents from fields [words, fields a word]."""
    return Table(f"{layer.name}_{what}.hex", fields.shape[1] * bits, PackedFields(fields, bits))


def _narrow(layer: Conv | Linear) -> np.ndarray:
    """Weights as bytes, which they fit: they are moved around an eighth of the memory."""
    return layer.weights.astype(np.int8)


def _encoder(network: Network, timesteps: int, passes: int) -> Encoder:
    channels, height, width = network.input_shape
    states = first_states(channels, network.timesteps, network.coding_seed).astype(np.int64)
    fields = states.reshape(passes, timesteps, channels).transpose(0, 2, 1).reshape(passes, -1)
    table = Table(f"{ENCODER}_states.hex", fields.shape[1] * REGISTER_BITS, PackedFields(fields, REGISTER_BITS))
    return Encoder(
        height=height, width=width, lanes=channels, image_bits=network.image_bits, timesteps=timesteps,
        register_bits=REGISTER_BITS, feedback=FEEDBACK, states=table,
    )  # fmt: skip


def _image(network: Network, timesteps: int) -> dict:
    """What every dense stage takes of the image."""
    channels, height, width = network.input_shape
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "image_bits": network.image_bits,
        "image_signed": network.image_signed,
        "frames": timesteps if network.coding in TIMED_CODINGS else 1,
    }


def _dense_core(network: Network, layer: Conv, weight_bits: int, common: dict) -> DenseCore:
    by_group = grouped(_narrow(layer), common["lanes"]).transpose(0, 1, 3, 4, 2)  # [group, lane, a, b, channel]
    weights = _table(layer, "weights", by_group.reshape(len(by_group), -1), weight_bits)
    out_rows, out_columns = output_window(layer, *network.input_shape[1:])
    return DenseCore(
        out_rows=out_rows, out_columns=out_columns, kernel=layer.kernel, weights=weights, **_image(network, common["timesteps"]),
        **common,
    )  # fmt: skip


def _dense_fc(network: Network, layer: Linear, multipliers: int, weight_bits: int, common: dict) -> DenseFc:
    channels, pixels = network.input_shape[0], network.input_shape[1] * network.input_shape[2]
    by_pixel = _narrow(layer).reshape(-1, channels, pixels).swapaxes(1, 2)  # [output, pixel, channel]
    if multipliers <= channels:
        words = _pad_axis(by_pixel, 2, groups_of(channels, multipliers) * multipliers)
    else:
        # What the last word lacks is in its lowest inputs, before its pixels.
        per_word = multipliers // channels
        before = pixels // per_word * per_word
        missing = np.zeros((layer.outputs, -pixels % per_word, channels), np.int8)
        words = np.concatenate([by_pixel[:, :before], missing, by_pixel[:, before:]], axis=1)
    by_group = grouped(words.reshape(layer.outputs, -1, multipliers), common["lanes"])  # [group, lane, word, input]
    by_group = by_group.swapaxes(1, 2)
    weights = _table(layer, "weights", by_group.reshape(-1, common["lanes"] * multipliers), weight_bits)
    return DenseFc(multipliers=multipliers, weights=weights, **_image(network, common["timesteps"]), **common)


def output_window(layer: Conv, height: int, width: int) -> tuple[range, range]:
    """Rows and columns of a convolution that leave, among the outputs of the same-size one, see rtl/kernel.py."""
    axes = zip((height, width), layer.kernel, layer.stride, layer.padding, strict=True)
    rows, columns = (_leaving(*axis) for axis in axes)
    return rows, columns


def _leaving(size: int, taps: int, stride: int, padding: int) -> range:
    """Places of one axis: output number o begins at input stride * o - padding, and is the same-size one taps // 2 later."""
    count = (size + 2 * padding - taps) // stride + 1
    first = taps // 2 - padding
    return range(first, first + stride * (count - 1) + 1, stride)


def _sparse_conv(
    layer: Conv, shape: tuple[int, int, int], lanes_in: int, parts: int, weight_bits: int, common: dict
) -> SparseConv:
    channels, height, width = shape
    chunks = groups_of(channels, lanes_in)
    # An event scatters: the first row and column of the window are the outputs for which the pixel is under the last tap.
    by_group = grouped(_narrow(layer)[:, :, ::-1, ::-1], common["lanes"])  # [group, lane, channel, a, b]
    words = _pad_axis(by_group.transpose(2, 0, 1, 3, 4), 0, chunks * lanes_in)  # [channel, group, lane, a, b]
    by_part = words.reshape(parts, -1, *words.shape[1:]).swapaxes(1, 2)  # [part, group, channel, lane, a, b]
    weights = _table(layer, "weights", by_part.reshape(by_part[..., 0, 0, 0].size, -1), weight_bits)
    out_rows, out_columns = output_window(layer, height, width)
    return SparseConv(
        height=height, width=width, out_rows=out_rows, out_columns=out_columns, parts=parts, chunks=chunks // parts,
        lanes_in=lanes_in, kernel=layer.kernel, banks=ROWS_BUFFERED * parts, weights=weights, **common,
    )  # fmt: skip


def _sparse_fc(layer: Linear, shape: tuple[int, int, int], lanes_in: int, parts: int, weight_bits: int, common: dict) -> SparseFc:
    channels, height, width = shape
    groups_in = groups_of(channels, lanes_in)
    by_group = grouped(_narrow(layer), common["lanes"]).reshape(-1, common["lanes"], channels, height, width)
    by_row = _pad_axis(by_group.transpose(3, 2, 4, 0, 1), 1, groups_in * lanes_in)  # [y, channel, x, group, lane]
    groups = by_row.shape[3]
    # Within a row the inputs come by channel group, column, channel.
    inputs = by_row.reshape(height, groups_in, lanes_in, width, groups, -1).transpose(0, 1, 3, 2, 4, 5)
    by_part = inputs.reshape(height * parts, -1, groups, common["lanes"]).swapaxes(1, 2)  # [part, group, input, lane]
    weights = _table(layer, "weights", by_part.reshape(-1, common["lanes"]), weight_bits)
    return SparseFc(
        parts=height * parts, chunks=groups_in * width // parts, lanes_in=lanes_in, banks=ROWS_BUFFERED * parts,
        weights=weights, **common,
    )  # fmt: skip


def _pad_axis(values: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Append zeros along an axis until it has `size` entries."""
    padding = [(0, 0)] * values.ndim
    padding[axis] = (0, size - values.shape[axis])
    return np.pad(values, padding)
