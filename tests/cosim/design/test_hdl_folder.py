"""The folder that `convert` writes."""

import hashlib
import json
import subprocess
import sys

import pytest

from duospike.cosim.design.build import convert_stages
from duospike.cosim.design.hdl_folder import write_hdl
from duospike.cosim.design.sizing import choose_sizing
from tests.benches.small_networks import small_network, small_stages


def written(network, folder):
    folder.mkdir()
    stages = small_stages(network)
    write_hdl(network, choose_sizing(network), stages, convert_stages(stages), folder)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def hdl_files(tmp_path_factory):
    """Contents of the files of a small network's Verilog, by name."""
    return written(small_network(), tmp_path_factory.mktemp("verilog") / "hdl")


def test_the_manifest_names_every_file_and_its_hash(hdl_files):
    files = dict(hdl_files)
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["files"] == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert manifest["top"] == "accelerator"
    assert manifest["counters"]["stages"] == ["conv1", "conv2", "pool1", "fc1", "readout"]
    assert {"duospike", "myhdl", "python"} == set(manifest["generator"])


def test_the_file_list_holds_every_module_children_first(hdl_files):
    listed = hdl_files["accelerator.f"].decode().split()
    assert sorted(listed) == sorted(name for name in hdl_files if name.endswith(".v"))
    assert listed[-1] == "accelerator.v"


def fusesoc(folder, *words):
    """Run FuseSoC beside a folder of cores."""
    command = [sys.executable, "-m", "fusesoc.main", "--cores-root", folder.name, *words]
    return subprocess.run(command, cwd=folder.parent, capture_output=True, text=True)


@pytest.mark.slow
def test_fusesoc_lints_the_core_in_a_folder_of_its_own(tmp_path):
    written(small_network(), tmp_path / "hdl")
    run = ("run", "--target", "lint", "duospike::accelerator")
    done = fusesoc(tmp_path / "hdl", *run)
    assert done.returncode == 0, done.stdout + done.stderr
    [project] = (tmp_path / "build").iterdir()
    tables = {file.name for file in (tmp_path / "hdl").glob("*.hex")}
    assert tables and tables == {file.name for file in (project / "lint").glob("*.hex")}
    (tmp_path / "hdl" / "waivers.vlt").write_text("")
    assert fusesoc(tmp_path / "hdl", *run).returncode != 0


@pytest.mark.parametrize(
    "language, kind", [pytest.param("verilog", "verilogSource-2005", marks=pytest.mark.slow), ("vhdl", "vhdlSource-2008")]
)
def test_the_core_has_the_files_of_the_list(language, kind, tmp_path):
    network = small_network()
    stages = small_stages(network)
    write_hdl(network, choose_sizing(network), stages, convert_stages(stages, language), tmp_path, language)
    lines = [line.strip(" -") for line in (tmp_path / "accelerator.core").read_text().splitlines()]
    sources = (tmp_path / "accelerator.f").read_text().split()
    first = lines.index(sources[0])
    assert lines[first : first + len(sources) + 1] == [*sources, f"file_type: {kind}"]
    shown = fusesoc(tmp_path, "core", "show", "duospike::accelerator")
    assert shown.returncode == 0 and ("lint" in shown.stdout) == (language == "verilog"), shown.stdout + shown.stderr


@pytest.mark.slow
def test_only_hex_files_and_the_manifest_change_with_the_weights(tmp_path):
    one = written(small_network(seed=1), tmp_path / "one")
    flipped = small_network(seed=1)
    flipped.layers[1].weights[2, 1, 0, 2] *= -1
    other = written(flipped, tmp_path / "other")
    assert {name for name in one if one[name] != other[name]} == {"conv2_weights.hex", "manifest.json"}
