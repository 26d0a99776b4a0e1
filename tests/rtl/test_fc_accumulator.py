import pytest

from duospike.reference.network import Linear
from duospike.rtl.fc_accumulator import fc_accumulator
from tests.benches.event_model import expected_scans, random_spikes, weighted_words
from tests.benches.stage_bench import current_beats, expected_currents, plan_stage, random_layer
from tests.benches.stream_bench import STALLS, run_stream

FILLING = 1
"""Cycles after reset in which the first event waits for the sums that it is added to."""


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize(("rows", "outputs"), [(1, 3), (3, 2), (2, 4), (3, 5), (2, 7)])
def test_currents(place, rows, outputs, stalls):
    """Without neurons, which would hide small faults of the sums."""
    frames, channels, width, timesteps, lanes = 12, 2, 3, 2, 2
    layer = random_layer(Linear, (outputs, channels * rows * width))
    # Each bit of a bias is 0 in one group and 1 in the next.
    layer.bias[lanes : 2 * lanes] = ~layer.bias[: outputs - lanes][:lanes]
    maps = random_spikes(frames, timesteps, channels, rows, width, rate=0.1)
    stage = plan_stage(layer, (channels, rows, width), lanes, lanes_in=channels)
    inputs, bits = stage.chunks * stage.lanes_in, stage.neuron.current_bits
    # A row as one pixel: a column's channels are beside each other.
    pixels = maps.transpose(0, 1, 4, 2, 3).reshape(frames, timesteps, inputs, rows, 1)
    # The weights of a frame's rows follow each other.
    by_row = [pixels[frame : frame + 1, :, :, y : y + 1] for frame in range(frames) for y in range(rows)]
    scans = [
        (number % rows * stage.groups + scan, scanned)
        for number, row in enumerate(by_row)
        for scan, scanned in list(expected_scans(row, stage.groups, 0, 0))[: stage.groups]
    ]
    events = weighted_words(scans, stage.weights, inputs, timesteps)
    expected = current_beats(expected_currents(layer, maps), lanes, bits)
    run = run_stream(
        place, fc_accumulator, events, widths=(stage.weights.width + timesteps + 1, lanes * timesteps * bits),
        expected=len(expected), stalls=stalls, parts=rows, timesteps=timesteps, lanes=lanes,
        weight_bits=layer.weight_bits, current_bits=bits, bias=stage.bias,
    )  # fmt: skip
    assert run.beats == expected
    assert run.counts["events"] == int(pixels.any(1).sum()) * stage.groups
    assert run.counts["silent"] == len(events) - run.counts["events"]
    assert 0 < run.counts["silent"] < run.counts["events"]
    assert run.counts["stall_out"] + FILLING >= run.counts["waits"]
    assert (run.counts["stall_out"] > 0) == (stalls[1] != 0)
