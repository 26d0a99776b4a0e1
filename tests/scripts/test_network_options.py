import argparse

import pytest

from duospike.cosim.design.sizing import choose_sizing
from duospike.scripts import network_options
from tests.benches.small_networks import small_network


def parse(*words):
    parser = argparse.ArgumentParser()
    network_options.add_data_options(parser)
    network_options.add_design_options(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    "text, lanes", [("4", 4), ("conv1=4", {"conv1": 4}), ("conv1=4, fc2=10", {"conv1": 4, "fc2": 10}), ("conv1=0", {"conv1": 0})]
)
def test_lanes(text, lanes):
    assert parse("--lanes", text).lanes == lanes


@pytest.mark.parametrize("text", ["6", "fc1=6"])
def test_multipliers_of_each_lane(text):
    network = small_network("FC7-FC6", (2, 3, 4))
    sizing = network_options.sizing_of(network, parse("--lane-multipliers", text))
    assert sizing == choose_sizing(network, lane_multipliers={"fc1": 6})
    assert network_options.sizing_of(network, parse()) == choose_sizing(network)


@pytest.mark.parametrize(
    "words, message",
    [
        (["--lanes", "conv1=4,conv1=2"], "'conv1=4,conv1=2' names layer conv1 2 times"),
        (["--lanes", "fc1=1,conv1=4, conv1 =4"], "names layer conv1 2 times"),
        (["--lanes", "conv1=4,"], "is neither a number nor a list like conv1=4,fc2=10"),
        (["--lanes", "conv1=4=2"], "is neither a number nor a list"),
        (["--lanes", "many"], "is neither a number nor a list"),
        (["--parts", "conv2=3"], "--parts is called --row-parts"),
        (["--queue-depth", "0"], "'0' is not a whole number from 1 up"),
        (["--queue-depth", "x"], "'x' is not a whole number from 1 up"),
    ],
)
def test_refusals(capsys, words, message):
    with pytest.raises(SystemExit):
        parse(*words)
    assert message in capsys.readouterr().err


def test_defaults():
    args = parse()
    assert (args.data, args.seed, args.sizing, args.lanes, args.queue_depth) == ("fashion-mnist", 0, None, None, None)
