"""Programs end with the work that started them, and with the process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from duospike.cosim.errors import CosimError
from duospike.cosim.system import PROGRAMS, WATCHDOG, program, run_program, run_tool, side_by_side, stop_program

ROOT = Path(__file__).parents[2]
SLEEPS = ["sh", "-c", "sleep 1000 & echo begun; sleep 1000"]
"""A program that starts another."""
TIMEOUT_SECONDS = 30
"""Seconds for what should take milliseconds."""

BUSY = """
import sys
from pathlib import Path
from duospike.cosim.system import program, side_by_side

def work(item):
    with program({sleeps}, Path(), stdout=sys.stdout) as child:
        child.wait()

if {pool}:
    list(side_by_side(work, range(3), 2))
else:
    work(0)
"""


def environments(mark):
    """Processes that have this in their environment."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            # A process that has ended, and is not waited for yet, has none.
            if process.name.isdigit() and mark.encode() in (process / "environ").read_bytes():
                found.append(process.name)
        except OSError:
            pass
    return found


def wait_until(holds):
    """Whether something comes true."""
    end = time.monotonic() + TIMEOUT_SECONDS
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def ends(mark):
    """Whether all processes with the mark end."""
    return wait_until(lambda: not environments(mark))


@pytest.fixture
def mark(tmp_path, monkeypatch):
    """Programs that are started get this in their environment; not the watchdog of this process, which has begun before."""
    run_tool(["true"], tmp_path)
    monkeypatch.setenv("DUOSPIKE_TEST", str(tmp_path))
    return f"DUOSPIKE_TEST={tmp_path}"


def test_output_status_and_unknown_bytes(tmp_path):
    done = run_program(["sh", "-c", "pwd; printf '\\377' >&2; cat; exit 3"], tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == (f"{tmp_path}\n", "\ufffd", 3)


def test_a_program_that_fails_is_one_line(tmp_path):
    with pytest.raises(CosimError, match="^sh failed: why$"):
        run_tool(["sh", "-c", "echo much; echo why >&2; exit 1"], tmp_path)


@pytest.mark.parametrize("way", ["error", "limit"])
def test_a_program_that_is_left_ends_with_all_that_it_started(tmp_path, mark, way):
    if way == "limit":
        with pytest.raises(subprocess.TimeoutExpired):
            run_program(SLEEPS, tmp_path, timeout=0.5)
    else:
        with pytest.raises(KeyError), program(SLEEPS, tmp_path, stdout=subprocess.PIPE) as child:
            child.stdout.readline()
            assert wait_until(lambda: len(environments(mark)) >= 2)
            raise KeyError
    assert ends(mark)


def test_at_its_limit_a_program_that_has_ended_takes_along_what_it_started(tmp_path, mark):
    with pytest.raises(subprocess.TimeoutExpired):
        run_program(["sh", "-c", "sleep 1000 &"], tmp_path, timeout=0.5)
    assert ends(mark)


def test_the_watchdog_hears_once_of_a_program_that_is_stopped_twice(tmp_path, monkeypatch):
    """From its list it would else lose another, or keep a number that the system has given away since."""
    lines = []
    monkeypatch.setattr(WATCHDOG, "_send", lines.append)
    with program(["true"], tmp_path) as child:
        child.wait()
    stop_program(child)
    assert lines == [f"+ {child.pid}\n", f"- {child.pid}\n"]


@pytest.mark.parametrize("pool", [False, True])
def test_a_process_that_is_killed_leaves_no_program(tmp_path, mark, pool):
    command = [sys.executable, "-c", BUSY.format(sleeps=SLEEPS, pool=pool)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(1 + pool):
            assert process.stdout.readline() == "begun\n"
        assert wait_until(lambda: len(environments(mark)) >= 4)
        process.send_signal(signal.SIGKILL)
    assert ends(mark)


def test_side_by_side_keeps_the_order():
    def late(item):
        time.sleep(0.01 * (5 - item))
        return item

    assert list(side_by_side(late, range(5), 3)) == list(range(5))


def test_an_error_ends_the_programs_of_the_others_and_what_waits_never_begins(tmp_path):
    begun = []

    def work(item):
        begun.append(item)
        if item == 0:
            while len(begun) < 2:
                time.sleep(0.001)
            raise KeyError
        # Without its end this would take longer than a test may.
        run_program(["sleep", "1000"], tmp_path)

    with pytest.raises(KeyError):
        list(side_by_side(work, range(10), 2))
    assert set(begun) <= {0, 1, 2}


def test_a_forked_child_has_a_watchdog_of_its_own(tmp_path, mark):
    """And does not keep that of its parent from noticing the parent's end."""
    run_tool(["true"], tmp_path)
    child = os.fork()
    if child == 0:
        try:
            run_tool(["true"], tmp_path)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert run_tool(["echo", "still there"], tmp_path) == "still there\n"


def test_a_child_that_is_forked_while_another_thread_starts_a_program_starts_its_own(tmp_path):
    with PROGRAMS.get()._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(TIMEOUT_SECONDS)
            try:
                run_tool(["true"], tmp_path)
                os._exit(0)
            finally:
                os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
