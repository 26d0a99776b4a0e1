"""docs/how-to/train-in-your-own-loop.md: its program and commands do what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import duospike
from tests.benches.snn_networks import spikes_of

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "train-in-your-own-loop.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
[PROGRAM] = (text for language, text in BLOCKS if language == "python")
SHOWN = "".join(text for language, text in BLOCKS if language == "text")


def test_its_program_gives_the_spikes_of_its_import():
    """On a few images, for one epoch."""
    page: dict = {"__name__": "own_loop"}
    exec(PROGRAM, page)
    torch.manual_seed(1)
    prepared = duospike.prepare(page["network"](), 4, **page["FORMAT"])
    page["train"](prepared, *page["read"]("train", 200), epochs=1, rate=5e-3)
    network = duospike.import_torch(prepared.eval(), **page["FORMAT"])
    images = duospike.load_images(network, "fashion-mnist", 30).images
    trace = duospike.run(network, images)
    found = spikes_of(prepared, torch.tensor(images) / 255, page["TIMESTEPS"])
    for layer, spikes in zip(network.layers, found, strict=True):
        assert np.array_equal(trace.spikes[layer.name], spikes), layer.name
    # Layers behind it are still silent after so few steps; test_prepare.py compares networks that spike everywhere.
    assert found[0].any()


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_four_bits_keep_the_accuracy_of_the_floats(tmp_path):
    """The page from its first line to its last, whatever the last digits are on this machine."""
    (tmp_path / "own_loop.py").write_text(PROGRAM)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    printed = ""
    for language, text in BLOCKS:
        if language == "sh":
            command = ["bash", "-e", "-c", text]
            run = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True)
            assert run.returncode == 0, run.stdout + run.stderr
            printed += run.stdout
    figures = dict(re.findall(r"^(.+?): (\d+\.\d+)%$", printed, re.MULTILINE))
    assert figures.keys() >= {line.split(":")[0] for line in SHOWN.splitlines()}
    source, quantized = float(figures["floats, 3 epochs"]), float(figures["4 bits, 2 more epochs"])
    assert source > 75 and quantized > source - 0.5
    assert f"accuracy: {quantized:.2f}%, 10000 images" in printed and "bit-exact in icarus" in printed
