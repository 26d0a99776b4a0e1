"""Reading a NIR file in a process of its own: HDF5's library is in C (see duospike.reference.data.child)."""

from __future__ import annotations

from pathlib import Path

from duospike.reference.data.child import give_back, read_in_child

from .nir_file import parse_graph
from .nir_graph import Graph

MAX_SECONDS = 5
"""Of processor time."""
MAX_MEMORY = 3 * 2**28
"""Bytes beyond those of the child before it reads: six times what MAX_NUMBERS of eight bytes take, of which some are copies."""
CHILD = f"from {__name__} import main; main()"


def read_graph(path: Path | str) -> Graph:
    """The graph of a NIR file. InputError: see nir_file.parse_graph, or the library of HDF5 hangs or crashes on it."""
    return read_in_child(CHILD, path, "the library of HDF5", max_seconds=MAX_SECONDS, max_memory=MAX_MEMORY)


def main() -> None:
    """The child."""
    give_back(parse_graph, "h5py")
