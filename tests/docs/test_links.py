"""Every link of every page leads somewhere, and every page is part of the site."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^()\s]+)\)")


def prose(page):
    return CODE.sub("", page.read_text(encoding="utf-8"))


def anchors(page):
    """The anchors of a page's headings, as the site and the forges make them; empty if the two differ."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    titles = [re.sub(r"[`*]", "", title).strip().lower() for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    of_site = [re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title)) for title in titles]
    of_forge = [re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles]
    return {one for one, other in zip(of_site, of_forge, strict=True) if one == other}


def broken(page):
    """The links of a page that lead nowhere, or out of the site."""
    for link in LINK.findall(prose(page)):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        is_in_site = DOCS not in page.parents or DOCS in target.parents
        if not target.exists() or not is_in_site or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert list(broken(page)) == []


def test_a_broken_link_is_seen(tmp_path):
    (tmp_path / "b.md").write_text("# A title\n\n```\n# no title\n```\n")
    (tmp_path / "a.md").write_text("[a](b.md) [b](b.md#a-title) [c](c.md) [d](b.md#no-title) `[e](e.md)` ![f](f.svg)\n")
    assert list(broken(tmp_path / "a.md")) == ["c.md", "b.md#no-title", "f.svg"]


def test_the_navigation_names_every_page_once():
    named = re.findall(r"- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(str(page.relative_to(DOCS)) for page in PAGES if DOCS in page.parents)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_one_title_at_its_top(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"^# .+$", text, re.MULTILINE) == [text.splitlines()[0]]


FOLDERS = "rtl|reference|cosim|scripts|tests|verification|benchmarks|models|docs|duospike|examples"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(page):
    """Those of the present: the changelog names earlier ones, and NAME stands for any."""
    named = re.findall(rf"`((?:{FOLDERS})/[\w./-]+?)/?`", page.read_text(encoding="utf-8"))
    missing = [path for path in named if "NAME" not in path and not (ROOT / path).exists()]
    assert page.name == "CHANGELOG.md" or missing == []


def test_the_architecture_names_the_file_of_every_block():
    rows = re.findall(r"^\| `(\w+)` \| `(rtl/\w+\.py)` \|", (DOCS / "explanation" / "architecture.md").read_text(), re.MULTILINE)
    assert rows and all(re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE) for name, path in rows)
    blocks = {f"rtl/{path.name}" for path in (ROOT / "rtl").glob("*.py") if "\n@block\n" in path.read_text()}
    assert blocks - {"rtl/stream.py"} <= {path for _, path in rows}
