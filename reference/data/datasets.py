"""Images and labels: published data sets, seeded random images, and `.npy` files of a user's own."""

from __future__ import annotations

import io
import math
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from duospike.reference.errors import InputError, brief
from duospike.reference.files import GZIP, MAX_BYTES, check_plain, inflate, inflate_start, read_bytes
from duospike.reference.network import Network

from . import cifar, svhn

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
FASHION_MNIST_SHAPE = (1, 28, 28)
FASHION_MNIST_CLASSES = 10
_PREFIXES = {"train": "train", "test": "t10k"}
_IDX_BYTES = 8
_IDX_DIMENSIONS = 4
_MAX_IDX_HEADER = 4 + 4 * _IDX_DIMENSIONS
"""Type of unsigned bytes in an IDX file; dimensions at most, and bytes of the header then."""
_MAX_NPY_HEADER = 12 + 10_000
"""Bytes of the longest header of an .npy file that numpy reads."""
RANDOM_IMAGES = 100
# 2 GiB as int64.
MAX_PIXELS = 2**28


@dataclass(frozen=True, eq=False)
class Dataset:
    """images: integers [count, channels, height, width]; labels: int64 [count], or None where there are none."""

    images: np.ndarray
    labels: np.ndarray | None


@dataclass(frozen=True)
class Published:
    """A published data set. shape: of an image. classes: how many.

    shift: by how many pixels training moves images at most. mirrored: whether it mirrors them, too. marks: files of the test
    images, by one of which a folder is known; none where another set's files have the same names and format.
    """

    name: str
    shape: tuple[int, int, int]
    classes: int
    shift: int
    mirrored: bool
    marks: tuple[str, ...]

    def read(self, split: str, folder: Path | None) -> Dataset:
        """Its images and labels; split: train or test. folder: None for where Debian installs Fashion-MNIST.

        InputError: a file is missing or damaged, or no folder is given for a data set that is no Debian package.
        """
        if self.name == "fashion-mnist":
            return fashion_mnist(split, folder)
        if folder is None:
            raise InputError(f"{self.name}: the folder of its files is not named; name it with --data")
        if self.name == "mnist":
            return mnist(split, folder)
        return Dataset(*(svhn.read_svhn(split, folder) if self.name == "svhn" else cifar.read_cifar(self.name, split, folder)))


PUBLISHED = {
    one.name: one
    for one in (
        Published("fashion-mnist", FASHION_MNIST_SHAPE, FASHION_MNIST_CLASSES, 1, True, ("t10k-images-idx3-ubyte.gz",)),
        Published("mnist", FASHION_MNIST_SHAPE, FASHION_MNIST_CLASSES, 1, False, ()),
        Published("cifar-10", cifar.SHAPE, cifar.CLASSES["cifar-10"], 4, True, ("test_batch", "test_batch.bin")),
        Published("cifar-100", cifar.SHAPE, cifar.CLASSES["cifar-100"], 4, True, ("test", "test.bin")),
        Published("svhn", svhn.SHAPE, svhn.CLASSES, 4, False, (svhn.FILES["test"],)),
    )
}


def published_in(folder: Path) -> Published:
    """The data set whose files a folder holds; InputError if it holds none's, or those of several.

    MNIST's files have the names and the format of Fashion-MNIST's, and nothing in them tells which they are. Both are read alike,
    so that such a folder counts as fashion-mnist here.
    """
    found = [one for one in PUBLISHED.values() if any((folder / mark).is_file() for mark in one.marks)]
    if len(found) != 1:
        held = f"of {' and '.join(one.name for one in found)}" if found else f"of none of {', '.join(PUBLISHED)}"
        raise InputError(f"{folder}: holds the files {held}; needs those of one")
    return found[0]


