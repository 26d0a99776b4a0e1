"""The host's program: images through a board, compared with the reference."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from duospike.cosim.axi.pynq_driver import Accelerator, DriverError
from duospike.cosim.cycles.model import run_model
from duospike.reference import golden
from duospike.reference.network import Network
from duospike.rtl.registers import WORD_BYTES
from duospike.rtl.stage import Stage

from .link import Link, LinkError, Port
from .overlay import PATIENCE_SECONDS, BoardOverlay

BATCH = 10
"""Images after which the counters are read; they are repeated together if the line fails."""
ATTEMPTS = 3
COMPARED = ("busy", "events", "silent")
"""Counters that do not depend on how fast images come and results go."""


@dataclass
class BoardRun:
    """What a run gave. classes [images], scores [images, classes]; counters: sums by stage and name; seconds: from the first
    image to the last result; differences: in words; repeated: packets that were sent again; restarts: batches that were."""

    classes: np.ndarray
    scores: np.ndarray
    counters: dict[str, Counter[str]]
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)
    repeated: int = 0
    restarts: int = 0

    def core_interval(self) -> float:
        """Cycles that the busiest stage works for an image: the core takes no longer when images come without a gap."""
        return max(counts["busy"] for counts in self.counters.values()) / len(self.classes)


class BoardAccelerator(Accelerator):
    """The driver, with many words in a packet."""

    def _write_words(self, offset: int, words: list[int]) -> None:
        self._ip.write_many(offset, words)


class Host:
    """A board, from the first packet on; it is a context manager.

    open_port: gives its port, once more when that has failed. description: the registers.json of the board. words: for a
    loadable core the content of a file by loadable.load_file. patience: seconds for which the core may do nothing. seed: of the
    first sequence number. LinkError where no board answers, DriverError where it is another.
    """

    def __init__(self, open_port: Callable[[], Port], description: dict[str, Any], words: bytes | None = None,
                 patience: float = PATIENCE_SECONDS, seed: int | None = None):  # fmt: skip
        self._open_port, self._description, self._words, self._patience = open_port, description, words, patience
        self._port: Port | None = None
        self._seed = seed
        self._repeated = 0

    def __enter__(self) -> Host:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def connect(self) -> None:
        """Find the board, and put its core into the state after power-up, with its network."""
        self._release()
        self._port = self._open_port()
        self._link = Link(self._port, self._seed)
        self._link.hello()
        self.overlay = BoardOverlay(self._link, self._description["network"]["data_bits"], self._patience)
        self.core = BoardAccelerator(self._description, self.overlay.ip, self.overlay.dma, self.overlay.allocate)
        if self._words is not None:
            self._load(self._words)
        self.core.reset()
        # What another program left: a result that nobody fetched, and beats of an image that went no further.
        self.core.start()
        self.overlay.drain()

    def _load(self, words: bytes) -> None:
        """Load the network, unless the core holds it already."""
        loaded = self.core.state()["LOADED"]
        if not loaded or self.core.read("LOAD_CRC").to_bytes(4, "little") != words[24:28]:
            self.core.load(words)

    def _release(self) -> None:
        if self._port is not None:
            self._repeated = self.repeated
            self._port.close()
            self._port = None

    @property
    def repeated(self) -> int:
        """How many packets have been sent again."""
        return self._repeated + (self._link.repeated if self._port is not None else 0)

    def infer(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[str, dict[str, int]]]:
        """Classes, scores and the counters of these images alone; LinkError if the board was reset meanwhile."""
        self.core.reset()
        classes, scores = self.core.infer(images)
        counters, results = self._counters(), self.core.read("RESULTS")
        if results != len(images):
            raise LinkError(f"the board has sent {results} results since its last reset; expected: {len(images)}; was it reset?")
        return classes, scores, counters

    def _counters(self) -> dict[str, dict[str, int]]:
        """Those of Accelerator.counters(), whose registers follow each other, in few packets."""
        core = self.core
        names = [(stage, name, f"{stage}_{name}".upper()) for stage in core.stages for name in core.counter_names]
        offsets = [core.registers[register]["offset"] for _, _, register in names]
        values = self.overlay.ip.read_many(min(offsets), (max(offsets) - min(offsets)) // WORD_BYTES + 1)
        found: dict[str, dict[str, int]] = {stage: {} for stage in core.stages}
        for (stage, name, _), offset in zip(names, offsets, strict=True):
            found[stage][name] = values[(offset - min(offsets)) // WORD_BYTES]
        return found


def run_images(
    host: Host, network: Network, stages: dict[str, Stage], images: np.ndarray, *, batch: int = BATCH,
    progress: Callable[[int], None] = lambda done: None,
) -> BoardRun:  # fmt: skip
    """Run images [count, *network.image_shape] and compare classes, scores and the counters COMPARED with the reference.

    stages: of the board's accelerator. A batch in which the line fails is run again; LinkError or DriverError after ATTEMPTS.
    """
    found: list[tuple[np.ndarray, np.ndarray]] = []
    run = BoardRun(np.empty(0), np.empty(0), {stage: Counter() for stage in stages})
    for first in range(0, len(images), batch):
        some = images[first : first + batch]
        began = time.monotonic()
        classes, scores, counters = _tried(host, some, run)
        run.seconds += time.monotonic() - began
        found.append((classes, scores))
        for stage, counts in counters.items():
            run.counters[stage].update(counts)
        run.differences += differences(network, stages, some, (classes, scores), counters, first)
        progress(first + len(some))
    run.classes = np.concatenate([classes for classes, _ in found])
    run.scores = np.concatenate([scores for _, scores in found])
    run.repeated = host.repeated
    return run


def _tried(host: Host, images: np.ndarray, run: BoardRun) -> tuple[np.ndarray, np.ndarray, dict[str, dict[str, int]]]:
    for attempt in range(ATTEMPTS):
        try:
            if attempt:
                host.connect()
            return host.infer(images)
        except (LinkError, DriverError):
            if attempt == ATTEMPTS - 1:
                raise
            run.restarts += 1
    raise AssertionError


def differences(
    network: Network, stages: dict[str, Stage], images: np.ndarray, answers: tuple[np.ndarray, np.ndarray],
    counters: dict[str, dict[str, int]], first: int,
) -> Iterator[str]:  # fmt: skip
    """What of a batch differs from the integer reference and the cycle model. first: number of its first image."""
    trace = golden.run(network, images)
    classes, scores = answers
    for i in range(len(images)):
        if not np.array_equal(scores[i], trace.scores[i]):
            yield f"image {first + i}: scores {scores[i].tolist()}; expected: {trace.scores[i].tolist()}"
        elif classes[i] != trace.predicted[i]:
            yield f"image {first + i}: class {classes[i]}; expected: {trace.predicted[i]}"
    model = run_model(stages, trace)
    expected = model.activity
    for stage, counts in counters.items():
        # The model counts until the last class; what a stage does after that, for rows that no pool takes, it does not count.
        for name in COMPARED if model.lasts[stage][-1] <= model.ends[-1] else ():
            if counts[name] != expected[stage][name]:
                where = f"images {first} to {first + len(images) - 1}"
                yield f"{where}: {stage} counts {counts[name]} {name}; expected: {expected[stage][name]}"
