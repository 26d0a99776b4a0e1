"""Why a network is refused: reasons, each with what can be done about it, gathered for the reader of a message."""

from __future__ import annotations

from collections.abc import Iterable

from duospike.reference.errors import InputError, ManyReasons

CHANGE, HARDWARE = "change the network", "not in this hardware"
"""What can be done, where there is no option for it."""


class Reason(str):
    """A reason, "where: what". remedy: what can be done about it; a plain text's is CHANGE."""

    remedy: str

    def __new__(cls, text: str, remedy: str):
        reason = super().__new__(cls, text)
        reason.remedy = remedy
        return reason


def not_in_hardware(text: str) -> str:
    """A reason about what this hardware does not have."""
    return Reason(text, HARDWARE)


def by_option(text: str, option: str) -> str:
    """A reason that an option of `duospike import` takes away."""
    return Reason(text, f"option {option}")


def remedy_of(reason: str) -> str:
    return getattr(reason, "remedy", CHANGE)


def placed(where: str, what: str) -> str:
    """A reason about the part `where`."""
    return Reason(f"{where}: {what}", remedy_of(what))


def gathered(reasons: Iterable[str]) -> list[str]:
    """A line for each reason in their order, one for all parts that have the same, with the remedy in brackets at its end."""
    places: dict[tuple[str, str], list[str]] = {}
    for reason in reasons:
        where, colon, what = reason.partition(": ")
        named = places.setdefault((what if colon else where, remedy_of(reason)), [])
        if colon and where not in named:
            named.append(where)
    return [f"{', '.join(named)}{': ' if named else ''}{what} [{remedy}]" for (what, remedy), named in places.items()]


def refuse(reasons: Iterable[str], what: str = "import") -> None:
    """InputError with all reasons, gathered and numbered, if there are any. what: the command or function that refuses."""
    lines = gathered(reasons)
    if len(lines) == 1:
        raise InputError(f"{what} refused: {lines[0]}")
    if lines:
        raise ManyReasons(f"{what} refused", lines)
