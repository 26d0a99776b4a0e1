import dataclasses
from pathlib import Path

import pytest

from duospike.reference.errors import InputError
from duospike.reference.network import Neuron
from duospike.reference.training.settings import parse_neuron, read_settings, settings_from

REQUIRED = ("timesteps", "beta", "threshold", "reset", "epochs", "batch_size", "learning_rate")
SHIPPED = Path(__file__).parents[3] / "models" / "fashion-small.toml"


def write(tmp_path, **changes):
    """The shipped settings file with some keys changed, dropped (None) or added; values are TOML text."""
    lines = {line.split(" = ")[0]: line for line in SHIPPED.read_text().splitlines() if " = " in line and line[0] != "#"}
    lines |= {key: f"{key} = {value}" for key, value in changes.items()}
    path = tmp_path / "settings.toml"
    path.write_text("\n".join(line for key, line in lines.items() if changes.get(key, "") is not None))
    return path


def test_shipped_file():
    settings = read_settings(SHIPPED)
    assert settings.architecture == "16C3-32C3-MP2-32C3-MP2-FC128-FC100"
    assert (settings.weight_bits, settings.timesteps, settings.classes) == (4, 2, 10)
    assert settings.neuron == Neuron("subtract", 5, 5)


def test_float_twin(tmp_path):
    assert read_settings(write(tmp_path, weight_bits='"float"')).weight_bits == "float"


