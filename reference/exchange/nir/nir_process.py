"""Reading a NIR file in a process of its own.

HDF5's library is in C, and a damaged file can make it loop for ever or crash; what checks its parts (nir_file.py) cannot see that
coming. So a child reads the file, with a limit of processor time, and gives back the graph.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import subprocess
import sys
from pathlib import Path

from duospike.reference.errors import InputError

from .nir_file import parse_graph
from .nir_graph import Graph

MAX_SECONDS = 5
"""Of processor time; the largest file that is read takes a fraction of it."""
CHILD = f"from {__name__} import main; main()"


def read_graph(path: Path | str) -> Graph:
    """The graph of a NIR file. InputError: see nir_file.parse_graph, or the library of HDF5 hangs or crashes on it."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)}
    done = subprocess.run([sys.executable, "-c", CHILD, str(path), str(MAX_SECONDS)], capture_output=True, env=environment)
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
    path, seconds = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    try:
        found: Graph | str = parse_graph(path)
    except InputError as error:
        found = str(error)
    pickle.dump(found, sys.stdout.buffer)
