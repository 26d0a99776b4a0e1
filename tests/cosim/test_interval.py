"""The interval between images: one definition, for runs, batches of runs and steady state."""

import pytest

from duospike.cosim.interval import mean_interval, mean_interval_of_batches


def test_the_mean_distance_of_classes():
    assert mean_interval([99, 109, 139]) == 20
    # The first two images fill the stages.
    assert mean_interval([99, 109, 139, 140], warmup=2) == 15.5


@pytest.mark.parametrize(("ends", "warmup"), [([], 1), ([7], 1), ([7, 9], 2)])
def test_a_single_image_has_none(ends, warmup):
    assert mean_interval(ends, warmup) is None


def test_batches_count_by_their_intervals():
    """The gap between two batches is no interval."""
    batches = [[10, 20, 40], [5], [7, 8]]
    assert mean_interval_of_batches([(mean_interval(ends), len(ends)) for ends in batches]) == (10 + 20 + 1) / 3
    assert mean_interval_of_batches([(None, 1), (None, 1)]) is None
