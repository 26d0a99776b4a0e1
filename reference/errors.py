"""The one exception that `reference` raises for input that it refuses."""


class InputError(ValueError):
    """Bad input: a network, file, architecture, setting or image that cannot be used exactly as it is.

    The message is one line that names the thing, its value and what is allowed.
    """


class ManyReasons(InputError):
    """Bad input with several reasons against it. title: what is refused. reasons: numbered, each for a line of its own."""

    def __init__(self, refused: str, reasons: list[str] | tuple[str, ...]):
        self.title = f"{refused} for {len(reasons)} reasons:"
        self.reasons = tuple(f"({i}) {reason}" for i, reason in enumerate(reasons, start=1))
        super().__init__(f"{self.title} {'; '.join(self.reasons)}")
