"""Tasks on workers: results, what they log, what they raise, and workers that are lost, with two worker processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from duospike.cosim.cluster import MAX_LOSSES, MISSING, cluster, run_tasks
from duospike.cosim.errors import CosimError
from duospike.reference.errors import InputError

pytestmark = pytest.mark.slow


def square(log, folder, number):
    """Notes in a file that it began, and with which process."""
    with (folder / f"begun-{number}").open("a") as begun:
        begun.write(f"{os.getpid()}\n")
    log(f"begins {number}")
    while (folder / f"hold-{number}").exists():
        time.sleep(0.02)
    return number * number


def refuse(log, folder, number):
    square(log, folder, number)
    if number == 0:
        raise InputError("number 0; allowed: others")


def die(log, folder, number):
    square(log, folder, number)
    os.kill(os.getpid(), signal.SIGKILL)


def begun(folder, number):
    """Processes that began a task."""
    path = folder / f"begun-{number}"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def tasks(folder, count):
    return {f"task {number}": (folder, number) for number in range(count)}


@contextmanager
def scheduler(workers):
    """The address of a scheduler with its workers, each a program of its own, as on other machines."""
    script = f"""
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers={workers}, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()


def test_a_killed_worker_costs_its_task_and_no_result(tmp_path):
    """Two workers; the one that holds task 2 is killed when the other has ended all others."""
    (tmp_path / "hold-2").touch()
    logged, found = [], {}

    def kill():
        wait_for(lambda: len(found) == 5)
        [victim] = begun(tmp_path, 2)
        os.kill(victim, signal.SIGKILL)
        (tmp_path / "hold-2").unlink()

    with cluster(2) as client:
        workers = set(client.run(os.getpid).values())
        killer = threading.Thread(target=kill)
        killer.start()
        for name, result in run_tasks(client, square, tasks(tmp_path, 6), logged.append):
            found[name] = result
        killer.join()
        wait_for(lambda: len(client.scheduler_info()["workers"]) == 2)
    assert found == {f"task {number}": number * number for number in range(6)}
    assert [len(begun(tmp_path, number)) for number in range(6)] == [1, 1, 2, 1, 1, 1]
    assert len(workers) == 2 and begun(tmp_path, 2)[0] in workers
    assert any("was lost; begins again: task 2" in line for line in logged), logged
    assert [line for line in logged if line == "begins 2"] == ["begins 2"] * 2 and "begins 5" in logged


def test_tasks_begin_in_their_order(tmp_path):
    """Those that wait for a worker, while one of two workers is held by the first task; each worker may have two at once."""
    (tmp_path / "hold-0").touch()
    logged, ended = [], 0
    with cluster(2) as client:
        for _ in run_tasks(client, square, tasks(tmp_path, 14), logged.append):
            ended += 1
            if ended == 13:
                (tmp_path / "hold-0").unlink()
    order = [int(line.removeprefix("begins ")) for line in logged]
    waiting = [number for number in order if number >= 4]
    assert sorted(order) == [*range(14)] and waiting == sorted(waiting)


def allocator(log):
    return {name for name in os.environ if name.startswith("MALLOC_")}


def test_workers_allocate_as_other_programs_do():
    ours = allocator(print)
    with cluster(1) as client:
        assert list(run_tasks(client, allocator, {"task": ()})) == [("task", ours)]


def test_a_scheduler_that_is_there_and_a_task_that_is_refused(tmp_path):
    with scheduler(1) as address:
        with cluster(7, address) as client:
            assert dict(run_tasks(client, square, tasks(tmp_path, 3))) == {"task 0": 0, "task 1": 1, "task 2": 4}
            assert len(client.scheduler_info()["workers"]) == 1
            # The same once more is done once more: files may have changed.
            assert dict(run_tasks(client, square, tasks(tmp_path, 1))) == {"task 0": 0}
            assert len(begun(tmp_path, 0)) == 2 and begun(tmp_path, 0)[0] != os.getpid()
        with cluster(7, address) as client, pytest.raises(InputError, match="^number 0; allowed: others$"):
            (tmp_path / "later").mkdir()
            (tmp_path / "later" / "hold-2").touch()
            list(run_tasks(client, refuse, tasks(tmp_path / "later", 40)))
        (tmp_path / "later" / "hold-2").unlink()
    assert not begun(tmp_path / "later", 39)


def test_a_task_that_kills_its_workers_is_given_up(tmp_path):
    with cluster(2) as client, pytest.raises(CosimError, match="^task 0: failed after it lost one worker after the other$"):
        list(run_tasks(client, die, tasks(tmp_path, 1), lambda text: None))
    assert len(begun(tmp_path, 0)) == MAX_LOSSES + 1


def test_no_scheduler_and_no_package(monkeypatch):
    with pytest.raises(CosimError, match=r"scheduler nowhere://1: "), cluster(1, "nowhere://1"):
        pass
    monkeypatch.setattr("duospike.cosim.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(CosimError, match=r"scheduler tcp://127.0.0.1:1: "), cluster(1, "tcp://127.0.0.1:1"):
        pass
    monkeypatch.setattr("duospike.cosim.cluster.find_spec", lambda name: None)
    with pytest.raises(CosimError) as error, cluster(1):
        pass
    assert str(error.value) == MISSING


def test_a_worker_has_no_place_but_the_clusters_own():
    """Where Dask falls back to if a worker's folder is gone: with the system's, a killed command would leave files there."""
    with cluster(1) as client:
        [place] = client.run(lambda: __import__("dask").config.get("temporary-directory")).values()
    assert Path(place).parent.name.startswith("duospike-temporary-")