def fashion_mnist(split: str, folder: Path | str | None = None) -> Dataset:
    """Fashion-MNIST (Xiao et al. 2017), `split` "train" (60,000) or "test" (10,000).

    folder: where the four IDX files are, by default where Debian's package dataset-fashion-mnist puts them.
    Images are uint8 [count, 1, 28, 28], background 0. InputError: a file is missing, damaged, empty or of another shape.
    """
    folder = Path(FASHION_MNIST if folder is None else folder)
    prefix = _PREFIXES[split]
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
    if images.ndim != 3 or images.shape[1:] != FASHION_MNIST_SHAPE[1:] or labels.shape != images.shape[:1]:
        raise InputError(f"{folder}: images {images.shape} and labels {labels.shape}; needs [count, 28, 28] and [count]")
    if labels.max() >= FASHION_MNIST_CLASSES:
        raise InputError(f"{folder}: label {labels.max()} is outside 0..{FASHION_MNIST_CLASSES - 1}")
    return Dataset(images[:, None], labels.astype(np.int64))


def mnist(split: str, folder: Path) -> Dataset:
    """MNIST (LeCun et al. 1998), read as fashion_mnist() does. InputError also for the folder where Debian has Fashion-MNIST."""
    if folder.resolve() == FASHION_MNIST.resolve():
        raise InputError(f"mnist: {folder} holds Fashion-MNIST; name the folder of MNIST's files")
    return fashion_mnist(split, folder)


def read_idx(path: Path) -> np.ndarray:
    """Array of unsigned bytes in a gzip-compressed IDX file (the format of MNIST), of up to MAX_BYTES.

    InputError: not there, damaged, of another format, or not of as many bytes as its header announces.
    """
    if not path.exists():
        raise InputError(f"{path}: not found; install the Debian package dataset-fashion-mnist or name its folder")
    data = read_bytes(path)
    try:
        shape = _idx_shape(inflate_start(data, GZIP, _MAX_IDX_HEADER))
        start = 4 + 4 * len(shape)
        # One byte more shows that the header announces too few.
        values = np.frombuffer(inflate(data, GZIP, start + math.prod(shape) + 1), np.uint8, offset=start)
    except ValueError as error:
        raise InputError(f"{path}: cannot be read ({brief(error)})") from None
    if values.size != math.prod(shape):
        raise InputError(f"{path}: {values.size} bytes, its header announces {'x'.join(map(str, shape))}")
    return values.reshape(shape)


def _idx_shape(start: bytes) -> tuple[int, ...]:
    """The shape that an IDX file's first bytes announce. ValueError: another format, or more than MAX_BYTES."""
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] != _IDX_BYTES:
        raise ValueError("not an IDX file of unsigned bytes")
    dimensions = start[3]
    if len(start) < 4 + 4 * dimensions or dimensions > _IDX_DIMENSIONS:
        raise ValueError(f"truncated header, or more than {_IDX_DIMENSIONS} dimensions")
    shape = struct.unpack(f">{dimensions}I", start[4 : 4 + 4 * dimensions])
    # Without values the other sizes may have any size.
    if not 1 <= math.prod(shape) <= MAX_BYTES:
        raise ValueError(f"its header announces {'x'.join(map(str, shape))}; allowed: 1 to {MAX_BYTES} bytes")
    return shape


def random_images(count: int, shape: tuple[int, ...], pixel_range: tuple[int, int], seed: int) -> np.ndarray:
    """Uniform random images, int64 [count, *shape], each pixel within `pixel_range` (both ends included).

    InputError: a negative seed, or more than MAX_PIXELS pixels.
    """
    pixels = count * math.prod(shape)
    if pixels > MAX_PIXELS:
        raise InputError(f"{count} random images of {'x'.join(map(str, shape))}: {pixels} pixels; allowed: up to {MAX_PIXELS}")
    low, high = pixel_range
    return seeded(seed).integers(low, high, size=(count, *shape), endpoint=True)


def seeded(seed: int) -> np.random.Generator:
    """The generator of all random numbers of a seed, 0 or more. InputError: a negative seed."""
    if seed < 0:
        raise InputError(f"seed {seed}; allowed: 0 or more")
    return np.random.default_rng(seed)


