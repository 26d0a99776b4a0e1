"""Driver of a Duospike core with an AXI shell, for PYNQ or whatever offers the same interface; it needs numpy alone.

from pynq import Overlay, allocate
from driver import Accelerator

overlay = Overlay("design.bit")
core = Accelerator("registers.json", overlay.axi_shell_0, overlay.axi_dma_0, allocate)
classes, counts = core.infer(images)
"""

import json
from pathlib import Path

import numpy as np

INVALID = 1 << 31
"""Bit of a result's first word: the image packet had a wrong length."""


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
        """Let the core take no image after the one at hand; what it has taken it finishes."""
        self._command("STOP")

    def reset(self):
        """Put the core back to the state after power-up: stopped, no image in it, no errors, counters 0."""
        self._command("RESET")

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
        """Classes [count] and class counts [count, classes] of images as the network takes them.

        images: integers [count, channels, height, width], or spikes [count, timesteps, channels, height, width]. ValueError
        for others. The core is started. While a result is on its way the next image is sent.
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
        return results[:, 0].astype(int), results[:, 1:].astype(int)

    def encode(self, images):
        """Packets [count, bytes] for images: a beat a pixel, in the order pass, row, column.

        A beat holds a field of image_bits for each channel, or a spike for each channel and timestep of a pass; the first
        in the lowest bits.
        """
        network = self.network
        images = np.asarray(images)
        self._check_images(images)
        if network["coding"] == "events":
            count, timesteps, channels, height, width = images.shape
            by_pass = images.reshape(count, network["passes"], timesteps // network["passes"], channels, height, width)
            fields, bits = by_pass.transpose(0, 1, 4, 5, 3, 2).reshape(count, -1, network["beat_bits"]), 1
        else:
            pixels = images.transpose(0, 2, 3, 1).reshape(len(images), -1, images.shape[1])
            fields, bits = np.tile(pixels, (1, network["passes"], 1)), network["image_bits"]
        planes = (fields.astype(np.int64)[..., None] >> np.arange(bits)) & 1
        planes = planes.reshape(*fields.shape[:2], -1).astype(np.uint8)
        padded = np.pad(planes, ((0, 0), (0, 0), (0, network["data_bits"] - planes.shape[2])))
        return np.packbits(padded, axis=2, bitorder="little").reshape(len(images), -1)

    def _check_images(self, images):
        network = self.network
        shape = network["input_shape"] if network["coding"] != "events" else [network["timesteps"], *network["input_shape"]]
        low, high = network["pixel_range"]
        if list(images.shape[1:]) != shape or len(images) == 0:
            raise ValueError(f"images of shape {images.shape}; allowed: one or more of {tuple(shape)}")
        if not np.issubdtype(images.dtype, np.integer):
            raise ValueError(f"images of type {images.dtype}; allowed: integers")
        if images.min() < low or images.max() > high:
            raise ValueError(f"pixels of {images.min()} to {images.max()}; allowed: {low} to {high}")
