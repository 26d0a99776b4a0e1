"""Programs of the system, and work in parallel threads.

Each program leads a process group of its own, in which all that it starts is as well: Verilator's make and compilers, Yosys'
abc, a solver. The group is ended when the work that started it is left before it is done, and when this process ends, however
it ends: the watchdog, a small shell process, knows all groups and ends them after the process.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from .errors import CosimError

Item = TypeVar("Item")
Result = TypeVar("Result")

WATCHDOG_SCRIPT = """
trap '' INT TERM HUP
groups=' '
while read -r sign group; do
    case $sign in
    +) groups="$groups$group " ;;
    -) groups="${groups%% $group *} ${groups#* $group }" ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
"""
"""Keeps a list of process groups by the lines that come in, and kills those left when its input ends."""

# A program begins when the watchdog knows it, and not at all if this process ends before.
GATE = 'read -r go && exec "$@"'
GATE_WITHOUT_INPUT = f"{GATE} </dev/null"

PR_SET_PDEATHSIG = 1
"""Of Linux' prctl."""
GRACE_SECONDS = 0.5
"""Seconds that threads have to notice that their programs were ended."""


class Watchdog:
    """This process' end of the watchdog, which is started with the first group."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, group: int) -> None:
        """End a process group when this process ends."""
        with self._lock:
            self._groups.add(group)
            self._send(f"+ {group}\n")

    def release(self, group: int) -> None:
        """A group has ended; nothing is done where it is not watched."""
        with self._lock:
            if group in self._groups:
                self._groups.remove(group)
                self._send(f"- {group}\n")

    def close(self) -> None:
        """Let the watchdog end; groups that are left end with it."""
        with self._lock:
            if self._process:
                self._process.communicate()
            self._process = None

    def forget(self) -> None:
        """In a forked child: the watchdog is the parent's, and must not wait for this child's end."""
        self._lock, self._groups = Lock(), set()
        if self._process:
            assert self._process.stdin
            self._process.stdin.close()
            # Not to be waited for here.
            self._process.returncode = 0
        self._process = None

    def _send(self, line: str) -> None:
        if self._process is None or self._process.poll() is not None:
            # Out of reach of what a terminal or a job control sends to this process' group.
            nowhere: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
            command = ["/bin/sh", "-c", WATCHDOG_SCRIPT]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, **nowhere)
            line = "".join(f"+ {group}\n" for group in self._groups)
        assert self._process.stdin
        with suppress(BrokenPipeError):
            os.write(self._process.stdin.fileno(), line.encode())


WATCHDOG = Watchdog()
atexit.register(WATCHDOG.close)
os.register_at_fork(after_in_child=WATCHDOG.forget)


def environment() -> dict[str, str]:
    """Of a program: compilers and Yosys put temporary files into its folder, so they are removed with it if it is killed."""
    # Without a path, as Yosys takes none with a space.
    return os.environ | {"TMPDIR": "."}


class Programs:
    """Running programs that can be ended together."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen] = set()
        self._ended = False

    def start(self, command: list[str], **options: Any) -> subprocess.Popen:
        """Start a program that ends with this process; CosimError after end()."""
        with self._lock:
            if self._ended:
                raise CosimError(f"{Path(command[-1]).name} is not started: the work that needs it was ended")
            child = subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0, **({"env": environment()} | options))
            self._running.add(child)
        WATCHDOG.watch(child.pid)
        assert child.stdin
        with suppress(BrokenPipeError):
            os.write(child.stdin.fileno(), b"go\n")
        return child

    def stop(self, child: subprocess.Popen) -> None:
        """End a program, if it still runs, with all that it has started."""
        with self._lock:
            self._running.discard(child)
        _kill(child)
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()
        child.wait()
        WATCHDOG.release(child.pid)

    def end(self) -> None:
        """End all, and let none start any more."""
        with self._lock:
            self._ended = True
            for child in self._running:
                _kill(child)

    def forget(self) -> None:
        """Forget all programs, without ending them."""
        self._lock, self._running, self._ended = Lock(), set(), False


def _kill(child: subprocess.Popen) -> None:
    # Not poll(): one that has ended may have left others in its group, whose number is its own until it is waited for.
    if child.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


MAIN_PROGRAMS = Programs()
"""Those of threads that belong to no side_by_side()."""
PROGRAMS: ContextVar[Programs] = ContextVar("PROGRAMS", default=MAIN_PROGRAMS)  # noqa: B039
"""Where the programs of a thread belong."""


def _forget_programs() -> None:
    """In a forked child: the programs that run are the parent's, and another thread may hold the lock on them for ever."""
    MAIN_PROGRAMS.forget()
    PROGRAMS.set(MAIN_PROGRAMS)


os.register_at_fork(after_in_child=_forget_programs)


def require(program: str, package: str) -> str:
    """Path of a system program, or CosimError that says which package brings it."""
    path = shutil.which(program)
    if path is None:
        raise CosimError(f"{program} is not installed; on Debian: apt-get install {package}")
    return path


@contextmanager
def program(command: list[str], folder: Path, *, takes_input: bool = False, **options: Any) -> Iterator[subprocess.Popen]:
    """A program that runs in `folder`, as a Popen. If it still runs when the block is left, it and all that it started is ended.

    takes_input: it has a pipe at its standard input, else nothing. options: of Popen.
    """
    owner = PROGRAMS.get()
    child = start_program(command, folder, takes_input=takes_input, **options)
    try:
        yield child
    finally:
        owner.stop(child)


def start_program(command: list[str], folder: Path, *, takes_input: bool = False, **options: Any) -> subprocess.Popen:
    """As program(), where a block cannot be used: stop_program() must follow."""
    gate = GATE if takes_input else GATE_WITHOUT_INPUT
    child = PROGRAMS.get().start(["/bin/sh", "-c", gate, "sh", *command], cwd=folder, **options)
    if not takes_input:
        assert child.stdin
        child.stdin.close()
        child.stdin = None
    return child


def stop_program(child: subprocess.Popen) -> None:
    """End a program of start_program(), if it still runs, with all that it has started."""
    PROGRAMS.get().stop(child)


def run_program(command: list[str], folder: Path, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program in `folder` to its end; its output is text, unknown bytes in it replaced.

    timeout: in seconds. subprocess.TimeoutExpired: it took longer, and was ended with all that it had started.
    """
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "errors": "replace"}
    with program(command, folder, **pipes) as child:
        output, errors = child.communicate(timeout=timeout)
    return subprocess.CompletedProcess(command, child.returncode, output, errors)


def run_tool(command: list[str], folder: Path) -> str:
    """Run a program in `folder`; returns its output, raises CosimError with its last line if it fails."""
    done = run_program(command, folder)
    output = done.stdout + done.stderr
    if done.returncode != 0:
        raise CosimError(f"{Path(command[0]).name} failed: {(output.strip().splitlines() or ['no output'])[-1]}")
    return output


def end_with_parent(parent: int) -> None:
    """In a process that `parent` has forked, on Linux: be killed when the thread that did so ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item], jobs: int | None = None) -> Iterator[Result]:
    """The results of function(item), in the order of the items, computed by threads. jobs: threads (default: one a core).

    Where one raises, or the caller is interrupted, those that wait never begin, and the programs of those that run are ended.
    """
    programs = Programs()
    pool = ThreadPoolExecutor(jobs or os.cpu_count(), initializer=PROGRAMS.set, initargs=(programs,))
    futures = [pool.submit(function, item) for item in items]
    try:
        for future in futures:
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        programs.end()
        wait([future for future in futures if not future.cancelled()], timeout=GRACE_SECONDS)
