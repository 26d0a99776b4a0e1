"""The provenance that a run writes down, against the model file and the images themselves."""

import hashlib
import json

import numpy as np

from duospike.cosim.design.provenance import design_provenance, run_provenance
from duospike.cosim.design.sizing import choose_sizing
from duospike.reference.modelfile import save_model
from tests.benches.small_networks import small_network


def test_the_network_is_named_with_the_hash_of_its_file(tmp_path):
    network = small_network("3C1-MP2-5C3-FC6", (2, 6, 7), reset="zero")
    save_model(network, tmp_path / "model.safetensors")
    about = design_provenance(network)
    assert about["network"]["sha256"] == hashlib.sha256((tmp_path / "model.safetensors").read_bytes()).hexdigest()
    assert [layer["shape"] for layer in about["network"]["layers"]] == [[3, 6, 7], [3, 3, 3], [5, 3, 3], [6, 1, 1]]
    conv, pool, _, linear = about["network"]["layers"]
    assert (conv["kernel"], conv["weights"], conv["beta"], conv["reset"]) == (1, 6, "5/32", "zero")
    assert pool == {"name": "pool1", "shape": [3, 3, 3], "kind": "pool"}
    assert (linear["kind"], linear["weights"], "kernel" in linear) == ("linear", 6 * 45, False)
    assert "sizing" not in about and design_provenance(network, choose_sizing(network, 2))["sizing"]["lanes"]["conv2"] == 2
    assert json.loads(json.dumps(about)) == about


def test_images_are_known_by_their_pixels_whatever_their_type():
    network, images = small_network(), np.arange(84, dtype=np.uint8).reshape(2, 1, 6, 7)
    data = run_provenance(network, images, "mine.npy")["data"]
    assert (data["source"], data["shape"]) == ("mine.npy", [2, 1, 6, 7])
    assert run_provenance(network, images.astype(np.int64), "mine.npy")["data"] == data
    assert run_provenance(network, images + 1, "mine.npy")["data"]["sha256"] != data["sha256"]
