"""The one exception that `reference` raises for input that it refuses."""

MAX_SHOWN = 200
"""Characters that a message shows of what a file holds."""


class InputError(ValueError):
    """Bad input: a network, file, architecture, setting or image that cannot be used exactly as it is.

    The message is one line that names the thing, its value and what is allowed.
    """


def brief(value: object) -> str:
    """A value of a file for a message, in one line of up to MAX_SHOWN characters: an error's own text, else as Python writes it."""
    text = " ".join(str(value).split()) if isinstance(value, Exception) else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text)} characters)"
