"""The README is short, and its commands work in their order."""

import re
import shlex
from pathlib import Path

import pytest

from duospike.reference.data import datasets
from duospike.scripts.main import build_parser, main
from tests.benches.fashion_files import write_fashion

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
COMMANDS = [shlex.split(line, comments=True)[1:] for line in "".join(BLOCKS).splitlines() if line.startswith("duospike ")]
SETTINGS = re.search(r"^```toml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)[1]


def test_it_is_short():
    lines = TEXT.splitlines()
    assert len(lines) < 120 and max(map(len, lines)) <= 100


def test_make_has_what_it_names():
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", TEXT, re.MULTILINE))
    assert {"demo", "test"} <= named <= set(targets)


def test_commands_parse_and_find_what_earlier_ones_write():
    assert [words[0] for words in COMMANDS] == ["train", "explore", "cosim", "convert", "report"]
    written = {"my.toml"}
    for words in COMMANDS:
        args = build_parser(words[0]).parse_args(words)
        out = str(args.out)
        read = [word for word in words[1:] if re.search(r"\.(toml|safetensors)$", word) and word != out]
        read += [str(folder) for folder in getattr(args, "folders", [])]
        assert read and all(any(name == one or name.startswith(f"{one}/") for one in written) for name in read), words
        written.add(out)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_commands_run_in_their_order(tmp_path, monkeypatch, capsys):
    """With the README's own words, but a network of seconds on a few images."""
    data = tmp_path / "data"
    data.mkdir()
    for prefix in ("train", "t10k"):
        write_fashion(data, prefix, 40, labels=[i % 10 for i in range(40)])
    monkeypatch.setattr(datasets, "FASHION_MNIST", data)
    monkeypatch.chdir(tmp_path)
    small = re.sub(r"^architecture = .*$", 'architecture = "4C3-MP2-4C3-MP2-FC20"', SETTINGS, flags=re.MULTILINE)
    Path("my.toml").write_text(re.sub(r"^epochs = .*$", "epochs = 1", small, flags=re.MULTILINE))
    for words in COMMANDS:
        words = [re.sub(r"lanes=\d+", "lanes=6", word) for word in words]
        assert main(words) == 0, (words, capsys.readouterr())
    assert "bit-exact in icarus" in capsys.readouterr().out
    assert Path("report.html").exists() and Path("hdl/axi_shell.v").exists()
