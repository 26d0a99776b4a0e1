"""The commands that need the reference only: train, evaluate and random."""

import json
from functools import partial

import numpy as np
import pytest

from duospike.reference.errors import InputError
from duospike.reference.modelfile import load_model
from duospike.scripts import evaluate, random_network, train
from tests.benches import commands
from tests.benches.event_files import write_nmnist
from tests.benches.fashion_files import write_fashion

SETTINGS = """
architecture = "2C3-MP2-FC10"
dataset = "fashion-mnist"
weight_bits = 4
timesteps = 2
beta = "5/32"
threshold = 1.0
reset = "subtract"
classes = 10
seed = 1
epochs = 2
batch_size = 20
learning_rate = 0.01
"""


command = partial(commands.command, (train, evaluate, random_network))


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_fashion(folder, "train", 50, np.arange(50) % 10)
    write_fashion(folder, "t10k", 30, np.arange(30) % 10)
    return folder


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "r.safetensors"
    words = ["--input", "1x28x28", "--rate", "0.2", "--seed", "3", "--timesteps", "3", "--reset", "zero", "--beta", "1/2"]
    assert command("random", "3C3-MP2-FC10", *words, "--bits", "3", "--out", path) == 0
    return path


def test_random_writes_what_was_asked_for(model):
    network = load_model(model)
    assert [layer.name for layer in network.layers] == ["conv1", "pool1", "fc1"]
    assert (network.input_shape, network.timesteps, network.layers[0].weight_bits) == ((1, 28, 28), 3, 3)
    assert (network.layers[0].neuron.reset, network.layers[0].neuron.beta) == ("zero", 0.5)


def test_random_gives_the_same_bytes_for_the_same_seed(tmp_path):
    paths = [tmp_path / name for name in "abc"]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        command("random", "2C3-FC10", "--input", "2x5x5", "--seed", seed, "--signed", "--out", path)
    assert paths[0].read_bytes() == paths[1].read_bytes() != paths[2].read_bytes()
    assert load_model(paths[0]).pixel_range == (-128, 127)


