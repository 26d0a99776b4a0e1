"""Shared by the tests of networks."""

import pytest
import torch


@pytest.fixture(autouse=True)
def same_weights():
    """Weights that a library draws are the same in each run of a test."""
    torch.manual_seed(1)
