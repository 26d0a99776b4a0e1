"""Runs read back: the recorded spikes against the reference, and what is no run."""

import os
import shutil

import numpy as np
import pytest

from duospike.cosim.errors import CosimError
from duospike.cosim.pages.run_files import MAX_TEXT, read_runs, recorded_spikes, write_into_folder
from duospike.reference import golden
from duospike.reference.errors import InputError
from tests.benches.small_networks import small_network
from tests.benches.small_runs import write_runs

NETWORKS = {
    "direct": {},
    "several passes": {"timesteps": 10},
    "encoder": {"coding": "rate", "timesteps": 6},
    "events": {"coding": "events", "timesteps": 3, "image_bits": 1},
    "frames": {"coding": "frames", "timesteps": 3},
}


@pytest.mark.parametrize(
    "about", ["direct", *(pytest.param(about, marks=pytest.mark.slow) for about in NETWORKS if about != "direct")]
)
def test_recorded_spikes_are_those_of_the_reference(about, tmp_path):
    network = small_network("3C3-5C3-MP2-FC7-FC6", (2, 6, 7), **NETWORKS[about])
    [run] = read_runs([write_runs(tmp_path, network, ["cosim"])["cosim"]])
    trace = golden.run(network, np.load(tmp_path / "images.npy"))
    for image in range(3):
        spikes = recorded_spikes(run, image)
        assert list(spikes) == [stage["name"] for stage in run.content["stages"]][:-1]
        assert spikes.keys() >= {layer.name for layer in network.layers}
        for name, of_stage in spikes.items():
            assert np.array_equal(of_stage, trace.spikes[name][image]), (image, name)
        assert sum(of_stage.sum() for of_stage in spikes.values()) > 0


@pytest.fixture
def cosim(finished_runs, tmp_path):
    """The folder of a run, for a test to change."""
    return shutil.copytree(finished_runs["cosim"], tmp_path / "runs" / "cosim")


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda lines: lines[:-1], "conv2.txt: holds .* beats of image 2, which has"),
        (lambda lines: [*lines[:-1], lines[-1].split()[0] + " x"], "stream conv2: unknown bits in 'x'"),
        (None, "conv2.txt: not there"),
    ],
)
def test_spikes_that_did_not_come_whole_are_refused(cosim, change, message):
    path = cosim / "conv2.txt"
    kept = path.read_text()
    path.unlink()
    if change:
        path.write_text("\n".join(change(kept.splitlines())) + "\n")
    with pytest.raises(CosimError, match=message):
        recorded_spikes(read_runs([cosim])[0], 2)


def test_no_file_outside_the_folder_is_read(cosim):
    [run] = read_runs([cosim])
    (cosim.parent / "secret.txt").write_text("1 1\n" * 10000)
    run.content["stages"][0]["name"] = "../secret"
    run.content["network"]["layers"][0]["name"] = "../secret"
    with pytest.raises(CosimError, match="secret.txt: not there"):
        recorded_spikes(run, 0)


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere: not found"):
        read_runs([tmp_path / "nowhere"])
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: not a folder"):
        read_runs([tmp_path / "file"])
    with pytest.raises(InputError, match=r"holds no run; a run has one of report\.json, cycles\.json"):
        read_runs([tmp_path])
    for text, message in (("{", "not JSON"), ("[1]", "not a JSON object"), ("[" * 10**5, "not JSON"), ("\xff", "not JSON")):
        (tmp_path / "energy.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(InputError, match=f"energy.json: {message}"):
            read_runs([tmp_path])


def test_a_folder_named_twice_is_read_once_and_holds_what_it_holds(cosim, tmp_path):
    for name in ("energy.json", "cycles.json"):
        (tmp_path / name).write_text("{}")
    assert [run.command for run in read_runs([tmp_path, cosim, tmp_path])] == ["cycles", "energy", "cosim"]


def test_a_file_is_added_to_the_list_of_its_folder_once(cosim, tmp_path):
    before = (cosim / ".duospike").read_text().splitlines()
    for text in (b"one", b"two"):
        write_into_folder(cosim / "page.html", text)
    assert (cosim / ".duospike").read_text().splitlines() == sorted([*before, "page.html"])
    (tmp_path / "other").mkdir()
    write_into_folder(tmp_path / "other" / "page.html", b"one")
    assert [file.name for file in (tmp_path / "other").iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["network"]["layers"][0].update(shape=[2**24, 2**24, 1]),
        lambda content: content["network"]["layers"][0].update(shape=[2**24, 1, 2]),
        lambda content: content["network"]["layers"][0].update(shape=[3, 6.0, 7]),
        lambda content: content["stages"][0].update(lanes=2**30),
        lambda content: content["stages"][0].update(lanes=0),
        lambda content: content["sizing"].update(timesteps=0),
        lambda content: content["network"].update(timesteps=2**40),
    ],
)
def test_sizes_that_no_network_has_are_refused_before_they_take_memory(cosim, change):
    [run] = read_runs([cosim])
    change(run.content)
    with pytest.raises((ValueError, CosimError), match="whole number from 1 to|has more than 16777216 neurons times timesteps"):
        recorded_spikes(run, 0)


def test_a_stream_without_lines_is_refused(cosim):
    (cosim / "conv1.txt").write_bytes(bytes(2**22))
    with pytest.raises(ValueError, match="a line of 1048576 characters"):
        recorded_spikes(read_runs([cosim])[0], 0)


def test_long_texts_and_files_are_refused(tmp_path):
    (tmp_path / "energy.json").write_text('{"a": [{"b": "' + "x" * (MAX_TEXT + 1) + '"}]}')
    with pytest.raises(InputError, match=f"energy.json: a text of {MAX_TEXT + 1} characters; allowed: up to {MAX_TEXT}"):
        read_runs([tmp_path])
    os.truncate(tmp_path / "energy.json", 2**33)
    with pytest.raises(InputError, match="energy.json: 8589934592 bytes"):
        read_runs([tmp_path])


def test_a_list_of_files_need_not_be_text(tmp_path):
    (tmp_path / ".duospike").write_bytes(b"\xff\n")
    for _ in range(2):
        write_into_folder(tmp_path / "p\udcfe.html", b"")
    assert (tmp_path / ".duospike").read_bytes() == b"p\xfe.html\n\xff\n"
