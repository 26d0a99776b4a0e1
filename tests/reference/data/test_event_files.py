"""Recordings of event cameras are read as they were written, or refused in a line."""

import struct

import h5py
import numpy as np
import pytest

from duospike.reference.data import event_files
from duospike.reference.errors import InputError
from tests.benches.event_files import AEDAT4, AEDAT4_EVENTS, aedat2_bytes, aedat3_bytes, nmnist_bytes, random_events, write_shd

EVENTS = random_events(30, 34, 1)


def columns(found):
    return np.stack([found.t, found.x, found.y, found.p]).astype(np.int64)


def npy_of(events, names="txyp"):
    def write(path):
        kinds = ["<i8", "<u2", ">u2", "?"]
        np.save(path, np.array(list(zip(*events, strict=True)), dtype=list(zip(names, kinds, strict=True))))

    return write


WRITERS = {
    "nmnist.bin": lambda path: path.write_bytes(nmnist_bytes(EVENTS)),
    "two.aedat": lambda path: path.write_bytes(aedat2_bytes(EVENTS)),
    "three.aedat": lambda path: path.write_bytes(aedat3_bytes(EVENTS)),
    "array.npy": lambda path: np.save(path, EVENTS.T),
    "fields.npy": npy_of(EVENTS),
    "dv.npy": npy_of(EVENTS, ("timestamp", "x", "y", "polarity")),
    "signs.npy": lambda path: np.save(path, (EVENTS * [[1], [1], [1], [2]] - [[0], [0], [0], [1]]).T),
}


@pytest.mark.parametrize("name", WRITERS)
def test_events_are_those_of_the_file(name, tmp_path):
    path = tmp_path / name
    WRITERS[name](path)
    assert np.array_equal(columns(event_files.ONE[path.suffix](path)), EVENTS)


def test_events_out_of_order_are_ordered_by_time(tmp_path):
    np.save(tmp_path / "a.npy", EVENTS.T[::-1])
    assert np.array_equal(columns(event_files.read_event_npy(tmp_path / "a.npy"))[0], EVENTS[0])


def test_the_clock_of_nmnist_goes_on_at_a_record_of_overflow(tmp_path):
    events = np.array([[5, 0, 6], [1, 0, 2], [3, 240, 4], [0, 0, 1]])
    (tmp_path / "a.bin").write_bytes(nmnist_bytes(events))
    assert columns(event_files.read_nmnist(tmp_path / "a.bin")).tolist() == [[5, 6 + 2**13], [1, 2], [3, 4], [0, 1]]


def test_the_time_of_aedat_3_has_high_bits(tmp_path):
    data = bytearray(aedat3_bytes(EVENTS, packet=100))
    at = data.rindex(struct.pack("<hhi", 1, 1, 8)) + 12
    data[at] = 3
    (tmp_path / "a.aedat").write_bytes(data)
    assert np.array_equal(event_files.read_aedat(tmp_path / "a.aedat").t, EVENTS[0] + 3 * 2**31)


def changed(data, at, new):
    return data[:at] + new + data[at + len(new) :]


THREE = aedat3_bytes(EVENTS)
BODY = THREE.index(b"#!END-HEADER\r\n") + 14
DAMAGED = {
    "a.bin": [
        (bytes(7), "7 bytes; needs a multiple of 5"),
        (b"", "holds no events"),
        (bytes((0, 240, 0, 0, 0)), "holds no events"),
    ],
    "a.aedat": [
        (b"", "AEDAT version none; allowed: 2.0 and 3.1"),
        (b"#!AER-DAT4.0\r\n", "AEDAT version '4.0'; allowed: 2.0 and 3.1 in .aedat, 4.0 in .aedat4"),
        (aedat2_bytes(EVENTS)[:-1], "bytes of events; needs a multiple of 8"),
        (aedat2_bytes(EVENTS, chip="eu.seebetter.ini.chips.davis.Davis640"), "Davis640'; allowed in AEDAT 2.0: DVS128"),
        (aedat2_bytes(EVENTS) + b"\xff" * 8, "address 4294967295; a DVS128 has 16 bits"),
        (b"#!AER-DAT2.0\r\n#" + b"x" * 2**20, "a header without an end"),
        (THREE.replace(b"RAW", b"PNG"), "format 'PNG'; needs RAW"),
        (THREE[: BODY - 20], "a header without an end"),
        (THREE[:BODY], "holds no polarity events"),
        (THREE[:-1], "a packet of .* bytes are left"),
        (THREE[: BODY + 10], "cut in the head of a packet"),
        (changed(THREE, BODY + 4, struct.pack("<i", 0)), "a packet of 1 events of 0 bytes"),
        (changed(THREE, BODY + 20, struct.pack("<i", -1)), "a packet of -1 events"),
        (changed(THREE, BODY + 12, struct.pack("<i", -1)), "a packet of 1 events"),
        (THREE[:BODY] + struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, 0, 0, 0) * (2**18 + 1), "more than 262144 packets"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "name, data, message", [(name, *one) for name, some in DAMAGED.items() for one in some], ids=lambda value: str(value)[:40]
)
def test_damaged_files_are_refused(name, data, message, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        event_files.ONE[(tmp_path / name).suffix](tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path)) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "array, message",
    [
        (np.zeros((3, 5), np.int64), r"holds int64 \(3, 5\); needs integers \[events, 4\] in the order t, x, y, p"),
        (np.zeros((3, 4)), "needs integers"),
        (np.zeros((0, 4), np.int64), "holds no events"),
        (np.full((1, 4), 2), "polarities from 2 to 2; allowed: 0 or -1 for darker, 1 for brighter"),
        (np.array([[-1, 0, 0, 1]]), "times from -1 to -1 us"),
        (np.full((1, 4), [2**63, 0, 0, 1], np.uint64), "times from 9223372036854775808"),
        (np.zeros(3, [("t", "<i8"), ("x", "<i4"), ("y", "<i4")]), "needs records .* with integers t, x, y and p"),
        (np.zeros(3, [("t", "<f8"), ("x", "<i4"), ("y", "<i4"), ("p", "?")]), "needs records"),
        (np.zeros(3, [("t", "<i8", 2), ("x", "<i4"), ("y", "<i4"), ("p", "?")]), "needs records"),
    ],
)
def test_other_arrays_are_refused(array, message, tmp_path):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=message):
        event_files.read_event_npy(tmp_path / "a.npy")


