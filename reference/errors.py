"""The one exception that `reference` raises for input that it refuses, and what its messages are made of."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

MAX_SHOWN = 200
"""Characters that a message shows of what a file holds."""
_WORD = re.compile(rf"[A-Za-z0-9_.+-]{{1,{MAX_SHOWN}}}")


class InputError(ValueError):
    """Bad input: a network, file, architecture, setting or image that cannot be used exactly as it is.

    The message is one line that names the thing, its value and what is allowed.
    """


def brief(value: object) -> str:
    """What a file holds, or an error's text, for a message: one line of up to MAX_SHOWN characters."""
    text = _printable(" ".join(str(value).split())) if isinstance(value, BaseException) else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text)} characters)"


def name_text(name: object) -> str:
    """A name in a file, such as a key or a node's, for a message: as it is if it is one plain word, else as brief."""
    return name if isinstance(name, str) and _WORD.fullmatch(name) else brief(name)


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """For the end of a message about an unknown name: the allowed one that is spelt most like it; empty if none is."""
    close = get_close_matches(name.lower(), list(allowed), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _printable(text: str) -> str:
    """A text without control characters of a terminal."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


class ManyReasons(InputError):
    """Bad input with several reasons against it. title: what is refused. reasons: numbered, each for a line of its own."""

    def __init__(self, refused: str, reasons: list[str] | tuple[str, ...]):
        self.title = f"{refused} for {len(reasons)} reasons:"
        self.reasons = tuple(f"({i}) {reason}" for i, reason in enumerate(reasons, start=1))
        super().__init__(f"{self.title} {'; '.join(self.reasons)}")
