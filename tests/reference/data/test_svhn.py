import numpy as np
import pytest
from scipy.io import savemat

from duospike.reference.data.svhn import read_svhn
from duospike.reference.errors import InputError
from tests.benches.published_files import write_svhn


@pytest.mark.parametrize("split", ["train", "test"])
def test_images_and_labels(split, tmp_path):
    images, labels = write_svhn(tmp_path)[split]
    found, digits = read_svhn(split, tmp_path)
    assert np.array_equal(found, images) and found.dtype == np.uint8
    assert digits.tolist() == labels.tolist()


IMAGES = np.zeros((32, 32, 3, 2), np.uint8)


@pytest.mark.parametrize(
    "content, message",
    [
        ({"X": IMAGES}, "not a file of SVHN"),
        ({"X": IMAGES.astype(float), "y": [[1], [2]]}, "an array of class 6 and numbers of type 9; needs whole numbers"),
        ({"X": IMAGES.swapaxes(0, 2), "y": [[1], [2]]}, r"needs uint8 \(32, 32, 3, count\)"),
        ({"X": IMAGES, "y": [[1]]}, r"y int64 \(1, 1\)"),
        ({"X": IMAGES, "y": [[1.5], [2]]}, "an array of class 6 and numbers of type 9"),
        ({"X": IMAGES, "y": [[0], [2]]}, r"each in 1\.\.10"),
        ({"X": IMAGES, "y": [[11], [2]]}, r"each in 1\.\.10"),
    ],
)
def test_other_content_is_refused(content, message, tmp_path):
    savemat(tmp_path / "test_32x32.mat", content)
    with pytest.raises(InputError, match=message):
        read_svhn("test", tmp_path)


def test_files_that_are_missing_or_no_mat_files(tmp_path):
    with pytest.raises(InputError, match="test_32x32.mat: not found"):
        read_svhn("test", tmp_path)
    (tmp_path / "test_32x32.mat").write_bytes(b"no mat file at all")
    with pytest.raises(InputError, match="not a file of SVHN"):
        read_svhn("test", tmp_path)
