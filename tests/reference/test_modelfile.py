import dataclasses
import json
import os
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from duospike.reference import modelfile
from duospike.reference.architecture import architecture_of
from duospike.reference.errors import InputError
from duospike.reference.modelfile import KEY, load_model, save_model, smallest_type
from duospike.reference.network import MAX_LAYERS, MAX_WEIGHTS, READOUTS, Neuron, Pool
from duospike.reference.tensors import TensorFile
from duospike.reference.training.random_network import random_network


@pytest.fixture(scope="module")
def network():
    made = random_network("3C3-MP2-4C1-FC10", input_shape=(2, 7, 6), rate=0.2, seed=1, neuron=Neuron("zero", 5, 3), timesteps=3)
    return dataclasses.replace(made, metadata={"dataset": "none", "a": "b"})


@pytest.fixture
def path(network, tmp_path):
    save_model(network, tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


def header_of(path):
    data = path.read_bytes()
    return json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"][KEY])


def rewrite(path, change=lambda header, tensors: None, key=KEY, text=None):
    header, tensors = header_of(path), load_file(path)
    change(header, tensors)
    save_file(tensors, path, {key: json.dumps(header) if text is None else text})


def test_round_trip(network, path):
    loaded = load_model(path)
    for name in ("input_shape", "image_bits", "image_signed", "timesteps", "classes", "metadata", "shapes"):
        assert getattr(loaded, name) == getattr(network, name)
    for mine, theirs in zip(network.layers, loaded.layers, strict=True):
        assert type(mine) is type(theirs) and mine.name == theirs.name
        if not isinstance(mine, Pool):
            assert (mine.weight_bits, mine.neuron) == (theirs.weight_bits, theirs.neuron)
            for what in ("weights", "bias", "theta"):
                assert np.array_equal(getattr(mine, what), getattr(theirs, what))


@pytest.mark.parametrize(
    ("architecture", "settings"),
    [
        ("2C3-FC3", {"coding": "rate", "coding_seed": 7}),
        ("2C3-FC3", {"coding": "frames", "image_signed": True, "timesteps": 1024}),
        ("FC6-FC3", {"coding": "events", "image_bits": 1}),
    ],
)
def test_the_coding_comes_back(architecture, settings, tmp_path):
    neuron = Neuron("zero", 5, 3)
    made = random_network(architecture, input_shape=(1, 4, 3), rate=0.2, seed=1, neuron=neuron, classes=3, **settings)
    save_model(made, tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    assert {name: getattr(loaded, name) for name in settings} == settings
    assert (loaded.image_shape, loaded.input_range) == (made.image_shape, made.input_range)
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in made.layers]


@pytest.mark.parametrize("readout", READOUTS)
def test_windows_leaks_and_readout_come_back(readout, tmp_path):
    text, neuron = "3C4s2+AP2-2C1x3p0-MP3x2s1p1x0-AP2x1-FC3", Neuron("none", 5, 3)
    made = random_network(text, input_shape=(1, 40, 30), rate=0.2, seed=1, neuron=neuron, classes=3, readout=readout)
    first = dataclasses.replace(made.layers[0], neuron=Neuron("zero", (3, 0, 8), 3))
    made = dataclasses.replace(made, layers=(first, *made.layers[1:]))
    save_model(made, tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    assert (architecture_of(loaded), loaded.readout, loaded.layers[0].neuron) == (text, readout, first.neuron)
    assert loaded.shapes == made.shapes


@pytest.mark.parametrize(
    ("layer", "fields", "message"),
    [
        (0, {"stride": [1]}, "layer 1: field 'stride' is .1.; needs rows and columns"),
        (0, {"stride": [1, 1.5], "padding": [0, 0]}, "layer 1: stride: field 1 is 1.5; needs a value of type int"),
        (
            0,
            {"stride": [1, 1], "padding": [0, 0], "current_pool": {"op": "or", "kernel": [2, 2]}},
            "current pool 'or' is unknown",
        ),
        (0, {"multiplier": [1, 2]}, "layer conv1: 2 leak multipliers; needs one, or one for each of 3 outputs"),
        (0, {"multiplier": [1, True, 2]}, "layer 1: multiplier: field 1 is True"),
        (1, {"op": "sum", "kernel": [2, 2], "stride": [1, 1], "padding": [0, 0]}, "allowed: windows side by side"),
        (1, {"kernel": [2, 2]}, "layer 2: unknown field 'kernel'"),
        (3, {"stride": [1, 1]}, "layer 4: unknown field 'stride'"),
        (None, {"readout": "count"}, "field 'readout' is left out where it is count"),
        (None, {"readout": "last"}, "read-out 'last' is unknown"),
    ],
)
def test_wrong_windows_leaks_and_readouts(path, layer, fields, message):
    def change(header, tensors):
        (header if layer is None else header["layers"][layer]).update(fields)

    rewrite(path, change)
    with pytest.raises(InputError, match=message):
        load_model(path)


def test_same_network_same_bytes(network, path, tmp_path):
    reordered = dataclasses.replace(network, metadata=dict(reversed(network.metadata.items())))
    save_model(reordered, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_file_holds_small_integers_only(path):
    types = {name: tensor.dtype for name, tensor in load_file(path).items()}
    assert types["conv1.weights"] == types["fc1.weights"] == np.int8
    assert all(kind.kind == "i" for kind in types.values())


@pytest.mark.parametrize(
    "values, kind",
    [([0], np.int8), ([127, -128], np.int8), ([128], np.int16), ([-129], np.int16), ([40000], np.int32), ([2**31], np.int64)],
)
def test_smallest_type(values, kind):
    small = smallest_type(np.array(values))
    assert small.dtype == kind and small.tolist() == values


def setting(*keys, value):
    def change(header, tensors):
        for key in keys[:-1]:
            header = header[key]
        header[keys[-1]] = value

    return change


def dropping(*keys):
    def change(header, tensors):
        for key in keys[:-1]:
            header = header[key]
        del header[keys[-1]]

    return change


def tensor(name, function):
    def change(header, tensors):
        tensors[name] = function(tensors.get(name))

    return change


@pytest.mark.parametrize(
    "change, message",
    [
        (setting("version", value=2), "version 2 of the model format; this program reads version 1"),
        (dropping("version"), "version None"),
        (setting("version", value=True), "version True of the model format"),
        (setting("timesteps", value="2"), "the header: field 'timesteps' is '2'; needs a value of type int"),
        (setting("timesteps", value=True), "field 'timesteps' is True"),
        (setting("timesteps", value=1025), "1025 timesteps"),
        (setting("image_signed", value=0), "field 'image_signed' is 0; needs a value of type bool"),
        (setting("extra", value=0), "the header: unknown field 'extra'"),
        (setting("coding", value="direct"), "the header: field 'coding' is left out with direct coding"),
        (setting("metadata", "x", value=1), "metadata: field 'x' is 1"),
        (setting("input_shape", value=[2, 7]), "input shape"),
        (setting("input_shape", value=[3, 7, 6]), "layer conv1: weights take 2 channels, its input has 3"),
        (setting("layers", value=3), "field 'layers' is 3"),
        (setting("layers", value=[]), "unknown tensor 'conv1.bias'"),
        (setting("layers", 0, value=[]), r"layer 1: \[\] is not a JSON object"),
        (setting("layers", 0, "kind", value="lstm"), "layer conv1: kind 'lstm' is unknown"),
        (setting("layers", 0, "reset", value="hard"), "neuron reset 'hard'"),
        (setting("layers", 0, "weight_bits", value=9), "layer conv1: weights of 9 bits"),
        (setting("layers", 0, "weight_bits", value=2), r"layer conv1: weight -?\d at .* is outside -1..1"),
        (setting("layers", 1, "shift", value=2), "layer 2: unknown field 'shift'"),
        (dropping("layers", 3, "shift"), "layer 4: field 'shift' is missing"),
        (dropping("layers", 3), "unknown tensor 'fc1.bias'|the last layer must be fully connected"),
        (tensor("fc1.theta", lambda old: old[:-1].copy()), "layer fc1: theta has shape"),
        (tensor("fc1.theta", lambda old: old.astype(np.float32)), "layer fc1: theta must be integers, got float32"),
        (tensor("fc1.theta", lambda old: old.astype(np.int64) + 2**24), "layer fc1: theta can reach"),
        (tensor("fc2.theta", lambda old: np.zeros(3, dtype=np.int8)), "unknown tensor 'fc2.theta'"),
    ],
)
def test_altered_files_are_refused(path, change, message):
    rewrite(path, change)
    with pytest.raises(InputError, match=message) as caught:
        load_model(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_missing_tensor(path):
    rewrite(path, lambda header, tensors: tensors.pop("conv2.bias"))
    with pytest.raises(InputError, match="tensor 'conv2.bias' is missing"):
        load_model(path)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100000])
def test_foreign_headers(path, text):
    rewrite(path, text=text)
    with pytest.raises(InputError, match="not a model file"):
        load_model(path)


def test_other_safetensors_file(path):
    rewrite(path, key="other")
    with pytest.raises(InputError, match="not a model file .no metadata entry 'duospike'."):
        load_model(path)


@pytest.mark.parametrize(
    "kind, size", [("F8_E4M3", 4), ("F8_E5M2", 4), ("F8_E8M0", 4), ("F4", 2), ("BF16", 8), ("F16", 8), ("BOOL", 4)]
)
def test_foreign_types_of_numbers(tmp_path, kind, size):
    header = json.dumps({"a": {"dtype": kind, "shape": [4], "data_offsets": [0, size]}}).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))
    with pytest.raises(InputError, match=f"not a safetensors file .tensor 'a' is of '{kind}'; allowed: I8") as caught:
        load_model(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_more_than_fits_into_memory(path, monkeypatch):
    def full(network):
        raise MemoryError

    monkeypatch.setattr(modelfile, "prove_widths", full)
    with pytest.raises(InputError, match="m.safetensors: does not fit into memory"):
        load_model(path)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_truncated_files(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="truncated, or not a safetensors file") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def test_foreign_file(path):
    path.write_text("not a model\n" * 50)
    with pytest.raises(InputError, match="truncated, or not a safetensors file"):
        load_model(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="m.safetensors: not found"):
        load_model(tmp_path / "m.safetensors")
    with pytest.raises(InputError, match="not a file"):
        load_model(tmp_path)


def test_nothing_is_written_where_it_cannot_be(network, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        save_model(network, tmp_path / "none" / "m.safetensors")
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        save_model(network, tmp_path / "taken")
    assert os.listdir(tmp_path) == ["taken"] and os.listdir(tmp_path / "taken") == []


def test_an_unprovable_network_is_not_written(network, tmp_path):
    layers = (*network.layers[:-1], dataclasses.replace(network.layers[-1], bias=np.full(10, 2**24)))
    with pytest.raises(InputError, match="layer fc1: bias"):
        save_model(dataclasses.replace(network, layers=layers), tmp_path / "m.safetensors")
    assert os.listdir(tmp_path) == []


def test_metadata_of_others_is_refused(path):
    save_file(load_file(path), path, {KEY: json.dumps(header_of(path)), "more": "text"})
    with pytest.raises(InputError, match="metadata entry 'more' is unknown; allowed: 'duospike' alone"):
        load_model(path)


def test_a_field_that_comes_twice_is_refused(path):
    text = json.dumps(header_of(path))
    rewrite(path, text=text[:-1] + ', "timesteps": 1}')
    with pytest.raises(InputError, match="not a model file .twice in an object: key 'timesteps'"):
        load_model(path)


def add_tensor(path, name, count, kind="I8", size=1):
    """Announce a tensor of zeros that takes no room on the disk."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, rest = json.loads(data[8 : 8 + length]), data[8 + length :]
    header[name] = {"dtype": kind, "shape": [count], "data_offsets": [len(rest), len(rest) + count * size]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + rest)
    os.truncate(path, 8 + len(text) + len(rest) + count * size)


def no_reading(monkeypatch):
    def read(self, name):
        raise AssertionError(f"{name} is read")

    monkeypatch.setattr(TensorFile, "read", read)


def test_a_tensor_that_no_layer_names_is_not_read(path, monkeypatch):
    add_tensor(path, "zzz", 2**33)
    no_reading(monkeypatch)
    with pytest.raises(InputError, match="unknown tensor 'zzz'"):
        load_model(path)


@pytest.mark.parametrize(
    "name, count, message",
    [
        ("fc1.bias", 2**30, r"layer fc1: bias has shape \(1073741824,\), needs \(10,\)"),
        ("fc1.weights", 2**30, f"weights; allowed: up to {MAX_WEIGHTS}"),
    ],
)
def test_tensors_beyond_a_network_are_not_read(path, name, count, message, monkeypatch):
    rewrite(path, lambda header, tensors: tensors.pop(name))
    add_tensor(path, name, count)
    no_reading(monkeypatch)
    with pytest.raises(InputError, match=message):
        load_model(path)


def test_a_layer_that_comes_twice_is_not_read_twice(path, monkeypatch):
    rewrite(path, lambda header, tensors: header["layers"].insert(1, header["layers"][0]))
    no_reading(monkeypatch)
    with pytest.raises(InputError, match="layer name 'conv1' is used twice"):
        load_model(path)


def with_pools(count):
    def change(header, tensors):
        layers = header["layers"]
        layers[1:1] = [{"name": f"pool{i + 2}", "kind": "pool"} for i in range(count)]

    return change


def test_the_number_of_layers_is_bounded(path):
    rewrite(path, with_pools(MAX_LAYERS - 3))
    with pytest.raises(InputError, match=f"{MAX_LAYERS + 1} layers; allowed: up to {MAX_LAYERS}"):
        load_model(path)


@pytest.mark.parametrize("name", ["conv1\u0663", "conv\u0661", "conv01", "conv1234567", "conv1\n", "conv1" * 10**5, "conv\ud800"])
def test_names_of_layers_are_short_and_of_ascii(path, name):
    rewrite(path, setting("layers", 0, "name", value=name))
    with pytest.raises(InputError, match="layer name .*; allowed: conv, pool or fc and a number") as caught:
        load_model(path)
    assert len(str(caught.value)) < 1000 and str(caught.value).isprintable()


def test_a_long_value_is_shown_in_part(path):
    rewrite(path, setting("timesteps", value="2" * 10**5))
    with pytest.raises(InputError, match="'timesteps' is '222") as caught:
        load_model(path)
    assert len(str(caught.value)) < 1000
