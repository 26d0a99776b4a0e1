"""The outputs that the tutorial shows are replaced by those of its runs."""

import pytest

from benchmarks.tutorial import with_outputs
from tests.benches.tutorial_page import Run

SHOWN = " a   dense 1141  30  36\n…\nstep 4: loss 0.5\n"
PAGE = f"before\n```text\n{SHOWN}```\nafter step 4: loss 0.5\n"


def test_each_line_is_the_next_with_the_same_words():
    """A column may have become empty; what is between, and what the page says elsewhere, is left alone."""
    printed = "step 1: loss 0.9\n\n a   dense  106      7   \nstep 8: loss 0.25\nstep 9: loss 0.1\n"
    new = " a   dense  106      7\n…\nstep 8: loss 0.25\n"
    assert with_outputs(PAGE, [Run("train", printed, [SHOWN])]) == PAGE.replace(SHOWN, new)


def test_a_line_that_is_not_printed_any_more_is_named():
    with pytest.raises(SystemExit, match="'step 4: loss 0.5' is not what this prints.*train"):
        with_outputs(PAGE, [Run("train", " a   dense 1 2 3\nstep 4: error 0.5\n", [SHOWN])])
