"""Reading a NIR file in a process of its own.

HDF5's library is in C. A damaged file can make it loop for ever, crash or take gigabytes, before anything of it could be checked
(nir_file.py). So a child reads the file, with limits of processor time and memory, and gives back the graph.
"""

from __future__ import annotations

import os
import pickle
import re
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from duospike.reference.errors import InputError

from .nir_file import parse_graph
from .nir_graph import Graph

MAX_SECONDS = 5
"""Of processor time."""
MAX_MEMORY = 3 * 2**28
"""Bytes beyond those of the child before it reads: six times what MAX_NUMBERS of eight bytes take, of which some are copies."""
CHILD = f"from {__name__} import main; main()"


def read_graph(path: Path | str) -> Graph:
    """The graph of a NIR file. InputError: see nir_file.parse_graph, or the library of HDF5 hangs or crashes on it."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)}
    words = [sys.executable, "-c", CHILD, str(path), str(MAX_SECONDS), str(MAX_MEMORY)]
    done = subprocess.run(words, capture_output=True, env=environment)
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise InputError(f"{path}: damaged; the library of HDF5 crashes on it or does not end in {MAX_SECONDS} s ({name})")
    if done.returncode > 0:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    found = pickle.loads(done.stdout)
    if isinstance(found, str):
        raise InputError(found)
    return found


def main() -> None:
    """The child: writes the graph of the named file, or why there is none."""
    path, (seconds, memory) = sys.argv[1], map(int, sys.argv[2:])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    # What the library takes itself does not count; parse_graph says that it is missing.
    with suppress(ModuleNotFoundError):
        import_module("h5py")
    most = _data_bytes() + memory
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        found = pickle.dumps(parse_graph(path))
    except InputError as error:
        found = pickle.dumps(str(error))
    except MemoryError:
        found = pickle.dumps(f"{path}: takes more than {memory} bytes")
    sys.stdout.buffer.write(found)


def _data_bytes() -> int:
    """What RLIMIT_DATA limits, now."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.findall(r"^VmData:\s+(\d+) kB", status, re.MULTILINE)[0])
