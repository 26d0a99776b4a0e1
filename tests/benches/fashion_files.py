"""Small files in the format of Fashion-MNIST."""

import gzip
import struct

import numpy as np


def write_idx(path, array, magic=b"\0\0\x08"):
    header = magic + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


def write_fashion(folder, prefix="t10k", count=3, labels=None, size=28):
    images = np.random.default_rng(0).integers(0, 256, (count, size, size), dtype=np.uint8)
    labels = np.arange(count, dtype=np.uint8) if labels is None else np.array(labels, dtype=np.uint8)
    write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", images)
    write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", labels)
    return images
