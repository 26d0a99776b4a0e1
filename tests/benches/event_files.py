"""Small files of recorded events, in the formats of N-MNIST, AEDAT 2.0 and 3.1, and DVS128 Gesture."""

import base64
import struct
import zlib

import h5py
import numpy as np

# Three events, by dv-processing 2.0.4 with LZ4: (t, x, y, brighter).
AEDAT4_EVENTS = [(1700000000000000, 3, 5, 1), (1700000000000010, 15, 0, 0), (1700000000000500, 0, 11, 1)]
AEDAT4 = zlib.decompress(
    base64.b64decode(
        "eNqNU1tLwzAUPrp5od72sIc9iMQoPulaRXzaxqqbOHAKOrwhSFmjBrekpOlAn8T/4X/xJyn64pun3dRZKy5w0pPkuzSXszBvVw9WKnZjPW9NGcspgBwA1PZ3"
        "qhA1A7KQhkkYxwxgCGMS4zHVXX0fBii4HdJhyudSFOla3qIlg2ArCOkyIpw2K1IZ6Jq4lJR4jr4uUrM3NnvQONz6BbT6oRHc0VqRG3ZbpE3Z9hTzQ39K9K2H"
        "Ar5WXFzR0u7ZesEMkX+SpeJXXDitunSDFttD+7hGXQq5hfPKOVZcMzWg4H6gvUAnCbIOE9r/RyakVJjfVNzTCRvbCnwt28R1tBOtEBnZ5QdQrblozy85U3HR"
        "6lHjMFGg72p40jVaJo/dZoK3z+/YyaclF5qWVjeS3BJopz9pa4PQZKCav46+cnTitaRi6sJ32l6LJe7WDLfb9zD7xp95wXQ7JaNbAnCMkab1XLn8tIPpK93F"
        "PoMRnifAKJZOGnsEYUR1U57LLRqjmI9EBWVkgM5gRt9sAvcAE9EsfMueYfqydN6T3W7Ym3HZkJCNKNOwjBWaxtEsLMJ0Fh66f7idmoLUGDwPf9m/2d1v2D4A"
        "Qej6kQ=="
    )
)


def random_events(count, size, seed, span=300_000):
    """Ordered t, x, y, p of random events of a sensor of size x size pixels, int64 [4, count]."""
    draw = np.random.default_rng(seed)
    return np.stack([np.sort(draw.integers(0, span, count)), *draw.integers(0, size, (2, count)), draw.integers(0, 2, count)])


def nmnist_bytes(events):
    """The content of a .bin file: five bytes an event."""
    return b"".join(bytes((x, y)) + (p << 23 | t).to_bytes(3, "big") for t, x, y, p in events.T.tolist())


def aedat2_bytes(events, chip="eu.ch.ini.jaer.chip.retina.DVS128"):
    """The content of an .aedat file of version 2.0; its last record is an event of the camera's input pin."""
    head = f"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n# AEChip: {chip}\r\n".encode()
    records = [struct.pack(">II", y << 8 | x << 1 | p, t) for t, x, y, p in events.T.tolist()]
    return head + b"".join(records) + struct.pack(">II", 1 << 15, 5)


def aedat3_bytes(events, packet=7):
    """The content of an .aedat file of version 3.1: packets of up to `packet` events, the first of another kind."""
    parts = [b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n", _packet(0, [(1, 2)])]
    records = [(x << 17 | y << 2 | p << 1 | 1, t) for t, x, y, p in events.T.tolist()]
    # What is not valid is no event.
    records.insert(1, (9 << 17 | 9 << 2, 3))
    return b"".join(parts + [_packet(1, records[at : at + packet]) for at in range(0, len(records), packet)])


def _packet(kind, records, high=0):
    head = struct.pack("<hhiiiiii", kind, 1, 8, 4, high, len(records), len(records), len(records))
    return head + b"".join(struct.pack("<II", *one) for one in records)


def write_nmnist(folder, counts=None):
    """A folder of N-MNIST with counts["Train"] and counts["Test"] recordings, of classes in turn; t, x, y, p by split."""
    written = {}
    for split, count in (counts or {"Train": 20, "Test": 10}).items():
        written[split] = [random_events(40 + i, 34, i) for i in range(count)]
        for i, events in enumerate(written[split]):
            place = folder / split / str(i % 10)
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{i:05d}.bin").write_bytes(nmnist_bytes(events))
    return written


def write_gesture(folder):
    """A folder of DVS128 Gesture, one file of two gestures a split; t, x, y, p by split."""
    written = {}
    for split, name in (("train", "user01_led"), ("test", "user24_lab")):
        written[split] = events = random_events(400, 128, 7)
        (folder / f"{name}.aedat").write_bytes(aedat3_bytes(events, packet=50))
        (folder / f"{name}_labels.csv").write_text("class,startTime_usec,endTime_usec\n11,1000,90000\n2,100000,200000\n")
        (folder / f"trials_to_{split}.txt").write_text(f"{name}.aedat\n")
    return written


SHD = {"times": [[0.5, 0.25], [0.125]], "units": [[3, 699], [5]]}


def write_shd(path, **changes):
    """An HDF5 file in the layout of SHD, of two recordings. changes: times, units, labels (None: none), and the type of both."""
    with h5py.File(path, "w") as file:
        for name, kind in (("times", np.float16), ("units", np.uint16)):
            values = changes.get(name, SHD[name])
            found = file.create_dataset(f"spikes/{name}", (len(values),), h5py.vlen_dtype(changes.get("kind", kind)))
            for index, one in enumerate(values):
                found[index] = one
        if changes.get("labels", True) is not None:
            file["labels"] = changes.get("labels", [4, 9])


def counted(events, timestep, shape):
    """Counts [T, C, H, W] of events, one by one; timestep: of each, or None for an event of none."""
    counts = np.zeros(shape, np.int64)
    for (_, x, y, p), step in zip(events.T.tolist(), timestep, strict=True):
        if step is not None and step < shape[0]:
            counts[step, p, y, x] += 1
    return counts
