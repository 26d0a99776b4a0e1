import os
import pickle

import numpy as np
import pytest

from duospike.reference.data.cifar import read_cifar
from duospike.reference.errors import InputError
from tests.benches.published_files import CIFAR_FILES, write_cifar


@pytest.mark.parametrize("version", ["python", "binary"])
@pytest.mark.parametrize("name", ["cifar-10", "cifar-100"])
def test_both_versions_are_read_in_order(name, version, tmp_path):
    written = write_cifar(tmp_path, name, version)
    for split, files in (("train", CIFAR_FILES[name][:-1]), ("test", CIFAR_FILES[name][-1:])):
        images, labels = read_cifar(name, split, tmp_path)
        assert np.array_equal(images, np.concatenate([written[file][0] for file in files])) and images.dtype == np.uint8
        assert labels.tolist() == [label for file in files for label in written[file][1]]


def test_a_missing_file_is_named(tmp_path):
    write_cifar(tmp_path, "cifar-10", "binary")
    (tmp_path / "data_batch_3.bin").unlink()
    with pytest.raises(InputError, match="data_batch_3.bin: not found"):
        read_cifar("cifar-10", "train", tmp_path)


class Malice:
    def __reduce__(self):
        return os.system, ("touch harmed",)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "not a batch of cifar-100"),
        (pickle.dumps(Malice(), protocol=2), "it holds .*system"),
        (pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"fine_labels": [[1]]}, 2), "a list of whole numbers"),
        (pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"fine_labels": [2**70]}, 2), "a list of whole numbers"),
        (pickle.dumps({b"data": np.zeros((2, 9), np.uint8), b"fine_labels": [1, 2]}, 2), r"needs uint8 \[count, 3072\]"),
        (pickle.dumps({b"data": np.zeros((2, 3072), np.int32), b"fine_labels": [1, 2]}, 2), r"int32 \(2, 3072\)"),
        (pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"fine_labels": [1]}, 2), r"and \(1,\) labels"),
        (pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"fine_labels": [0.5, 1]}, 2), "instruction BINFLOAT"),
        (
            pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"fine_labels": [0, 100]}, 2),
            r"test: labels from 0 to 100; allowed: 0\.\.99",
        ),
        (
            pickle.dumps({b"data": np.zeros((0, 3072), np.uint8), b"fine_labels": np.zeros(0, int)}, 4),
            "needs as many in each, 1 or more",
        ),
        (pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 1]}, 2), "not a batch of cifar-100"),
    ],
)
def test_other_pickles_are_refused_and_run_nothing(content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_cifar("cifar-100", "test", tmp_path)
    assert not (tmp_path / "harmed").exists()


def test_a_cut_binary_file_is_refused(tmp_path):
    write_cifar(tmp_path, "cifar-100", "binary")
    path = tmp_path / "test.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="9221 bytes; needs a multiple of 3074"):
        read_cifar("cifar-100", "test", tmp_path)


def test_files_of_unequal_length_and_mixed_versions_are_refused(tmp_path):
    write_cifar(tmp_path, "cifar-10", "binary")
    path = tmp_path / "data_batch_4.bin"
    path.write_bytes(path.read_bytes()[:3073])
    with pytest.raises(InputError, match="'data_batch_4': 1, .*needs as many in each"):
        read_cifar("cifar-10", "train", tmp_path)
    path.unlink()
    write_cifar(tmp_path, "cifar-10", "python")
    (tmp_path / "data_batch_4.bin").unlink(missing_ok=True)
    with pytest.raises(InputError, match="data_batch_4.bin: not found"):
        read_cifar("cifar-10", "train", tmp_path)


def test_a_missing_pickle_is_named(tmp_path):
    with pytest.raises(InputError, match="test_batch: not found, nor test_batch.bin"):
        read_cifar("cifar-10", "test", tmp_path)
