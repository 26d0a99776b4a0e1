"""What a driver may do with PYNQ 4.0's buffers, registers and simple-mode DMA; anything else raises, as it would there or worse.

Written after the documentation of pynq.allocate, pynq.MMIO and pynq.lib.dma; no part of PYNQ runs here.
"""

import numpy as np

PAGE = 4096


class Buffer(np.ndarray):
    """Memory that the processor sees through its cache: the device sees what was flushed, the processor what was invalidated."""

    def __array_finalize__(self, other):
        self.memory = self.physical_address = None

    def flush(self):
        self.memory = self.tobytes()

    def invalidate(self):
        self[...] = np.frombuffer(self.memory, self.dtype).reshape(self.shape)


def allocate(shape, dtype="u4", target=None, **kwargs):
    """Contents are those of any memory."""
    assert target is None and kwargs == {}
    buffer = np.random.default_rng(1).integers(0, 255, shape).astype(dtype).view(Buffer)
    buffer.physical_address, buffer.memory = PAGE, bytes(buffer.nbytes)
    return buffer


class Registers:
    """As pynq.DefaultIP: whole words at whole addresses, and plain integers only."""

    def __init__(self, values):
        self.values, self.written = values, []

    def read(self, offset=0):
        assert type(offset) is int and offset % 4 == 0
        return self.values[offset]

    def write(self, offset, value):
        if type(value) is not int:
            raise ValueError("Data type must be int or bytes.")
        assert type(offset) is int and offset % 4 == 0 and 0 <= value < 2**32
        self.written.append((offset, value))


class Channel:
    """done(memory): what the device makes of a buffer, called when the transfer is waited for."""

    def __init__(self, flushes, max_size, done):
        self._flushes, self._max_size, self._done, self._active = flushes, max_size, done, None

    def transfer(self, array, start=0, nbytes=0):
        assert isinstance(array, Buffer) and array.physical_address is not None, "no buffer of allocate()"
        assert start == nbytes == 0
        if self._active is not None:
            raise RuntimeError("DMA channel not idle")
        if array.nbytes > self._max_size:
            raise ValueError(f"Transfer size is {array.nbytes} bytes, which exceeds the maximum of {self._max_size}.")
        if self._flushes:
            array.flush()
        self._active = array

    def wait(self):
        if self._active is None:
            raise AttributeError("'NoneType' object has no attribute 'invalidate'")
        self._active.memory = self._done(self._active.memory)
        if not self._flushes:
            self._active.invalidate()
        self._active = None


class Dma:
    """Behind it a core that knows the result (bytes) of each image packet (bytes). A result is made when its image was sent."""

    def __init__(self, results, max_size=2**14 - 1):
        self._results, self._waiting = results, []
        self.sendchannel = Channel(True, max_size, self._take)
        self.recvchannel = Channel(False, max_size, lambda memory: self._waiting.pop(0))

    def _take(self, memory):
        self._waiting.append(self._results[memory])
        return memory
