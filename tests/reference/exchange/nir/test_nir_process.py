"""NIR files are read in a process of their own, so that one on which HDF5's library hangs or crashes does no harm."""

import nir
import numpy as np
import pytest

from duospike.reference.errors import InputError
from duospike.reference.exchange.nir import nir_process
from duospike.reference.exchange.nir.nir_file import parse_graph
from duospike.reference.exchange.nir.nir_process import read_graph
from tests.reference.exchange.nir.test_nir_files import good_graph


@pytest.fixture
def path(tmp_path):
    nir.write(tmp_path / "g.nir", good_graph())
    return tmp_path / "g.nir"


def assert_equal(found, wanted):
    assert found.edges == wanted.edges and found.nodes.keys() == wanted.nodes.keys()
    for name, node in wanted.nodes.items():
        if hasattr(node, "nodes"):
            assert_equal(found.nodes[name], node)
            continue
        assert found.nodes[name].kind == node.kind
        for key, value in node.values.items():
            assert np.array_equal(found.nodes[name].values[key], value)


def test_the_graph_is_that_of_the_file(path):
    assert_equal(read_graph(path), parse_graph(path))


def test_a_file_that_hdf5_reads_for_ever(path, monkeypatch):
    """A free object of no size in the heap of texts, which HDF5's library steps over again and again."""
    monkeypatch.setattr(nir_process, "MAX_SECONDS", 1)
    data = bytearray(path.read_bytes())
    first = data.index(b"GCOL") + 16
    data[first : first + 16] = bytes(16)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"g.nir: damaged; the library of HDF5 .* does not end in 1 s \(SIGXCPU\)"):
        read_graph(path)


def test_a_crash_is_a_refusal(path, monkeypatch):
    monkeypatch.setattr(nir_process, "CHILD", "import os; os.abort()")
    with pytest.raises(InputError, match="SIGABRT"):
        read_graph(path)


def test_a_refusal_is_passed_on(tmp_path):
    with pytest.raises(InputError, match="^[^ ]*none.nir: not found$"):
        read_graph(tmp_path / "none.nir")


def test_what_is_no_refusal_is_not_hidden(path, monkeypatch):
    monkeypatch.setattr(nir_process, "CHILD", "1 // 0")
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        read_graph(path)


def test_a_file_that_takes_much_memory(path, monkeypatch):
    """The child has no room for what nir itself wrote; with the usual room the same file is read."""
    large = nir.NIRGraph(
        {"in": nir.Input(np.array([2**21])), "fc": nir.Linear(np.ones((1, 2**21))), "out": nir.Output(np.array([1]))},
        [("in", "fc"), ("fc", "out")], type_check=False,
    )  # fmt: skip
    nir.write(path, large)
    assert read_graph(path).nodes["fc"].values["weight"].sum() == 2**21
    monkeypatch.setattr(nir_process, "MAX_MEMORY", 2**22)
    with pytest.raises(InputError, match="MemoryError|takes more than 4194304 bytes"):
        read_graph(path)


@pytest.mark.slow
@pytest.mark.parametrize("weights", [np.zeros((1, 2**24 - 2**17)), np.random.default_rng(1).normal(size=(1, 2**24 - 2**17))])
def test_the_largest_array_is_read(path, weights):
    """Nearly MAX_NUMBERS, whose last chunk counts whole."""
    count = weights.shape[1]
    nodes = {"in": nir.Input(np.array([count])), "fc": nir.Linear(weights), "out": nir.Output(np.array([1]))}
    nir.write(path, nir.NIRGraph(nodes, [("in", "fc"), ("fc", "out")], type_check=False))
    assert np.array_equal(read_graph(path).nodes["fc"].values["weight"], weights)
