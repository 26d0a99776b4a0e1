"""The commands build and run: from a model file to a bitstream and, through a simulated board, to equal results."""

import hashlib
import json
import os
import re

import pytest

from duospike.cosim.design.hdl_folder import MANIFEST
from duospike.reference.modelfile import save_model
from tests.benches.board_bench import write_built
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


def test_build_refuses_a_clock_that_the_pll_cannot_make_before_it_converts(tmp_path, capsys, monkeypatch):
    """What ecppll says is made up here; a slow test asks it."""

    def run_tool(tool, folder, *words):
        (folder / "pll.v").write_text("module pll;\nendmodule\n")
        return "clkout0 frequency: 66.6667 MHz\n"

    monkeypatch.setattr("duospike.cosim.board.tools.run", run_tool)
    monkeypatch.setattr("duospike.cosim.board.core.convert", None)
    assert run("build", model(tmp_path), "--board", "ulx3s-25f", "--clock", 66.5, "--out", tmp_path / "out") == 2
    assert "clock 66.5 MHz: the PLL makes 66.6667 of 25 MHz; allowed: that" in one_line(capsys)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def board(tmp_path):
    """Writes the folder of a board with damaged files; the hashes in its manifest are made to match, unless they are not to."""

    def write(damage, headroom=None, renewed=True):
        folder = write_built(small_network("2C3-FC6", (1, 6, 5), classes=3), tmp_path / "board", headroom)
        manifest = json.loads((folder / MANIFEST).read_text())
        for name, change in damage.items():
            content = change((folder / name).read_text())
            (folder / name).write_text(content)
            manifest["files"][name] = hashlib.sha256(content.encode()).hexdigest()
        if renewed:
            (folder / MANIFEST).write_text(json.dumps(manifest))
        return folder

    return write


def with_value(*path, value):
    """A change of JSON: another value at a place."""

    def change(text):
        content = json.loads(text)
        holder = content
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value
        return json.dumps(content)

    return change


def test_run_refuses_what_is_no_folder_of_build(tmp_path, capsys):
    assert run("run", model(tmp_path), "--port", "icarus", "--build", tmp_path) == 2
    assert "manifest.json: not found; allowed: the folder of a board by duospike build" in one_line(capsys)


@pytest.mark.parametrize("headroom", [None, 1])
@pytest.mark.parametrize("name", ["registers.json", "board.json", "identity.hex"])
def test_run_names_the_damaged_file(tmp_path, capsys, board, name, headroom):
    folder = board({name: lambda text: text.replace("2", "3", 1)}, headroom, renewed=False)
    assert run("run", model(tmp_path), "--port", "icarus", "--build", folder) == 2
    assert f"{folder / name}: its SHA-256 is not the one in manifest.json; one of the two was changed" in one_line(capsys)
    (folder / name).unlink()
    assert run("run", model(tmp_path), "--port", "icarus", "--build", folder) == 2
    assert f"{folder / name}: not found; allowed: the folder of a board by duospike build" in one_line(capsys)


@pytest.mark.parametrize(
    "headroom, name, path, value, message",
    [
        (None, "registers.json", ["line"], [], r"line \[\]; allowed: clock_mhz and baud"),
        (None, "registers.json", ["line", "clock_mhz"], 0, "clock_mhz 0; allowed: 3.125 to 400"),
        (None, "registers.json", ["line", "clock_mhz"], "45", "line .*; allowed: clock_mhz and baud"),
        (None, "registers.json", ["line", "baud"], 9600.5, "line .*; allowed: clock_mhz and baud"),
        (None, "registers.json", ["line", "headroom"], 1, "headroom 1; allowed: null: its network is in ROMs"),
        (1, "registers.json", ["line", "headroom"], True, "headroom True; allowed: 0 to 16"),
        (None, "registers.json", ["network", "data_bits"], 16, "entry network is not what the network"),
        (1, "registers.json", ["registers", "CONTROL", "offset"], "4", "entry registers is not what the network"),
        (None, "registers.json", ["stages"], ["conv1"], "entry stages is not what the network"),
        (None, "board.json", ["sizing"], None, "sizing: other entries than convert writes"),
        (None, "board.json", ["sizing", "lanes", "conv1"], "\n", r"sizing: lanes conv1 '\\n'; allowed: 1 to"),
        (1, "registers.json", ["load", "words"], 5, "the description does not match the hash in identity.hex"),
    ],
)
def test_run_refuses_what_build_cannot_have_written(tmp_path, capsys, board, headroom, name, path, value, message):
    folder = board({name: with_value(*path, value=value)}, headroom)
    assert run("run", model(tmp_path), "--port", "icarus", "--build", folder) == 2
    assert re.search(f"{re.escape(str(folder / name))}: {message}", one_line(capsys))


def test_run_refuses_a_network_that_a_loadable_board_does_not_take(tmp_path, capsys, board):
    folder = board({}, headroom=0)
    assert run("run", model(tmp_path, timesteps=4), "--port", "icarus", "--build", folder) == 2
    message = "cannot be loaded with this network: network: timesteps 4; allowed: 2, the core's"
    assert f"the board of {folder} {message}" in one_line(capsys)


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
        said = capsys.readouterr().err.splitlines()
        why = "the board gave no answer, 4 times; is it programmed, and is this its port and its baud rate?"
        assert said == ["connection ...", f"duospike: error: {why}"]
        assert run(*words, "--port", "/dev/ttyNONE") == 2
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 2 and said[1].startswith("duospike: error: port /dev/ttyNONE cannot be opened")
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
