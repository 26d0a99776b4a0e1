"""The version in the forms that registers, Vivado and FuseSoC can hold, for each form that a distribution may have."""

import re
import subprocess
import sys

import pytest

from duospike.cosim import version
from duospike.cosim.axi.shell import shell_registers
from duospike.reference.modelfile import save_model
from duospike.rtl.errors import DesignError
from tests.benches.commands import run
from tests.benches.small_networks import small_network, small_stages

VERSIONS = {
    "0.1.0": (0, 1, 0), "0.2.0rc1": (0, 2, 0), "1.2.3.post4": (1, 2, 3), "0.3.0.dev12+g1a2b3c": (0, 3, 0), "2": (2, 0, 0),
    "1.4b2": (1, 4, 0), "1!255.255.255.9": (255, 255, 255),
}  # fmt: skip


@pytest.fixture(params=VERSIONS)
def named(request, monkeypatch):
    monkeypatch.setattr(version, "version", lambda name: request.param)
    return request.param


def test_the_numbers_are_those_of_the_release(named):
    assert version.release_numbers() == VERSIONS[named]
    assert version.release_text() == ".".join(map(str, VERSIONS[named])) and version.full_version() == named


def converted(tmp_path):
    save_model(small_network("2C3-FC3", (1, 3, 4)), tmp_path / "model.safetensors")
    assert run("convert", tmp_path / "model.safetensors", "--axi", "--out", tmp_path / "hdl") == 0
    return tmp_path / "hdl"


def test_convert_takes_a_pre_release_with_a_local_part(monkeypatch, tmp_path):
    """The hardware and its header hold the numbers, Vivado's IP two of them, the manifest the whole."""
    monkeypatch.setattr(version, "version", lambda name: "0.2.1rc1+local.7")
    folder = converted(tmp_path)
    assert int((folder / "identity.hex").read_text().split()[1], 16) == 0x000201
    assert "#define DUOSPIKE_VERSION_VALUE 0x201u" in (folder / "registers.h").read_text()
    script = (folder / "package_ip.tcl").read_text()
    assert re.findall(r"set_property version (\S+) ", script) == ["0.2"] and "0.2.1rc1+local.7" in script
    assert '"duospike": "0.2.1rc1+local.7"' in (folder / "manifest.json").read_text()
    fusesoc = [sys.executable, "-m", "fusesoc.main", "--cores-root", folder, "core", "show", "duospike::axi_shell:0.2.1"]
    done = subprocess.run(fusesoc, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_number_that_the_register_cannot_hold_is_refused(monkeypatch):
    monkeypatch.setattr(version, "version", lambda name: "2026.1.0")
    network = small_network("2C3-FC3", (1, 3, 4))
    with pytest.raises(DesignError, match=r"\(2026, 1, 0\); allowed: three numbers of 0 to 255"):
        shell_registers(network, small_stages(network))
