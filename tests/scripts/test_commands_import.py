"""duospike import and export."""

import re
import sys
from functools import partial

import numpy as np
import pytest

from duospike.reference.errors import InputError
from duospike.reference.modelfile import load_model
from duospike.scripts import export, import_network, random_network
from tests.benches import commands
from tests.benches.event_files import write_nmnist
from tests.benches.fashion_files import write_fashion

NET = """
import torch, snntorch
from torch import nn

def trained():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1, bias=False), snntorch.Leaky(beta=0.5, reset_mechanism="zero"), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(392, 10, bias=False), snntorch.Leaky(beta=0.5, reset_mechanism="zero"))
    for layer in (net[0], net[4]):
        layer.weight.data = torch.round(layer.weight.data / layer.weight.abs().max() * 7) / 8
    return net.eval()

def floats():
    net = trained()
    net[0].weight.data += 0.01 * torch.randn(2, 1, 3, 3)
    return net

class Looped(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = trained()
        self.parts[1].init_hidden = self.parts[5].init_hidden = True

    def forward(self, x):
        return torch.stack([self.parts(x) for _ in range(3)]).sum(0)

def looped():
    return Looped().eval()

def broken():
    raise KeyError("weights.pt")

def loaded():
    nn.Linear(2, 2).load_state_dict({"bias": 1, "other": 2})

def ended():
    raise SystemExit(3)

def needs():
    raise ModuleNotFoundError("No module named 'spikingjelly'", name="spikingjelly")
"""

# Dataclasses look for the names of such annotations in the module of their class.
WITH_DATACLASS = """
from __future__ import annotations
import copy, dataclasses, pickle, typing

@dataclasses.dataclass
class Settings:
    beta: float = 0.5
    kinds: typing.ClassVar[list] = []

def with_dataclass():
    settings = pickle.loads(pickle.dumps(Settings()))
    assert typing.get_type_hints(Settings)["beta"] is settings.beta.__class__
    return trained()
"""

ASKED = ["--input", "1x28x28", "--timesteps", "4", "--classes", "10", "--image-scale", "1/256"]


command = partial(commands.command, (import_network, export, random_network))


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


def test_what_the_source_says_is_not_asked_for(net, tmp_path, capsys):
    out = tmp_path / "net.safetensors"
    assert command("import", f"{net}:looped", "--out", out, "--input", "1x28x28", "--image-scale", "1/256") == 0
    network = load_model(out)
    assert (network.timesteps, network.classes) == (3, 10)
    graph = tmp_path / "net.nir"
    assert command("export", out, "--to", "nir", "--dt", "0.001", "--out", graph) == 0
    assert command("import", graph, "--dt", "0.001", "--timesteps", "3", "--image-scale", "1", "--out", out) == 0
    assert load_model(out).input_shape == (1, 28, 28)
    with pytest.raises(InputError, match="the network does not say how many timesteps there are .option --timesteps"):
        command("import", f"{net}:trained", "--out", out, "--input", "1x28x28", "--image-scale", "1/256")
    with pytest.raises(InputError, match="the network does not say the shape of an image .option --input"):
        command("import", f"{net}:looped", "--out", out, "--image-scale", "1/256")


def test_import_of_a_function(net, tmp_path, capsys):
    out = tmp_path / "net.safetensors"
    assert command("import", f"{net}:trained", "--from", "torch", "--out", out, *ASKED) == 0
    assert capsys.readouterr().out == f"wrote {out}: the same spikes for every image\n"
    network = load_model(out)
    assert network.timesteps == 4 and network.layers[0].neuron.reset == "zero"
    assert network.metadata == {"origin": "duospike import", "source": "net.py:trained", "how": "exact"}
    assert not list(tmp_path.glob("*.pt"))


def test_a_file_with_dataclasses_and_late_annotations(net, tmp_path):
    text = net.read_text()
    net.write_text(WITH_DATACLASS + text)
    modules = set(sys.modules)
    assert command("import", f"{net}:with_dataclass", "--from", "torch", "--out", tmp_path / "net.safetensors", *ASKED) == 0
    assert not any("duospike" in name for name in set(sys.modules) - modules)


def test_the_name_of_the_source_tells_what_it_is(net, tmp_path):
    out = tmp_path / "net.safetensors"
    assert command("import", f"{net}:trained", "--out", out, *ASKED) == 0
    with pytest.raises(InputError, match="--dt is needed: NIR's neurons"):
        command("import", "x.nir", "--out", out, *ASKED)
    with pytest.raises(InputError, match="graph.h5: its name does not tell what it is; name it with --from: nir or torch"):
        command("import", "graph.h5", "--out", out, *ASKED)


