"""The page of the study: its figures by hand, with all points and with some."""

import json
import re

import pytest

from benchmarks.figures.page import page_with
from benchmarks.figures.record import Measurement
from benchmarks.studies import sparsity, study
from benchmarks.studies.study import go_on, keep, measure_again, page, read_record
from duospike.cosim.study.study_file import read_study


def result(seed=1, accuracy=0.8, spikes=10, energy=8.0, **settings):
    chosen = {"architecture": "4C3-FC20", "weight_bits": 4, "timesteps": 2, "coding": "direct", "epochs": 3, **settings}
    layers = {"conv1": {"slots": 100, "spikes": [spikes], "sparsity": 1 - spikes / 100, "events": 4.0, "synaptic_operations": 50}}
    costs = {"interval": 100.0, "latency": 150, "energy": energy}
    about = {"lanes": 9, "images": 10000, "cycle_images": 5}
    return {"settings": {**chosen, "seed": seed}, "accuracy": accuracy, "layers": layers, **costs, **about}


def rows_of(text, title):
    """Cells of the table under a title."""
    lines = text.split(f"**{title}")[1].split("**\n\n")[1].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


TWINS = [result(weight_bits="float", spikes=20, energy=32.0), result(weight_bits="float", seed=2, spikes=20, energy=32.0)]
FOURS = [result(accuracy=0.8), result(seed=2, accuracy=0.9)]
CODINGS = [
    result(epochs=1, accuracy=0.75, energy=4.0),
    result(epochs=1, coding="rate", timesteps=25, accuracy=0.7, energy=50.0),
]


def test_figures_by_hand():
    text = page([*FOURS, *TWINS, result(timesteps=1), *CODINGS], 21)
    assert text.startswith("7 of the 21 points")
    twin, four = rows_of(text, "Precision")
    assert twin[0] == "float" and twin[-3:] == ["-", "-", "1.00"]
    saved = "**+50.0 ± 0.0 % (+50.0 to +50.0)**"
    # Half as many spikes in both pairs, and none that go into another layer; a quarter of the energy; accuracy 0.85 with
    # deviation 0.1 / sqrt(2).
    assert four[0] == "4" and four[-3:] == [saved, "-", "4.00"] and four[1:4] == ["2", "3", "85.00 ± 7.07 %"]
    assert rows_of(text, "Sparsity of each layer") == [["conv1", "80.0 ± 0.0 %", "90.0 ± 0.0 %"]]
    assert [row[0] for row in rows_of(text, "Timesteps")] == ["1", "2"]
    assert [row[:2] for row in rows_of(text, "Coding")] == [["direct", "2"], ["rate", "25"]]
    found = {row[0]: row[1:] for row in rows_of(text, "Beside the paper")}
    assert found["spikes fewer by int4 than by float"] == ["6.1, 10.1, 15.2 %", saved]
    assert found["the same by the paper's counting"] == ["6.1, 10.1, 15.2 %", "-"]
    assert found["energy of float over int4"] == ["up to 3.4", "4.00 (modelled)"]
    assert found["accuracy of direct T=2 above rate T=25, points"] == ["10", "+5.0 (one pair)"]
    assert found["energy of rate T=25 over direct T=2"] == ["26.4", "12.50 (modelled)"]


def test_how_far_a_ratio_of_energies_goes():
    ours, other = (
        {**one, "energy_by": by} for one, by in zip(CODINGS, ({"a": 3.0, "b": 1.0}, {"a": 10.0, "b": 40.0}), strict=True)
    )
    found = {row[0]: row[1:] for row in rows_of(page([ours, other], 21), "Beside the paper")}
    # 90 over 5 with b doubled, 60 over 7 with a doubled; 45 over 2.5 and 30 over 3.5 with the other one halved.
    published, told = found["energy of rate T=25 over direct T=2"]
    assert published == "26.4" and told.endswith(" drawn at once, 8.57 to 18.00 with any one halved or doubled")
    low, high = map(float, re.fullmatch(r"12.50 \(modelled\), ([0-9.]+) to ([0-9.]+) with all .*", told).groups())
    # Further than with one coefficient, and within what one halved and the other doubled give.
    assert 40 / 6.5 < low < 8.57 and 18 < high < 85 / 3.5


@pytest.mark.parametrize(
    "results, titles",
    [
        (FOURS[:1], set()),
        (FOURS, set()),
        (TWINS, set()),
        (FOURS + TWINS, {"Precision", "Beside the paper"}),
        ([result(timesteps=1), *FOURS], {"Timesteps"}),
        (CODINGS[1:], set()),
        ([*FOURS, CODINGS[1]], set()),
        (CODINGS, {"Coding", "Beside the paper"}),
    ],
)
def test_what_is_not_finished_has_no_table(results, titles):
    text = page(results, 21)
    assert {title for title in ("Precision", "Timesteps", "Coding", "Beside the paper") if f"**{title}" in text} == titles


@pytest.mark.parametrize("program, write", [(study, lambda found, points: page(found, len(points))), (sparsity, sparsity.page)])
def test_the_page_holds_the_kept_results(program, write):
    """All but what they were measured on."""
    points = read_study(program.STUDY).points
    folder = study.KEPT / program.STUDY.stem / "points"
    found = [json.loads((folder / name / "result.json").read_text()) for name in points]
    text, written = write(found, list(points.values())), page_with(f"<!-- {program.NAME}: begin -->").read_text()
    assert re.sub("on Python [^:]*", "", text) in re.sub("on Python [^:]*", "", written)


TODAY = Measurement("study", {"reference/training": "01234567"})
POINT = "weight_bits=4,seed=1"


@pytest.fixture
def folder(tmp_path):
    """A study with one finished point, of which nobody knows what it was measured from."""
    point = tmp_path / "study" / "points" / POINT
    point.mkdir(parents=True)
    (point / "result.json").write_text(json.dumps(result() | {"generator": {"duospike": "0.0.1"}}))
    (point / "model.safetensors").write_bytes(b"")
    return tmp_path / "study"


def test_a_study_from_other_sources_does_not_go_on(folder, monkeypatch):
    monkeypatch.setattr(study.subprocess, "run", lambda *args, **options: pytest.fail("it goes on"))
    with pytest.raises(SystemExit, match="measured from other sources than those of today; remove it"):
        go_on(study.STUDY, folder, TODAY)
    assert read_record(folder) is None


@pytest.mark.parametrize("again, equal", [(result(), True), (result(accuracy=0.5), False)])
def test_a_point_measured_again_speaks_for_the_others_if_it_is_equal(folder, monkeypatch, again, equal):
    """All but the versions of the programs."""
    monkeypatch.setattr(study, "measure", lambda say, name, read, data, place: again | {"generator": {"duospike": "9"}})
    if equal:
        measure_again(POINT, study.STUDY, folder, TODAY)
        assert read_record(folder) == {"seconds": None, "sources": TODAY.sources}
    else:
        with pytest.raises(SystemExit, match=f"{POINT}: accuracy is not what it was"):
            measure_again(POINT, study.STUDY, folder, TODAY)
        assert read_record(folder) is None


def test_results_are_kept_without_models(folder, tmp_path):
    study.write_record(folder, TODAY)
    keep(folder, tmp_path / "kept")
    files = {str(path.relative_to(tmp_path / "kept")) for path in (tmp_path / "kept").rglob("*") if path.is_file()}
    assert files == {"measured.json", f"points/{POINT}/result.json"}
    keep(tmp_path / "kept", tmp_path / "kept")
