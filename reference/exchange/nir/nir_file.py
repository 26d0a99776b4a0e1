"""Reading NIR files, which are HDF5: each part is checked by its header before it is read.

The package nir reads whatever a file claims to hold. A file may claim, or expand to, any size: by the shape of an array, a chunk
that inflates to more than it holds, an object that is reachable over many names, or data that lie in other files. So only what
nir itself writes is read: plain numbers and texts, uncompressed or by gzip, each reachable over one name.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from duospike.reference.errors import InputError, name_text
from duospike.reference.files import MAX_BYTES, check_plain
from duospike.reference.installation import install_hint

from .nir_graph import MAX_NESTING, Graph, Node

INSTALL = install_hint("nir")
MAX_NUMBERS = 2**24
"""Of all arrays of a file together, what chunks hold beyond an array's end included."""
MAX_CHUNKS = 2**16
"""Of all arrays of a file together."""
MAX_NODES = 2**10
MAX_PARAMETERS = 32
MAX_TEXT = 1000
DEFLATE, SHUFFLE = 1, 2
"""HDF5's numbers of its filters."""


def parse_graph(path: Path | str) -> Graph:
    """The graph of a NIR file of up to MAX_BYTES, read in this process, which the library of HDF5 may hang: see nir_process.

    InputError: h5py is not installed, no such file, no graph, or more than is read.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise InputError(f"the package h5py is not installed: {INSTALL}") from None
    check_plain(path, MAX_BYTES)
    try:
        # A cache that holds any chunk: each is expanded once, however often it is read from.
        with h5py.File(path, "r", rdcc_nbytes=8 * MAX_NUMBERS) as file:
            graph = _FileReader(h5py, file).graph_of_file()
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except Exception as error:  # h5py has no common exception for the many ways in which a file can be damaged
        raise InputError(f"{path}: not a NIR graph, or damaged ({type(error).__name__})") from None
    return graph


class _FileReader:
    """Reads the nodes of an open file, and counts what they hold."""

    def __init__(self, h5py: Any, file: Any):
        self.h5py, self.file = h5py, file
        self.seen: set[Any] = set()
        self.numbers = self.nodes = self.chunks = 0

    def graph_of_file(self) -> Graph:
        graph = self.node(self.group(self.file, "node", "the file"), "the graph", 0)
        assert isinstance(graph, Graph)
        return graph

    def node(self, group: Any, where: str, nested: int) -> Node | Graph:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise InputError(f"more than {MAX_NODES} nodes")
        kind = self.text(self.child(group, "type", where), f"{where}: type")
        if kind == "NIRGraph":
            return self.graph(group, where, nested + 1)
        if not nested:
            raise InputError(f"holds a {name_text(kind)}; needs a NIRGraph")
        names = [name for name in self.names(group, where, MAX_PARAMETERS) if name not in ("type", "metadata")]
        return Node(kind, {name: self.value(self.child(group, name, where), f"{where}: {name_text(name)}") for name in names})

    def graph(self, group: Any, where: str, nested: int) -> Graph:
        if nested > MAX_NESTING:
            raise InputError(f"{where}: nested more than {MAX_NESTING} deep")
        nodes = self.group(group, "nodes", where)
        names = self.names(nodes, where, MAX_NODES)
        found = {name: self.node(self.group(nodes, name, where), name_text(name), nested) for name in names}
        return Graph(found, self.edges(self.child(group, "edges", where), f"{where}: edges"))

    def names(self, group: Any, where: str, most: int) -> list[str]:
        if len(group) > most:
            raise InputError(f"{where}: {len(group)} parts; allowed: up to {most}")
        return list(group)

    def child(self, group: Any, name: str, where: str) -> Any:
        """What a group holds under a name. InputError: nothing, it lies elsewhere, or it has been read under another name."""
        link = group.get(name, getlink=True)
        if link is None:
            raise InputError(f"{where}: {name_text(name)} is missing")
        if not isinstance(link, self.h5py.HardLink):
            what = f"{where}: {name_text(name)}"
            raise InputError(f"{what} is a link to another place; allowed: parts that lie where they are named")
        found = group[name]
        place = self.h5py.h5o.get_info(found.id).addr
        if place in self.seen:
            raise InputError(f"{where}: {name_text(name)} is the same part as one under another name")
        self.seen.add(place)
        return found

    def group(self, group: Any, name: str, where: str) -> Any:
        found = self.child(group, name, where)
        if not isinstance(found, self.h5py.Group):
            raise InputError(f"{where}: {name_text(name)} is no group of HDF5, as nodes and graphs are")
        return found

    def value(self, dataset: Any, where: str) -> Any:
        """A parameter: numbers as an array, or a text."""
        self.check_storage(dataset, where)
        if self.is_text(dataset.dtype) and dataset.shape == ():
            return self.decoded(dataset[()], where)
        if dataset.dtype.kind not in "fiub" or dataset.dtype.itemsize > 8:
            raise InputError(f"{where}: of type {dataset.dtype} and shape {dataset.shape}; needs numbers, or one text")
        return np.asarray(dataset[()])

    def text(self, dataset: Any, where: str) -> str:
        self.check_storage(dataset, where)
        if not self.is_text(dataset.dtype) or dataset.shape != ():
            raise InputError(f"{where}: of type {dataset.dtype} and shape {dataset.shape}; needs one text")
        return self.decoded(dataset[()], where)

    def edges(self, dataset: Any, where: str) -> tuple[tuple[str, str], ...]:
        self.check_storage(dataset, where)
        if dataset.size == 0:
            return ()
        if not self.is_text(dataset.dtype) or len(dataset.shape) != 2 or dataset.shape[1] != 2 or dataset.size > 4 * MAX_NODES:
            raise InputError(f"{where}: of type {dataset.dtype} and shape {dataset.shape}; needs texts [edges, 2]")
        # One at a time: many may refer to one long text.
        return tuple((self.decoded(dataset[i, 0], where), self.decoded(dataset[i, 1], where)) for i in range(dataset.shape[0]))

    def is_text(self, dtype: np.dtype) -> bool:
        return dtype.kind == "S" or self.h5py.check_string_dtype(dtype) is not None

    def decoded(self, text: Any, where: str) -> str:
        if len(text) > MAX_TEXT:
            raise InputError(f"{where}: a text of {len(text)} bytes; allowed: up to {MAX_TEXT}")
        try:
            return text.decode() if isinstance(text, bytes) else str(text)
        except UnicodeDecodeError:
            raise InputError(f"{where}: a text that is not UTF-8") from None

    def check_storage(self, dataset: Any, where: str) -> None:
        """InputError: no array, or one that cannot be read, or may take more memory than its share."""
        if not isinstance(dataset, self.h5py.Dataset):
            raise InputError(f"{where}: is no dataset of HDF5, as parameters are")
        if dataset.shape is None:
            raise InputError(f"{where}: holds nothing")
        if dataset.is_virtual or dataset.external:
            raise InputError(f"{where}: lies in another file; allowed: parts that lie where they are named")
        chunks = _chunk_count(dataset)
        held = chunks * math.prod(dataset.chunks) if dataset.chunks else dataset.size
        self.numbers += held * -(-dataset.dtype.itemsize // 8)
        self.chunks += chunks
        if self.numbers > MAX_NUMBERS or self.chunks > MAX_CHUNKS:
            parts = f" in chunks of {dataset.chunks}" if dataset.chunks else ""
            limits = f"up to {MAX_NUMBERS} numbers and {MAX_CHUNKS} chunks in a file"
            raise InputError(f"{where}: of shape {dataset.shape}{parts}; allowed: {limits}")
        if dataset.chunks:
            self.check_chunks(dataset, where)

    def check_chunks(self, dataset: Any, where: str) -> None:
        created = dataset.id.get_create_plist()
        filters = [created.get_filter(i)[0] for i in range(created.get_nfilters())]
        if filters not in ([], [SHUFFLE], [DEFLATE], [SHUFFLE, DEFLATE]):
            raise InputError(f"{where}: compressed in another way than by gzip; allowed: gzip, as nir.write has it, or none")
        stored, wanted = dataset.id.get_num_chunks(), _chunk_count(dataset)
        if stored > wanted:
            raise InputError(f"{where}: lies in {stored} chunks; its shape {dataset.shape} takes {wanted}")
        size = math.prod(dataset.chunks) * dataset.dtype.itemsize
        chunks: list[Any] = []
        dataset.id.chunk_iter(chunks.append)
        for chunk in chunks:
            # Deflating adds a few bytes to what cannot be compressed.
            if chunk.size > size + size // 100 + 1000:
                raise InputError(f"{where}: a chunk of {chunk.size} bytes for {size}")
            if DEFLATE in filters and _inflates_beyond(dataset.id.read_direct_chunk(chunk.chunk_offset)[1], size):
                raise InputError(f"{where}: a chunk that inflates to more than its {size} bytes")


def _chunk_count(dataset: Any) -> int:
    """How many chunks an array lies in; 0 where it lies in one piece."""
    if not dataset.chunks:
        return 0
    return math.prod(-(-size // chunk) for size, chunk in zip(dataset.shape, dataset.chunks, strict=True))


def _inflates_beyond(data: bytes, size: int) -> bool:
    """Whether zlib's stream holds more than `size` bytes. HDF5 itself makes room for all of it."""
    try:
        return len(zlib.decompressobj().decompress(data, size + 1)) > size
    except zlib.error:
        # HDF5 will refuse it.
        return False