def test_quantized_import_prints_its_cost(net, tmp_path, capsys):
    write_fashion(tmp_path, "train", 30, np.arange(30) % 10)
    write_fashion(tmp_path, "t10k", 20, np.arange(20) % 10)
    out = tmp_path / "net.safetensors"
    words = ["--from", "torch", "--out", out, *ASKED, "--quantize", 4, "--data", tmp_path]
    assert command("import", f"{net}:floats", *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("source: ") and lines[0].endswith("of 20 test images")
    assert lines[1].startswith("4-bit integers: ") and re.search(r": [+-].* \([+-].* to [+-].*\)$", lines[1])
    assert re.fullmatch(r"answers that are the source's: \d+\.\d\d% of 20 test images", lines[2])
    assert re.fullmatch(r"spikes that are not: conv1 \d+\.\d\d%, fc1 \d+\.\d\d%", lines[3])
    assert lines[4:] == [f"wrote {out}"]
    assert load_model(out).metadata["how"] == "quantized to 4 bits"


def test_images_without_labels_calibrate_and_show_the_cost(net, tmp_path, capsys):
    net.write_text(net.read_text().replace("beta=0.5", "beta=0.9"))
    images, out = tmp_path / "images.npy", tmp_path / "net.safetensors"
    np.save(images, np.random.default_rng(0).integers(0, 256, (9, 1, 28, 28)))
    words = ["import", f"{net}:floats", "--out", out, *ASKED, "--quantize", 4, "--data", images]
    assert command(*words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{images}: the first 4 images calibrate, the 5 after them show the cost"
    assert lines[1:3] == [f"{name}: beta 0.9 -> 115/128 (0.8984, error 0.0016)" for name in ("conv1", "fc1")]
    assert re.fullmatch(r"answers that are the source's: \d+\.\d\d% of 5 test images", lines[3])
    assert lines[4].startswith("spikes that are not: conv1 ") and lines[5:] == [f"wrote {out}"]
    assert command(*words, "--beta", "fc1=1/2", "--calibration", 7, "--limit", 1) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("the first 7 images calibrate, the 1 after them show the cost")
    assert lines[2] == "fc1: beta 0.9 -> 1/2 (0.5, error 0.4)" and "of 1 test images" in lines[3]
    with pytest.raises(InputError, match=r"holds 9 images; needs 1 that show the cost \(--limit\) besides 9 that calibrate"):
        command(*words, "--calibration", 9)


def test_events_calibrate_too(net, tmp_path, capsys):
    events, out = tmp_path / "events.npy", tmp_path / "net.safetensors"
    np.save(events, (np.random.default_rng(0).random((6, 4, 1, 28, 28)) < 0.3).astype(np.uint8))
    words = ["import", f"{net}:floats", "--out", out, *ASKED[:-2], "--coding", "events", "--quantize", 3, "--data", events]
    assert command(*words) == 0
    assert "the first 3 images calibrate, the 3 after them" in capsys.readouterr().out
    assert load_model(out).coding == "events"
    np.save(tmp_path / "labels.npy", np.arange(6))
    assert command(*words, "--labels", tmp_path / "labels.npy") == 0
    assert re.search(r"\nsource: .* of 3 test images\n3-bit integers: ", capsys.readouterr().out)
    np.save(tmp_path / "labels.npy", np.arange(6) + 5)
    with pytest.raises(InputError, match=r"labels.npy: labels from 5 to 10; the network's classes are 0\.\.9"):
        command(*words, "--labels", tmp_path / "labels.npy")


def test_recorded_events_calibrate_and_their_binning_is_kept(net, tmp_path, capsys):
    folder, out = tmp_path / "events", tmp_path / "net.safetensors"
    write_nmnist(folder)
    text = net.read_text().replace("Conv2d(1, 2", "Conv2d(2, 2").replace("(392", "(128")
    net.write_text(text.replace("randn(2, 1", "randn(2, 2"))
    asked = ["--input", "2x17x17", "--timesteps", 4, "--classes", 10, "--coding", "events"]
    words = ["import", f"{net}:floats", "--out", out, *asked]
    assert command(*words, "--quantize", 4, "--data", folder, "--downscale", 2, "--bin-time", 9000) == 0
    assert re.search(r"^source: .* of 10 test images$", capsys.readouterr().out, re.MULTILINE)
    network = load_model(out)
    assert (network.metadata["downscale"], network.metadata["bin_time"]) == ("2", "9000")
    with pytest.raises(InputError, match="n-mnist: events of 2x34x34; the network takes 2x17x17"):
        command(*words, "--quantize", 4, "--data", folder)
    with pytest.raises(InputError, match="--bin-time is for recorded events; --coding direct takes images"):
        command("import", f"{net}:floats", "--out", out, *ASKED, "--bin-time", 9000)


def test_nir_out_and_in(tmp_path, capsys):
    first, graph, second = (tmp_path / name for name in ("a.safetensors", "a.nir", "b.safetensors"))
    words = ["--input", "1x8x7", "--reset", "zero", "--beta", "1/2", "--timesteps", 4, "--classes", 10]
    command("random", "3C3-MP2-FC10", *words, "--out", first)
    assert command("export", first, "--to", "nir", "--dt", "0.001", "--out", graph) == 0
    asked = ["--input", "1x8x7", "--timesteps", 4, "--classes", 10, "--image-scale", 1]
    assert command("import", graph, "--from", "nir", "--dt", "0.001", *asked, "--out", second) == 0
    assert capsys.readouterr().out.endswith(
        "the graph in forward Euler steps of 0.001, reset zero; a neuron spikes above its threshold;\n"
        "a beta or gain within a few roundings of the file's numbers from m/2^k is m/2^k\n"
    )
    for layer, again in zip(load_model(first).layers, load_model(second).layers, strict=True):
        assert np.array_equal(getattr(layer, "weights", 0), getattr(again, "weights", 0))


@pytest.mark.parametrize("dt", ["inf", "nan", "-inf", "0", "-1", "1e999", "x"])
@pytest.mark.parametrize("words", [["import", "x.nir", "--from", "nir", *ASKED], ["export", "x.safetensors", "--to", "nir"]])
def test_a_time_step_that_is_no_number_is_a_usage_error(tmp_path, capsys, words, dt):
    with pytest.raises(SystemExit):
        command(*words, f"--dt={dt}", "--out", tmp_path / "x")
    assert f"{dt!r} is not a finite number above 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    "source, more, reason",
    [
        ("net.py:floats", [], r"import refused: layer conv1 \(0 Conv2d\): weights on no grid.* \[option --quantize BITS\]$"),
        ("net.py:nothing", [], "net.py has no nothing$"),
        ("net.py:traind", [], r"net.py has no traind; did you mean trained\?$"),
        ("net.py:needs", [], r"net.py:needs: No module named 'spikingjelly'; to install it: .*spikingjelly"),
        ("net.py:broken", [], "net.py:broken: KeyError: 'weights.pt'"),
        ("net.py:loaded", [], "net.py:loaded: RuntimeError: Error.s. in loading state_dict for Linear: Missing key"),
        ("net.py:ended", [], "net.py:ended: SystemExit: 3"),
        ("net.py:nn.Linear", [], "needs FILE.py:FUNCTION"),
        ("net.py", [], "needs FILE.py:FUNCTION"),
        ("absent.py:net", [], "absent.py: not found"),
        ("net.py:trained", ["--dt", "1"], "--dt is for NIR graphs"),
        ("net.py:trained", ["--beta", "1/2"], "--beta is for --quantize"),
        ("absent.py:net", ["--limit", "3"], "--limit is for --quantize"),
        ("absent.py:net", ["--data", "fashion-mnist"], "--data is for --quantize"),
        ("absent.py:net", ["--timesteps", "1000000"], "1000000 timesteps; allowed: 1 to 1024"),
        ("absent.py:net", ["--image-bits", "1000000000"], "image of 1000000000 bits; allowed: 1 to 16"),
        ("net.py:trained", ["--image-scale", "0.5"], "--image-scale '0.5'; needs a whole number or a fraction"),
        ("net.py:trained", ["--quantize", "4", "--data", "random"], "random images do not calibrate"),
        ("net.py:trained", ["--quantize", "4", "--beta", "conv1=1/2,conv2=1/2"], "--beta 'conv2=1/2': .* are conv1, fc1"),
        ("absent.py:net", ["--quantize", "9"], "--quantize 9; allowed: 2 to 8"),
        ("net.py:trained", ["--spike-at-threshold"], "--spike-at-threshold is for NIR graphs"),
        ("absent.py:net", ["--coding", "events"], "--image-scale is for pixels; events are worth 1"),
        ("net.py:trained", ["--image-scale", "nan"], "--image-scale 'nan'; needs a whole number or a fraction"),
        ("net.py:trained", ["--classes", "3"], "10 neurons do not divide into 3 classes"),
    ],
)
def test_refusals(net, tmp_path, source, more, reason):
    out = tmp_path / "net.safetensors"
    with pytest.raises(InputError, match=reason):
        command("import", tmp_path / source, "--from", "torch", "--out", out, *ASKED, *more)
    assert not out.exists()


def test_what_the_source_does_not_say_is_asked_for(net, tmp_path):
    out = tmp_path / "net.safetensors"
    with pytest.raises(InputError, match="--image-scale is needed"):
        command("import", f"{net}:trained", "--from", "torch", "--out", out, *ASKED[:-2])
    with pytest.raises(InputError, match="--dt is needed"):
        command("import", tmp_path / "x.nir", "--from", "nir", "--out", out, *ASKED)
