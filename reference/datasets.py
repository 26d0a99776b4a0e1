"""Images and labels: published data sets, seeded random images, and `.npy` files of a user's own."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import cifar, svhn
from .errors import InputError
from .network import Network

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
FASHION_MNIST_SHAPE = (1, 28, 28)
FASHION_MNIST_CLASSES = 10
_PREFIXES = {"train": "train", "test": "t10k"}
_IDX_BYTES = 8
RANDOM_IMAGES = 100
# 2 GiB as int64.
MOST_PIXELS = 2**28


@dataclass(frozen=True, eq=False)
class Dataset:
    """images: integers [count, channels, height, width]; labels: int64 [count], or None where there are none."""

    images: np.ndarray
    labels: np.ndarray | None


@dataclass(frozen=True)
class Published:
    """A published data set. shape: of an image. classes: how many.

    shift: by how many pixels training moves images at most. mirrored: whether it mirrors them, too. marks: files of the test
    images, by one of which a folder is known.
    """

    name: str
    shape: tuple[int, int, int]
    classes: int
    shift: int
    mirrored: bool
    marks: tuple[str, ...]

    def read(self, split: str, folder: Path | None) -> Dataset:
        """Its images and labels; split: train or test. folder: None for where Debian installs Fashion-MNIST.

        InputError: a file is missing or damaged, or there is no folder for a data set that Debian has not.
        """
        if self.name == "fashion-mnist":
            return fashion_mnist(split, folder)
        if folder is None:
            raise InputError(f"{self.name}: the folder of its files is not named")
        return Dataset(*(svhn.read_svhn(split, folder) if self.name == "svhn" else cifar.read_cifar(self.name, split, folder)))


PUBLISHED = {
    one.name: one
    for one in (
        Published("fashion-mnist", FASHION_MNIST_SHAPE, FASHION_MNIST_CLASSES, 1, True, ("t10k-images-idx3-ubyte.gz",)),
        Published("cifar-10", cifar.SHAPE, cifar.CLASSES["cifar-10"], 4, True, ("test_batch", "test_batch.bin")),
        Published("cifar-100", cifar.SHAPE, cifar.CLASSES["cifar-100"], 4, True, ("test", "test.bin")),
        Published("svhn", svhn.SHAPE, svhn.CLASSES, 4, False, (svhn.FILES["test"],)),
    )
}


def published_in(folder: Path) -> Published:
    """The data set whose files a folder holds; InputError if it holds none's, or those of several."""
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
    _require_images(folder, images)
    if labels.max() >= FASHION_MNIST_CLASSES:
        raise InputError(f"{folder}: label {labels.max()} is outside 0..{FASHION_MNIST_CLASSES - 1}")
    return Dataset(images[:, None], labels.astype(np.int64))


def read_idx(path: Path) -> np.ndarray:
    """Array of unsigned bytes in a gzip-compressed IDX file (the format of MNIST)."""
    try:
        data = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: not found; install the Debian package dataset-fashion-mnist or name its folder") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _IDX_BYTES:
        raise InputError(f"{path}: not an IDX file of unsigned bytes")
    return _idx_array(path, data)


def _idx_array(path: Path, data: bytes) -> np.ndarray:
    dimensions = data[3]
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise InputError(f"{path}: truncated header")
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    values = np.frombuffer(data, np.uint8, offset=start)
    if values.size != math.prod(shape):
        raise InputError(f"{path}: {values.size} bytes, its header announces {'x'.join(map(str, shape))}")
    return values.reshape(shape)


def _require_images(source: Path | str, images: np.ndarray) -> None:
    if not len(images):
        raise InputError(f"{source}: holds no images; needs 1 or more")


def random_images(count: int, shape: tuple[int, ...], pixel_range: tuple[int, int], seed: int) -> np.ndarray:
    """Uniform random images, int64 [count, *shape], each pixel within `pixel_range` (both ends included).

    InputError: a negative seed, or more than MOST_PIXELS pixels.
    """
    pixels = count * math.prod(shape)
    if pixels > MOST_PIXELS:
        raise InputError(f"{count} random images of {'x'.join(map(str, shape))}: {pixels} pixels; allowed: up to {MOST_PIXELS}")
    low, high = pixel_range
    return seeded(seed).integers(low, high, size=(count, *shape), endpoint=True)


def seeded(seed: int) -> np.random.Generator:
    """The generator of all random numbers of a seed, 0 or more. InputError: a negative seed."""
    if seed < 0:
        raise InputError(f"seed {seed}; allowed: 0 or more")
    return np.random.default_rng(seed)


def read_npy(path: Path | str) -> np.ndarray:
    """Images of an `.npy` file, [count, channels, height, width], or events [count, timesteps, channels, height, width].

    Of any integer type and byte order, 1 or more.

    InputError: not such a file, cut, or of pickled objects.
    """
    try:
        # The file is mapped, not read: a header may announce more than the file holds, and than the memory does.
        with np.errstate(over="raise"):
            images = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise InputError(f"{path}: not found") from None
    except Exception as error:  # numpy has no common exception for the many ways in which a file can be damaged
        raise InputError(f"{path}: not an .npy file of plain numbers ({' '.join(str(error).split())})") from None
    if images.dtype.kind not in "iu" or images.ndim not in (4, 5):
        raise InputError(
            f"{path}: holds {images.dtype} {images.shape}; needs integers [count, channels, height, width], "
            "or events [count, timesteps, channels, height, width]"
        )
    _require_images(path, images)
    return np.array(images, dtype=images.dtype.newbyteorder("="))


def load(source: str, network: Network, limit: int | None = None, seed: int = 0) -> Dataset:
    """Images for `network`: the first `limit` of a source, or all of it.

    source: "fashion-mnist" (the test images), a folder with the files of a published data set (its test images), "random"
    (`limit` images, by default 100, from `seed`), or the path of an `.npy` file.
    InputError: not there, not fit for the network, fewer than `limit`.
    """
    if limit is not None and limit < 1:
        raise InputError(f"limit {limit}; allowed: 1 or more")
    if source == "random":
        return Dataset(random_images(limit or RANDOM_IMAGES, network.image_shape, network.pixel_range, seed), None)
    data = Dataset(read_npy(source), None) if source.endswith(".npy") else _published_test(source)
    count = len(data.images) if limit is None else limit
    if count > len(data.images):
        raise InputError(f"{source}: holds {len(data.images)} images, {count} were asked for")
    network.check_images(data.images[:1])
    return Dataset(data.images[:count], None if data.labels is None else data.labels[:count])


def _published_test(source: str) -> Dataset:
    if source == "fashion-mnist":
        return fashion_mnist("test")
    folder = Path(source)
    if not folder.is_dir():
        raise InputError(
            f"data {source!r}; allowed: fashion-mnist, random, an .npy file, or a folder with the files of one of "
            f"{', '.join(PUBLISHED)}"
        )
    return published_in(folder).read("test", folder)
