"""Commands end on SIGINT and SIGTERM, whatever they are doing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

COMMAND = """
import ctypes, signal, sys, time
from duospike.cosim.interrupts import run_command

class Loses:
    def __del__(self):
        print("ready", flush=True)
        time.sleep(1000)

def tidies_up():
    try:
        print("ready", flush=True)
        time.sleep(1000)
    finally:
        print("tidied up", flush=True)

def in_compiled_code():
    print("ready", flush=True)
    ctypes.CDLL(None).sleep(1000)

def loses_what_is_raised():
    Loses()
    time.sleep(1000)

# A shell starts what it runs in the background with this signal ignored, and the tests with it.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(run_command("test", {work}))
"""


@pytest.mark.parametrize(("number", "said"), [(signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupted")])
@pytest.mark.parametrize("work", ["tidies_up", "in_compiled_code", "loses_what_is_raised"])
def test_a_command_that_is_asked_to_end_ends_with_a_line_and_a_status(work, number, said):
    command = [sys.executable, "-c", COMMAND.format(work=work)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        try:
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 128 + number
    assert errors.splitlines()[-1] == f"test: {said}"
    assert ("tidied up" in output) == (work == "tidies_up")


def test_a_status_is_that_of_the_command():
    command = [sys.executable, "-c", COMMAND.format(work="lambda: 3")]
    assert subprocess.run(command, cwd=ROOT).returncode == 3


LEAVES_A_THREAD = """
import signal, time
from threading import Thread
from duospike.cosim.interrupts import run_command

def goes_on():
    while signal.getsignal({number}) is not signal.SIG_DFL:
        time.sleep(0.01)
    print("ready", flush=True)
    time.sleep(1000)

signal.signal(signal.SIGINT, signal.default_int_handler)
run_command("test", lambda: Thread(target=goes_on).start() or 3)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_is_done_and_waits_for_a_thread_can_still_be_ended(number):
    command = [sys.executable, "-c", LEAVES_A_THREAD.format(number=int(number))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            assert process.wait(timeout=30) == -number
        finally:
            process.kill()
