"""Driver of a Duospike core with an AXI shell, for PYNQ or another library with the same interface; it needs only numpy.

from pynq import Overlay, allocate
from driver import Accelerator

overlay = Overlay("design.bit")
core = Accelerator("registers.json", overlay.axi_shell_0, overlay.axi_dma_0, allocate)
classes, scores = core.infer(images)
"""

import json
import zlib
from pathlib import Path

import numpy as np

INVALID = 1 << 31
"""Bit of a result's first word: the image packet had a wrong length."""

TIMED_CODINGS = ("events", "frames")
"""Codings of networks whose images have something of its own for each timestep."""

LOAD_MAGIC = 0x574F5544
"""First word of a file that load() takes: DUOW in ASCII, as the bytes lie."""
LOAD_HEADER = 7
"""Words before the network's: LOAD_MAGIC, HASH_0 to HASH_3 of the core, the number of the network's words, their CRC-32."""


class DriverError(RuntimeError):
    """The core is another one than the driver expects, or reports an error."""


class Accelerator:
    """A core that runs a network.

    ip: read(offset) and write(offset, value), such as a DefaultIP of PYNQ. dma: sendchannel and recvchannel with
    transfer(buffer) and wait(), such as PYNQ's driver of the AXI DMA (in simple mode, which takes a packet a transfer).
    allocate(shape, dtype): buffers for it. description: the registers.json that belongs to the core, its path or content.
    DriverError if the core is not the one of the description.
    """

    def __init__(self, description, ip, dma, allocate=np.zeros):
        if not isinstance(description, dict):
            description = json.loads(Path(description).read_text())
        self.registers, self.network, self.stages = (description[key] for key in ("registers", "network", "stages"))
        self.counter_names = description["counters"]
        self.load_words = description["load"]["words"] if "load" in description else 0
        self._ip, self._dma, self._allocate = ip, dma, allocate
        self.check()

    def read(self, name):
        """Value of a register."""
        return self._ip.read(self.registers[name]["offset"])

    def write(self, name, value):
        """Write a register."""
        self._ip.write(self.registers[name]["offset"], value)

    def check(self):
        """DriverError if a constant register is not what the description says: another core, version or network."""
        for name, register in self.registers.items():
            if "value" in register and self.read(name) != register["value"]:
                raise DriverError(f"register {name} reads {self.read(name):#x}; expected: {register['value']:#x}")

    def start(self):
        """Let the core take images."""
        self._command("START")

    def stop(self):
        """Let the core take no image after the current one; it finishes what it has taken."""
        self._command("STOP")

    def reset(self):
        """Put the core back to the state after power-up: stopped, no image in it, no errors, counters 0; what is loaded stays."""
        self._command("RESET")

    def load(self, file):
        """Load a network into a loadable core, which stops and forgets what it does.

        file: path or content of a file that `duospike pack` wrote for this core. ValueError for another one. DriverError if
        the core did not take it as it was sent; it holds no network then, and does not start.
        """
        words = self._network_words(file if isinstance(file, bytes) else Path(file).read_bytes())
        self._command("LOAD")
        self._write_words(self.registers["LOAD_DATA"]["offset"], words.tolist())
        taken, checksum, expected = self.read("LOADED_WORDS"), self.read("LOAD_CRC"), zlib.crc32(words.tobytes())
        if (taken, checksum) != (len(words), expected) or not self.state()["LOADED"] or "BAD_LOAD" in self.errors():
            self._command("LOAD")
            raise DriverError(f"{taken} words of CRC-32 {checksum:#010x} were loaded; expected: {len(words)} of {expected:#010x}")

    def _write_words(self, offset, words):
        """Write words to one register, one after the other."""
        for word in words:
            self._ip.write(offset, word)

    def _network_words(self, content):
        """The network in the content of a file, or ValueError."""
        if not self.load_words:
            raise ValueError("this core has its network in ROMs; allowed: a core of `duospike convert --axi --loadable`")
        if len(content) % 4 or content[:4] != LOAD_MAGIC.to_bytes(4, "little") or len(content) < 4 * LOAD_HEADER:
            raise ValueError("not a file of `duospike pack`")
        words = np.frombuffer(content, "<u4")
        header, words = words[1:LOAD_HEADER].tolist(), words[LOAD_HEADER:]
        if header[:4] != [self.registers[f"HASH_{i}"]["value"] for i in range(4)]:
            raise ValueError("the file is for another core; allowed: one made for the core of this description")
        if len(words) != header[4] or len(words) != self.load_words or zlib.crc32(words.tobytes()) != header[5]:
            raise ValueError("the file is damaged: its words do not match their number and checksum")
        return words

    def _command(self, bit):
        self.write("CONTROL", self.registers["CONTROL"]["bits"][bit])

    def state(self):
        """The bits of STATUS by name."""
        return self._bits("STATUS")

    def errors(self):
        """Names of the errors since the last reset or clear_errors()."""
        return [name for name, is_set in self._bits("ERRORS").items() if is_set]

    def clear_errors(self):
        """Forget all errors."""
        self.write("ERRORS", sum(self.registers["ERRORS"]["bits"].values()))

    def _bits(self, name):
        value = self.read(name)
        return {bit: bool(value & mask) for bit, mask in self.registers[name]["bits"].items()}

    def counters(self):
        """Activity counters by stage and name, since reset; they wrap at 2**32."""
        return {
            stage: {counter: self.read(f"{stage}_{counter}".upper()) for counter in self.counter_names} for stage in self.stages
        }

    def infer(self, images):
        """Classes [count] and their scores [count, classes] of images as the network takes them.

        A score is the number of votes, or what else the network's read-out gives; potentials have a sign.

        images: integers [count, channels, height, width], or spikes or frames [count, timesteps, channels, height, width].
        ValueError for others. The core is started. While a result is on its way the next image is sent.
        """
        packets = self.encode(images)
        words = self.registers["RESULT_WORDS"]["value"]
        source = [self._allocate(shape=packets.shape[1:], dtype=np.uint8) for _ in range(2)]
        target = self._allocate(shape=(words,), dtype=np.uint32)
        results = np.zeros((len(packets), words), np.uint32)
        self.start()
        for i in range(len(packets) + 1):
            if i < len(packets):
                source[i % 2][:] = packets[i]
                self._dma.sendchannel.transfer(source[i % 2])
            if i > 0:
                self._dma.recvchannel.wait()
                results[i - 1] = target
            if i < len(packets):
                self._dma.recvchannel.transfer(target)
                self._dma.sendchannel.wait()
        if np.any(results[:, 0] & INVALID):
            raise DriverError(
                f"image {np.argmax(results[:, 0] & INVALID)} had a wrong length; errors: {', '.join(self.errors())}"
            )
        scores = results[:, 1:]
        return results[:, 0].astype(int), (scores.view(np.int32) if self.network.get("scores_signed") else scores).astype(int)

    def encode(self, images):
        """Packets [count, bytes] for images: a beat a pixel, in the order pass, row, column.

        A beat holds a field of image_bits for each channel, with events (of one bit) and frames for each timestep of a pass:
        field channel * timesteps + t, the first in the lowest bits.
        """
        network = self.network
        images = np.asarray(images)
        self._check_images(images)
        count, passes, bits = len(images), network["passes"], network["image_bits"]
        # Events and frames come in passes of some timesteps each; one image comes again in each pass.
        by_pass = images if network["coding"] in TIMED_CODINGS else np.repeat(images[:, None], passes, axis=1)
        by_pass = by_pass.reshape(count, passes, -1, *network["input_shape"])
        fields = by_pass.transpose(0, 1, 4, 5, 3, 2).reshape(count, -1, network["beat_bits"] // bits)
        planes = (fields.astype(np.int64)[..., None] >> np.arange(bits)) & 1
        planes = planes.reshape(*fields.shape[:2], -1).astype(np.uint8)
        padded = np.pad(planes, ((0, 0), (0, 0), (0, network["data_bits"] - planes.shape[2])))
        return np.packbits(padded, axis=2, bitorder="little").reshape(len(images), -1)

    def _check_images(self, images):
        network = self.network
        shape, is_timed = network["input_shape"], network["coding"] in TIMED_CODINGS
        shape = [network["timesteps"], *shape] if is_timed else shape
        low, high = network["pixel_range"]
        if list(images.shape[1:]) != shape or len(images) == 0:
            raise ValueError(f"images of shape {images.shape}; allowed: one or more of {tuple(shape)}")
        if not np.issubdtype(images.dtype, np.integer):
            raise ValueError(f"images of type {images.dtype}; allowed: integers")
        if images.min() < low or images.max() > high:
            raise ValueError(f"pixels of {images.min()} to {images.max()}; allowed: {low} to {high}")
