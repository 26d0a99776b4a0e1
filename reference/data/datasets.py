"""Images and labels: published data sets, seeded random images, and images and recorded events of a user's own."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from duospike.reference.errors import InputError, brief
from duospike.reference.files import GZIP, MAX_BYTES, inflate, inflate_start, read_bytes
from duospike.reference.network import Network

from . import cifar, npy, svhn
from .event_frames import FrameFormat, check_sensor, frame_format, to_frames
from .event_sets import (
    GESTURE_CLASSES,
    GESTURE_SENSOR,
    GESTURE_TRIALS,
    NMNIST_CLASSES,
    NMNIST_FOLDERS,
    NMNIST_SENSOR,
    Recordings,
    dvs128_gesture,
    is_recording,
    nmnist,
    recordings,
)
from .pixels import UNSIGNED, converted

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
FASHION_MNIST_SHAPE = (1, 28, 28)
FASHION_MNIST_CLASSES = 10
_PREFIXES = {"train": "train", "test": "t10k"}
_IDX_BYTES = 8
_IDX_DIMENSIONS = 4
_MAX_IDX_HEADER = 4 + 4 * _IDX_DIMENSIONS
"""Type of unsigned bytes in an IDX file; dimensions at most, and bytes of the header then."""
RANDOM, OWN = "random", "own"
RANDOM_IMAGES = 100
# 2 GiB as int64.
MAX_PIXELS = 2**28


@dataclass(frozen=True, eq=False)
class Dataset:
    """images: integers [count, channels, height, width], or frames [count, timesteps, channels, height, width].

    labels: int64 [count], or None where there are none. total: how many images the source holds, 0 where nobody counted. about:
    how recorded events became frames, empty for images.
    """

    images: np.ndarray
    labels: np.ndarray | None
    total: int = 0
    about: str = ""


@dataclass(frozen=True)
class Published:
    """A data set in files of known names. shape: of an image, or of the sensor of its recordings. classes: how many.

    Both are None where only the files say so: for OWN, the images of a user.

    shift: by how many pixels training moves images at most. mirrored: whether it mirrors them, too. marks: files or folders of
    the test images, by one of which a folder is known; none where another set's files have the same names and format. events:
    whether it holds recordings of events.
    """

    name: str
    shape: tuple[int, int, int] | None
    classes: int | None
    shift: int
    mirrored: bool
    marks: tuple[str, ...]
    events: bool = False

    def is_in(self, folder: Path) -> bool:
        """Whether a folder holds one of its marks; that of a folder ends in a slash."""
        return any((folder / mark).is_dir() if mark.endswith("/") else (folder / mark).is_file() for mark in self.marks)

    def read(self, split: str, folder: Path | None, frames: FrameFormat | None = None, limit: int | None = None) -> Dataset:
        """Its images and labels; split: train or test. folder: None for where Debian installs Fashion-MNIST.

        frames: what recorded events become. limit: of recordings, read only the first ones.
        InputError: a file is missing or damaged, no folder is given for a data set that is no Debian package, or the frames are
        of another shape than the sensor's.
        """
        if self.name == "fashion-mnist":
            return fashion_mnist(split, folder)
        if folder is None:
            raise InputError(f"{self.name}: the folder of its files is not named; name it with --data")
        if self.name == OWN:
            return own_arrays(split, folder)
        if self.events:
            if frames is not None and self.shape:
                check_sensor(self.name, self.shape, frames)
            return binned(self.name, _EVENT_SETS[self.name](split, folder, limit), frames)
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
        Published("n-mnist", NMNIST_SENSOR, NMNIST_CLASSES, 1, False, (f"{NMNIST_FOLDERS['test']}/",), events=True),
        Published("dvs128-gesture", GESTURE_SENSOR, GESTURE_CLASSES, 1, False, (GESTURE_TRIALS["test"],), events=True),
        Published(OWN, None, None, 0, False, ("test-images.npy",)),
    )
}
_EVENT_SETS = {"n-mnist": nmnist, "dvs128-gesture": dvs128_gesture}


def published_in(folder: Path) -> Published:
    """The data set whose files a folder holds; InputError if it holds none's, or those of several.

    MNIST's files have the names and the format of Fashion-MNIST's, and nothing in them tells which they are. Both are read alike,
    so that such a folder counts as fashion-mnist here.
    """
    found = [one for one in PUBLISHED.values() if one.is_in(folder)]
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
    header = npy.read_header(path)
    if header.dtype.kind not in "iu" or len(header.shape) not in (4, 5):
        raise InputError(
            f"{path}: holds {header.dtype} {header.shape}; needs integers [count, channels, height, width], "
            "or events or frames [count, timesteps, channels, height, width]"
        )
    if 0 in header.shape:
        raise InputError(f"{path}: holds no images; needs 1 or more")
    return npy.read_values(path, header, "images")


def load(
    source: str,
    network: Network | None,
    limit: int | None = None,
    seed: int = 0,
    *,
    split: Literal["train", "test"] = "test",
    labels: Path | str | None = None,
    binning: Mapping[str, int | str] | None = None,
    frames: FrameFormat | None = None,
) -> Dataset:
    """Images for `network`: the first `limit` of a source, or all of it.

    source: "fashion-mnist", a folder with the files of a published data set, "random" (`limit` images, by default 100, from
    `seed`), the path of an `.npy` file, or that of a file or a folder of recorded events. split: which images of a published data
    set. network: None where there is none yet; the images are then not compared with what it takes. labels: an `.npy` file of
    labels for images or events of one's own. binning: how events become frames where that differs from what the network's
    metadata says, by the names of Binning. frames: what events become where there is no network yet.
    InputError: not there, fewer than `limit`, without such a split, or one of these images is not fit for the network.
    """
    _check_request(source, limit, split, labels)
    if source == RANDOM:
        _check_binning(source, binning)
        return _random(network, limit, seed)
    _check_trained_on(source, network)
    published = None if is_recording(Path(source)) else _published(source)
    if published is None and split != "test":
        raise InputError(f"data {source!r} has no split {split!r}; only a published data set has")
    if published and labels is not None:
        raise InputError(f"labels {labels} for {published.name}, which has its own; allowed: for images and events of your own")
    of_events = published.events if published else not _is_images(source)
    if of_events and network is not None:
        frames = frame_format(network, binning or {})
    elif not of_events:
        _check_binning(source, binning)
    if published:
        data = published.read(split, None if source == "fashion-mnist" else Path(source), frames, limit)
    else:
        data = _own(source, of_events, frames, limit)
    data = _first(data, source, limit)
    if network is not None and published:
        data = replace(data, images=converted(data.images, network.metadata.get("pixels", UNSIGNED)))
    if labels is not None:
        data = replace(data, labels=npy.read_labels(labels, data.total, len(data.images)))
    if network is not None:
        network.require_fit(data.images)
        if not published or published.name == OWN:
            check_labels(labels or source, data.labels, network.classes)
    return data


def _check_request(source: str, limit: int | None, split: str, labels: Path | str | None) -> None:
    """InputError: what no data can give."""
    if limit is not None and limit < 1:
        raise InputError(f"limit {limit}; allowed: 1 or more")
    if split not in _PREFIXES:
        raise InputError(f"split {split!r}; allowed: {', '.join(_PREFIXES)}")
    if split != "test" and source == RANDOM:
        raise InputError(f"random images have no split {split!r}; only a published data set has")
    if labels is not None and source == RANDOM:
        raise InputError(f"labels {labels} for random images; allowed: for images and events of your own")


def _random(network: Network | None, limit: int | None, seed: int) -> Dataset:
    if network is None:
        raise InputError("random images need the network that they are for")
    return Dataset(random_images(limit or RANDOM_IMAGES, network.image_shape, network.pixel_range, seed), None)


def _check_trained_on(source: str, network: Network | None) -> None:
    """InputError: the default images for a network of another data set."""
    trained_on = source if network is None else network.metadata.get("dataset", source)
    if source == "fashion-mnist" and trained_on != source:
        raise InputError(f"{source}: the network was trained on {trained_on}, as its file says; name images of it with --data")


def _check_binning(source: str, binning: Mapping[str, int | str] | None) -> None:
    """InputError: a binning for images."""
    if binning:
        raise InputError(f"{', '.join(sorted(binning))} for data {source!r}; allowed: for recorded events")


def has_splits(source: str) -> bool:
    """Whether a source is a data set with training and test images."""
    return source != RANDOM and not is_recording(Path(source)) and _published(source) is not None


def _is_images(source: str) -> bool:
    """Whether a file is an .npy file of images, and not one of a recording: records, or [events, 4]."""
    if not source.endswith(".npy"):
        return False
    header = npy.read_header(source)
    return header.dtype.names is None and len(header.shape) != 2


def _own(source: str, of_events: bool, frames: FrameFormat | None, limit: int | None) -> Dataset:
    """A user's own images, or recordings in a file or a folder."""
    return binned(source, recordings(Path(source), limit), frames) if of_events else Dataset(read_npy(source), None)


