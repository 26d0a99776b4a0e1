"""How this copy of the project was installed, and so how a user gets what is missing."""

from __future__ import annotations

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SET_UP = ("dev", "plots", "cluster", "board", "pnr", "synth", "nir", "events", "snntorch")
"""Extras that `make setup` installs: the makefile names the first four, which have the packages of the others."""


def is_checkout() -> bool:
    """Whether this runs from a checkout of the repository, and not from an installed wheel."""
    return (CHECKOUT / "setup.cfg").is_file()


def install_hint(extra: str = "") -> str:
    """The command that installs the packages of an extra of the distribution, or those that it requires itself."""
    if not is_checkout():
        return f"pip install 'duospike[{extra}]'" if extra else "pip install duospike"
    return "make setup" if not extra or extra in SET_UP else f"pip install -e '.[{extra}]'"
