"""Boards: their devices, pins and clocks, from a table that a user can extend."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from duospike.cosim.errors import CosimError
from duospike.reference.errors import InputError, did_you_mean
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


TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("device", "package", "clock_pin", "rxd_pin", "txd_pin", "io", "about"), (str,)),
    **dict.fromkeys(("speed", "baud"), (int,)),
    **dict.fromkeys(("clock_mhz", "default_mhz"), (int, float)),
    **dict.fromkeys(("high", "loader"), (list,)),
}
OPTIONAL = ("high", "loader", "about")
RANGES = {"clock_mhz": (8, 400), "default_mhz": (3.125, 400), "baud": (1200, 12_000_000)}
"""The least and the most of an entry."""


def board_named(name: str, table: Path | None = None) -> Board:
    """A board of TABLE or of a user's own table, which may also replace one of TABLE; CosimError for another name."""
    own = read_toml(table) if table else {}
    entries = read_toml(TABLE) | own
    if name not in entries:
        raise CosimError(f"board {name!r}; allowed: {', '.join(entries)}{did_you_mean(name, entries)}")
    return _board(f"{table if name in own else TABLE.name}: {name}", name, entries[name])


def _board(where: str, name: str, entry: Any) -> Board:
    """Check an entry; InputError that names what is wrong."""
    known = [field.name for field in fields(Board) if field.name != "name"]
    if not isinstance(entry, dict):
        raise InputError(f"{where}: no table; allowed: entries {', '.join(known)}")
    strange = [key for key in entry if key not in known]
    if strange:
        raise InputError(f"{where}: entry {strange[0]}; allowed: {', '.join(known)}")
    missing = [key for key in known if key not in entry and key not in OPTIONAL]
    if missing:
        raise InputError(f"{where}: {missing[0]} is missing")
    for key, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, TYPES[key]):
            raise InputError(f"{where}: {key} {value!r}; allowed: {' or '.join(kind.__name__ for kind in TYPES[key])}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    board = Board(name=name, **values)
    _check(where, board)
    return board


def _check(where: str, board: Board) -> None:
    choices = {"device": tuple(DEVICES), "package": PACKAGES, "speed": SPEEDS}
    for key, allowed in choices.items():
        if getattr(board, key) not in allowed:
            raise InputError(f"{where}: {key} {getattr(board, key)!r}; allowed: {', '.join(map(str, allowed))}")
    for pin in board.pins.values():
        if not isinstance(pin, str) or not PIN.fullmatch(pin):
            raise InputError(f"{where}: pin {pin!r}; allowed: a site of the package, such as G2")
    if len(set(board.pins.values())) < len(board.pins):
        raise InputError(f"{where}: two signals at one pin")
    if not re.fullmatch(r"[A-Z0-9_]+", board.io):
        raise InputError(f"{where}: io {board.io!r}; allowed: an IO_TYPE, such as LVCMOS33")
    if not all(isinstance(word, str) for word in board.loader):
        raise InputError(f"{where}: loader {list(board.loader)!r}; allowed: arguments of openFPGALoader")
    for key in RANGES:
        check_range(f"{where}: {key}", key, getattr(board, key))


def check_range(where: str, key: str, value: float) -> None:
    """InputError if a value is outside the range of an entry of boards, whether it is from a table or an option."""
    low, high = RANGES[key]
    if not low <= value <= high:
        raise InputError(f"{where} {value}; allowed: {low} to {high}")
