"""Boards: their devices, pins and clocks, from a table that a user can extend."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from duospike.cosim.errors import CosimError
from duospike.reference.errors import InputError, brief, did_you_mean, name_text
from duospike.reference.files import read_toml

TABLE = Path(__file__).with_name("boards.toml")
DEVICES = {"LFE5U-12F": "--12k", "LFE5U-25F": "--25k", "LFE5U-45F": "--45k", "LFE5U-85F": "--85k"}
"""What nextpnr calls a device."""
PACKAGES = ("CABGA256", "CSFBGA285", "CABGA381", "CABGA554", "CABGA756")
SPEEDS = (6, 7, 8)
PIN = re.compile(r"[A-Z]{1,2}[0-9]{1,2}")


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board; boards.toml says what its entries are."""

    name: str
    device: str
    package: str
    speed: int
    clock_pin: str
    clock_mhz: float
    rxd_pin: str
    txd_pin: str
    io: str
    default_mhz: float
    baud: int
    high: tuple[str, ...] = ()
    loader: tuple[str, ...] = ()
    about: str = ""

    @property
    def pins(self) -> dict[str, str]:
        """Pins by the port of the top level that they belong to."""
        held = {f"high_{i}": pin for i, pin in enumerate(self.high)}
        return {"clk_pin": self.clock_pin, "rxd_pin": self.rxd_pin, "txd_pin": self.txd_pin, **held}


NAME = re.compile(r"[A-Za-z0-9_.+-]+")
TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("device", "package", "clock_pin", "rxd_pin", "txd_pin", "io", "about"), ((str,), "a text in quotes")),
    **dict.fromkeys(("speed", "baud"), ((int,), "a whole number without quotes")),
    **dict.fromkeys(("clock_mhz", "default_mhz"), ((int, float), "a number without quotes")),
    **dict.fromkeys(("high", "loader"), ((list,), "a list of texts")),
}
"""Types of the entries, and what a message calls them."""
OPTIONAL = ("high", "loader", "about")
RANGES = {"clock_mhz": (8, 400), "default_mhz": (3.125, 400), "baud": (1200, 12_000_000)}
"""The least and the most of an entry."""


def board_named(name: str, table: Path | None = None) -> Board:
    """A board of TABLE or of a user's own table, which may also replace one of TABLE; CosimError for another name."""
    own = _own_boards(table) if table else {}
    entries = read_toml(TABLE) | own
    if name not in entries:
        raise CosimError(f"board {name!r}; allowed: {', '.join(entries)}{did_you_mean(name, entries)}")
    return _board(f"{table if name in own else TABLE.name}: {name}", name, entries[name])


def _own_boards(path: Path) -> dict[str, dict[str, Any]]:
    """The tables of a user's own file, by the name of the board. InputError: something else is in it."""
    own = read_toml(path)
    for name, entry in own.items():
        if not isinstance(entry, dict):
            raise InputError(f"{path}: entry {name_text(name)} is in no table; allowed: a table for each board, as [my-board]")
        if not NAME.fullmatch(name):
            raise InputError(f"{path}: board {brief(name)}; allowed: a name of letters, digits and _ . + -")
    return own


def _board(where: str, name: str, entry: dict[str, Any]) -> Board:
    """Check an entry; InputError that names what is wrong."""
    known = [field.name for field in fields(Board) if field.name != "name"]
    for key in entry:
        if key not in known:
            raise InputError(f"{where}: entry {name_text(key)}; allowed: {', '.join(known)}{did_you_mean(key, known)}")
    for key in known:
        if key not in entry and key not in OPTIONAL:
            raise InputError(f"{where}: {key} is missing")
    for key, value in entry.items():
        allowed, named = TYPES[key]
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise InputError(f"{where}: {key} {brief(value)}; allowed: {named}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    board = Board(name=name, **values)
    _check(where, board)
    return board


def _check(where: str, board: Board) -> None:
    choices = {"device": tuple(DEVICES), "package": PACKAGES, "speed": SPEEDS}
    for key, allowed in choices.items():
        if getattr(board, key) not in allowed:
            raise InputError(f"{where}: {key} {brief(getattr(board, key))}; allowed: {', '.join(map(str, allowed))}")
    _check_pins(where, board)
    if not re.fullmatch(r"[A-Z0-9_]+", board.io):
        raise InputError(f"{where}: io {brief(board.io)}; allowed: an IO_TYPE, such as LVCMOS33")
    if not all(isinstance(word, str) for word in board.loader):
        raise InputError(f"{where}: loader {brief(list(board.loader))}; allowed: arguments of openFPGALoader, as texts")
    for key in RANGES:
        check_range(f"{where}: {key}", key, getattr(board, key))


def _check_pins(where: str, board: Board) -> None:
    """InputError: a pin that no package has, or one that has two signals."""
    named = [(key, getattr(board, key)) for key in ("clock_pin", "rxd_pin", "txd_pin")] + [("high", pin) for pin in board.high]
    for key, pin in named:
        if not isinstance(pin, str) or not PIN.fullmatch(pin):
            raise InputError(f"{where}: {key} {brief(pin)}; allowed: a site of the package, such as G2")
    pins = [pin for _, pin in named]
    twice = [pin for pin in pins if pins.count(pin) > 1]
    if twice:
        raise InputError(f"{where}: pin {twice[0]} has two signals; allowed: one")


def check_range(where: str, key: str, value: float) -> None:
    """InputError if a value is outside the range of an entry of boards, whether it is from a table or an option."""
    low, high = RANGES[key]
    if not low <= value <= high:
        raise InputError(f"{where} {value}; allowed: {low} to {high}")