def binned(name: str, found: Recordings, frames: FrameFormat | None) -> Dataset:
    """Recordings as frames. InputError: what `frames` are is not known."""
    if frames is None:
        raise InputError(f"{name}: recorded events need the network that they are for")
    images, about = to_frames(found.events, found.count, frames)
    return Dataset(images, found.labels, found.total, about)


def _first(data: Dataset, source: str, limit: int | None) -> Dataset:
    """The first `limit` images. InputError: there are fewer."""
    count = len(data.images) if limit is None else limit
    if count > len(data.images):
        raise InputError(f"{source}: holds {len(data.images)} images, {count} were asked for; allowed: up to {len(data.images)}")
    labels = None if data.labels is None else data.labels[:count]
    return replace(data, images=data.images[:count], labels=labels, total=data.total or len(data.images))


def own_arrays(split: str, folder: Path) -> Dataset:
    """A user's images and labels: train-images.npy, train-labels.npy, test-images.npy and test-labels.npy.

    InputError: a file is missing or damaged, as read_npy, or there is not one label for each image.
    """
    images = read_npy(folder / f"{split}-images.npy")
    return Dataset(images, npy.read_labels(folder / f"{split}-labels.npy", len(images), len(images)))


def check_labels(where: Path | str, labels: np.ndarray | None, classes: int) -> None:
    """InputError: a label is none of the network's classes."""
    if labels is not None and (labels.min() < 0 or labels.max() >= classes):
        raise InputError(f"{where}: labels from {labels.min()} to {labels.max()}; the network's classes are 0..{classes - 1}")


def _published(source: str) -> Published | None:
    """The published data set of a name or a folder; None for a folder of recordings."""
    folder = Path(source)
    if source == "fashion-mnist":
        return PUBLISHED[source]
    if source in PUBLISHED and not folder.is_dir():
        raise InputError(f"data {source!r}: Debian has no files of it; name the folder that holds them")
    if not folder.is_dir():
        raise InputError(
            f"data {source!r}; allowed: fashion-mnist, random, an .npy file, a file of recorded events, a folder of such files, "
            f"or a folder with the files of one of {', '.join(PUBLISHED)}"
        )
    is_own = not any(one.is_in(folder) for one in PUBLISHED.values()) and any(map(is_recording, folder.iterdir()))
    return None if is_own else published_in(folder)
