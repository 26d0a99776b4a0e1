"""The figures of docs/generated/quantization.md on quantization: of a network that has hardly begun to learn."""

import re

import pytest

from benchmarks import quantization

PERCENT = r"(\d+\.\d\d)%"
POINTS = r"([+-]\d+\.\d\d)"


@pytest.mark.slow
def test_the_table_has_a_row_for_each_width(monkeypatch, capsys, tmp_path):
    page = tmp_path / "docs" / "import.md"
    page.parent.mkdir()
    page.write_text("before\n<!-- quantization: begin -->\nold\n<!-- quantization: end -->\nafter\n")
    monkeypatch.setattr("benchmarks.figures.page.ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["quantization", "--steps", "12", "--limit", "300", "--write"])
    assert quantization.main() == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    before = float(re.search(rf"\| source, float64 \| {PERCENT} \|", text)[1])
    rows = re.findall(rf"\| (\d) bits \| {PERCENT} \| {POINTS} \({POINTS} to {POINTS}\) \|", text)
    assert [int(bits) for bits, *_ in rows] == list(quantization.BITS)
    for _, after, cost, low, high in rows:
        assert float(cost) == pytest.approx(float(after) - before, abs=0.011) and float(low) < float(cost) < float(high)
    assert "--steps 12 --seed 1" in " ".join(text.split()) and "300 test images" in " ".join(text.split())
    assert re.sub(r"\s", "", capsys.readouterr().out) in re.sub(r"\s", "", text)
