import numpy as np
import pytest
import torch

from duospike.reference.training.prepared import LIMIT
from duospike.reference.training.scales import Floor


@pytest.mark.parametrize("sign", [1, -1])
def test_integers_below_the_limit_are_found_again_from_their_quotients(sign):
    generator = np.random.default_rng(1)
    unit = torch.from_numpy(np.exp(generator.uniform(-40, 40, 20_000)).astype(np.float32))
    whole = sign * torch.from_numpy((LIMIT - 1 - generator.integers(0, 1000, 20_000)).astype(np.float32))
    off = whole / unit * unit - whole
    assert off.any() and off.abs().max() < 0.25
    beyond = whole * 8
    assert (beyond / unit * unit - beyond).abs().max() > 0.25


def test_floor_passes_the_gradient():
    values = torch.tensor([-0.5, 1.5], requires_grad=True)
    floored = Floor.apply(values)
    (floored * torch.tensor([2.0, 3.0])).sum().backward()
    assert floored.tolist() == [-1, 1] and values.grad.tolist() == [2, 3]
