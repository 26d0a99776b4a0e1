"""`duospike`: one command, a module of this package for each sub-command."""

from __future__ import annotations

import argparse
import io
import os
import select
import sys
import textwrap
from importlib import import_module

from duospike.cosim import interrupts
from duospike.cosim.errors import CosimError
from duospike.reference.errors import InputError, ManyReasons, did_you_mean
from duospike.rtl.errors import DesignError

DESCRIPTION = """Spiking neural networks for FPGAs: train one with small integer weights, write it as Verilog, and run it
in a simulator, every spike compared with the integer reference. `duospike COMMAND --help` lists a command's options."""

COMMANDS = {
    "train": ("train", "train a network and write its integers"),
    "evaluate": ("evaluate", "accuracy and spike rates by the integer reference"),
    "convert": ("convert", "write the accelerator as Verilog or VHDL"),
    "pack": ("pack", "a network for a core that loads its weights"),
    "cosim": ("cosim", "run the accelerator in a simulator and compare"),
    "cycles": ("cycles", "cycles of the accelerator by the cycle model"),
    "energy": ("energy", "modelled energy of an image"),
    "explore": ("explore", "lanes and parts of the accelerator for a budget"),
    "synth": ("synth", "area and clock of the accelerator, by Yosys and nextpnr"),
    "build": ("build", "a bitstream for a board, with open tools"),
    "run": ("run", "images through a board, compared with the reference"),
    "report": ("report", "one HTML page of any runs, or of a study"),
    "study": ("study", "train and measure a grid of networks"),
    "import": ("import_network", "a network of snnTorch, SpikingJelly or NIR as a model file"),
    "export": ("export", "a model file as a NIR graph"),
    "random": ("random_network", "an untrained network of a given size and spike rate"),
    "lint": ("lint", "find what MyHDL converts wrongly in Python files"),
    "demo": ("demo", "two images through a shipped network in simulated hardware"),
    "doctor": ("doctor", "what is installed, and what is missing for which purpose"),
}
"""For each command its module and its line in the list of commands, in that list's order."""

USAGE_ERROR = 2
READER_GONE = 141
"""Exit statuses; the second is what a shell reports for SIGPIPE."""


def main(argv: list[str] | None = None) -> int:
    """Run a command line and return its exit status; bad input is one line on stderr, or one for each reason,
    and status 2.

    argv: None for that of this process, which then ends when it is asked to, see interrupts.run_command().
    """
    if argv is None:
        return interrupts.run_command("duospike", lambda: main(sys.argv[1:]))
    # A name of a file need not be text that the terminal can show.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return run(argv)
    except BrokenPipeError:
        if not reader_left():
            raise
        # What Python would still write at its exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except KeyboardInterrupt as interrupt:
        return interrupts.status_of("duospike", interrupt)
    except ModuleNotFoundError as error:
        from .doctor import MODULES

        if error.name not in MODULES:
            raise
        return refuse(f"the Python package {error.name} is missing; see `duospike doctor`")
    except MemoryError:
        return refuse("out of memory; a smaller network or fewer images may fit")
    except OSError as error:
        return refuse(describe(error))
    except ManyReasons as error:
        return refuse(error.title, error.reasons)
    except (InputError, DesignError, CosimError) as error:
        return refuse(str(error))


def reader_left() -> bool:
    """Whether the reader of the output, such as `head`, has closed its end of the pipe."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def run(argv: list[str]) -> int:
    """Parse a command line and run its command."""
    try:
        args = build_parser(command_of(argv)).parse_args(argv)
        return args.func(args)
    finally:
        # Here main() can still deal with a reader that has left.
        sys.stdout.flush()


def command_of(argv: list[str]) -> str | None:
    """The command in `argv`: the options before it take no values."""
    return next((word for word in argv if not word.startswith("-")), None)


class Help(argparse.HelpFormatter):
    """Breaks lines between words only, so that a name with a hyphen can be read and copied as a whole."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{line}" for line in self._split_lines(text, width - len(indent)))


class Parser(argparse.ArgumentParser):
    """Says of an unknown option which one may have been meant, with the usage of the command that lacks it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs, formatter_class=Help)

    def parse_known_args(self, args=None, namespace=None):
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            meant = "".join(did_you_mean(word.split("=")[0], options) for word in unknown if word.startswith("-"))
            self.error(f"unrecognized arguments: {' '.join(unknown)}{meant}")
        return found, unknown


def build_parser(command: str | None) -> argparse.ArgumentParser:
    """The parser that knows the options of `command`, and the names of the others.

    Only that command's module is imported: some need torch, which takes seconds, and `doctor` must run without it.
    """
    parser = Parser(prog="duospike", description=DESCRIPTION)
    parser.add_argument("--version", action=Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (module, summary) in COMMANDS.items():
        if name == command:
            import_module(f".{module}", __package__).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary)
    if command and command not in COMMANDS:
        parser.error(f"no command {command!r}; allowed: {', '.join(COMMANDS)}{did_you_mean(command, COMMANDS)}")
    return parser


class Version(argparse.Action):
    """--version. The version is looked up only if it is asked for: the list of installed packages takes time."""

    def __call__(self, parser, namespace, values, option_string=None):
        print(f"{parser.prog} {version()}")
        parser.exit()


def version() -> str:
    """Version of the installed distribution."""
    from importlib import metadata

    try:
        return metadata.version("duospike")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def describe(error: OSError) -> str:
    """The files and the reason of an OSError."""
    files = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return f"{' -> '.join(files)}: {error.strerror}" if files else str(error)


def refuse(message: str, reasons: tuple[str, ...] = ()) -> int:
    """Print a message as one line on stderr, and each of its reasons as another; returns the exit status."""
    print("duospike: error:", " ".join(message.splitlines()), file=sys.stderr)
    for reason in reasons:
        print(f"  {' '.join(reason.splitlines())}", file=sys.stderr)
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
