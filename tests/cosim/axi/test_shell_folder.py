"""The folder that `convert --axi` writes."""

import json
import subprocess
import sys

import pytest

from duospike.reference.modelfile import save_model
from duospike.scripts.main import main
from tests.benches.small_networks import small_network


def convert(tmp_path, network, *words):
    save_model(network, tmp_path / "model.safetensors")
    return main(["convert", str(tmp_path / "model.safetensors"), "--out", str(tmp_path / "hdl"), *words])


@pytest.mark.slow
@pytest.mark.parametrize("shape, settings", [((1, 6, 7), {}), ((3, 3, 3), {"timesteps": 8, "coding": "rate"})])
def test_verilator_icarus_and_fusesoc_have_nothing_to_say(shape, settings, tmp_path, capsys):
    assert convert(tmp_path, small_network("3C3-FC6", shape, **settings), "--axi", "--clock", "125") == 0
    assert "top axi_shell" in capsys.readouterr().out
    folder = tmp_path / "hdl"
    lint = ["verilator", "--lint-only", "-Wall", "-f", "verilator.f"]
    icarus = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "/dev/null", "-c", "axi_shell.f"]
    for command in (lint, icarus):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    fusesoc = [sys.executable, "-m", "fusesoc.main", "--cores-root", "hdl", "run", "--target", "lint", "duospike::axi_shell"]
    done = subprocess.run(fusesoc, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

    names = {file.name for file in folder.iterdir()}
    extra = {"registers.md", "registers.h", "registers.json", "driver.py", "package_ip.tcl", "clock.xdc", "identity.hex"}
    assert extra <= names
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["top"] == "axi_shell" and extra <= set(manifest["files"])
    assert "-period 8.000" in (folder / "clock.xdc").read_text()
    # The ROM of constants says what the description says.
    registers = json.loads((folder / "registers.json").read_text())["registers"]
    words = [int(line, 16) for line in (folder / "identity.hex").read_text().split()]
    assert words == [register["value"] for register in registers.values() if "value" in register]


@pytest.mark.slow
def test_ghdl_takes_the_vhdl(tmp_path):
    assert convert(tmp_path, small_network("3C3-FC6", (1, 3, 4)), "--axi", "--language", "vhdl") == 0
    files = (tmp_path / "hdl" / "axi_shell.f").read_text().split()
    for command in (["ghdl", "-a", "--std=08", *files], ["ghdl", "-e", "--std=08", "axi_shell"]):
        done = subprocess.run(command, cwd=tmp_path / "hdl", capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("rate", ["0", "1001", "fast", "nan"])
def test_a_clock_rate_that_is_none_is_refused(rate, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        convert(tmp_path, small_network(), "--axi", "--clock", rate)
    assert ended.value.code == 2 and "is not a clock rate of 1 to 1000 MHz" in capsys.readouterr().err


def test_a_clock_rate_without_the_shell_is_refused(tmp_path, capsys):
    assert convert(tmp_path, small_network(), "--clock", "50") == 2
    assert "--clock needs --axi" in capsys.readouterr().err
    assert not (tmp_path / "hdl").exists()
