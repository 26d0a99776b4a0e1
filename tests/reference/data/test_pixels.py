"""What the bytes of an image become, and what is refused in their place."""

from dataclasses import replace

import numpy as np
import pytest

from duospike.reference.data.datasets import load
from duospike.reference.data.pixels import CENTRED, CLAMPED, UNSIGNED, converted
from duospike.reference.errors import InputError
from tests.benches.small_networks import small_network

BYTES = np.array([0, 127, 255]).reshape(3, 1, 1, 1)


def test_centred_pixels_are_bytes_less_128():
    found = converted(BYTES, CENTRED)
    assert found.dtype == np.int8 and found.ravel().tolist() == [-128, -1, 127]


@pytest.mark.parametrize(
    "images, pixels, message",
    [
        (BYTES - 1, CENTRED, "pixels from -1 to 254; centred ones are made of bytes, 0..255"),
        (BYTES.repeat(3, 1) + 1, CLAMPED, "pixels from 1 to 256; clamped ones"),
        (BYTES, CLAMPED, "images of 1 channels; clamped pixels are made of those of three colours"),
        (BYTES, "grey", "pixels = 'grey'; allowed: unsigned or centred or clamped"),
    ],
)
def test_what_is_refused(images, pixels, message):
    with pytest.raises(InputError, match=message):
        converted(images, pixels)


@pytest.mark.parametrize("pixels", [CENTRED, UNSIGNED])
def test_a_folder_of_ones_own_becomes_what_the_network_was_trained_on(pixels, tmp_path):
    network = replace(small_network("2C3-FC3", (1, 4, 4), image_signed=pixels == CENTRED), metadata={"pixels": pixels})
    images = np.random.default_rng(1).integers(0, 256, (5, 1, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "test-images.npy", images)
    np.save(tmp_path / "test-labels.npy", np.zeros(5, np.uint8))
    found = load(str(tmp_path), network).images
    assert np.array_equal(found.astype(int), images.astype(int) - (128 if pixels == CENTRED else 0))