def read_npy(path: Path | str) -> np.ndarray:
    """Images of an `.npy` file, [count, channels, height, width]; events or frames [count, timesteps, channels, height, width].

    Of any integer type and byte order, 1 or more, up to MAX_BYTES.

    InputError: not such a file, cut, of pickled objects, or not of as many bytes as its header announces.
    """
    size = check_plain(path)
    with open(path, "rb") as file:
        start = io.BytesIO(file.read(_MAX_NPY_HEADER))
    try:
        shape, by_column, dtype = _npy_header(start)
    except Exception as error:  # numpy has no common exception for the many ways in which a file can be damaged
        raise InputError(f"{path}: not an .npy file of plain numbers ({brief(error)})") from None
    if dtype.kind not in "iu" or len(shape) not in (4, 5):
        raise InputError(
            f"{path}: holds {dtype} {shape}; needs integers [count, channels, height, width], "
            "or events or frames [count, timesteps, channels, height, width]"
        )
    if 0 in shape:
        raise InputError(f"{path}: holds no images; needs 1 or more")
    count, rest = math.prod(shape) * dtype.itemsize, size - start.tell()
    if count != rest:
        raise InputError(f"{path}: not an .npy file of plain numbers ({rest} bytes; its header announces {dtype} {shape})")
    if count > MAX_BYTES:
        raise InputError(f"{path}: {count} bytes of images; allowed: up to {MAX_BYTES}")
    values = np.fromfile(path, dtype, offset=start.tell()).reshape(shape, order="F" if by_column else "C")
    return values.astype(dtype.newbyteorder("="), order="C", copy=False)


def _npy_header(file: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether the first index runs fastest, and type."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version[0]}.{version[1]}; allowed: 1.0 and 2.0")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings(action="ignore"):  # of headers that Python 2 wrote
        shape, by_column, dtype = read(file)
    if not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"shape {brief(shape)}")
    return shape, by_column, dtype


def load(
    source: str, network: Network | None, limit: int | None = None, seed: int = 0, *, split: Literal["train", "test"] = "test"
) -> Dataset:
    """Images for `network`: the first `limit` of a source, or all of it.

    source: "fashion-mnist", a folder with the files of a published data set, "random" (`limit` images, by default 100, from
    `seed`), or the path of an `.npy` file. split: which images of a published data set. network: None where there is none yet;
    the images are then not compared with what it takes.
    InputError: not there, fewer than `limit`, without such a split, or one of these images is not fit for the network.
    """
    if limit is not None and limit < 1:
        raise InputError(f"limit {limit}; allowed: 1 or more")
    if split not in _PREFIXES:
        raise InputError(f"split {split!r}; allowed: {', '.join(_PREFIXES)}")
    if split != "test" and (source == "random" or source.endswith(".npy")):
        raise InputError(f"data {source!r} has no split {split!r}; only a published data set has")
    if source == "random":
        if network is None:
            raise InputError("random images need the network that they are for")
        return Dataset(random_images(limit or RANDOM_IMAGES, network.image_shape, network.pixel_range, seed), None)
    trained_on = source if network is None else network.metadata.get("dataset", source)
    if source == "fashion-mnist" and trained_on != source:
        raise InputError(f"{source}: the network was trained on {trained_on}, as its file says; name images of it with --data")
    data = Dataset(read_npy(source), None) if source.endswith(".npy") else _published(source, split)
    count = len(data.images) if limit is None else limit
    if count > len(data.images):
        raise InputError(f"{source}: holds {len(data.images)} images, {count} were asked for")
    if network is not None:
        network.require_fit(data.images[:count])
    return Dataset(data.images[:count], None if data.labels is None else data.labels[:count])


def _published(source: str, split: str) -> Dataset:
    if source == "fashion-mnist":
        return fashion_mnist(split)
    folder = Path(source)
    if source in PUBLISHED and not folder.is_dir():
        raise InputError(f"data {source!r}: Debian has no files of it; name the folder that holds them")
    if not folder.is_dir():
        raise InputError(
            f"data {source!r}; allowed: fashion-mnist, random, an .npy file, or a folder with the files of one of "
            f"{', '.join(PUBLISHED)}"
        )
    return published_in(folder).read(split, folder)