def test_whole_numbers_are_numbers(tmp_path):
    assert read_settings(write(tmp_path, threshold="1")).threshold == 1


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("betta", '"5/32"', "key = 'betta'; allowed: architecture, dataset"),
        ("beta", None, "key 'beta' is missing"),
        ("coding", '"phase"', "coding = 'phase'; allowed: direct or rate or events or frames"),
        ("spike_penalty", "-0.5", "spike_penalty = -0.5; allowed: a number from 0 up"),
        ("coding_seed", "7", "coding_seed = 7; allowed: 0 with direct coding"),
        ("coding_seed", "-1", "coding_seed = -1; allowed: 0 to"),
        ("beta", "0.15", 'beta = 0.15; allowed: a fraction m/2^k in quotes, such as "5/32" (0.1562) or "19/128" (0.1484)'),
        ("beta", '"0.15"', "beta '0.15'; needs m/2^k"),
        ("beta", '"0.15"', '(nearest: "5/32" (0.1562), "19/128" (0.1484))'),
        ("beta", "0.75", 'allowed: a fraction m/2^k in quotes, such as "3/4" (0.75)'),
        ("beta", "2", "beta = 2; allowed: a text in quotes"),
        ("threshold", '"1"', "threshold = '1'; allowed: a number without quotes"),
        ("bete", '"5/32"', "; did you mean beta?"),
        ("beta", '"5/33"', "beta '5/33'; needs m/2^k"),
        ("beta", '"33/32"', "leak multiplier 33 is outside 0..32"),
        ("beta", '"1/131072"', "beta '1/131072'; needs m/2^k"),
        ("weight_bits", "1", "weight_bits = 1; allowed: 2 to 8 or 'float'"),
        ("weight_bits", "true", "weight_bits = True"),
        ("weight_bits", '"four"', "weight_bits = 'four'"),
        ("timesteps", "0", "timesteps = 0; allowed: 1 to 1024"),
        ("timesteps", "2.0", "timesteps = 2.0; allowed: a whole number without quotes"),
        ("reset", '"hard"', "reset = 'hard'; allowed: subtract or subtract_delayed or zero"),
        ("dataset", '"kmnist"', "dataset = 'kmnist'; allowed: fashion-mnist, mnist"),
        ("threshold", "0.0", "threshold = 0.0; allowed: a number above 0"),
        ("threshold", "nan", "threshold = nan"),
        ("threshold", "inf", "threshold = inf"),
        ("seed", "-1", "seed = -1; allowed: 0 to 2^32 - 1"),
        ("seed", "4294967296", "seed = 4294967296; allowed: 0 to"),
        ("epochs", "0", "epochs = 0; allowed: 1 to 2^31 - 1"),
        ("batch_size", "0", "batch_size = 0; allowed: 1 to 2^31 - 1"),
        ("learning_rate", "0.0", "learning_rate = 0.0"),
        ("recipe", '"papers"', "recipe = 'papers'; allowed: duospike or paper"),
        ("batch_norm", '"some"', "batch_norm = 'some'; allowed: all or before_pool or none"),
        ("scale_gradient", "1", "scale_gradient = 1; allowed: true or false"),
        ("bias_bits", "9", "bias_bits = 9; allowed: 2 to 8 or 'exact'"),
        ("bias_bits", "4.5", "bias_bits = 4.5; allowed: a whole number without quotes, or 'exact'"),
        ("weight_bits", "4.5", "weight_bits = 4.5; allowed: a whole number without quotes, or 'float'"),
        ("bias_bits", "4", "bias_bits = 4; allowed: 'exact' with batch norm behind all layers: none has a bias"),
        ("surrogate_slope", "0", "surrogate_slope = 0; allowed: a number above 0"),
        ("dropout", "1.0", "dropout = 1.0; allowed: a number from 0 up and below 1"),
        ("weight_decay", "-1", "weight_decay = -1; allowed: a number from 0 up"),
        ("pixels", '"clamped"', "pixels = 'clamped'; allowed: 'unsigned' or 'centred' with direct coding"),
        ("mirror_digits", "true", "mirror_digits = True; allowed: false with fashion-mnist; it is for digits"),
        ("architecture", '"16C3-FD10"', "unknown layer 'FD10' (layer 2, character 6)"),
    ],
)
def test_refusals_name_key_value_and_what_is_allowed(tmp_path, key, value, message):
    path = write(tmp_path, **{key: value})
    with pytest.raises(InputError) as caught:
        read_settings(path)
    assert str(caught.value).startswith(f"{path}: ") and message in str(caught.value)


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="none.toml: not found"):
        read_settings(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe = 1")
    with pytest.raises(InputError, match="not a TOML file"):
        read_settings(tmp_path / "bad.toml")
    (tmp_path / "bad.toml").write_text("a = ")
    with pytest.raises(InputError, match="not a TOML file"):
        read_settings(tmp_path / "bad.toml")


@pytest.mark.parametrize("text, multiplier, shift", [("5/32", 5, 5), ("38/256", 38, 8), ("0/1", 0, 0), ("1/1", 1, 0)])
def test_beta_keeps_its_fraction(text, multiplier, shift):
    assert parse_neuron("zero", text) == Neuron("zero", multiplier, shift)


def test_settings_of_an_earlier_version_are_the_same():
    """A checkpoint that was written before there were the last keys."""
    settings = read_settings(SHIPPED)
    table = dataclasses.asdict(settings)
    assert settings.are({key: value for key, value in table.items() if key not in ("bins", "bin_time", "downscale")})
    assert not settings.are(table | {"seed": 2}) and not settings.are(table | {"more": 1}) and not settings.are([])


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_settings(SHIPPED).seed = 2


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"dataset": '"n-mnist"'}, "coding = 'direct'; allowed: events or frames; n-mnist has recorded events"),
        ({"downscale": "2"}, "downscale = 2; allowed: with recorded events; fashion-mnist has none"),
        ({"dataset": '"n-mnist"', "coding": '"events"', "bin_time": "-1"}, "bin time -1 us"),
        ({"dataset": '"dvs128-gesture"', "coding": '"frames"'}, "classes = 10; allowed: 11, those of dvs128-gesture"),
    ],
)
def test_settings_that_a_data_set_refuses(tmp_path, changes, message):
    settings = read_settings(write(tmp_path, **changes))
    with pytest.raises(InputError, match=message):
        _ = settings.published


