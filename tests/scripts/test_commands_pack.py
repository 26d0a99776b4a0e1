"""The command pack, and convert --loadable: what they write, and every bad input as one clear line."""

import json
import subprocess

import pytest

from duospike.cosim.axi.loadable import load_file
from duospike.reference.modelfile import save_model
from tests.benches.commands import run
from tests.benches.small_networks import small_network
from tests.cosim.axi.test_loadable import folder_of


def model(tmp_path, name="model", **settings):
    path = tmp_path / f"{name}.safetensors"
    save_model(small_network(**settings), path)
    return path


def test_pack_writes_what_the_driver_takes(tmp_path, capsys):
    core = folder_of(small_network(), tmp_path)
    assert run("pack", model(tmp_path), "--core", tmp_path, "--out", tmp_path / "w.bin") == 0
    assert (tmp_path / "w.bin").read_bytes() == load_file(small_network(), core)
    assert capsys.readouterr().out == f"wrote {tmp_path / 'w.bin'}: {core['words']} words\n"


def test_pack_refuses_in_one_line_and_writes_nothing(tmp_path, capsys):
    folder_of(small_network(), tmp_path)
    good, other = model(tmp_path), model(tmp_path, "other", timesteps=3)
    wrong = [
        (("pack", other, "--core", tmp_path), f"{other}: network: timesteps 3; allowed: 2, the core's"),
        (("pack", good, "--core", tmp_path / "no"), "registers.json: not found; allowed: the folder of a core by convert --axi"),
        (("pack", tmp_path / "no", "--core", tmp_path), "not found"),
        (("pack", good, "--core", tmp_path, "--out", tmp_path / "no" / "w.bin"), "cannot be written"),
    ]
    for words, message in wrong:
        assert run(*words, *(() if "--out" in words else ("--out", tmp_path / "w.bin"))) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("duospike: error: ") and err.count("\n") == 1 and message in err
    assert not (tmp_path / "w.bin").exists()


def test_pack_names_the_file_of_a_core_that_was_changed(tmp_path, capsys):
    folder_of(small_network(), tmp_path, lambda content: content["load"].update(words=3), hardware_follows=True)
    assert run("pack", model(tmp_path), "--core", tmp_path, "--out", tmp_path / "w.bin") == 2
    reason = "load: words is not what the network, the widths and the sizing give; it was changed"
    assert capsys.readouterr().err == f"duospike: error: {tmp_path / 'registers.json'}: {reason}\n"
    assert not (tmp_path / "w.bin").exists()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--loadable"], "--loadable needs --axi"),
        (["--axi", "--headroom", "2"], "--headroom needs --loadable"),
        (["--axi", "--headroom", "0"], "--headroom needs --loadable"),
    ],
)
def test_options_of_convert_that_do_nothing_are_refused(tmp_path, capsys, options, message):
    assert run("convert", model(tmp_path), "--out", tmp_path / "hdl", *options) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "hdl").exists()


@pytest.mark.parametrize("bits", ["-1", "17", "two", "1.5"])
def test_a_headroom_that_is_none_is_refused(tmp_path, capsys, bits):
    with pytest.raises(SystemExit) as ended:
        run("convert", model(tmp_path), "--out", tmp_path / "hdl", "--axi", "--loadable", "--headroom", bits)
    assert ended.value.code == 2 and "is not a number of bits of 0 to 16" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("language", ["verilog", "vhdl"])
def test_a_loadable_core_is_written_whole_and_without_weights(tmp_path, language):
    made, out = model(tmp_path, timesteps=8, reset="subtract_delayed"), tmp_path / "hdl"
    assert run("convert", made, "--out", out, "--axi", "--loadable", "--headroom", "1", "--language", language) == 0
    assert [file.name for file in out.glob("*.hex")] == ["identity.hex"]
    assert run("pack", made, "--core", out, "--out", tmp_path / "w.bin") == 0
    assert (tmp_path / "w.bin").read_bytes() == (out / "weights.bin").read_bytes()
    description = json.loads((out / "registers.json").read_text())
    offsets = {name: register["offset"] for name, register in description["registers"].items()}
    assert (offsets["CONTROL"], offsets["ERRORS"], offsets["LOAD_DATA"]) == (0x20, 0x24, 0x28)
    words = [int(line, 16) for line in (out / "identity.hex").read_text().split()]
    assert words == [register["value"] for register in description["registers"].values() if "value" in register]
    checks = {
        "verilog": [
            ["verilator", "--lint-only", "-Wall", "-f", "verilator.f"],
            ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "/dev/null", "-c", "axi_shell.f"],
        ],
        "vhdl": [
            ["ghdl", "-a", "--std=08", *(out / "axi_shell.f").read_text().split()],
            ["ghdl", "-e", "--std=08", "axi_shell"],
        ],
    }[language]
    for command in checks:
        done = subprocess.run(command, cwd=out, capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    # Another network of the shape gives the same HDL if its widths are the same: none of the text follows the weights.
    assert not any("readmemh" in file.read_text() for file in out.glob("*.v") if "identity" not in file.read_text())
