"""Pages in plain English: what a reader would have to decode is said in other words."""

import re

import pytest

from .test_links import CODE, DOCS, PAGES, ROOT

ODD = r"\b(told|hangs? on|hands? on|handed on|at hand|mends?|mended|what is more|goes? before|without a word|but for)\b"
WRITTEN = [page for page in PAGES if DOCS / "generated" not in page.parents]
"""By hand. Tables may hold words of the code, and are left out."""


def odd_words(text):
    lines = CODE.sub("", text).splitlines()
    return re.findall(ODD, "\n".join(line for line in lines if not line.startswith("|")), re.IGNORECASE)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_odd_words(page):
    assert odd_words(page.read_text(encoding="utf-8")) == []


def test_an_odd_word_is_seen():
    assert odd_words("It is told\n```\nat hand\n```\n| what is more |\nand `goes before`, but for this") == ["told", "but for"]
