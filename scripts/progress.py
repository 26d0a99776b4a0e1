"""What a long command is doing, on stderr: a spinner on a terminal, else a line for each step."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def steps_shown() -> Iterator[Callable[[str], None]]:
    """Gives the function that is called with each step. A step may count behind a colon: "cycle model: 3 of 20 images".

    Where stderr is no terminal, a step is one line, however often it counts.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("starting") as status:
            yield status.update
        return
    last = ""

    def print_step(text: str) -> None:
        nonlocal last
        step = text.split(":")[0]
        if step != last:
            print(f"{step} ...", file=sys.stderr, flush=True)
        last = step

    yield print_step


def counted(show: Callable[[str], None], step: str, count: int) -> Callable[[int], None]:
    """The function that shows how many of `count` images of a step are done."""
    show(step)
    return lambda done: show(f"{step}: {done} of {count} images")
