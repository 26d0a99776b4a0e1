"""The tables of the sweep: their figures by hand."""

from benchmarks.studies.sparsity import STUDY, page
from duospike.cosim.study.study_file import read_study
from tests.benchmarks.test_study_page import result, rows_of

BASE = {"spike_penalty": 0.0, "threshold": 1.0, "beta": "5/32"}
POINTS = list(read_study(STUDY).points.values())


def swept(interval, **settings):
    return {**result(**{**BASE, **settings}), "interval": interval}


def test_each_knob_is_compared_with_the_base():
    results = [
        swept(100.0), swept(120.0, seed=2), swept(55.0, spike_penalty=0.1, accuracy=0.75),
        swept(54.0, spike_penalty=0.1, accuracy=0.76, seed=2), swept(88.0, threshold=2.0),
        swept(121.0, threshold=0.5), swept(99.0, beta="24/32"), swept(111.0, beta="1/32"),
    ]  # fmt: skip
    text = page(results, POINTS)
    assert text.startswith("8 of the 18 points")
    base, penalised = rows_of(text, "Penalty on spikes")
    assert base[:4] == ["0.0", "2", "80.00 ± 0.00 %", "-"] and base[5:7] == ["110 ± 14", "-"]
    # Five and four points below; 45 of 100 and 66 of 120 cycles saved. Student's t of one degree of freedom is 12.706.
    assert penalised[:4] == ["0.1", "2", "75.50 ± 0.71 %", "-4.5 ± 0.5 (-10.9 to +1.9)"]
    assert penalised[5:7] == ["54 ± 1", "+50.0 ± 5.0 % (-13.5 to +113.5)"]
    assert [row[0] for row in rows_of(text, "Threshold")] == ["0.5", "1.0", "2.0"]
    assert [row[6] for row in rows_of(text, "Threshold")] == ["-21.0 % (one pair)", "-", "+12.0 % (one pair)"]
    assert [row[0] for row in rows_of(text, "Leak, beta")] == ["1/32", "5/32", "24/32"]


def test_a_knob_that_was_not_turned_has_no_table():
    text = page([swept(100.0), swept(90.0, beta="1/32")], POINTS)
    assert "**Leak, beta**" in text and "**Penalty" not in text and "**Threshold**" not in text


def test_nothing_is_compared_before_the_base_is_finished():
    text = page([swept(55.0, spike_penalty=0.1), swept(50.0, spike_penalty=0.2)], POINTS)
    assert text.startswith("2 of the 18 points") and "**" not in text
