"""Small files in the formats of CIFAR-10, CIFAR-100 and SVHN."""

import pickle

import numpy as np
from scipy.io import savemat

CIFAR_FILES = {
    "cifar-10": ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"],
    "cifar-100": ["train", "test"],
}


def write_cifar(folder, name, version, count=3):
    """Write all files; returns images [count, 3, 32, 32] and labels by the name of the file."""
    draw, written = np.random.default_rng(5), {}
    for file in CIFAR_FILES[name]:
        images = draw.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
        labels = draw.integers(0, 10 if name == "cifar-10" else 100, count)
        coarse = draw.integers(0, 20, count)
        written[file] = images, labels
        if version == "python":
            keys = (
                {b"labels": labels.tolist()}
                if name == "cifar-10"
                else {b"fine_labels": labels.tolist(), b"coarse_labels": coarse}
            )
            batch = {b"data": images.reshape(count, -1), b"filenames": [b"a.png"] * count, **keys}
            (folder / file).write_bytes(pickle.dumps(batch, protocol=2))
        else:
            before = [labels] if name == "cifar-10" else [coarse, labels]
            records = np.concatenate([*(part[:, None].astype(np.uint8) for part in before), images.reshape(count, -1)], axis=1)
            (folder / f"{file}.bin").write_bytes(records.tobytes())
    return written


def write_svhn(folder, count=4):
    """Write both files; returns images [count, 3, 32, 32] and labels by split."""
    draw, written = np.random.default_rng(6), {}
    for split in ("train", "test"):
        images, labels = draw.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8), np.array([0, 9, 1, 0])[:count]
        by_row = images.transpose(2, 3, 1, 0)
        savemat(folder / f"{split}_32x32.mat", {"X": by_row, "y": np.where(labels == 0, 10, labels)[:, None].astype(np.uint8)})
        written[split] = images, labels
    return written
