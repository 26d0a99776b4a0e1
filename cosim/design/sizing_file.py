"""The TOML file of a sizing, to be written, edited and read back."""

from __future__ import annotations

from pathlib import Path

from duospike.reference.errors import InputError, brief, did_you_mean, name_text
from duospike.reference.files import read_toml, write_file
from duospike.reference.network import Network

from .sizing import Sizing, choose_sizing

NUMBERS, TABLES = ("timesteps", "queue_depth"), ("lanes", "row_parts", "lane_multipliers")
RENAMED = {"parts": "row_parts"}
"""Keys of earlier files, and what they are called now."""


def write_sizing(sizing: Sizing, path: Path, comment: str) -> None:
    """Write a sizing as TOML that read_sizing takes. comment: its first lines."""
    lines = [*(f"# {line}".rstrip() for line in comment.splitlines()), ""]
    lines += [f"{name} = {getattr(sizing, name)}" for name in NUMBERS]
    for table in TABLES:
        numbers = getattr(sizing, table)
        if numbers or table != "lane_multipliers":
            lines += ["", f"[{table}]", *(f"{name} = {number}" for name, number in numbers.items())]
    write_file(path, "\n".join(lines) + "\n")


def read_sizing(path: Path) -> dict:
    """What a TOML file says of a sizing, as arguments of choose_sizing; what it leaves out is not in them.

    timesteps, queue_depth: whole numbers. lanes, row_parts, lane_multipliers: tables of whole numbers by layer name.
    InputError for a file that cannot be read, is not TOML, or holds another key or another type.
    """
    found = read_toml(path)
    for key, value in found.items():
        if key in RENAMED:
            raise InputError(f"{path}: key {key} is called {RENAMED[key]}; write [{RENAMED[key]}]")
        if key in NUMBERS:
            _check_number(path, key, value)
        elif key in TABLES and isinstance(value, dict):
            for name, number in value.items():
                _check_number(path, f"{key}.{name_text(name)}", number)
        else:
            allowed = f"numbers {', '.join(NUMBERS)}, tables {', '.join(TABLES)}"
            hint = did_you_mean(key, (*NUMBERS, *TABLES))
            raise InputError(f"{path}: {name_text(key)} = {brief(value)}; allowed: {allowed}{hint}")
    return found


def _check_number(path: Path, key: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"{path}: {key} = {brief(value)}; allowed: whole numbers")


def sizing_from(network: Network, path: Path | None, wanted: dict) -> Sizing:
    """The sizing of a file, if there is one, overridden by what is `wanted`, and defaults for the rest.

    wanted: arguments of choose_sizing, None for what is not given; tables are joined layer by layer.
    """
    chosen = read_sizing(path) if path else {}
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(chosen.get(key), dict):
            chosen[key] = chosen[key] | value
        elif value is not None:
            chosen[key] = value
    return choose_sizing(network, **chosen)
