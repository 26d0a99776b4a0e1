"""The examples of docs/how-to/import.md do what the page says."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from duospike.reference import golden
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.source import Interface
from duospike.reference.modelfile import load_model
from duospike.scripts.import_network import call
from duospike.scripts.main import main
from tests.benches.snn_networks import spikes_of

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "import.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_examples_run_and_give_snntorchs_spikes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    module, program = blocks("python")[:2]
    Path("mynet.py").write_text(module)
    command = blocks("sh")[0].split()
    assert command[0] == "duospike"
    assert main(command[1:]) == 0
    first = Path("mynet.safetensors").read_bytes()
    space: dict = {}
    exec(program, space)
    trace_of = load_model("mynet.safetensors")
    images = np.random.default_rng(0).integers(0, 256, (50, 1, 28, 28))
    trace = golden.run(trace_of, images)
    wanted = spikes_of(space["trained"](), torch.from_numpy(images / 256).float(), 3)
    for layer, spikes in zip(trace_of.layers, wanted, strict=True):
        assert np.array_equal(trace.spikes[layer.name], spikes), layer.name
        assert spikes.any() and not spikes.all()
    Path("mynet.safetensors").unlink()
    assert main(command[1:]) == 0 and Path("mynet.safetensors").read_bytes() == first


def test_the_network_of_spikingjelly_is_read(tmp_path):
    pytest.importorskip("spikingjelly", reason="SpikingJelly is not installed")
    path = tmp_path / "jelly.py"
    path.write_text(blocks("python")[2])
    source = from_torch(call(f"{path}:trained"), Interface((1, 28, 28), 4))
    assert source.reasons == () and source.interface.classes == 10


def test_refused_as_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    module = blocks("python")[0].replace("beta=0.5", "beta=0.15625")
    Path("mynet.py").write_text(module)
    assert main(blocks("sh")[0].split()[1:]) == 2
    assert "import refused for 2 reasons" in capsys.readouterr().err
