import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from duospike.cosim.errors import CosimError
from duospike.reference.architecture import ALLOWED, NAMED
from duospike.reference.coding import CODINGS
from duospike.reference.errors import InputError, ManyReasons
from duospike.reference.exchange.source import IMPORTED_CODINGS
from duospike.reference.network import RESETS, WEIGHT_BITS
from duospike.rtl.errors import DesignError
from duospike.scripts import doctor, import_network, main, random_network

ROOT = Path(__file__).parents[2]


def parsers(command):
    """The parsers of all commands, that of `command` with its options."""
    actions = main.build_parser(command)._actions
    return next(action for action in actions if isinstance(action, argparse._SubParsersAction))


@pytest.fixture
def raising(monkeypatch):
    """raising(error): `duospike doctor` raises it."""

    def command_raises(error):
        def run(args):
            raise error

        monkeypatch.setattr(doctor, "run", run)

    return command_raises


@pytest.mark.parametrize(
    "error, message",
    [
        (InputError("theta 0; allowed: 1 or more"), "theta 0; allowed: 1 or more"),
        (DesignError("lanes 0; allowed: 1 to 8"), "lanes 0; allowed: 1 to 8"),
        (CosimError("vvp failed: exit"), "vvp failed: exit"),
        (CosimError("two\nlines"), "two lines"),
        (PermissionError(13, "Permission denied", "runs/demo"), "runs/demo: Permission denied"),
        (OSError(18, "Invalid cross-device link", "a", None, "b"), "a -> b: Invalid cross-device link"),
        (OSError("no space"), "no space"),
        (MemoryError(), "out of memory; a smaller network or fewer images may fit"),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            "the Python package torch is missing; see `duospike doctor`",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bad_input_is_one_line(raising, capsys, error, message):
    raising(error)
    assert main.main(["doctor"]) == 2
    assert capsys.readouterr() == ("", f"duospike: error: {message}\n")


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'duospike.gone'", name="duospike.gone"),
        ModuleNotFoundError("No module named 'torch.gone'", name="torch.gone"),
        ModuleNotFoundError("no name"),
        ImportError("cannot import name 'gone' from 'duospike.cosim.simulation.bench'"),
        BrokenPipeError(32, "Broken pipe"),
    ],
    ids=str,
)
def test_a_defect_of_imports_or_pipes_keeps_its_traceback(raising, error):
    """A package that is missing as a whole is no defect, nor is the pipe of the output; all others are."""
    raising(error)
    with pytest.raises(type(error), match=re.escape(str(error))):
        main.main(["doctor"])


def test_each_of_many_reasons_is_a_line(raising, capsys):
    raising(ManyReasons("import refused", ["theta 0", "two\nlines"]))
    assert main.main(["doctor"]) == 2
    lines = ["duospike: error: import refused for 2 reasons:", "  (1) theta 0", "  (2) two lines"]
    assert capsys.readouterr() == ("", "\n".join(lines) + "\n")


def test_an_interrupt_is_one_line(raising, capsys):
    raising(KeyboardInterrupt())
    assert main.main(["doctor"]) == 130
    assert capsys.readouterr() == ("", "duospike: interrupted\n")


def test_a_defect_keeps_its_traceback(raising):
    raising(ValueError("a defect"))
    with pytest.raises(ValueError, match="a defect"):
        main.main(["doctor"])


@pytest.mark.parametrize("status", [0, 1])
def test_a_command_gives_the_exit_status(monkeypatch, status):
    monkeypatch.setattr(doctor, "run", lambda args: status)
    assert main.main(["doctor"]) == status


@pytest.mark.parametrize("command", ["evaluate", "convert", "cosim"])
def test_a_missing_model_file_is_named(command, tmp_path, capsys):
    model, out = tmp_path / "none.safetensors", tmp_path / "out"
    assert main.main([command, str(model), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("duospike: error: ") and error.count("\n") == 1 and str(model) in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [[], ["compile"], ["doctor", "--wrong"], ["train"]])
def test_wrong_usage_is_explained_by_argparse(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main.main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage: duospike")


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as stopped:
        main.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"duospike {main.version()}\n"


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as stopped:
        main.main(["--help"])
    assert stopped.value.code == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line and line[0] in main.COMMANDS] == [
        [name, summary] for name, (_, summary) in main.COMMANDS.items()
    ]


@pytest.mark.parametrize("command", parsers(None).choices)
def test_help_of_a_command_lists_its_options(capsys, command):
    with pytest.raises(SystemExit) as stopped:
        main.main([command, "--help"])
    assert stopped.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    parser = parsers(command).choices[command]
    assert " ".join(parser.description.split()) in text
    assert parser.get_default("func") is not None
    for action in (action for action in parser._actions if action.help != argparse.SUPPRESS):
        names = action.option_strings or [action.metavar or action.dest]
        assert all(name in text for name in names)
        assert action.help and " ".join(action.help.split()) in text


@pytest.mark.parametrize("command", parsers(None).choices)
def test_a_command_and_the_list_of_commands_say_the_same(command):
    """They are written down in two places, since the list must not import the commands."""
    assert [(choice.dest, choice.help) for choice in parsers(command)._choices_actions] == [
        (name, summary) for name, (_, summary) in main.COMMANDS.items()
    ]


HEAVY = ("torch", "numpy", "scipy", "numba", "myhdl", "rich", "jinja2", "safetensors")


@pytest.mark.parametrize("arguments", [["--help"], ["doctor"], *([name, "--help"] for name in main.COMMANDS)], ids=" ".join)
def test_help_and_doctor_import_no_heavy_package(arguments):
    script = f"""
import sys
from duospike.scripts.main import main
try:
    main({arguments})
except SystemExit:
    pass
print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True)
    assert done.stdout and done.stderr == "[]\n"


def test_help_names_what_the_program_takes():
    """The lists of a help text are written out, since the modules that have them need numpy."""
    assert random_network.RESETS == RESETS and random_network.CODINGS == CODINGS
    assert import_network.WEIGHT_BITS == WEIGHT_BITS and import_network.CODINGS == IMPORTED_CODINGS
    assert f"{ALLOWED}; or {', '.join(NAMED)}" in " ".join(random_network.DESCRIPTION.split())


@pytest.mark.parametrize(
    "words, meant",
    [
        (["trian", "x.toml"], "no command 'trian'; allowed: train, evaluate, .*; did you mean train\\?"),
        (["cosim", "m", "--iamges", "3"], "duospike cosim: error: unrecognized arguments: --iamges 3; did you mean --images\\?"),
        (["convert", "m", "--lenguage=vhdl"], "unrecognized arguments: --lenguage=vhdl; did you mean --language\\?"),
        (["cosim", "m", "--qqq"], "unrecognized arguments: --qqq\n"),
    ],
)
def test_a_misspelt_word_gets_the_one_that_was_meant(capsys, words, meant):
    with pytest.raises(SystemExit) as stopped:
        main.main(words)
    assert stopped.value.code == 2
    assert re.search(meant, capsys.readouterr().err)


@pytest.mark.parametrize("arguments", [["doctor", "--json"], ["--help"], ["doctor"]])
def test_a_reader_that_leaves_gets_no_traceback(arguments):
    command = [sys.executable, "-m", "duospike", *arguments]
    environment = os.environ | {"PYTHONUNBUFFERED": ""}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
