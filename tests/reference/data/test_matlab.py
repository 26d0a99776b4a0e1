"""The reader of MATLAB's files against scipy's, and what it refuses."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.io import loadmat, savemat

from duospike.reference.data.matlab import read_matlab


def written(variables, compressed=False):
    file = io.BytesIO()
    savemat(file, variables, do_compression=compressed)
    return file.getvalue()


INTEGERS = st.sampled_from([np.dtype(f"{kind}{size}") for kind in "ui" for size in (1, 2, 4, 8)])
ARRAYS = INTEGERS.flatmap(lambda kind: arrays(kind, array_shapes(min_dims=2, max_dims=4, max_side=4)))


@settings(max_examples=40)
@given(first=ARRAYS, second=ARRAYS, compressed=st.booleans(), name=st.sampled_from(["X", "a", "abcdefgh", "ab"]))
def test_what_scipy_writes_is_read_as_scipy_reads_it(first, second, compressed, name):
    data = written({name: first, "y": second}, compressed)
    found, wanted = read_matlab(data, {name, "y"}), loadmat(io.BytesIO(data))
    for key, value in found.items():
        assert value.dtype == wanted[key].dtype and value.shape == wanted[key].shape and np.array_equal(value, wanted[key])
    assert found.keys() == {name, "y"}


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def array(name=b"X", shape=(2, 2), numbers=(2, bytes(4)), about=9, sizes=None):
    """A variable: by default four zeros, unsigned bytes."""
    sizes = struct.pack(f"<{len(shape)}i", *shape) if sizes is None else sizes
    parts = [(6, struct.pack("<II", about, 0)), (5, sizes), (1, name), numbers]
    return element(14, b"".join(element(*part) for part in parts))


HEAD = written({})[:128]


def test_a_variable_written_by_hand():
    double = array(numbers=(2, b"\x01\x02\x03\x04"), about=6)
    small = element(14, element(6, struct.pack("<II", 9, 0)) + element(5, struct.pack("<2i", 1, 1))
                    + struct.pack("<HH4s", 1, 1, b"X") + struct.pack("<HH4s", 2, 1, b"\x09"))  # fmt: skip
    assert read_matlab(HEAD + double, {"X"})["X"].tolist() == [[1, 3], [2, 4]]
    assert read_matlab(HEAD + small, {"X"})["X"].tolist() == [[9]]


def packed(data):
    return struct.pack("<II", 15, len(data)) + data


REFUSED = {
    "nothing": (b"", "not a MATLAB file of version 5"),
    "highest byte first": (HEAD[:124] + b"\x01\x00MI" + array(), "not a MATLAB file of version 5"),
    "no variable": (HEAD, "variable X is missing"),
    "another variable": (HEAD + array(b"y"), "variable 'y'; needs X"),
    "twice": (HEAD + array() + array(), "holds more than the variables X"),
    "half a tag": (HEAD + array()[:4], "cut in a tag"),
    "half a variable": (HEAD + array()[:-8], "is cut"),
    "size beyond all": (HEAD + struct.pack("<II", 14, 2**32 - 1), "4294967295 bytes is cut"),
    "no array": (HEAD + element(2, bytes(8)), "an element of type 2"),
    "a cell": (HEAD + array(about=1), "class 1"),
    "a text": (HEAD + array(about=4, numbers=(4, bytes(8))), "class 4"),
    "complex": (HEAD + array(about=0x0809), "whole numbers"),
    "global": (HEAD + array(about=0x0409), "whole numbers"),
    "floats": (HEAD + array(numbers=(9, bytes(32))), "numbers of type 9"),
    "fewer numbers": (HEAD + array(shape=(2, 3)), r"dimensions \(2, 3\) has 4 bytes"),
    "negative": (HEAD + array(shape=(-2, -2)), "dimensions"),
    "five dimensions": (HEAD + array(shape=(1, 1, 1, 2, 2)), "of another size"),
    "no dimensions": (HEAD + array(shape=()), "dimensions"),
    "half a dimension": (HEAD + array(sizes=bytes(6)), "of another size"),
    "no stream": (HEAD + packed(b"no stream"), "incorrect header"),
    "half a stream": (HEAD + packed(zlib.compress(array())[:-4]), "cut"),
    "stream of half a variable": (HEAD + packed(zlib.compress(array()[:-1])), "cut"),
    "stream of more": (HEAD + packed(zlib.compress(array() + b"\0")), "expands to more than"),
    "more after the stream": (HEAD + packed(zlib.compress(array()) + b"\0"), "more follows"),
    "stream within a stream": (HEAD + packed(zlib.compress(packed(zlib.compress(array())))), "type 15"),
    "stream that claims gigabytes": (HEAD + packed(zlib.compress(struct.pack("<II", 14, 2**31) + bytes(99))), "2147483648 bytes"),
}


@pytest.mark.parametrize("data, message", REFUSED.values(), ids=REFUSED)
def test_other_files_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        read_matlab(data, {"X"})
