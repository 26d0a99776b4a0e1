"""NIR files that are damaged, or claim more than they hold: refused, with no traceback and before memory is taken."""

import warnings
import zlib

import h5py
import nir
import numpy as np
import pytest

from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.nir.nir_file import parse_graph
from duospike.reference.exchange.nir.nir_import import from_nir
from duospike.reference.exchange.source import Interface
from duospike.reference.files import MAX_BYTES

SHAPE, DT = (1, 6, 6), 0.5


def good_graph():
    """Every node that is read, a nested graph and metadata."""

    def neurons(shape):
        return nir.LIF(np.full(shape, 1.0), np.full(shape, 2.0), np.zeros(shape), np.full(shape, 2.0), np.zeros(shape))

    block = {
        "in": nir.Input(np.array([2, 3, 3])),
        "conv": nir.Conv2d((3, 3), np.ones((2, 2, 3, 3)), 1, "same", 1, 1, np.zeros(2)),
        "if": nir.IF(np.full((2, 3, 3), 2.0), np.ones((2, 3, 3)), np.zeros((2, 3, 3))),
        "out": nir.Output(np.array([2, 3, 3])),
    }
    nodes = {
        "input": nir.Input(np.array(SHAPE)),
        "conv": nir.Conv2d((6, 6), np.eye(3).reshape(1, 1, 3, 3).repeat(2, 0), 1, 1, 1, 1, np.array([1.0, -2.0])),
        "lif": neurons((2, 6, 6)),
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "or": nir.Threshold(np.full((2, 3, 3), 0.5)),
        "block": nir.NIRGraph(block, list(zip(block, list(block)[1:], strict=False)), type_check=False),
        "flatten": nir.Flatten({"input": np.array([2, 3, 3])}, 0, -1),
        "hidden": nir.Linear(np.ones((4, 18))),
        "lif2": neurons((4,)),
        "fc": nir.Affine(np.ones((2, 4)), np.zeros(2)),
        "last": nir.Threshold(np.ones(2)),
        "output": nir.Output(np.array([2])),
    }
    return nir.NIRGraph(nodes, list(zip(nodes, list(nodes)[1:], strict=False)), {"made by": "a test"}, type_check=False)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("nir") / "good.nir"
    nir.write(path, good_graph())
    return path


