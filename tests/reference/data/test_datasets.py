import dataclasses
import gzip
import io
import os
import struct

import numpy as np
import pytest

from duospike.reference.data import datasets
from duospike.reference.errors import InputError
from duospike.reference.network import Neuron
from duospike.reference.training.random_network import random_network
from tests.benches.fashion_files import write_fashion, write_idx
from tests.benches.published_files import write_cifar, write_svhn


@pytest.fixture
def network():
    return random_network("2C3-FC10", input_shape=(1, 28, 28), rate=0.1, seed=1, neuron=Neuron("zero", 1, 1))


@pytest.mark.parametrize("split, count", [("train", 60000), ("test", 10000)])
def test_debians_package(split, count):
    data = datasets.fashion_mnist(split)
    assert data.images.shape == (count, 1, 28, 28) and data.images.dtype == np.uint8
    assert np.bincount(data.labels).tolist() == [count // 10] * 10
    assert data.images.min() == 0 and data.images.max() == 255


def test_debians_package_in_its_order():
    assert datasets.fashion_mnist("test").labels[:10].tolist() == [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]


def test_a_folder_of_ones_own(tmp_path):
    images = write_fashion(tmp_path)
    data = datasets.fashion_mnist("test", tmp_path)
    assert np.array_equal(data.images[:, 0], images) and data.labels.tolist() == [0, 1, 2]


def test_a_missing_file_names_the_package(tmp_path):
    with pytest.raises(InputError, match="t10k-images.*not found; install the Debian package dataset-fashion-mnist"):
        datasets.fashion_mnist("test", tmp_path)


def damage_gzip(path):
    path.write_bytes(path.read_bytes()[:-20])


def not_gzip(path):
    path.write_bytes(b"no gzip here")


def foreign(path):
    write_idx(path, np.zeros((3, 28, 28), dtype=np.uint8), magic=b"\0\0\x0d")


def short(path):
    data = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(data[:-1]))


def beyond_all(path):
    path.write_bytes(gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1)))


def short_header(path):
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:9]))


@pytest.mark.parametrize(
    "damage, message",
    [
        (damage_gzip, "cannot be read"),
        (not_gzip, "cannot be read"),
        (foreign, "not an IDX file"),
        (short, "2351 bytes, its header announces 3x28x28"),
        (short_header, "truncated header"),
        (beyond_all, "header announces 0x4294967295x4294967295; allowed: 1 to"),
    ],
)
def test_damaged_files(tmp_path, damage, message):
    write_fashion(tmp_path)
    damage(tmp_path / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(InputError, match=message):
        datasets.fashion_mnist("test", tmp_path)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"size": 27}, "needs .count, 28, 28."),
        ({"labels": [0, 1]}, r"labels \(2,\)"),
        ({"labels": [0, 1, 10]}, "label 10"),
        ({"count": 0}, "its header announces 0x28x28; allowed: 1 to"),
    ],
)
def test_unfit_contents(tmp_path, change, message):
    write_fashion(tmp_path, **change)
    with pytest.raises(InputError, match=message):
        datasets.fashion_mnist("test", tmp_path)


def test_random_images_fill_their_range():
    images = datasets.random_images(50, (2, 5, 6), (-8, 7), seed=3)
    assert images.shape == (50, 2, 5, 6) and (images.min(), images.max()) == (-8, 7)
    assert np.array_equal(images, datasets.random_images(50, (2, 5, 6), (-8, 7), seed=3))
    assert not np.array_equal(images, datasets.random_images(50, (2, 5, 6), (-8, 7), seed=4))


@pytest.mark.parametrize(
    "count, seed, message",
    [
        (1, -1, "seed -1; allowed: 0 or more"),
        (10**12, 0, "1000000000000 random images of 1x2x2: 4000000000000 pixels; allowed: up to 268435456"),
    ],
)
def test_refused_random_images(count, seed, message):
    with pytest.raises(InputError, match=message):
        datasets.random_images(count, (1, 2, 2), (0, 1), seed)


def test_npy_file(tmp_path):
    images = np.arange(24, dtype=np.int16).reshape(2, 1, 3, 4)
    np.save(tmp_path / "a.npy", images)
    assert np.array_equal(datasets.read_npy(tmp_path / "a.npy"), images)


