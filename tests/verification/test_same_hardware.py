"""Whether an older commit gives the same hardware: what is seen of a difference, and what is none."""

import argparse

import pytest

from verification.same_hardware import ROOT, check_out, compare, differences, duospike, leaves

OLD = {"a": 1, "b": {"c": [1, 2], "d": "x"}, "conv1.hex": b"0\n"}


@pytest.mark.parametrize(
    "new, lines",
    [
        (OLD, []),
        (OLD | {"a": 2}, ["a is 2, was 1"]),
        (OLD | {"a": 1.0}, ["a is 1.0, was 1"]),
        (OLD | {"e": None}, ["e is None, was nothing"]),
        ({"a": 1, "b": OLD["b"]}, ["conv1.hex is nothing, was 2 bytes"]),
        (OLD | {"conv1.hex": b"1\n"}, ["conv1.hex is 2 bytes, was 2 bytes"]),
        (OLD | {"b": {"c": [1, 3], "d": "y"}}, ["b.c[1] is 3, was 2", "b.d is y, was x"]),
        (OLD | {"b": {"c": [1], "d": "x"}}, ["b.c is [1], was [1, 2]"]),
    ],
)
def test_each_difference_is_a_line(new, lines):
    assert list(differences(OLD, new)) == lines


def test_values_are_counted():
    assert leaves(OLD) == 5 and leaves({}) == 0


PLANT = """
import sys
from pathlib import Path
from duospike.scripts.main import main
status, out = main(), Path(sys.argv[sys.argv.index("--out") + 1])
for path in out.glob("conv1_weights.hex"):
    path.write_text(path.read_text().replace("1", "2"))
sys.exit(status)
"""


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no repository of git")
def test_a_planted_difference_is_found_and_no_other(tmp_path, capsys):
    args = argparse.Namespace(images=2, data="random", hdl=True)
    (tmp_path / "results").mkdir()
    old, model = check_out("HEAD", tmp_path / "old"), tmp_path / "m.safetensors"
    duospike(old, ["random", "4C3-FC10", "--input", "1x6x6", "--out", str(model)])
    (old / "duospike" / "__main__.py").write_text(PLANT)
    assert compare(old, check_out("HEAD", tmp_path / "new"), [model], args, tmp_path / "results") == [1, 0]
    assert ": conv1_weights.hex is" in capsys.readouterr().out
