"""Pickles of arrays against Python's own unpickling, in the form that CIFAR is published in, and all that is refused."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from duospike.reference.data import array_pickle
from duospike.reference.data.array_pickle import INTEGERS, read_pickle

BYTES = st.binary(min_size=1, max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | BYTES | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(BYTES, inner, max_size=3),
    max_leaves=6,
)
ARRAYS = st.sampled_from(sorted(INTEGERS)).flatmap(
    lambda kind: st.sampled_from("<>").flatmap(lambda order: arrays(np.dtype(order + kind), array_shapes(max_dims=3, max_side=4)))
)


@settings(max_examples=50)
@given(
    content=st.dictionaries(BYTES, PLAIN | ARRAYS, max_size=3),
    protocol=st.sampled_from([2, 3, 4]),
    by_column=st.booleans(),
)
def test_what_pickle_writes_is_read_as_pickle_reads_it(content, protocol, by_column):
    if by_column:
        content = {key: np.asfortranarray(value) if isinstance(value, np.ndarray) else value for key, value in content.items()}
    data = pickle.dumps(content, protocol)
    found, wanted = read_pickle(data), pickle.loads(data)
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        if isinstance(value, np.ndarray):
            # numpy may turn the byte order into the machine's.
            assert found[key].dtype.newbyteorder("=") == value.dtype.newbyteorder("=") and found[key].shape == value.shape
            assert np.array_equal(found[key], value)
        else:
            assert found[key] == value


def published(key=b"labels", numbers=b"\x06\x03"):
    """Two images of six pixels as Python 2.6 and numpy 1.3 wrote CIFAR's batches: texts as bytes, protocol 2."""
    return (
        b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03"
        + b"U" + bytes([len(key)]) + key + b"q\x04]q\x05(K" + numbers[:1] + b"K" + numbers[1:] + b"e"
        b"U\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\t"
        b"(K\x01K\x02K\x06\x86cnumpy\ndtype\nq\nU\x02u1K\x00K\x01\x87Rq\x0b"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T\x0c\x00\x00\x00" + bytes(range(12)) + b"tb"
        b"U\tfilenamesq\x0c]q\r(U\ta_s_1.pngU\ta_s_2.pngeu."
    )  # fmt: skip


def test_the_published_form():
    found = read_pickle(published())
    assert found[b"labels"] == [6, 3] and found[b"filenames"] == [b"a_s_1.png", b"a_s_2.png"]
    assert found[b"data"].dtype == np.uint8 and found[b"data"].tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    wanted = pickle.loads(published(), encoding="bytes")
    assert found[b"labels"] == wanted[b"labels"] and np.array_equal(found[b"data"], wanted[b"data"])


class Reduced:
    """Is pickled as a call and, where there is one, a state."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


reconstruct = np.zeros(0).__reduce__()[0]
OBJECTS = Reduced(np.dtype, ("O8", False, True), (3, "|", None, None, None, -1, -1, 0))
FLAGGED = Reduced(np.dtype, ("u1", False, True), (3, "|", None, None, None, -1, -1, 63))
NAMED = Reduced(np.dtype, ("u1", False, True), (3, "|", None, ("a",), {"a": (np.dtype("u1"), 0)}, 8, 1, 27))
PLAIN_DTYPE = Reduced(np.dtype, ("u1", False, True), (3, "|", None, None, None, -1, -1, 0))


def an_array(dtype, shape=(1,), data=b"A" * 8, version=1):
    return Reduced(reconstruct, (np.ndarray, (0,), b"b"), (version, shape, dtype, False, data))


HARMFUL = {
    "an array of objects": (an_array(OBJECTS), "calls what no array needs"),
    "an array of objects by a state": (an_array(NAMED), "a state of its own"),
    "flags of a type": (an_array(FLAGGED), "a state of its own"),
    "fewer bytes than its shape": (an_array(PLAIN_DTYPE, (9,)), "8 bytes; its shape is"),
    "a shape beyond all": (an_array(PLAIN_DTYPE, (2**62, 2**62)), "8 bytes; its shape is"),
    "a negative shape": (an_array(PLAIN_DTYPE, (-1, -8)), "no shape, type and bytes"),
    "a list of objects": (an_array(PLAIN_DTYPE, data=[1, 2]), "no shape, type and bytes"),
    "a state of another version": (an_array(PLAIN_DTYPE, version=2), "a state of another kind"),
    "a call": (Reduced(print, ("harm",)), "it holds .*print"),
    "a call of numpy": (Reduced(np.load, ("/etc/passwd",)), "it holds numpy.*load"),
    "a call of an array": (Reduced(np.ndarray, ((2,), "O", b"A" * 16)), "calls what no array needs"),
    "a type by a list": (Reduced(np.dtype, ([("a", "O")],)), "calls what no array needs"),
    "a float": (0.5, "instruction BINFLOAT"),
    "a set": ({1}, "it holds .*set|EMPTY_SET"),
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("value, message", HARMFUL.values(), ids=HARMFUL)
def test_nothing_that_could_harm_is_made(value, message, protocol, monkeypatch):
    data = pickle.dumps({b"data": [value]}, protocol)
    monkeypatch.setattr(pickle, "Unpickler", None)
    with pytest.raises(ValueError, match=message):
        read_pickle(data)


TEXT = b"X\x64\x00\x00\x00" + b"a" * 100 + b"q\x00"
"""Pushes a text and remembers it under 0."""


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "exhausted"),
        (b"\x80\x02.", "damaged|values"),
        (b"\x80\x02]q\x00.", "holds no dictionary"),
        (b"\x80\x02}(]K\x01u.", "a key of the dictionary is no text"),
        (b"\x80\x02}(U\x01au.", "sets items"),
        (b"\x80\x02h\x07.", r"damaged .KeyError"),
        (b"\x80\x02t.", r"damaged .IndexError"),
        (b"\x80\x02K\x01K\x02b.", "the state of what has none"),
        (b"\x80\x02K\x01K\x02a.", "appends to what is no list"),
        (b"\x80\x02}B\xff\xff\xff\x7f.", "expected 2147483647 bytes"),
        (b"\x80\x02}\x8a\x01\x05s.", "damaged"),
        (b"\x80\x02" + TEXT + b"c_codecs\nencode\nh\x00U\x06latin1\x86R" * 3 + b".", "encodes more"),
        (b"\x80\x02(" + b"N" * 1000 + b"t.", "more than 1000 instructions"),
    ],
)
def test_damaged_pickles_are_refused(data, message, monkeypatch):
    monkeypatch.setattr(array_pickle, "MAX_STEPS", 1000)
    with pytest.raises(ValueError, match=message):
        read_pickle(data)