@pytest.mark.parametrize(
    "contents, message",
    [
        (np.zeros((1, 1, 3, 3)), r"holds float64 \(1, 1, 3, 3\)"),
        (np.zeros((3, 3), dtype=np.uint8), r"holds uint8 \(3, 3\)"),
        (np.array([{"a": 1}], dtype=object), r"holds object \(1,\)"),
    ],
)
def test_unfit_npy_files(tmp_path, contents, message):
    np.save(tmp_path / "a.npy", contents, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        datasets.read_npy(tmp_path / "a.npy")


@pytest.mark.parametrize("kind", [">u2", "<i8", ">i8", "|u1"])
def test_npy_files_of_either_byte_order(tmp_path, network, kind):
    images = np.arange(2 * 28 * 28).reshape(2, 1, 28, 28) % 256
    np.save(tmp_path / "a.npy", images.astype(kind))
    loaded = datasets.load(str(tmp_path / "a.npy"), network).images
    assert loaded.dtype.isnative and np.array_equal(loaded, images) and loaded.flags.writeable


def npy(shape, values=b"", keep=None):
    """A file of unsigned bytes whose header announces `shape`; `keep` cuts the header, and its length fits the cut."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()[:keep]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values


def npz():
    file = io.BytesIO()
    np.savez(file, np.zeros((1, 1, 3, 3), dtype=np.uint8))
    return file.getvalue()


DAMAGED_NPY = {
    "more than memory": (npy((10**12, 1, 28, 28), bytes(784)), "not an .npy file of plain numbers"),
    "more than 64 bits": (npy((2**32, 2**32, 1, 1), bytes(784)), "not an .npy file of plain numbers"),
    "one byte short": (npy((1, 1, 28, 28), bytes(783)), "not an .npy file of plain numbers"),
    "negative": (npy((-1, 1, 28, 28), bytes(784)), "not an .npy file of plain numbers"),
    "cut header": (npy((1, 1, 28, 28), keep=55), "not an .npy file of plain numbers"),
    "truth as a size": (npy("(True, 1, 28, 28)", bytes(784)), "not an .npy file of plain numbers"),
    "version 3": (b"\x93NUMPY\x03\x00" + npy((1, 1, 1, 1), b"a")[8:], "version 3.0; allowed: 1.0 and 2.0"),
    "archive": (npz(), "not an .npy file of plain numbers"),
    "start of an archive": (b"PK\x03\x04", "not an .npy file of plain numbers"),
    "no images": (npy((0, 1, 28, 28)), "holds no images; needs 1 or more"),
    "no images, but sizes beyond all": (npy((2**62, 0, 2**62, 3)), "holds no images; needs 1 or more"),
}


@pytest.mark.parametrize("data, message", DAMAGED_NPY.values(), ids=DAMAGED_NPY)
def test_damaged_npy_files(tmp_path, data, message):
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        datasets.read_npy(tmp_path / "a.npy")
    assert str(caught.value).startswith(f"{tmp_path}") and "\n" not in str(caught.value)


def test_missing_and_foreign_npy_files(tmp_path):
    with pytest.raises(InputError, match="not found"):
        datasets.read_npy(tmp_path / "a.npy")
    (tmp_path / "a.npy").write_bytes(b"")
    with pytest.raises(InputError, match="not an .npy file"):
        datasets.read_npy(tmp_path / "a.npy")


def test_an_empty_folder_name_is_the_current_folder(tmp_path, monkeypatch, network):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="holds the files of none of"):
        datasets.load("", network)


def test_sources(tmp_path, network):
    write_fashion(tmp_path)
    np.save(tmp_path / "a.npy", np.zeros((4, 1, 28, 28), dtype=np.uint8))
    assert len(datasets.load("fashion-mnist", network, 7).images) == 7
    assert datasets.load(str(tmp_path), network, 2).labels.tolist() == [0, 1]
    assert datasets.load(str(tmp_path / "a.npy"), network).images.shape == (4, 1, 28, 28)
    assert datasets.load("random", network, 5, seed=1).images.shape == (5, 1, 28, 28)
    assert len(datasets.load("random", network).images) == 100


@pytest.mark.parametrize(
    "source, limit, message",
    [
        ("fashion-mnist", 0, "limit 0; allowed: 1 or more"),
        ("fashion-mnist", 10001, "holds 10000 images, 10001 were asked for"),
        ("kmnist", None, "data 'kmnist'; allowed: fashion-mnist"),
    ],
)
def test_refused_sources(network, source, limit, message):
    with pytest.raises(InputError, match=message):
        datasets.load(source, network, limit)


def test_training_images_before_there_is_a_network(tmp_path):
    test, train = write_fashion(tmp_path), write_fashion(tmp_path, "train", 5)
    assert np.array_equal(datasets.load(str(tmp_path), None, split="train").images[:, 0], train)
    assert np.array_equal(datasets.load(str(tmp_path), None).images[:, 0], test)


@pytest.mark.parametrize(
    "source, split, message",
    [
        ("fashion-mnist", "training", "split 'training'; allowed: train, test"),
        ("a.npy", "train", "data 'a.npy' has no split 'train'; only a published data set has"),
        ("random", "test", "random images need the network that they are for"),
    ],
)
def test_refused_without_a_network(source, split, message):
    with pytest.raises(InputError, match=message):
        datasets.load(source, None, split=split)


def test_every_image_is_checked_that_is_used(tmp_path):
    network = random_network("2C3-FC10", input_shape=(1, 5, 5), rate=0.1, seed=1, neuron=Neuron("zero", 1, 1), image_bits=4)
    images = np.zeros((4, 1, 5, 5), dtype=np.uint8)
    images[2, 0, 4, 3] = 16
    np.save(tmp_path / "a.npy", images)
    assert len(datasets.load(str(tmp_path / "a.npy"), network, 2).images) == 2
    for limit in (None, 3):
        with pytest.raises(InputError, match=r"pixels from 0 to 16; the network needs 0\.\.15"):
            datasets.load(str(tmp_path / "a.npy"), network, limit)


def test_files_that_claim_or_expand_to_gigabytes_are_refused_by_their_header(tmp_path, monkeypatch):
    path = tmp_path / "a.npy"
    path.write_bytes(npy((2**33, 1, 1, 1)))
    os.truncate(path, path.stat().st_size + 2**33)
    with pytest.raises(InputError, match="8589934592 bytes of images; allowed: up to 268435456"):
        datasets.read_npy(path)
    write_fashion(tmp_path)
    images = tmp_path / "t10k-images-idx3-ubyte.gz"
    images.write_bytes(gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 2**20, 28, 28) + bytes(10**6)))
    monkeypatch.setattr(datasets, "inflate", None)
    with pytest.raises(InputError, match=r"its header announces 1048576x28x28; allowed: 1 to 268435456 bytes"):
        datasets.fashion_mnist("test", tmp_path)


def test_what_expands_to_more_than_its_header_announces_is_not_expanded(tmp_path):
    write_fashion(tmp_path)
    images = tmp_path / "t10k-images-idx3-ubyte.gz"
    images.write_bytes(gzip.compress(gzip.decompress(images.read_bytes()) + bytes(10**7)))
    with pytest.raises(InputError, match=f"expands to more than {16 + 3 * 28 * 28 + 1} bytes"):
        datasets.fashion_mnist("test", tmp_path)


def test_images_that_the_network_cannot_take(tmp_path, network):
    np.save(tmp_path / "a.npy", np.zeros((4, 1, 28, 27), dtype=np.uint8))
    with pytest.raises(InputError, match=r"shape \(4, 1, 28, 27\)"):
        datasets.load(str(tmp_path / "a.npy"), network)


@pytest.mark.parametrize("name, version", [("cifar-10", "binary"), ("cifar-100", "python"), ("svhn", None)])
def test_a_folder_is_known_by_its_files(name, version, tmp_path):
    images, labels = write_svhn(tmp_path)["test"] if name == "svhn" else [*write_cifar(tmp_path, name, version).values()][-1]
    assert datasets.published_in(tmp_path).name == name
    network = random_network("2C3-FC10", input_shape=(3, 32, 32), rate=0.1, seed=1, neuron=Neuron("zero", 1, 1))
    found = datasets.load(str(tmp_path), network, 2)
    assert np.array_equal(found.images, images[:2]) and found.labels.tolist() == labels[:2].tolist()
    assert np.array_equal(datasets.PUBLISHED[name].read("test", tmp_path).images, images)


def test_mnist_is_read_from_a_folder_that_says_nothing_of_it(tmp_path, network, monkeypatch):
    images = write_fashion(tmp_path, "t10k", 4)
    published = datasets.PUBLISHED["mnist"]
    assert np.array_equal(published.read("test", tmp_path).images[:, 0], images)
    # Digits are not mirrored by training, and the folder counts as what is read alike.
    assert not published.mirrored and datasets.published_in(tmp_path).name == "fashion-mnist"
    with pytest.raises(InputError, match="mnist: the folder of its files is not named; name it with --data"):
        published.read("train", None)
    monkeypatch.setattr(datasets, "FASHION_MNIST", tmp_path)
    with pytest.raises(InputError, match="mnist: .* holds Fashion-MNIST"):
        published.read("test", tmp_path)
    with pytest.raises(InputError, match="data 'mnist': Debian has no files of it; name the folder"):
        datasets.load("mnist", network)


def test_the_default_images_are_not_those_of_a_network_of_another_data_set(tmp_path, network):
    write_fashion(tmp_path, "t10k", 4)
    trained = dataclasses.replace(network, metadata={"dataset": "mnist"})
    assert len(datasets.load(str(tmp_path), trained).images) == 4
    with pytest.raises(InputError, match="fashion-mnist: the network was trained on mnist, as its file says"):
        datasets.load("fashion-mnist", trained, 1)


def test_folders_of_nothing_and_no_folder_are_refused(tmp_path, network):
    with pytest.raises(InputError, match="holds the files of none of fashion-mnist, mnist, cifar-10, cifar-100, svhn"):
        datasets.load(str(tmp_path), network)
    write_svhn(tmp_path)
    write_cifar(tmp_path, "cifar-10", "binary")
    with pytest.raises(InputError, match="holds the files of cifar-10 and svhn; needs those of one"):
        datasets.load(str(tmp_path), network)
    with pytest.raises(InputError, match="svhn: the folder of its files is not named"):
        datasets.PUBLISHED["svhn"].read("train", None)
