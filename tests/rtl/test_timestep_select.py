import numpy as np
import pytest

from duospike.cosim.design.beats import pack_fields
from duospike.rtl.timestep_select import timestep_select
from tests.benches.stream_bench import STALLS, run_stream


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize(("inputs", "bits", "timesteps"), [(1, 1, 2), (3, 4, 3), (2, 5, 8)])
def test_timesteps_one_after_the_other(place, inputs, bits, timesteps, stalls):
    values = np.random.default_rng(inputs).integers(0, 2**bits, (12, inputs, timesteps))
    run = run_stream(
        place, timestep_select, pack_fields(values.reshape(12, -1), bits), widths=(inputs * timesteps * bits, inputs * bits),
        expected=12 * timesteps, stalls=stalls, counted=False, inputs=inputs, input_bits=bits, timesteps=timesteps,
    )  # fmt: skip
    assert tuple(run.beats) == pack_fields(values.swapaxes(1, 2).reshape(-1, inputs), bits)
    if stalls == (0, 0):
        assert np.diff(run.cycles).tolist() == [1] * (12 * timesteps - 1)
