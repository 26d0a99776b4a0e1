"""Studies: the grid, what is measured of a point against the golden model, and going on after a stop."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest

from duospike.cosim.cycles.model import run_model
from duospike.cosim.design.build import convert_stages
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import JSON_KEYS, Sizing
from duospike.cosim.energy.model import Coefficients, as_float, count_operations, total_energy
from duospike.cosim.study import measure as measuring
from duospike.cosim.study.measure import BEGUN, MODEL, RESULT, is_old, measure_point
from duospike.cosim.study.study_file import LoadedModel, Study, read_study
from duospike.cosim.synthesis.synthesize import synthesize
from duospike.reference import golden
from duospike.reference.architecture import blank_network
from duospike.reference.data.datasets import PUBLISHED, random_images
from duospike.reference.errors import InputError
from duospike.reference.modelfile import load_model, save_model
from duospike.reference.network import Neuron
from duospike.reference.training import train
from tests.benches.small_networks import small_network
from tests.benches.small_training import SHAPE, bright_quarters, small_settings

BASE = """
lanes = 9
cycle_images = 4
[base]
architecture = "4C3-FC20"
dataset = "fashion-mnist"
weight_bits = 4
timesteps = 2
beta = "5/32"
threshold = 1.0
reset = "subtract"
classes = 10
seed = 1
epochs = 1
batch_size = 32
learning_rate = 0.01
"""
GRIDS = """
[[grid]]
weight_bits = ["float", 4]
seed = [1, 2]
[[grid]]
coding = ["rate"]
timesteps = [25]
"""


def sizing_of(content):
    """The sizing in a JSON file."""
    return Sizing(**{field: content[key] for field, key in JSON_KEYS.items() if key in content})


def test_a_grid_gives_every_combination(tmp_path):
    (tmp_path / "study.toml").write_text(BASE + GRIDS)
    study = read_study(tmp_path / "study.toml")
    found = {(one.weight_bits, one.seed, one.coding, one.timesteps) for one in study.points.values()}
    assert found == {(bits, seed, "direct", 2) for bits in ("float", 4) for seed in (1, 2)} | {(4, 1, "rate", 25)}
    assert (study.lanes, study.cycle_images) == (9, 4) and len(study.points) == 5
    assert "weight_bits=float,seed=2,coding=direct,timesteps=2" in study.points


def test_names_of_points_are_names_of_folders(tmp_path):
    grid = "[[grid]]\narchitecture = ['4C3-FC20', 'VGG9/8']\nbeta = ['5/32', '10/64']\n"
    (tmp_path / "study.toml").write_text(BASE + grid)
    found = {(one.architecture, one.beta): name for name, one in read_study(tmp_path / "study.toml").points.items()}
    assert found["VGG9/8", "5/32"] == "architecture=VGG9_8,beta=5_32" and len(set(found.values())) == 4


@pytest.mark.parametrize(
    "before, after, message",
    [
        ("lanes = 9", "lanes = 0", "lanes = 0; allowed: whole numbers from 1 up"),
        ("lanes = 9", "lane = 9", "key 'lane'; allowed: base, grid, models, lanes, cycle_images"),
        ("cycle_images = 4", "", "cycle_images = None"),
        ("lanes = 9", "lanes = 9\nclock_mhz = 0", "clock_mhz = 0; allowed: a number above 0"),
        ("lanes = 9", "lanes = 9\nclock_mhz = inf", "clock_mhz = inf; allowed: finite numbers"),
        ("lanes = 9", "lanes = 9\nclock_mhz = true", "clock_mhz = True; allowed: a number above 0"),
        ("[base]", "[bass]", "key 'bass'"),
        ("seed = [1, 2]", "seed = 1", "grid: seed = 1; allowed: a list"),
        ("seed = [1, 2]", "seed = []", r"grid: seed = \[\]; allowed: a list"),
        ("seed = [1, 2]", "sead = [1, 2]", "grid: key 'sead'; allowed"),
        ("timesteps = [25]", "timestep = [25]", "grid: key 'timestep'; allowed"),
        ("seed = [1, 2]", "seed = " + str(list(range(501))).replace(" ", "\n"), "grid: 1003 points; allowed: up to 1000"),
        ("[25]", "[1025]", "timesteps = 1025; allowed: 1 to 1024"),
        (GRIDS, "", r"and tables \[\[grid\]\]"),
        ("lanes = 9", "lanes =", "not a TOML file"),
        ("lanes = 9", "lanes = 1", "lanes = 1; allowed: 2 or more, one for each layer of 4C3-FC20"),
        ("classes = 10", "classes = 5", "classes = 5; allowed: 10, those of fashion-mnist"),
        ("seed = [1, 2]", "seed = [1, 1]", "is there twice"),
        ("4C3-FC20", "4C3-FC21", "fc1: 21 neurons do not divide"),
        ("seed = [1, 2]", f"architecture = ['{'FC20-' * 40}FC20']", "names a point, 2.. characters; allowed: up to 200"),
        ("lanes = 9", "lanes = 9\nmodels = 'a'", "models = 'a'; allowed: a list of model files"),
        ("lanes = 9", "lanes = 9\nmodels = [1]", r"models = \[1\]; allowed: a list"),
        ("lanes = 9", "lanes = 9\nmodels = ['no.safetensors']", "no.safetensors: .*not found"),
    ],
)
def test_what_is_wrong_is_named(before, after, message, tmp_path):
    (tmp_path / "study.toml").write_text((BASE + GRIDS).replace(before, after))
    with pytest.raises(InputError, match=f"study.toml: .*{message}"):
        read_study(tmp_path / "study.toml")
    with pytest.raises(InputError, match="no.toml: not found"):
        read_study(tmp_path / "no.toml")


def save(folder, **changes):
    """A model file that fits the data set except for the changes."""
    about = {"input_shape": (1, 28, 28), "classes": 10, "timesteps": 2, "weight_bits": 4, "neuron": Neuron("zero", 5, 5)}
    save_model(blank_network("4C3-FC20", **(about | changes)), folder / "other.safetensors")


def test_model_files_are_points_beside_the_grid(tmp_path):
    save(tmp_path)
    models = 'models = ["other.safetensors"]\n'
    (tmp_path / "study.toml").write_text(models + BASE + GRIDS)
    study = read_study(tmp_path / "study.toml")
    assert len(study.points) == 6 and isinstance(study.points["other"], LoadedModel)
    settings = study.points["other"].settings
    assert [settings[key] for key in ("architecture", "weight_bits", "timesteps")] == ["4C3-FC20", 4, 2]
    assert [settings[key] for key in ("coding", "reset", "beta")] == ["direct", "zero", "5/32"]
    assert study.points["other"].sha256 == hashlib.sha256((tmp_path / "other.safetensors").read_bytes()).hexdigest()
    # Without a grid, of the base the data set is enough.
    (tmp_path / "study.toml").write_text(models + 'lanes = 2\ncycle_images = 1\n[base]\ndataset = "fashion-mnist"\n')
    assert list(read_study(tmp_path / "study.toml").points) == ["other"]


@pytest.mark.parametrize(
    "changes, after, message",
    [
        ({"input_shape": (1, 28, 27)}, "", "takes images of 1x28x27 for 10 classes; fashion-mnist has 1x28x28 and 10"),
        ({"classes": 5}, "", "takes images of 1x28x28 for 5 classes"),
        ({"image_bits": 7}, "", "takes pixels from 0 to 127; needs 0 to 255"),
        ({"coding": "events", "image_bits": 1}, "", "takes images of 2x1x28x28"),
        ({}, ("lanes = 9", "lanes = 1"), "lanes = 1; allowed: 2 or more, one for each layer of 4C3-FC20"),
        ({}, ("fashion-mnist", "kmnist"), "dataset = 'kmnist'; allowed: fashion-mnist"),
        ({}, ('"fashion-mnist"', '["fashion-mnist"]'), "base: dataset = .*; allowed: fashion-mnist"),
        ({}, ("seed = 1", "sead = 1"), "base: key 'sead'; allowed: architecture"),
        ({}, ('["other.', '["other.safetensors", "other.'), "models: two of them are called other"),
    ],
)
def test_model_files_that_do_not_fit_are_refused(changes, after, message, tmp_path):
    save(tmp_path, **changes)
    text = 'models = ["other.safetensors"]\n' + BASE
    (tmp_path / "study.toml").write_text(text.replace(*after) if after else text)
    with pytest.raises(InputError, match=f"study.toml: .*{message}"):
        read_study(tmp_path / "study.toml")


def measured(folder, **changes):
    settings = small_settings(epochs=1, **changes)
    study = Study({"only": settings}, 12, 5)
    data = bright_quarters(128), bright_quarters(130, seed=1)
    return settings, study, data, measure_point(settings, study, data, folder, lambda step: None)


@pytest.mark.parametrize("changes", [{}, {"coding": "rate", "timesteps": 6}])
def test_a_point_is_measured_as_the_golden_model_has_it(changes, tmp_path):
    settings, _, (_, test), found = measured(tmp_path, **changes)
    network = load_model(tmp_path / MODEL)
    assert network.coding == settings.coding
    trace = golden.run(network, test.images)
    # One by one only the images of the cycles are counted, here the first 5 of 130.
    of_layers = [trace.spikes[name][:5].reshape(5, -1).sum(1, dtype=int) for name in ("conv1", "conv2", "fc1")]
    inputs = trace.spikes["pool1"][:5].reshape(5, -1).sum(1, dtype=int) + of_layers[1]
    assert found["image_spikes"] == {"spikes": sum(of_layers).tolist(), "spikes_in": inputs.tolist()}
    assert found["accuracy"] == pytest.approx(np.mean(trace.predicted == test.labels))
    for name, layer in found["layers"].items():
        spikes = trace.spikes[name]
        assert np.allclose(layer["spikes"], spikes.sum((0, 2, 3, 4)) / 130)
        assert layer["sparsity"] == pytest.approx(1 - spikes.mean())
    timesteps = found["sizing"]["timesteps"]
    merged = trace.spikes["conv2"].reshape(130, -1, timesteps, *trace.spikes["conv2"].shape[2:]).max(2)
    assert found["layers"]["conv2"]["events"] == pytest.approx(merged.sum() / 130)
    reached = trace.spikes["pool1"].sum() * 9 * 6 / 130
    assert found["layers"]["conv2"]["synaptic_operations"] == pytest.approx(reached)
    few = golden.run(network, test.images[:5])
    stages = plan_stages(network, sizing_of(found["sizing"]))
    run = run_model(stages, few)
    assert found["latency"] == run.latency
    energy = total_energy(count_operations(network, stages, run.activity, few), Coefficients()) / 1000 / 5
    assert found["energy"] == pytest.approx(energy)
    zero = dataclasses.replace(Coefficients(), bank_bit=0.0)
    without = total_energy(count_operations(network, stages, run.activity, few), zero) / 1000 / 5
    assert found["energy_by"]["bank_bit"] == pytest.approx(energy - without)


@pytest.mark.filterwarnings("error")
def test_a_float_twin_is_measured_on_images_of_a_file_without_a_warning(tmp_path):
    """Such images cannot be written to, of which torch warns, once in a process."""
    settings, study, (training, test), found = measured(tmp_path / "first", weight_bits="float")
    test.images.flags.writeable = False
    again = measure_point(settings, study, (training, test), tmp_path / "second", lambda step: None)
    assert again == found


def test_the_float_twin_is_measured_by_its_own_spikes(tmp_path):
    settings, _, (_, test), found = measured(tmp_path, weight_bits="float")
    assert not (tmp_path / MODEL).exists()
    model = train.resume(settings, test.images.shape[1:], tmp_path).model
    assert found["accuracy"] == pytest.approx(train.accuracy(model, test))
    _, _, _, integers = measured(tmp_path / "int", weight_bits=8)
    # The same operations, costed as float.
    assert found["energy"] > 3 * integers["energy"]
    assert as_float({}) == {}


def test_a_stopped_study_goes_on(tmp_path, monkeypatch):
    settings, study, data, whole = measured(tmp_path / "whole")

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(measuring, "_measure", stop)
        with pytest.raises(KeyboardInterrupt):
            measure_point(settings, study, data, tmp_path / "stopped", lambda step: None)
    assert not (tmp_path / "stopped" / RESULT).exists()
    steps = []
    assert measure_point(settings, study, data, tmp_path / "stopped", steps.append) == whole
    assert steps == ["measuring"]
    # What is measured already is only read.
    monkeypatch.setattr(measuring, "_measure", stop)
    assert measure_point(settings, study, data, tmp_path / "stopped", steps.append) == json.loads(json.dumps(whole))


@pytest.mark.parametrize("begun, said", [({"training": "01234567"}, "sources 01234567"), (None, "unknown sources")])
def test_a_checkpoint_of_other_sources_does_not_go_on(begun, said, tmp_path):
    settings = small_settings(epochs=1)
    train.save_checkpoint(train.start(settings, SHAPE), tmp_path)
    if begun:
        (tmp_path / BEGUN).write_text(json.dumps(begun))
    with pytest.raises(InputError, match=f"checkpoint.safetensors: was begun by {said} of training, today's are ") as caught:
        measure_point(settings, Study({}, 12, 5), (bright_quarters(8), bright_quarters(8)), tmp_path, lambda step: None)
    assert "\n" not in str(caught.value) and (tmp_path / train.CHECKPOINT).exists()
    # Asked for, it is removed; what begins now says so.
    measuring._check_sources(tmp_path, again=True)
    assert not (tmp_path / train.CHECKPOINT).exists()
    assert json.loads((tmp_path / BEGUN).read_text()) == {"training": measuring.sources()["training"]}


def test_spikes_that_are_summed_reach_the_layer_behind():
    """Those in no window reach none, and the sums are no spikes of their own."""
    network = small_network("2C3-AP2-5C1-FC3", (1, 5, 5))
    trace = golden.run(network, random_images(3, network.image_shape, network.pixel_range, 1))
    counts = measuring._LayerCounts(network)
    counts.add(trace)
    found = counts.rates(3)
    assert found["conv2"]["synaptic_operations"] == trace.spikes["conv1"][..., :4, :4].sum() * 5 / 3
    assert 0 < found["conv2"]["synaptic_operations"] < trace.spikes["conv1"].sum() * 5 / 3
    assert list(found) == ["conv1", "conv2", "fc1"]


def test_results_of_another_study_are_refused(tmp_path):
    settings, study, data, _ = measured(tmp_path)
    with pytest.raises(InputError, match="measured with other settings"):
        measure_point(settings, dataclasses.replace(study, lanes=13), data, tmp_path, lambda step: None)


def test_damaged_results_and_too_many_images_are_refused(tmp_path):
    settings, study, data, _ = measured(tmp_path / "point")
    for text in ("{", "[]"):
        (tmp_path / "point" / RESULT).write_text(text)
        with pytest.raises(InputError, match="result.json: not a result"):
            measure_point(settings, study, data, tmp_path / "point", lambda step: None)
    with pytest.raises(InputError, match="cycle_images = 131; allowed: up to 130"):
        measure_point(settings, dataclasses.replace(study, cycle_images=131), data, tmp_path / "new", lambda step: None)
    assert not (tmp_path / "new").exists()


def test_a_model_file_is_measured_as_the_network_that_was_trained(tmp_path):
    _, study, data, trained = measured(tmp_path / "trained")
    network = load_model(tmp_path / "trained" / MODEL)
    loaded = LoadedModel("mine", network, PUBLISHED["fashion-mnist"])
    found = measure_point(loaded, study, (None, data[1]), tmp_path / "loaded", lambda step: None)
    assert {key: found[key] for key in found if key not in ("settings", "sha256")} == {
        key: value for key, value in trained.items() if key not in ("settings", "per_epoch")
    }
    assert found["settings"]["model"] == "mine" and found["settings"]["weight_bits"] == 4
    assert (tmp_path / "loaded" / MODEL).read_bytes() == (tmp_path / "trained" / MODEL).read_bytes()
    # Another network of that name is not taken for the one that was measured.
    first, *others = network.layers
    flipped = dataclasses.replace(network, layers=(dataclasses.replace(first, bias=first.bias + 1), *others))
    with pytest.raises(InputError, match="measured with other settings"):
        measure_point(
            dataclasses.replace(loaded, network=flipped), study, (None, data[1]), tmp_path / "loaded", lambda step: None
        )


@pytest.mark.slow
def test_a_clock_asks_for_area_and_static_energy(tmp_path):
    settings, study, data, _ = measured(tmp_path / "plain")
    found = measure_point(settings, dataclasses.replace(study, clock_mhz=50.0), data, tmp_path / "clock", lambda step: None)
    modules = convert_stages(plan_stages(load_model(tmp_path / "clock" / MODEL), sizing_of(found["sizing"])))
    (tmp_path / "work").mkdir()
    area = synthesize(modules, tmp_path / "work").total
    # The whole is its stages and what joins them.
    assert found["area"]["ff"] <= area.ff and found["area"]["lut"] == pytest.approx(area.lut, rel=0.02)
    seconds = found["interval"] / 50e6
    assert found["static"] == pytest.approx(
        (found["area"]["lut"] + found["area"]["lut_ram"]) * 1.278e-6 * seconds * 1e9, rel=1e-3
    )
    twin = measure_point(
        dataclasses.replace(settings, weight_bits="float"),
        dataclasses.replace(study, clock_mhz=50.0),
        data,
        tmp_path / "twin",
        lambda step: None,
    )
    assert "area" not in twin and "static" not in twin


@pytest.mark.parametrize("bits", [4, "float"])
def test_the_last_epoch_is_what_is_measured(bits, tmp_path):
    """By training's own network and by the golden model, of centred pixels."""
    changes = {"batch_norm": "before_pool", "pixels": "centred", "weight_bits": bits}
    *_, found = measured(tmp_path, **changes)
    (epoch,) = found["per_epoch"]
    assert epoch["test_accuracy"] == found["accuracy"]
    assert epoch["spikes"] == pytest.approx({name: sum(layer["spikes"]) for name, layer in found["layers"].items()})


@pytest.mark.slow
def test_a_point_of_other_sources_is_measured_again_only_if_asked(tmp_path, monkeypatch):
    settings, study, data, first = measured(tmp_path)
    trained, train_on = [], measuring._trained

    def counted(*args):
        trained.append((tmp_path / train.CHECKPOINT).exists())
        return train_on(*args)

    monkeypatch.setattr(measuring, "_trained", counted)

    def once_more(again, **sources):
        if sources:
            monkeypatch.setattr(measuring, "sources", lambda with_area=False: sources)
        return measure_point(settings, study, data, tmp_path, lambda step: None, again)

    assert once_more(again=True) == first and not trained
    assert once_more(again=False, training="new", measuring="new") == first and is_old(first)
    # With training as it was, the checkpoint is measured; with another, it is trained again.
    found = once_more(again=True, training=first["sources"]["training"], measuring="new")
    assert found["sources"]["measuring"] == "new" and trained == [True]
    assert once_more(again=True, training="new", measuring="new")["layers"] == first["layers"] and trained == [True, False]


def test_sources_are_of_training_and_of_measuring():
    found = measuring.sources()
    assert found.keys() == {"training", "measuring"} and len(set(found.values())) == 2
