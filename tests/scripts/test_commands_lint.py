"""The command lint as a user runs it."""

import pytest

from duospike.scripts.main import main
from tests.benches.convertible_examples import design

BAD = design("a:8 b:8 y:8", "y.next = (a + b) >> 1\ny.next = min(a, b)")
GOOD = design("a:8 b:8 y:9", "y.next = a + b")


@pytest.fixture
def files(tmp_path):
    for name, text in (("bad.py", BAD), ("good.py", GOOD), ("broken.py", "def f(:\n"), ("empty.py", "")):
        (tmp_path / name).write_text(text)
    (tmp_path / "latin.py").write_bytes("# é\n".encode("latin-1"))
    return tmp_path


def lint(*paths):
    return main(["lint", *(str(path) for path in paths)])


def test_findings_are_one_a_line_and_the_status_is_1(files, capsys):
    assert lint(files / "good.py", files / "bad.py") == 1
    out, err = capsys.readouterr()
    line = next(i for i, code in enumerate(BAD.splitlines(), 1) if ">> 1" in code)
    assert [text.split(": ")[:3] for text in out.splitlines()] == [
        [f"{files / 'bad.py'}:{line}", "lost-carry", "`a + b`"],
        [f"{files / 'bad.py'}:{line + 1}", "builtin-function", "`min(a, b)`"],
    ]
    assert err == ""


def test_good_files_give_nothing_and_the_status_is_0(files, capsys):
    assert lint(files / "good.py") == 0
    assert capsys.readouterr() == ("", "")


def test_a_file_without_a_block_does_not_pass_in_silence(files, capsys):
    assert lint(files / "good.py", files / "empty.py") == 0
    assert capsys.readouterr() == ("", f"{files / 'empty.py'}: not read: no block found\n")
    assert lint(files / "empty.py") == 1
    assert capsys.readouterr() == ("", f"{files / 'empty.py'}: not read: no block found\n")


def test_blocks_whose_ports_have_no_types_in_the_file_are_named(files, capsys):
    (files / "untyped.py").write_text(GOOD[: GOOD.index("def signals")])
    assert lint(files / "untyped.py") == 0
    assert capsys.readouterr() == ("", f"{files / 'untyped.py'}: types of ports not seen, form alone checked: top\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.py", "none.py: not found"),
        ("broken.py", "broken.py:1: not Python: "),
        ("latin.py", "latin.py: not a text in UTF-8"),
        (".", "not a file"),
    ],
)
def test_bad_input_is_one_line_and_nothing_else(files, capsys, name, message):
    assert lint(files / "bad.py", files / name) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("duospike: error: ") and err.count("\n") == 1 and message in err


def test_a_file_is_needed(capsys):
    with pytest.raises(SystemExit) as stopped:
        lint()
    assert stopped.value.code == 2


def test_a_source_of_gigabytes_is_not_read(tmp_path, capsys):
    with open(tmp_path / "x.py", "wb") as file:
        file.truncate(2**33)
    assert lint(tmp_path / "x.py") == 2
    assert "x.py: 8589934592 bytes; allowed: up to" in capsys.readouterr().err
