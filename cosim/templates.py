"""Texts in HDL from the templates of a room, in Jinja, with `${value}` for a value: HDL has `{{`."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def fill(room: str, name: str, **values: Any) -> str:
    """The text of a template. room: the package in whose templates/ it is. values: what it may use."""
    environment = Environment(
        loader=PackageLoader(room), undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True,
        variable_start_string="${", variable_end_string="}",
    )  # fmt: skip
    return environment.get_template(name).render(**values)
