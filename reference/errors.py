"""The one exception that `reference` raises for input that it refuses."""


class InputError(ValueError):
    """Bad input: a network, file, architecture, setting or image that cannot be used exactly as it is.

    The message is one line that names the thing, its value and what is allowed.
    """
