"""The command study as a user runs it, on a few small images."""

import csv
import json
import os
import signal
import threading
import time

import pytest

from duospike.reference import golden
from duospike.reference.data.datasets import fashion_mnist
from duospike.reference.modelfile import load_model
from duospike.reference.training.train import CHECKPOINT
from duospike.scripts.main import main
from tests.benches.commands import run
from tests.benches.fashion_files import write_fashion
from tests.benches.page_reader import PageReader
from tests.cosim.study.test_measure import BASE


@pytest.fixture
def words(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for prefix, count in (("train", 64), ("t10k", 20)):
        write_fashion(data, prefix, count, [i % 10 for i in range(count)])
    (tmp_path / "study.toml").write_text(BASE + "[[grid]]\nweight_bits = ['float', 4]\nseed = [1, 2]\n")
    return [str(word) for word in ("study", tmp_path / "study.toml", "--data", data, "--out", tmp_path / "out", "--workers", 2)]


@pytest.mark.slow
def test_a_study_and_the_same_again(words, tmp_path, capfd):
    assert main(words) == 0
    out, printed = tmp_path / "out", capfd.readouterr().out
    results = json.loads((out / "results.json").read_text())
    names = [f"weight_bits={bits},seed={seed}" for bits in ("float", 4) for seed in (1, 2)]
    assert list(results) == names
    test = fashion_mnist("test", tmp_path / "data")
    for name in names[2:]:
        network = load_model(out / "points" / name / "model.safetensors")
        right = (golden.run(network, test.images).predicted == test.labels).mean()
        assert results[name]["accuracy"] == pytest.approx(right)
    rows = list(csv.DictReader((out / "summary.csv").open()))
    assert [(row["weight_bits"], row["seeds"]) for row in rows] == [("float", "2"), ("4", "2")]
    assert (out / "summary.md").read_text() in printed
    rows = list(csv.DictReader((out / "energy.csv").open()))
    ratio = float(rows[1]["energy"]) / float(rows[0]["energy"])
    lowest, told, highest = (float(rows[1][key]) for key in ("lowest", "ratio", "highest"))
    assert lowest < told < highest and told == pytest.approx(ratio)
    assert {"pareto.svg", "accuracy.svg", "bits.svg", "layers.svg", "sparsity.svg", "latency.svg", "energy.svg"} <= {
        file.name for file in out.iterdir()
    }
    assert "epoch 1" in printed
    assert main(words) == 0
    assert "epoch 1" not in capfd.readouterr().out
    assert json.loads((out / "results.json").read_text()) == results
    # The file of a network beside a float twin of the grid, without training images.
    text = BASE + "[[grid]]\nweight_bits = ['float']\nseed = [2]\n"
    (tmp_path / "study.toml").write_text(f"models = ['out/points/{names[2]}/model.safetensors']\n{text}")
    words[words.index("--out") + 1] = str(tmp_path / "again")
    assert main(words) == 0
    again = json.loads((tmp_path / "again" / "results.json").read_text())
    assert [one["accuracy"] for one in again.values()] == [results[name]["accuracy"] for name in (names[1], names[2])]


@pytest.mark.slow
def test_its_folder_makes_a_page(words, tmp_path, capfd):
    assert main(words) == 0
    study = tmp_path / "out"
    assert run("report", study) == 0
    assert f"wrote {study / 'report.html'}, of {study / 'results.json'}" in capfd.readouterr().out
    page = PageReader((study / "report.html").read_text(encoding="utf-8"))
    results = json.loads((study / "results.json").read_text())
    points = {row[0][0]: row[1][1] for row in page.table("Each point")}
    assert points == {name: result["accuracy"] for name, result in results.items()}
    told = {row[0][0] for row in page.table("Where it is from")}
    assert {"version of duospike", "version of myhdl", "version of python"} <= told
    assert [text for row in page.table("Model files") for text, _ in row[1:]].count("–") == 2
    assert page.tags.count("svg") == 8
    for more in ([study], ["--image", 0]):
        assert run("report", study, *more) == 2
        [line] = capfd.readouterr().err.strip().splitlines()
        assert "out: is the folder of a study, which has a page of its own" in line


def test_bad_input_is_one_line(words, tmp_path, capfd):
    (tmp_path / "study.toml").write_text(BASE)
    assert main(words) == 2
    message = capfd.readouterr().err.strip().splitlines()
    assert len(message) == 1 and "study.toml: needs a table [base], and tables [[grid]] or a list of models" in message[0]
    (tmp_path / "study.toml").write_text(BASE + "[[grid]]\nseed = [1]\n")
    words[words.index("--data") + 1] = str(tmp_path / "nowhere")
    assert main(words) == 2
    message = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert len(message) == 1 and message[0].startswith("duospike: error: ") and "not found" in message[0], message


def test_after_a_point_that_fails_no_other_begins(words, tmp_path, capfd):
    (tmp_path / "study.toml").write_text(BASE + "[[grid]]\nseed = [1, 2, 3, 4, 5, 6]\n")
    points = tmp_path / "out" / "points"
    (points / "seed=1").mkdir(parents=True)
    (points / "seed=1" / "result.json").write_text("{")
    words[-1] = "1"
    assert main(words) == 2
    assert "seed=1/result.json: not a result" in capfd.readouterr().err
    assert not (points / "seed=6").exists() and not (points / "seed=5").exists()


@pytest.mark.slow
def test_a_worker_that_is_killed_changes_no_result(words, tmp_path, capfd):
    """Two worker processes of a scheduler; one of them is killed while it trains."""
    from distributed import Client, LocalCluster

    assert main(words) == 0
    undisturbed = (tmp_path / "out" / "results.json").read_bytes()
    points = tmp_path / "again" / "points"
    words[words.index("--out") + 1] = str(tmp_path / "again")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local, Client(local) as client:

        def kill():
            """The worker of a point that has a checkpoint, but no result yet."""
            while not killed:
                begun = [
                    path.parent.name for path in points.glob(f"*/{CHECKPOINT}") if not (path.parent / "result.json").exists()
                ]
                for worker, keys in client.processing().items():
                    if any(name in begun for _, name in keys):
                        killed.append(client.run(os.getpid, workers=[worker])[worker])
                        os.kill(killed[-1], signal.SIGKILL)
                        return
                time.sleep(0.01)

        killed, before = [], set(client.run(os.getpid).values())
        killer = threading.Thread(target=kill)
        killer.start()
        assert main([*words, "--scheduler", client.scheduler.address]) == 0
        killer.join()
    assert len(before) == 2 and killed[0] in before
    assert "was lost; begins again: weight_bits=" in capfd.readouterr().out
    assert (tmp_path / "again" / "results.json").read_bytes() == undisturbed
