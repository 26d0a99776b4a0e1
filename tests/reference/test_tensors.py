"""The reader of safetensors files against safetensors' own, and what it refuses by the header alone."""

import json
import os
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import load, save

from duospike.reference.errors import InputError
from duospike.reference.tensors import MAX_HEADER, TYPES, read_header

TENSORS = st.dictionaries(
    st.text("abc.1", min_size=1, max_size=6),
    st.sampled_from([np.dtype(kind) for kind in TYPES.values()]).flatmap(
        lambda kind: arrays(kind, array_shapes(min_dims=0, max_dims=4, max_side=4))
    ),
    max_size=4,
)


@settings(max_examples=40)
@given(tensors=TENSORS, metadata=st.dictionaries(st.text(max_size=4), st.text(max_size=4), min_size=1, max_size=3))
def test_what_safetensors_writes_is_read_as_it_reads_it(tensors, metadata, tmp_path):
    written = save(tensors, metadata)
    (tmp_path / "a").write_bytes(written)
    file, wanted = read_header(tmp_path / "a"), load(written)
    assert file.metadata == metadata and file.entries.keys() == wanted.keys()
    for name, values in wanted.items():
        found = file.read(name)
        assert found.dtype == values.dtype and found.shape == values.shape and found.tobytes() == values.tobytes()


def packed(header, data=bytes(4), length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(start=0, end=4, shape=(4,), dtype="I8", **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end], **more}


REFUSED = {
    "whole": (packed({"a": tensor()}), None),
    "nothing": (b"", "a header of 0 bytes in a file of 0"),
    "no header": (bytes(8), "a header of 0 bytes in a file of 8"),
    "header over the end": (packed({}, b"", length=3), "a header of 3 bytes in a file of 10"),
    "header over the limit": (packed(b" " * MAX_HEADER + b"{}"), f"allowed: up to {MAX_HEADER}"),
    "length of 64 bits": (packed({}, length=2**64 - 1), "a header of 18446744073709551615 bytes"),
    "list": (packed([]), "not a JSON object"),
    "key twice": (packed(b'{"a": 1, "a": 2}'), "twice in an object: key 'a'"),
    "metadata twice": (packed(b'{"__metadata__": {}, "__metadata__": {}}'), "twice in an object: key '__metadata__'"),
    "metadata of numbers": (packed({"__metadata__": {"a": 1}}), "metadata is not an object of texts"),
    "hole before": (packed({"a": tensor(1, 5)}, bytes(5)), "'a' does not follow"),
    "hole between": (packed({"a": tensor(0, 4), "b": tensor(5, 9)}, bytes(9)), "'b' does not follow"),
    "overlap": (packed({"a": tensor(0, 4), "b": tensor(2, 6)}, bytes(6)), "'b' does not follow"),
    "bytes left": (packed({"a": tensor()}, bytes(5)), "the tensors end at byte .* of"),
    "bytes missing": (packed({"a": tensor()}, bytes(3)), "the tensors end at byte .* of"),
    "shape of more": (packed({"a": tensor(shape=(5,))}), "does not take the bytes"),
    "shape beyond all": (packed({"a": tensor(shape=(2**40, 2**40))}), "does not take the bytes"),
    "ends before it starts": (packed({"a": tensor(4, 0)}), "does not take the bytes"),
    "empty": (packed({"a": tensor(end=0, shape=(0, 2**40, 2**40))}, b""), "sizes from 1 up"),
    "negative": (packed({"a": tensor(shape=(-4,))}), "whole numbers"),
    "truth": (packed({"a": tensor(0, 1, (True,))}), "whole numbers"),
    "three offsets": (packed({"a": tensor() | {"data_offsets": [0, 4, 4]}}), "whole numbers"),
    "dimensions": (packed({"a": tensor(shape=[4] + [1] * 8)}), "whole numbers"),
    "type": (packed({"a": tensor(dtype="F8_E4M3")}), "'F8_E4M3'; allowed: I8"),
    "type of another type": (packed({"a": tensor(dtype=["I8"])}), "allowed: I8"),
    "more about it": (packed({"a": tensor(more=1)}), "needs dtype, shape and data_offsets"),
    "no object": (packed({"a": 3}), "needs dtype, shape and data_offsets"),
}


@pytest.mark.parametrize("data, message", REFUSED.values(), ids=REFUSED)
def test_other_headers_are_refused_in_a_line(data, message, tmp_path):
    (tmp_path / "a").write_bytes(data)
    if message is None:
        assert read_header(tmp_path / "a").read("a").tolist() == [0] * 4
        return
    with pytest.raises(InputError, match=message) as caught:
        read_header(tmp_path / "a")
    assert str(caught.value).startswith(f"{tmp_path / 'a'}: truncated, or not a safetensors file") and "\n" not in str(
        caught.value
    )


def test_a_header_is_read_without_the_tensors(tmp_path):
    """8 GB that the disk does not hold: a reader that reads them would take minutes and memory."""
    size = 2**33
    (tmp_path / "a").write_bytes(packed({"a": tensor(0, size, (size,))}, b""))
    os.truncate(tmp_path / "a", (tmp_path / "a").stat().st_size + size)
    assert read_header(tmp_path / "a").entries["a"].count == size


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, message in ((tmp_path, "not a file"), (tmp_path / "pipe", "not a file"), (tmp_path / "b", "not found")):
        with pytest.raises(InputError, match=message):
            read_header(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_header(f"{tmp_path}/a\0b")
