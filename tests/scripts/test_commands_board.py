"""The commands build and run: from a model file to a bitstream and, through a simulated board, to equal results."""

import json
import os
import re

import pytest

from duospike.cosim.axi.shell import network_hash
from duospike.reference.modelfile import load_model, save_model
from duospike.rtl.registers import hash_words
from tests.benches.commands import run
from tests.benches.small_networks import small_network


def model(tmp_path, name="model", **settings):
    path = tmp_path / f"{name}.safetensors"
    save_model(small_network("2C3-FC6", (1, 6, 5), classes=3, **settings), path)
    return path


def one_line(capsys):
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("duospike: error: "), err
    return err


@pytest.mark.parametrize(
    "options, message",
    [
        (["--board", "ulx3s"], "board 'ulx3s'; allowed: ulx3s-85f, "),
        (["--board", "ulx3s-25f", "--boards", "no.toml"], "no.toml: not found"),
        (["--board", "ulx3s-25f", "--headroom", "2"], "--headroom needs --loadable"),
        (["--board", "ulx3s-25f", "--baud", "1"], "--baud 1; allowed: 1200 to 12000000"),
        (["--board", "ulx3s-25f", "--clock", "500"], "--clock 500.0; allowed: 3.125 to 400"),
        (["--board", "ulx3s-25f", "--clock", "20", "--baud", "9000000"], "9000000 baud at 20 MHz; allowed: up to 5000000"),
    ],
)
def test_build_refuses_in_one_line_and_writes_nothing(tmp_path, capsys, options, message):
    assert run("build", model(tmp_path), *options, "--out", tmp_path / "out") == 2
    assert message in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_run_refuses_what_is_no_folder_of_build(tmp_path, capsys):
    assert run("run", model(tmp_path), "--port", "icarus", "--build", tmp_path) == 2
    assert "registers.json: not found; allowed: the folder of a board by duospike build" in one_line(capsys)
    (tmp_path / "registers.json").write_text("{}")
    (tmp_path / "board.json").write_text('{"sizing": {}}')
    assert run("run", model(tmp_path), "--port", "icarus", "--build", tmp_path) == 2
    assert "not as build wrote it" in one_line(capsys)


@pytest.mark.parametrize(
    "line, network",
    [
        ({"clock_mhz": 0}, {}), ({"clock_mhz": "45"}, {}), ({"baud": 0}, {}), ({"baud": 9600.5}, {}),
        ({"headroom": -1}, {}), ({"headroom": True}, {}),
        ({}, {"data_bits": 24}), ({}, {"data_bits": "8"}), ({}, {"data_bits": 2048}),
    ],
)  # fmt: skip
def test_run_refuses_what_build_cannot_have_written(tmp_path, capsys, line, network):
    path = model(tmp_path)
    registers = {f"HASH_{i}": {"value": value} for i, value in enumerate(hash_words(network_hash(load_model(path))))}
    about = {"registers": registers, "network": {"data_bits": 8} | network}
    about["line"] = {"clock_mhz": 45.0, "baud": 9600, "headroom": None} | line
    (tmp_path / "registers.json").write_text(json.dumps(about))
    (tmp_path / "board.json").write_text('{"sizing": {}}')
    assert run("run", path, "--port", "icarus", "--build", tmp_path) == 2
    assert "not as build wrote it" in one_line(capsys)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of a board, and its model."""
    folder = tmp_path_factory.mktemp("built")
    path = model(folder)
    assert run("build", path, "--board", "ulx3s-25f", "--clock", 45, "--out", folder / "board") == 0
    return folder / "board", path


@pytest.mark.slow
@pytest.mark.timeout(3000)
class TestBuilt:
    def test_the_folder(self, built):
        folder, _ = built
        report = json.loads((folder / "board.json").read_text())
        assert report["fmax_mhz"] >= report["clock_mhz"] == 45 and report["board"]["name"] == "ulx3s-25f"
        assert report["utilization"]["TRELLIS_COMB"]["used"] > 1000 and report["critical_path"]["delay"] < 25
        assert (folder / "board.bit").stat().st_size > 10_000 and 'SITE "G2"' in (folder / "board.lpf").read_text()

    def test_images_through_the_simulated_board(self, built, tmp_path, capsys):
        folder, path = built
        assert run("run", path, "--build", folder, "--port", "icarus", "--data", "random", "--images", 3) == 0
        out = capsys.readouterr().out
        assert "equal simulated in icarus: 3 classes, all scores, and the counters of 3 stages" in out
        assert re.search(r"in the core: \d+ cycles an image in the busiest stage, \d+ images a second at 45 MHz", out)

    def test_another_network_is_refused(self, built, tmp_path, capsys):
        folder, _ = built
        assert run("run", model(tmp_path, seed=5), "--build", folder, "--port", "icarus", "--data", "random") == 2
        assert "has the board of another network; build one, with --loadable for many networks" in one_line(capsys)

    def test_a_port_without_a_board_is_one_line(self, built, capsys, monkeypatch):
        pytest.importorskip("serial")
        monkeypatch.setattr("duospike.cosim.board.serial_port.ANSWER_SECONDS", 0.01)
        folder, path = built
        board, host = os.openpty()
        words = ("run", path, "--build", folder, "--data", "random", "--images", 1)
        assert run(*words, "--port", os.ttyname(host)) == 2
        assert "the board gave no answer, 4 times; is it programmed, and is this its port and its baud rate?" in one_line(capsys)
        assert run(*words, "--port", "/dev/ttyNONE") == 2
        assert "port /dev/ttyNONE cannot be opened" in one_line(capsys)
        for end in (board, host):
            os.close(end)

    def test_a_clock_that_is_not_reached_is_refused(self, built, tmp_path, capsys, monkeypatch):
        _, path = built
        report = {"fmax": {"clk": {"achieved": 39.4}}}
        monkeypatch.setattr("duospike.cosim.board.bitstream.map_design", lambda *_: "")
        monkeypatch.setattr("duospike.cosim.board.bitstream.route", lambda *_: (report, ""))
        assert run("build", path, "--board", "ulx3s-25f", "--clock", 45, "--out", tmp_path / "out") == 2
        *_, line = capsys.readouterr().err.splitlines()
        assert "reaches 39.4 MHz on ulx3s-25f with seed 1; 45 were asked for; allowed: --clock 39 or less" in line
        assert not (tmp_path / "out").exists()
