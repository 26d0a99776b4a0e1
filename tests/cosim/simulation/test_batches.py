"""A co-simulation in batches: its report against that of one simulation, and the command with its workers."""

import json

import numpy as np
import pytest

from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.pages.run_files import read_runs, recorded_spikes
from duospike.cosim.simulation.batches import batch_folder, join_reports, run_batch
from duospike.cosim.simulation.network_run import run_network
from duospike.cosim.simulation.report import make_report
from duospike.reference import golden
from duospike.reference.data.datasets import random_images
from duospike.reference.modelfile import save_model
from duospike.scripts.main import main
from tests.benches.small_networks import small_network, small_stages


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Of three images: in one simulation, and in batches of two and one."""
    folder, network = tmp_path_factory.mktemp("batches"), small_network("2C3-MP2-FC6", (1, 6, 6))
    model = folder / "model.safetensors"
    save_model(network, model)
    images, labels = random_images(3, network.input_shape, network.pixel_range, 3), np.array([0, 1, 2])
    (folder / "whole").mkdir()
    whole = make_report(run_network(network, small_stages(network), images, folder / "whole"), labels, "icarus")
    said, sizing = [], choose_sizing(network)
    batches = [
        run_batch(said.append, model, sizing, images[some], labels[some], "icarus", batch_folder(folder, i))
        for i, some in enumerate([slice(0, 2), slice(2, 3)])
    ]
    assert said == [f"batch-{i}: {2 - i} images, {batch['total_cycles']} cycles" for i, batch in enumerate(batches)]
    return whole, batches


def test_what_does_not_depend_on_the_images_before_is_that_of_one_simulation(reports):
    whole, batches = reports
    joined = join_reports(batches)
    assert joined.keys() == whole.keys() | {"parts"} and joined["parts"] == [2, 1]
    for key in ("bit_exact", "mismatch", "fault", "simulator", "compared"):
        assert joined[key] == whole[key]
    for one, other in zip(joined["images"], whole["images"], strict=True):
        assert {**one, "cycles": None} == {**other, "cycles": None}
    for one, other in zip(joined["stages"], whole["stages"], strict=True):
        for key in ("name", "kind", "lanes", "neurons", "spikes", "events", "busy_cycles"):
            assert one[key] == other[key], (one["name"], key)
        assert one["sparsity"] == pytest.approx(other["sparsity"])
        # Each cycle of a batch counts once, except its last.
        assert one["busy_cycles"] + one["stall_in"] + one["stall_out"] == joined["total_cycles"] - 2


def test_a_batch_begins_when_the_one_before_has_ended(reports):
    whole, (first, second) = reports
    joined = join_reports([first, second])
    assert joined["total_cycles"] == first["total_cycles"] + second["total_cycles"]
    # The second batch has one image, and no interval.
    assert joined["interval"] == first["interval"] == first["lasts"]["readout"][1] - first["lasts"]["readout"][0]
    for key in ("firsts", "lasts"):
        assert joined[key].keys() == whole[key].keys()
        for name, cycles in joined[key].items():
            assert cycles[:2] == first[key][name] == whole[key][name][:2]
            assert cycles[2:] == [second[key][name][0] + first["total_cycles"]]
    assert join_reports([first]) == first | {"parts": [2]}


def test_the_first_difference_is_that_of_the_earliest_image(reports):
    _, (first, second) = reports
    wrong = {"image": 0, "stage": "fc1", "timestep": 1, "channel": 2, "y": 0, "x": 0, "expected": 1, "got": 0}
    second = second | {"bit_exact": False, "mismatch": wrong}
    joined = join_reports([first, second, second | {"fault": "nothing moved"}])
    assert (joined["bit_exact"], joined["mismatch"], joined["fault"]) == (False, wrong | {"image": 2}, "nothing moved")
    assert [image["index"] for image in joined["images"]] == [0, 1, 2, 3]


@pytest.mark.slow
def test_cosim_in_batches_on_workers(tmp_path, capfd):
    network = small_network("2C3-MP2-FC6", (1, 6, 6))
    save_model(network, tmp_path / "model.safetensors")
    words = ["cosim", tmp_path / "model.safetensors", "--data", "random", "--images", "5", "--batch", "2"]
    found = []
    for workers in ("2", "1"):
        assert main([str(word) for word in [*words, "--workers", workers, "--out", tmp_path / workers]]) == 0
        printed = capfd.readouterr().out
        assert "batch-2: 1 images" in printed and "bit-exact in icarus: " in printed
        found.append(json.loads((tmp_path / workers / "report.json").read_text()))
    # Who did it does not show.
    assert found[0] == found[1] and found[0]["parts"] == [2, 2, 1]
    trace = golden.run(network, random_images(5, network.input_shape, network.pixel_range, 0))
    assert [image["predicted_class"] for image in found[0]["images"]] == trace.predicted.tolist()
    assert found[0]["compared"] == sum(spikes.size for spikes in trace.spikes.values())
    [run] = read_runs([tmp_path / "2"])
    for image in range(5):
        assert np.array_equal(recorded_spikes(run, image)["pool1"], trace.spikes["pool1"][image])
    assert main([str(word) for word in [*words, "--waves", "--out", tmp_path / "waves"]]) == 2
    assert "--waves with --batch; allowed: one of them" in capfd.readouterr().err