def test_recorded_events_are_downscaled_and_have_the_range_of_their_coding(tmp_path):
    common = {"dataset": '"dvs128-gesture"', "classes": "11", "downscale": "4"}
    for coding, largest in (("events", 1), ("frames", 255)):
        settings = read_settings(write(tmp_path, coding=f'"{coding}"', **common))
        assert settings.input_shape == (2, 32, 32) and settings.frames.shape == (2, 2, 32, 32)
        assert (settings.frames.binary, settings.frames.largest) == (coding == "events", largest)


TOGETHER = {
    "dropout without a hidden fully connected layer": (
        {"architecture": "4C3-FC10", "dropout": 0.1},
        "dropout = 0.1; allowed: 0 for",
    ),
    "centred pixels for an encoder": (
        {"coding": "rate"},
        "pixels = 'centred'; allowed: 'unsigned' or 'clamped' with rate coding",
    ),
    "clamped without colours": (
        {"coding": "rate", "pixels": "clamped", "dataset": "fashion-mnist"},
        "pixels = 'clamped'; allowed: 'unsigned' with rate coding and fashion-mnist, in grey",
    ),
    "clamped without an encoder": (
        {"pixels": "clamped"},
        "pixels = 'clamped'; allowed: 'unsigned' or 'centred' with direct coding",
    ),
    "bits of no bias": ({"batch_norm": "all"}, "bias_bits = 4; allowed: 'exact' with batch norm behind all layers"),
}
PAPER = {"recipe": "paper", "architecture": "VGG9/8", "dataset": "cifar-10", "weight_bits": 4, "classes": 10, "seed": 1}


@pytest.mark.parametrize(("changes", "message"), TOGETHER.values(), ids=TOGETHER)
def test_settings_that_contradict_each_other(changes, message):
    with pytest.raises(InputError) as caught:
        settings_from(PAPER | changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "written", "message"),
    [
        ({"architecture": "4C3-FC10"}, {"dropout": 0.0}, "dropout = 0.102; allowed: 0 for 4C3-FC10: no .* before the last; "),
        ({"coding": "rate"}, {"pixels": "unsigned"}, "pixels = 'centred'; allowed: 'unsigned' or 'clamped' with rate coding; "),
        ({"batch_norm": "all"}, {"bias_bits": "exact"}, "bias_bits = 4; allowed: 'exact' with .*; "),
    ],
)
def test_what_a_recipe_sets_is_named_as_its_own_and_overridden_by_the_file(changes, written, message):
    (setting,) = written
    said = f"{message}recipe = 'paper' sets it; a line {setting} = ... in the file overrides that$"
    with pytest.raises(InputError, match=said):
        settings_from(PAPER | changes)
    assert getattr(settings_from(PAPER | changes | written), setting) == written[setting]
    with pytest.raises(InputError, match="allowed: [^;]*$"):
        settings_from(PAPER | changes | {setting: getattr(settings_from(PAPER), setting)})


def test_a_recipe_fills_in_what_a_file_leaves_out():
    settings = settings_from(PAPER)
    found = (settings.threshold, settings.batch_norm, settings.bias_bits, settings.optimizer, settings.epochs, settings.pixels)
    assert found == (0.5, "before_pool", 4, "adam", 225, "centred")
    assert settings_from(PAPER | {"epochs": 3, "keep": "last"}).epochs == 3
    ours = settings_from(PAPER | {"recipe": "duospike"} | {key: getattr(settings, key) for key in REQUIRED})
    assert (ours.batch_norm, ours.bias_bits, ours.optimizer) == ("all", "exact", "adamw")


@pytest.mark.parametrize("coding", ["events", "frames"])
def test_a_published_data_set_has_neither_events_nor_frames(tmp_path, coding):
    settings = read_settings(write(tmp_path, coding=f'"{coding}"'))
    with pytest.raises(InputError, match=f"coding = '{coding}'; allowed: direct or rate; fashion-mnist has one image"):
        _ = settings.published
