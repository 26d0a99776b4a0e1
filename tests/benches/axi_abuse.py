"""A host that uses a loadable core in any way, and a model of what docs/reference/ports-and-registers.md promises."""

import random
import zlib
from dataclasses import dataclass, field

import numpy as np

from duospike.cosim.axi.loadable import network_words
from duospike.cosim.axi.pynq_driver import INVALID
from duospike.reference import golden
from tests.benches.shell_bench import receive

START, STOP, RESET, LOAD = 1, 2, 4, 8
SHORT_IMAGE, LONG_IMAGE, BAD_ACCESS, BAD_COMMAND, NOT_LOADED, BAD_LOAD = (1 << i for i in range(6))
OKAY, SLVERR, DECERR = 0, 2, 3
ALL = 0b1111
UNKNOWN = None
"""A value that depends on time."""


@dataclass
class Registers:
    """The model. about: the registers of registers.json. pieces: words of a network."""

    about: dict
    pieces: int
    running: bool = False
    errors: int = 0
    images: int = 0
    words: list[int] = field(default_factory=list)

    def __post_init__(self):
        self.names = list(self.about)

    @property
    def loaded(self):
        return len(self.words) == self.pieces

    def forget(self, network):
        """A reset, after which the network is still loaded or not."""
        self.running, self.errors, self.images = False, 0, 0
        if network:
            self.words = []

    def resets(self, offset, data, strobes):
        return self._name(offset) == "CONTROL" and strobes == ALL and data in (RESET, LOAD)

    def _name(self, offset):
        return self.names[offset // 4] if offset // 4 < len(self.names) else None

    def write(self, offset, data, strobes):
        """Returns the response."""
        name = self._name(offset)
        response = self._response(name, strobes)
        if response != OKAY:
            self.errors |= BAD_ACCESS
        elif strobes == ALL:
            {"CONTROL": self._control, "ERRORS": self._clear, "LOAD_DATA": self._load}[name](data)
        return response

    def _response(self, name, strobes):
        if name is None:
            return DECERR
        if strobes == 0:
            return OKAY
        return OKAY if strobes == ALL and self.about[name]["access"] == "read, write" else SLVERR

    def _control(self, data):
        if data in (RESET, LOAD):
            self.forget(data == LOAD)
        elif data == START and not self.loaded:
            self.errors |= NOT_LOADED
        elif data in (START, STOP):
            self.running = data == START
        elif data != 0:
            self.errors |= BAD_COMMAND

    def _clear(self, data):
        self.errors &= ~data

    def _load(self, data):
        if self.loaded:
            self.errors |= BAD_LOAD
        else:
            self.words.append(data)

    def read(self, offset):
        """Returns the response and the value."""
        name = self._name(offset)
        if name is None:
            self.errors |= BAD_ACCESS
            return DECERR, 0
        return OKAY, self._value(name)

    def _value(self, name):
        checksum = zlib.crc32(b"".join(word.to_bytes(4, "little") for word in self.words))
        states = {
            "CONTROL": 0, "ERRORS": self.errors, "LOAD_DATA": 0, "STATUS": self.running | self.loaded << 2,
            "IMAGES": self.images, "RESULTS": self.images, "LOADED_WORDS": len(self.words), "LOAD_CRC": checksum,
        }  # fmt: skip
        return states.get(name, self.about[name].get("value", UNKNOWN))


class Abuser:
    """Does random things to a core and counts what differs from the model.

    networks: any of them may be loaded. faults: what differed. counts: of what was done. cycles: of the core's clock, counted by
    its own register, without those in reset.
    """

    def __init__(self, overlay, core, design, networks, seed):
        self.overlay, self.core, self.random = overlay, core, random.Random(seed)
        self.model = Registers(core.registers, core.load_words)
        self.networks = [(network, network_words(network, design.description["load"]).tolist()) for network in networks]
        self.offsets = {name: register["offset"] for name, register in core.registers.items()}
        self.images = design.images(64, seed)
        self.faults, self.cycles = [], 0
        self.counts = dict.fromkeys(("reads", "writes", "without strobes", "in part", "resets", "loads", "images"), 0)

    def check(self, what, got, expected):
        if got != expected:
            self.faults.append(f"{what} {got}; expected: {expected}")

    def write(self, offset, data, strobes=ALL):
        if self.model.resets(offset, data, strobes):
            self.cycles += self.core.read("CYCLES")
        self.counts["without strobes" if strobes == 0 else "writes" if strobes == ALL else "in part"] += 1
        got = self.overlay.command(f"w {offset:08x} {data:08x} {strobes:x}")
        self.check(f"write {offset:#x} {data:#x} {strobes:04b}", got, [self.model.write(offset, data, strobes)])

    def read(self, offset):
        self.counts["reads"] += 1
        response, value = self.overlay.command(f"r {offset:08x}")
        expected = self.model.read(offset)
        self.check(f"read {offset:#x}", (response, UNKNOWN if expected[1] is UNKNOWN else value), expected)

    def reset(self):
        self.cycles += self.core.read("CYCLES")
        self.counts["resets"] += 1
        self.overlay.reset(self.random.randrange(2, 6))
        self.model.forget(network=True)

    def any_offset(self):
        names = ["CONTROL", "ERRORS", "LOAD_DATA"] * 4 + ["STATUS", "LOADED_WORDS", "LOAD_CRC", "IMAGES", "RESULTS"]
        kind = self.random.random()
        if kind < 0.7:
            return self.offsets[self.random.choice(names)] + self.random.randrange(4)
        return self.random.randrange(4 * len(self.offsets) if kind < 0.9 else 4096)

    def any_write(self):
        data = self.random.choice([0, START, STOP, RESET, LOAD, START | STOP, 0b111111, self.random.getrandbits(32)])
        self.write(self.any_offset(), data, self.random.choice([ALL, ALL, 0, self.random.randrange(16)]))

    def any_access(self):
        if self.random.random() < 0.5:
            self.read(self.any_offset())
        else:
            self.any_write()

    def harmless_access(self):
        """A read, or a write that does nothing."""
        if self.random.random() < 0.5:
            self.read(self.any_offset())
        else:
            self.write(self.any_offset(), self.random.getrandbits(32), self.random.randrange(ALL))

    def load(self):
        self.counts["loads"] += 1
        self.write(self.offsets["CONTROL"], LOAD)
        for word in self.random.choice(self.networks)[1]:
            self.write(self.offsets["LOAD_DATA"], word)
            if self.random.random() < 0.1:
                self.harmless_access()

    def loaded_network(self):
        return next((network for network, words in self.networks if words == self.model.words), None)

    def work(self):
        """Make the core run a network, and let it classify images in packets of any length."""
        if self.loaded_network() is None:
            self.load()
        self.write(self.offsets["CONTROL"], START)
        for _ in range(self.random.randrange(1, 4)):
            self.classify(self.random.choice(self.images)[None])
        if self.random.random() < 0.3:
            self.overlay.dma.sendchannel.transfer(self.core.encode(self.images[:1])[0])
            self.overlay.run(self.random.randrange(40))
            self.reset()

    def classify(self, image):
        """An image of one channel: a beat has a pixel, of frames those of all timesteps of a pass."""
        network = self.core.network
        packet = self.core.encode(image)[0].reshape(-1, network["data_bits"] // 8)
        beats = len(packet)
        length = self.random.choice([beats, beats, self.random.randrange(1, 2 * beats)])
        sent = np.resize(packet, (length, packet.shape[1]))
        self.overlay.dma.sendchannel.transfer(sent)
        while self.random.random() < 0.5:
            self.write(self.any_offset(), self.random.getrandbits(32), self.random.randrange(ALL))
        words = receive(self.overlay, self.core).tolist()
        self.overlay.dma.sendchannel.wait()
        missing = np.arange(beats).reshape(network["passes"], 1, -1) >= length
        taken = np.where(missing, 0, image.reshape(len(missing), -1, missing.shape[2]))
        trace = golden.run(self.loaded_network(), taken.reshape(image.shape))
        head = int(trace.predicted[0]) | INVALID * (length != beats)
        self.check(f"result of {length} beats", words, [head, *trace.scores[0].tolist()])
        self.counts["images"] += 1
        self.model.images += 1
        self.model.errors |= (length < beats) * SHORT_IMAGE | (length > beats) * LONG_IMAGE

    def run(self, steps):
        actions = [self.any_access] * 40 + [self.work] * 3 + [self.reset]
        for _ in range(steps):
            self.random.choice(actions)()
        for offset in self.offsets.values():
            self.read(offset)
        self.cycles += self.core.read("CYCLES")