def test_more_events_than_a_file_may_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "MAX_EVENTS", 29)
    for name, write in WRITERS.items():
        write(tmp_path / name)
        with pytest.raises(InputError, match="more than 29 events"):
            event_files.ONE[(tmp_path / name).suffix](tmp_path / name)


def test_hdf5_as_shd_has_it(tmp_path):
    path = tmp_path / "a.h5"
    write_shd(path)
    found, labels, total = event_files.read_hdf5(path, None)
    assert [columns(one).tolist() for one in found] == [
        [[250_000, 500_000], [699, 3], [0, 0], [1, 1]],
        [[125_000], [5], [0], [1]],
    ]
    assert labels.tolist() == [4, 9] and total == 2
    found, labels, total = event_files.read_hdf5(path, 1)
    assert len(found) == 1 and labels.tolist() == [4] and total == 2


def test_hdf5_as_dsec_has_it(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, values in zip("txyp", EVENTS, strict=True):
            file[f"events/{name}"] = values
    [found], labels, total = event_files.read_hdf5(tmp_path / "a.h5", None)
    assert np.array_equal(columns(found), EVENTS) and labels is None and total == 1


def two_files(link):
    """A file whose `link` is in another file."""

    def write(path):
        with h5py.File(path.with_name("other.h5"), "w") as file:
            for name, values in zip("txyp", EVENTS, strict=True):
                file[f"events/{name}"] = values
        with h5py.File(path, "w") as file:
            for name, values in zip("txyp", EVENTS, strict=True):
                if link == "events/p" and name != "p":
                    file[f"events/{name}"] = values
            file[link] = h5py.ExternalLink("other.h5", link)

    return write


def unequal(**lengths):
    """A file of columns of other lengths."""

    def write(path):
        with h5py.File(path, "w") as file:
            for name, values in zip("txyp", EVENTS, strict=True):
                file[f"events/{name}"] = values[: lengths.get(name, 20)]

    return write


@pytest.mark.parametrize(
    "write, message",
    [
        (unequal(x=19), "20, 19, 20, 20 values of t, x, y and p; needs one of each for an event"),
        (unequal(p=30), "20, 20, 20, 30 values of t, x, y and p"),
        (unequal(t=0), "0, 20, 20, 20 values of t, x, y and p"),
        (two_files("events"), "events is a link; needs a group in the file itself"),
        (two_files("events/p"), "p is missing"),
    ],
)
def test_other_columns_are_refused(write, message, tmp_path):
    write(tmp_path / "a.h5")
    with pytest.raises(InputError, match=message):
        event_files.read_hdf5(tmp_path / "a.h5", None)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"labels": np.array([1, 2**64 - 1], np.uint64)}, "a label of 18446744073709551615; allowed: up to"),
        ({"units": [[3], [5]]}, r"recording 0: times float16 \(2,\), units uint16 \(1,\)"),
        ({"times": [[1, 2], [np.nan]]}, "recording 1: a time is not finite"),
        ({"units": [[1, 2]]}, "times of 2 and units of 1 recordings"),
        ({"labels": [1]}, "1 labels of 2 recordings"),
        ({"kind": np.int32, "times": [[1, 2], [3]]}, "times int32"),
    ],
)
def test_other_spikes_are_refused(changes, message, tmp_path):
    write_shd(tmp_path / "a.h5", **changes)
    with pytest.raises(InputError, match=message):
        event_files.read_hdf5(tmp_path / "a.h5", None)


def test_what_is_no_hdf5_is_refused(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"no HDF5")
    with pytest.raises(InputError, match="a.h5: not an HDF5 file of events, or damaged"):
        event_files.read_hdf5(tmp_path / "a.h5", None)


def test_aedat_4_of_another_program(tmp_path):
    pytest.importorskip("aedat")
    path = tmp_path / "a.aedat4"
    path.write_bytes(AEDAT4)
    assert columns(event_files.read_aedat4(path)).T.tolist() == [list(one) for one in AEDAT4_EVENTS]
    path.write_bytes(AEDAT4[:900])
    with pytest.raises(InputError, match="a.aedat4: not an AEDAT 4 file, or damaged"):
        event_files.read_aedat4(path)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "CHILD", f"import sys; sys.modules['aedat'] = None; {event_files.CHILD}")
    (tmp_path / "a.aedat4").write_bytes(AEDAT4)
    with pytest.raises(InputError, match="the package aedat is not installed: make setup"):
        event_files.read_aedat4(tmp_path / "a.aedat4")


def test_a_crash_of_a_package_is_a_refusal(tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "CHILD", "import os; os.abort()")
    with pytest.raises(InputError, match=r"the package h5py crashes on it or does not end in 8 s \(SIGABRT\)"):
        event_files.read_hdf5(tmp_path / "a.h5", None)
