"""Reading a file in a process of its own, where a library in another language reads it.

A damaged file can make such a library loop for ever, crash or take gigabytes, before anything of it could be checked. So a child
reads the file, with limits of processor time and memory, and gives back what it found.
"""

from __future__ import annotations

import os
import pickle
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from duospike.reference.errors import InputError


def read_in_child(code: str, path: Path | str, library: str, *, max_seconds: int, max_memory: int) -> Any:
    """What a child gives that runs `code`, which calls give_back(), for the file `path`.

    library: what reads the file, for the message. max_seconds: of processor time. max_memory: bytes beyond those of the child
    before it reads. InputError: that of the reader, or the library hangs or crashes.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)}
    words = [sys.executable, "-c", code, str(path), str(max_seconds), str(max_memory)]
    done = subprocess.run(words, capture_output=True, env=environment)
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise InputError(f"{path}: damaged; {library} crashes on it or does not end in {max_seconds} s ({name})")
    if done.returncode > 0:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    found = pickle.loads(done.stdout)
    if isinstance(found, str):
        raise InputError(found)
    return found


def give_back(read: Callable[[str], object], *packages: str) -> None:
    """In the child: writes what `read` makes of the named file, or why it makes nothing.

    packages: the memory that importing them takes does not count; `read` says which is missing.
    """
    path, (seconds, memory) = sys.argv[1], map(int, sys.argv[2:])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    for package in packages:
        with suppress(ModuleNotFoundError):
            import_module(package)
    most = _data_bytes() + memory
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        found = pickle.dumps(read(path))
    except InputError as error:
        found = pickle.dumps(str(error))
    except MemoryError:
        found = pickle.dumps(f"{path}: takes more than {memory} bytes")
    sys.stdout.buffer.write(found)


def _data_bytes() -> int:
    """What RLIMIT_DATA limits, now."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.findall(r"^VmData:\s+(\d+) kB", status, re.MULTILINE)[0])
