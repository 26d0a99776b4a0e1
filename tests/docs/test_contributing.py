"""The map in CONTRIBUTING.md is that of the house."""

import re
from pathlib import Path

import pytest

from tests.test_rooms import ORDER

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ANSWERS = re.findall(r"^\| ([^|]+\?) \| (.+) \|$", TEXT, re.MULTILINE)


def test_the_map_has_every_room_in_their_order():
    assert tuple(re.findall(r"^\| `([\w/]+)` \|", TEXT, re.MULTILINE)) == ORDER


@pytest.mark.parametrize("question, answer", ANSWERS, ids=[question for question, _ in ANSWERS])
def test_an_answer_is_a_file_that_has_what_it_names(question, answer):
    found = re.findall(r"`([\w/]+\.py)`(?:: `(\w+)`)?", answer)
    assert found
    for path, name in found:
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text(encoding="utf-8")), f"{path} has no {name}"


def test_there_are_ten_questions():
    assert len(ANSWERS) >= 10