@pytest.mark.parametrize(
    "words, message",
    [
        (["2C3-FC10", "--input", "2x5"], "--input '2x5'; needs CxHxW"),
        (["2C3-FC10", "--input", "0x5x5"], "needs CxHxW"),
        (["2C3-FC10", "--input", "1x5x5", "--rate", "0"], "rate 0.0; allowed"),
        (["2C3-FC10", "--input", "1x5x5", "--seed", "-1"], "seed -1; allowed: 0 or more"),
        (["2C3-FC10", "--input", "1x5x5", "--beta", "0.15"], "beta '0.15'; needs m/2"),
        (["2C3-FC10", "--input", "1x5x5", "--reset", "hard"], "neuron reset 'hard'"),
        (["2C3-FC10", "--input", "1x5x5", "--bits", "9"], "weights of 9 bits"),
        (["2C3-FX10", "--input", "1x5x5"], "unknown layer 'FX10' .layer 2, character 5."),
    ],
)
def test_random_refuses(tmp_path, words, message):
    with pytest.raises(InputError, match=message):
        command("random", *words, "--out", tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", [".", "", "none/m"])
def test_random_refuses_what_cannot_be_written(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("duospike.reference.training.random_network.random_network", None)
    with pytest.raises(InputError, match="cannot be written"):
        command("random", "2C3-FC10", "--input", "1x5x5", "--out", out)


def test_random_writes_its_arguments(model):
    written = {"architecture": "3C3-MP2-FC10", "input": "1x28x28", "rate": "0.2", "seed": "3", "reset": "zero", "beta": "1/2"}
    assert written.items() <= load_model(model).metadata.items()


def test_evaluate_prints_json(model, data, capsys):
    assert command("evaluate", model, "--data", data, "--limit", 20, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["images"] == 20 and 0 <= result["accuracy"] <= 1
    assert set(result["spike_rates"]) == {"conv1", "pool1", "fc1"}


def test_evaluate_prints_a_table(model, capsys):
    assert command("evaluate", model, "--data", "random", "--limit", 5) == 0
    out = capsys.readouterr().out
    assert "conv1" in out and "3x28x28" in out and "accuracy: unknown (no labels), 5 images" in out


def test_evaluate_names_layers_without_spikes(tmp_path, capsys):
    path = tmp_path / "r.safetensors"
    assert command("random", "3C3-AP2-FC10", "--input", "1x6x6", "--readout", "max_membrane", "--out", path) == 0
    assert command("evaluate", path, "--data", "random", "--limit", 5) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "no spikes" in line]
    assert [line.split("│")[1].strip() for line in lines] == ["pool1", "fc1"]


def test_evaluate_refuses_a_negative_seed(model):
    with pytest.raises(InputError, match="seed -1; allowed: 0 or more"):
        command("evaluate", model, "--data", "random", "--seed", "-1")


def test_evaluate_refuses_a_limit_of_0(model, capsys):
    with pytest.raises(SystemExit):
        command("evaluate", model, "--data", "random", "--limit", "0")
    assert "argument --limit: '0' is not a whole number from 1 up" in capsys.readouterr().err


def test_train_writes_a_model_that_evaluates_to_the_printed_accuracy(tmp_path, settings, data, capsys):
    out = tmp_path / "m.safetensors"
    assert command("train", settings, "--out", out, "--work", tmp_path / "work", "--data", data) == 0
    printed = capsys.readouterr().out
    command("evaluate", out, "--data", data, "--json")
    accuracy = json.loads(capsys.readouterr().out)["accuracy"]
    assert f"integer reference: {accuracy:.2%} of 30 test images" in printed and "epoch 2/2" in printed
    assert load_model(out).metadata["architecture"] == "2C3-MP2-FC10"


def test_a_finished_run_resumes_to_the_same_bytes(tmp_path, settings, data):
    paths = [tmp_path / "a", tmp_path / "b"]
    common = ["--work", tmp_path / "work", "--data", data]
    command("train", settings, "--out", paths[0], *common)
    command("train", settings, "--out", paths[1], *common, "--resume")
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_checkpoint_leaves_the_folders_of_runs_free(settings, data, model, here, capsys):
    """Where the other commands write, so that a run of the trained network goes there."""
    assert command("train", settings, "--data", data) == 0
    assert "the same command with --resume --out FILE writes it" in capsys.readouterr().out
    assert [file.name for file in (here / "checkpoints" / "small").iterdir()] == ["checkpoint.safetensors"]
    assert command("train", settings, "--data", data, "--resume", "--out", "small.safetensors") == 0
    for place in ([], ["--out", "runs/small"], []):
        assert command("evaluate", "small.safetensors", "--data", data, *place) == 0
    assert capsys.readouterr().out.endswith("wrote runs/small-evaluate\n")


def test_float_twin(tmp_path, settings, data, capsys):
    assert command("train", settings, "--float", "--work", tmp_path / "work", "--data", data) == 0
    assert "float twin: " in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, message",
    [
        (["--float", "--out", "m"], "--out: a float twin has no integers to write"),
        (["--out", "none/m"], "none/m: cannot be written .folder none is not there"),
        (["--out", "."], "cannot be written .is a folder"),
        (["--out", ""], "cannot be written .is a folder"),
        (["--threads", "0"], "--threads 0; allowed: 1 to 1024"),
        (["--threads", "99999999999"], "--threads 99999999999; allowed: 1 to 1024"),
        (["--resume"], "nothing to resume"),
        (["--data", "none"], "install the Debian package dataset-fashion-mnist"),
    ],
)
def test_train_refuses(tmp_path, monkeypatch, settings, data, words, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("duospike.reference.training.train.train_epoch", None)
    with pytest.raises(InputError, match=message):
        command("train", settings, "--work", tmp_path / "work", *(["--data", data] if "--data" not in words else []), *words)


def test_train_refuses_a_folder_it_cannot_write_before_it_trains(tmp_path, monkeypatch, settings, data):
    work = tmp_path / "work"
    monkeypatch.setattr("duospike.reference.training.train.train_epoch", None)
    monkeypatch.setattr("os.access", lambda path, mode: path != work)
    with pytest.raises(InputError, match="checkpoint.safetensors: cannot be written"):
        command("train", settings, "--work", work, "--data", data)


@pytest.mark.parametrize("change", ["", "seed = 2"])
def test_train_overwrites_no_checkpoint(tmp_path, settings, data, change):
    words = ["train", settings, "--work", tmp_path / "work", "--data", data]
    command(*words)
    before = (tmp_path / "work" / "checkpoint.safetensors").read_bytes()
    settings.write_text(SETTINGS.replace("seed = 1", change or "seed = 1"))
    with pytest.raises(InputError, match="checkpoint.safetensors: there is a run already; go on with --resume, .*another --work"):
        command(*words)
    assert (tmp_path / "work" / "checkpoint.safetensors").read_bytes() == before


def test_recorded_events_are_binned_as_in_the_training(tmp_path, settings, capsys):
    folder, out = tmp_path / "events", tmp_path / "m.safetensors"
    write_nmnist(folder)
    binned = 'coding = "events"\nbin_time = 50000\ndownscale = 2\n'
    settings.write_text(binned + SETTINGS.replace("fashion-mnist", "n-mnist"))
    assert command("train", settings, "--out", out, "--work", tmp_path / "work", "--data", folder) == 0
    assert "in 2 timesteps of 50000 us, downscale 2; " in capsys.readouterr().out
    network = load_model(out)
    assert network.image_shape == (2, 2, 17, 17) and network.metadata["bin_time"] == "50000"
    for words, how in ((), "of 50000 us"), (("--bins", "count"), "of equal counts"), (("--bin-time", 0), "of equal time"):
        assert command("evaluate", out, "--data", folder, "--limit", 5, "--json", *words) == 0
        printed = capsys.readouterr()
        assert json.loads(printed.out)["accuracy"] is not None
        assert f"5 recordings in 2 timesteps {how}, downscale 2" in printed.err
    with pytest.raises(InputError, match="n-mnist: events of 2x34x34; the network takes 2x17x17"):
        command("evaluate", out, "--data", folder, "--downscale", 1)


def test_own_images_and_labels(tmp_path, settings, capsys):
    folder, out = tmp_path / "own", tmp_path / "m.safetensors"
    folder.mkdir()
    draw = np.random.default_rng(1)
    images, labels = draw.integers(0, 256, (30, 2, 6, 5), dtype=np.uint8), draw.integers(0, 5, 30)
    for split, part in (("train", slice(20)), ("test", slice(20, 30))):
        np.save(folder / f"{split}-images.npy", images[part])
        np.save(folder / f"{split}-labels.npy", labels[part])
    settings.write_text(SETTINGS.replace("fashion-mnist", "own").replace("classes = 10", "classes = 5"))
    assert command("train", settings, "--out", out, "--work", tmp_path / "work", "--data", folder) == 0
    accuracy = capsys.readouterr().out.split("integer reference: ")[1].split("%")[0]
    words = "evaluate", out, "--json", "--data"
    for data in ([folder], [folder / "test-images.npy", "--labels", folder / "test-labels.npy"]):
        assert command(*words, *data) == 0
        assert f"{100 * json.loads(capsys.readouterr().out)['accuracy']:.2f}" == accuracy
    np.save(folder / "train-labels.npy", labels[:20] + 1)
    with pytest.raises(InputError, match=r"own: labels from 1 to 5; the network's classes are 0\.\.4"):
        command("train", settings, "--work", tmp_path / "again", "--data", folder)
