"""The one exception that `cosim` raises for what it cannot run."""


class CosimError(RuntimeError):
    """A simulator that is missing or fails, or an output that cannot be used. The message is one line."""
