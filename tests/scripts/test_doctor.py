import configparser
import json
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from duospike.reference.data import datasets
from duospike.scripts import doctor
from duospike.scripts.main import main

SETUP = Path(__file__).parents[2] / "setup.cfg"


@pytest.fixture
def bin_folder(monkeypatch, tmp_path):
    """The only folder of PATH, empty."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def add_program(folder, name, body):
    program = folder / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def report(capsys):
    """Exit status and findings, by name, of `duospike doctor --json`."""
    status = main(["doctor", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is (status == 0)
    return status, {finding["name"]: finding for finding in answer["findings"]}


def test_missing_programs_are_listed_with_their_cost(bin_folder, capsys):
    status, findings = report(capsys)
    assert status == 1
    for _, need in doctor.PROGRAMS:
        assert findings[need.name] == {
            "kind": "program",
            "name": need.name,
            "required": need.name in ("iverilog", "vvp"),
            "found": False,
            "version": None,
            "cost": need.cost,
        }


def test_the_table_shows_what_is_missing_and_its_cost(bin_folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["doctor"]) == 1
    output = capsys.readouterr().out
    line = next(line for line in output.splitlines() if line.split()[:1] == ["iverilog"])
    assert re.split(r"\s{2,}", line.strip()) == [
        "iverilog", "no, required", "-", "no co-simulation with Icarus; apt-get install iverilog"
    ]  # fmt: skip
    assert "pip install -e '.[plots]'" in output
    assert output.splitlines()[-1] == "required and missing: iverilog, vvp"


def test_without_rich_the_table_is_plain(bin_folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    assert main(["doctor"]) == 1
    assert "iverilog  no, required  -  no co-simulation with Icarus; apt-get install iverilog\n" in capsys.readouterr().out


def test_two_programs_are_enough(bin_folder, capsys):
    add_program(bin_folder, "iverilog", "echo 'Icarus Verilog version 12.0 (stable) ()'; exit 1")
    add_program(bin_folder, "vvp", "echo no version")
    status, findings = report(capsys)
    assert status == 0
    assert (findings["iverilog"]["found"], findings["iverilog"]["version"]) == (True, "12.0")
    assert (findings["vvp"]["found"], findings["vvp"]["version"]) == (True, None)


def test_a_program_that_hangs_or_cannot_run_has_no_version(bin_folder, monkeypatch):
    monkeypatch.setattr(doctor, "SECONDS", 0.2)
    add_program(bin_folder, "hangs", "exec /bin/sleep 60")
    assert doctor.program_version([str(bin_folder / "hangs"), "-V"]) is None
    assert doctor.program_version([str(bin_folder / "none"), "-V"]) is None


def test_a_missing_package_costs_the_exit_status_if_it_is_required(bin_folder, capsys, monkeypatch):
    add_program(bin_folder, "iverilog", "")
    add_program(bin_folder, "vvp", "")
    version, missing = metadata.version, {"matplotlib"}

    def without(name):
        if name in missing:
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", without)
    assert report(capsys)[0] == 0
    missing.add("torch")
    status, findings = report(capsys)
    assert (status, findings["torch"]["found"], findings["numpy"]["found"]) == (1, False, True)


def test_files_count_only_together(tmp_path):
    need = doctor.Need("data", "no data")
    files = [tmp_path / "images", tmp_path / "labels"]
    files[0].touch()
    assert not doctor.find_files(need, files).found
    files[1].touch()
    assert doctor.find_files(need, files).found


def test_the_data_set_is_looked_for_where_it_is_read():
    assert doctor.FASHION_MNIST == datasets.FASHION_MNIST


def test_the_packages_are_those_of_the_distribution():
    setup = configparser.ConfigParser()
    setup.read(SETUP)
    extras = setup["options.extras_require"]
    optional = [(text, False) for text in extras.values()]
    wanted = {
        name: required
        for text, required in [*optional, (setup["options"]["install_requires"], True)]
        for name in re.findall(r"^[\w-]+", text, re.MULTILINE)
    }
    assert {need.name: need.required for need in doctor.PACKAGES} == wanted
