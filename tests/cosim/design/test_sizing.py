"""What is chosen of an accelerator: defaults, and what is refused."""

import pytest

from duospike.cosim.design.sizing import choose_sizing, multiplier_choices
from duospike.reference.errors import InputError
from duospike.rtl.errors import DesignError
from tests.benches.small_networks import small_network


def test_lanes_default_to_eight_or_all_outputs():
    network = small_network("3C3-20C3-FC9")
    assert choose_sizing(network).lanes == {"conv1": 3, "conv2": 8, "fc1": 8}
    assert choose_sizing(network, {"conv2": 20}).lanes == {"conv1": 3, "conv2": 20, "fc1": 8}
    assert choose_sizing(network, 2).lanes == {"conv1": 2, "conv2": 2, "fc1": 2}


@pytest.mark.parametrize("lanes", [0, -1, 4])
def test_lanes_a_layer_cannot_have_are_refused_by_name(lanes):
    with pytest.raises(DesignError, match=f"layer conv1: {lanes} lanes; allowed: 1 to 3"):
        choose_sizing(small_network(), {"conv1": lanes})


@pytest.mark.parametrize("what", ["lanes", "row_parts"])
def test_unknown_layers_are_refused(what):
    with pytest.raises(InputError, match=f"{what} for 'pool1': no such layer; allowed: .*conv2, fc1"):
        choose_sizing(small_network(), **{what: {"pool1": 2}})


def test_the_dense_layer_has_no_parts():
    with pytest.raises(InputError, match="row_parts for 'conv1': no such layer; allowed: conv2, fc1"):
        choose_sizing(small_network(), row_parts={"conv1": 1})
    assert set(choose_sizing(small_network(coding="rate")).row_parts) == {"conv1", "conv2", "fc1"}


def test_parts_leave_64_channels_in_each():
    """conv2 has 8 beats of 20 channels a pixel; a row of 80 channels and 5 columns is one pixel of 10 beats, 40 channels each."""
    network = small_network("160C3-80C3-FC9", (1, 5, 5))
    assert choose_sizing(network, {"conv1": 20, "conv2": 40}).row_parts == {"conv2": 2, "fc1": 5}
    assert choose_sizing(network, {"conv1": 160, "conv2": 80}).row_parts == {"conv2": 1, "fc1": 5}


@pytest.mark.parametrize("parts", [0, 3, 8])
def test_parts_must_be_equal(parts):
    network = small_network("12C3-5C3-FC3")
    with pytest.raises(DesignError, match=f"layer conv2: {parts} row parts; allowed: 1, 2, 4"):
        choose_sizing(network, {"conv1": 3}, {"conv2": parts})


@pytest.mark.parametrize(
    ("timesteps", "default"), [(1, 1), (2, 2), (6, 3), (7, 1), (25, 1), (64, 4), (300, 4), (1021, 1), (1024, 4)]
)
def test_timesteps_of_a_pass(timesteps, default):
    network = small_network("2C3-FC3", (1, 3, 3), timesteps=timesteps)
    assert choose_sizing(network).timesteps == default
    with pytest.raises(DesignError, match=f"{timesteps + 1} timesteps a pass; allowed: 1, "):
        choose_sizing(network, timesteps=timesteps + 1)


def test_a_pass_takes_as_many_frames_as_other_codings_timesteps():
    network = small_network("2C3-FC3", (1, 3, 3), coding="frames", timesteps=6)
    assert choose_sizing(network).timesteps == 3
    assert choose_sizing(network, timesteps=6).timesteps == 6


@pytest.mark.parametrize(
    ("shape", "default", "allowed", "refused"),
    [
        ((1, 5, 7), 8, (1, 3, 35), (0, 36)),
        ((3, 5, 7), 6, (1, 2, 3, 9, 105), (0, 4, 106, 108)),
        ((20, 2, 2), 8, (1, 7, 20, 40, 80), (21, 50, 100)),
        ((3, 1, 1), 3, (1, 2, 3), (4, 6)),
    ],
)
def test_multipliers_of_a_lane_are_parts_of_a_pixel_or_pixels(shape, default, allowed, refused):
    network = small_network("FC6-FC3", shape)
    assert choose_sizing(network).lane_multipliers == {"fc1": default}
    choices = multiplier_choices(shape[0], shape[1] * shape[2])
    assert default in choices
    for number in (*allowed, *choices):
        assert choose_sizing(network, lane_multipliers=number).lane_multipliers == {"fc1": number}
    for number in refused:
        with pytest.raises(DesignError, match=f"layer fc1: {number} multipliers; allowed: 1 to {shape[0]}, the cha"):
            choose_sizing(network, lane_multipliers={"fc1": number})


def test_only_a_fully_connected_layer_that_takes_the_image_has_multipliers_to_choose():
    for network in (small_network("2C3-FC3", (1, 3, 3)), small_network("FC3", (1, 3, 3), coding="rate")):
        assert choose_sizing(network).lane_multipliers == {}
        with pytest.raises(InputError, match="lane_multipliers for 'fc1': no such layer; allowed: none in this network"):
            choose_sizing(network, lane_multipliers={"fc1": 2})
    with pytest.raises(InputError, match="lane_multipliers for 'all layers': no such layer; allowed: none in this network"):
        choose_sizing(small_network(), lane_multipliers=2)


def test_queues_need_room():
    with pytest.raises(DesignError, match="event queues of depth 0; allowed: 1 to 65536"):
        choose_sizing(small_network(), queue_depth=0)