def imported(path):
    """The network of a file, without a warning on the way; or the InputError."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return exact_network(from_nir(parse_graph(path), Interface(SHAPE, 2, 2, image_bits=2), dt=DT))
        except InputError as error:
            assert str(error).isprintable(), repr(str(error))
            return error


def changed(good, path, change):
    """A copy of the good file in which something has been done to the open file."""
    path.write_bytes(good.read_bytes())
    with h5py.File(path, "a") as file:
        change(file)
    return path


def test_the_good_file_is_imported(good):
    assert [layer.name for layer in imported(good).layers] == ["conv1", "pool1", "conv2", "fc1", "fc2"]


ODD_VALUES = {
    "nothing": h5py.Empty("f8"),
    "no numbers": np.zeros((0,)),
    "no rows": np.zeros((0, 3, 3)),
    "zero": 0,
    "minus one": -1,
    "a large whole number": 2**62,
    "an unsigned whole number": np.uint64(2**64 - 1),
    "one number": 1.0,
    "a half": 0.5,
    "NaN": np.nan,
    "infinity": -np.inf,
    "a huge number": 1e300,
    "a tiny number": 5e-324,
    "true": True,
    "complex": 1j,
    "a text": "NIRGraph",
    "another text": "same",
    "no text": "",
    "bytes": np.bytes_(b"\xff\xfe"),
    "two texts": np.array([b"a", b"b"]),
    "a record": np.zeros(2, dtype=[("a", "f8"), ("b", "i4")]),
    "an opaque value": np.void(b"abc"),
    "half floats": np.ones(3, dtype=np.float16),
    "two numbers": np.array([2.0, 1.0]),
    "two whole numbers": np.array([1, 2]),
    "a matrix": np.ones((3, 3)),
    "six axes": np.ones((1,) * 6),
    "seven numbers": np.arange(7.0),
    "names": np.array([["input", "conv"], ["conv", "input"]], dtype=h5py.string_dtype()),
}


def put(place, value):
    def change(file):
        del file[place]
        file.create_dataset(place, data=value)

    return change


def everything(good, kind):
    """The places of all datasets or groups below the graph."""
    places = []
    with h5py.File(good) as file:
        file["node"].visititems(lambda name, part: places.append(f"node/{name}") if isinstance(part, kind) else None)
    return places


def odd_files(good, tmp_path, which):
    """A part of the files in which one part is missing, another type, or another part."""
    datasets, groups = everything(good, h5py.Dataset), everything(good, h5py.Group)
    changes = [(f"{place} is {what}", put(place, value)) for place in datasets for what, value in ODD_VALUES.items()]
    for place in (*datasets, *groups):
        changes.append((f"{place} is missing", lambda file, place=place: file.__delitem__(place)))
        changes.append((f"{place} is a group", lambda file, place=place: (file.__delitem__(place), file.create_group(place))))
        changes.append((f"{place} is a soft link", lambda file, place=place: linked(file, place, h5py.SoftLink("/node"))))
        changes.append((f"{place} is the graph", lambda file, place=place: linked(file, place, file["node"])))
    for place in groups:
        changes.append((f"{place} is a number", put(place, 1.0)))
        changes.append((f"{place} has one more", lambda file, place=place: file.create_dataset(f"{place}/more", data=1.0)))
    for name, change in changes[which]:
        try:
            yield name, changed(good, tmp_path / "odd.nir", change)
        except (TypeError, ValueError):
            continue  # h5py itself does not write it


def linked(file, place, link):
    del file[place]
    file[place] = link


def check_odd_files(good, tmp_path, which):
    refused = passed = 0
    for name, path in odd_files(good, tmp_path, which):
        try:
            found = imported(path)
        except Exception as error:
            raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error
        refused += isinstance(found, InputError)
        passed += not isinstance(found, InputError)
    return refused, passed


def test_odd_parts_are_refused_or_read(good, tmp_path):
    refused, passed = check_odd_files(good, tmp_path, slice(None, None, 41))
    assert refused > 30 and passed < refused / 4, (refused, passed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(8))
def test_all_odd_parts_are_refused_or_read(good, tmp_path, first):
    refused, passed = check_odd_files(good, tmp_path, slice(first, None, 8))
    print(f"{refused} refused, {passed} imported")
    assert refused > 150 and passed < refused / 4, (refused, passed)


@pytest.mark.parametrize(
    "place, value, reason",
    [
        ("conv/weight", np.nan, "conv Conv2d: weight is not finite: nan"),
        ("fc/weight", np.ones((2, 4), np.float16), "fc Affine: weight is of type float16; allowed: float32, float64 and whole"),
        ("conv/bias", np.array([np.inf, 0]), "conv Conv2d: bias is not finite: inf"),
        ("conv/dilation", np.array([0, 1]), "conv Conv2d: dilation 0x1; allowed: from 1x1 up"),
        ("conv/stride", np.array([1, -1]), "conv Conv2d: stride 1x-1; allowed: from 1x1 up"),
        ("conv/groups", "NIRGraph", "conv Conv2d: groups is 'NIRGraph'; needs a whole number"),
        ("conv/groups", np.array([b"a", b"b"]), r"conv: groups: of type .S1 and shape \(2,\); needs numbers, or one text"),
        ("or/threshold", np.nan, "or Threshold: threshold is not finite: nan \\[change the network\\]$"),
        ("conv/stride", np.array([1, 2, 3]), r"stride is of type int64 and shape \(3,\); needs one whole number, or 2"),
        ("conv/padding", np.array([-1, -1]), "padding -1x-1; allowed: from 0x0 to 1x1"),
        ("conv/padding", "reflect", "padding is 'reflect'; needs one whole number, or 2"),
        ("conv/padding", np.array([0, 2]), "padding 0x2; allowed: from 0x0 to 1x1"),
        ("lif/v_threshold", np.full((2, 6, 6), np.nan), "lif LIF: v_threshold is not finite"),
        ("lif/tau", 0.0, "lif LIF: tau 0; allowed: above 0"),
        ("lif/v_threshold", 1e60, "lif LIF: v_threshold reaches 1e.60; allowed: 0, and magnitudes from 1e-50 to 1e50"),
        ("lif/r", 1j, r"lif: r: of type complex128 and shape \(\); needs numbers"),
        ("fc/weight", np.array([[2**53 + 1] * 4] * 2), "fc Affine: weight of type int64 reaches .*allowed: what float64 holds"),
        ("flatten/start_dim", 0.5, "flatten Flatten: start_dim is 0.5; needs a whole number"),
        ("input/shape", "x", "the graph's input has a shape that is no list"),
        ("type", "Affine", "holds a Affine; needs a NIRGraph"),
        ("conv/type", "Mystery", "conv Mystery: unknown; allowed: Conv2d"),
        ("edges", np.zeros((2, 2)), r"the graph: edges: of type float64 and shape \(2, 2\); needs texts"),
        ("edges", np.array([["a", "b\x1b[0m"]], dtype=h5py.string_dtype()), r"edge from a to 'b\\x1b\[0m': the graph has no"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(good, tmp_path, place, value, reason):
    whole = f"node/{place}" if place in ("type", "edges") else f"node/nodes/{place}"
    error = imported(changed(good, tmp_path / "odd.nir", put(whole, value)))
    with pytest.raises(InputError, match=reason):
        raise error


def claimed(**how):
    """A weight of 2^33 numbers in a file of some kilobytes."""
    return lambda file: (
        file.__delitem__("node/nodes/fc/weight"),
        file.create_dataset("node/nodes/fc/weight", shape=(2**17, 2**16), dtype="f8", **how),
    )


def inflating(file):
    """A chunk that says it holds 128 KB, and inflates to 64 MB."""
    del file["node/nodes/fc/weight"]
    weight = file.create_dataset("node/nodes/fc/weight", shape=(128, 128), dtype="f8", chunks=(128, 128), compression="gzip")
    weight.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**26)))


def wide_chunks(count):
    """A small array in chunks that each hold 2^20 numbers."""
    return lambda file: (
        file.__delitem__("node/nodes/fc/bias"),
        file.create_dataset("node/nodes/fc/bias", (count, 1), "f8", maxshape=(None, None), chunks=(1, 2**20), compression="gzip"),
    )


def edges_in_one_chunk(file):
    """64 edges in a chunk of 2^23 texts, which would take minutes if it was expanded for each."""
    del file["node/edges"]
    edges = file.create_dataset("node/edges", (64, 2), "S8", maxshape=(None, 2), chunks=(2**22, 2), compression="gzip")
    edges[...] = b"x"


def elsewhere(file):
    del file["node/nodes/fc/weight"]
    file.create_dataset("node/nodes/fc/weight", shape=(2, 4), dtype="f8", external=[("/dev/zero", 0, 64)])


def many(place, count):
    return lambda file: [file.create_group(f"{place}/more{i}") for i in range(count)]


def nested(file):
    place = "node/nodes/block"
    for _ in range(12):
        place += "/nodes/deeper"
        file.create_group(place)
        file[f"{place}/type"] = "NIRGraph"
        file[f"{place}/edges"] = np.zeros((0, 2))
        file.create_group(f"{place}/nodes")


def twice(file):
    file["node/nodes/again"] = file["node/nodes/block"]


def within_itself(file):
    file["node/nodes/block/nodes/self"] = file["node/nodes/block"]


@pytest.mark.parametrize(
    "change, reason",
    [
        (claimed(), r"fc: weight: of shape \(131072, 65536\); allowed: up to 16777216 numbers"),
        (claimed(chunks=(2, 4)), "allowed: up to 16777216 numbers"),
        (claimed(chunks=(2, 4), compression="gzip", fillvalue=1.0), "allowed: up to 16777216 numbers"),
        (inflating, "fc: weight: a chunk that inflates to more than its 131072 bytes"),
        (wide_chunks(17), r"bias: of shape \(17, 1\) in chunks of \(1, 1048576\); allowed: up to 16777216 numbers and"),
        (wide_chunks(15), "bias has shape .15, 1."),
        (edges_in_one_chunk, "edge from x to x: the graph has no node x"),
        (elsewhere, "fc: weight: lies in another file"),
        (put("node/nodes/fc/weight", np.array(["x" * 2000] * 8, dtype="S2000").reshape(2, 4)), "needs numbers, or one text"),
        (put("node/nodes/conv/padding", "x" * 2000), "a text of 2000 bytes; allowed: up to 1000"),
        (many("node/nodes/fc", 40), "parts; allowed: up to 32"),
        (nested, "nested more than 8 deep"),
        (twice, "is the same part as one under another name"),
        (within_itself, "is the same part as one under another name"),
        (lambda file: linked(file, "node/nodes/fc", h5py.ExternalLink("other.nir", "/node")), "fc is a link to another place"),
        (put("node/nodes/fc/bias", np.zeros(2, dtype=np.longdouble)), "bias: of type float128 and shape .*; needs numbers"),
    ],
)
def test_what_would_take_memory_is_refused_by_its_header(good, tmp_path, change, reason):
    error = imported(changed(good, tmp_path / "odd.nir", change))
    with pytest.raises(InputError, match=reason):
        raise error


def test_other_compression_than_gzip_is_refused(tmp_path):
    nir.write(tmp_path / "x.nir", good_graph(), compression="lzf")
    assert "compressed in another way than by gzip" in str(imported(tmp_path / "x.nir"))


def test_a_file_that_is_too_large_is_not_opened(tmp_path, monkeypatch):
    with open(tmp_path / "x.nir", "wb") as file:
        file.truncate(MAX_BYTES + 1)
    monkeypatch.setattr(h5py, "File", None)
    assert "268435457 bytes; allowed: up to 268435456" in str(imported(tmp_path / "x.nir"))
