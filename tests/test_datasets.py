import gzip

import numpy as np
import pytest
from fashion_files import write_fashion, write_idx

from reference import datasets
from reference.errors import InputError
from reference.network import Neuron
from reference.random_network import random_network


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
    ],
)
def test_damaged_files(tmp_path, damage, message):
    write_fashion(tmp_path)
    damage(tmp_path / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(InputError, match=message):
        datasets.fashion_mnist("test", tmp_path)


@pytest.mark.parametrize(
    "change, message",
    [({"size": 27}, "needs .count, 28, 28."), ({"labels": [0, 1]}, r"labels \(2,\)"), ({"labels": [0, 1, 10]}, "label 10")],
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


def test_npy_file(tmp_path):
    images = np.arange(24, dtype=np.int16).reshape(2, 1, 3, 4)
    np.save(tmp_path / "a.npy", images)
    assert np.array_equal(datasets.read_npy(tmp_path / "a.npy"), images)


@pytest.mark.parametrize(
    "contents, message",
    [
        (np.zeros((1, 1, 3, 3)), r"holds float64 \(1, 1, 3, 3\)"),
        (np.zeros((3, 3), dtype=np.uint8), r"holds uint8 \(3, 3\)"),
        (np.array([{"a": 1}], dtype=object), "not an .npy file of plain numbers"),
    ],
)
def test_unfit_npy_files(tmp_path, contents, message):
    np.save(tmp_path / "a.npy", contents, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        datasets.read_npy(tmp_path / "a.npy")


def test_missing_and_foreign_npy_files(tmp_path):
    with pytest.raises(InputError, match="not found"):
        datasets.read_npy(tmp_path / "a.npy")
    (tmp_path / "a.npy").write_bytes(b"")
    with pytest.raises(InputError, match="not an .npy file"):
        datasets.read_npy(tmp_path / "a.npy")


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
        ("mnist", None, "data 'mnist'; allowed: fashion-mnist"),
    ],
)
def test_refused_sources(network, source, limit, message):
    with pytest.raises(InputError, match=message):
        datasets.load(source, network, limit)


def test_images_that_the_network_cannot_take(tmp_path, network):
    np.save(tmp_path / "a.npy", np.zeros((4, 1, 28, 27), dtype=np.uint8))
    with pytest.raises(InputError, match=r"shape \(1, 1, 28, 27\)"):
        datasets.load(str(tmp_path / "a.npy"), network)
