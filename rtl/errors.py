"""The one exception that `rtl` raises for a design that cannot be built."""


class DesignError(ValueError):
    """A parameter that the hardware cannot take. The message is one line: block, value, what is allowed."""
