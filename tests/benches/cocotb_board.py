"""Cocotb tests of a board's core with the serial line of cocotbext-uart; tests/cosim/board/test_board_cocotb.py runs them."""

import json
import os
import struct
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Timer
from cocotbext.uart import UartSink, UartSource

from tests.benches.serial_bench import packet

RUN = json.loads(Path(os.environ["BOARD_RUN"]).read_text()) if "BOARD_RUN" in os.environ else {}
"""registers: as in registers.json; images: the bytes of each image packet, in hex; beats: of an image; results: the words that
each must give; divider, timeout: of the line."""

PERIOD = 10
"""Nanoseconds of a clock cycle."""
HELLO, READ, WRITE, SEND_LAST, TAKE = 0, 1, 2, 4, 5


class Host:
    """A serial line of cocotbext-uart; its bits begin between the clock's edges."""

    def __init__(self, dut):
        baud = 1_000_000_000 // (RUN["divider"] * PERIOD)
        self.dut, self.sequence = dut, 0
        self.source, self.sink = UartSource(dut.rxd, baud=baud), UartSink(dut.txd, baud=baud)

    async def send(self, data):
        await self.source.write(data)
        await self.source.wait()

    async def answer(self):
        data = b""
        while len(data) < 4 or len(data) < 8 + 4 * data[3]:
            data += bytes(await self.sink.read())
        words = struct.unpack(f"<{data[3]}I", data[4:-4])
        assert data == packet(data[1], data[2], words), data.hex()
        return data[1], data[2], list(words)

    async def request(self, kind, words=()):
        self.sequence += 1
        await self.send(packet(self.sequence, kind, words))
        sequence, status, answer = await self.answer()
        assert (sequence, status) == (self.sequence, 0)
        return answer

    async def silence(self):
        await ClockCycles(self.dut.clk, RUN["timeout"] + 10)
        await Timer(3, unit="ns")


async def started(dut):
    cocotb.start_soon(Clock(dut.clk, PERIOD, unit="ns").start())
    dut.rst.value = 1
    dut.rxd.value = 1
    await ClockCycles(dut.clk, 8)
    dut.rst.value = 0
    host = Host(dut)
    await host.silence()
    assert await host.request(HELLO) == []
    return host


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def registers_read_as_they_should(dut):
    host = await started(dut)
    values = await host.request(READ, (0, len(RUN["registers"])))
    for register, value in zip(RUN["registers"].values(), values, strict=True):
        assert value == register.get("value", value)


@cocotb.test(timeout_time=8, timeout_unit="ms")
async def images_give_their_results(dut):
    host = await started(dut)
    control = RUN["registers"]["CONTROL"]
    await host.request(WRITE, (control["offset"], control["bits"]["START"]))
    for image, expected in zip(RUN["images"], RUN["results"], strict=True):
        data = bytes.fromhex(image)
        padding = -len(data) % 4
        words = struct.unpack(f"<{(len(data) + padding) // 4}I", data + bytes(padding))
        left_out = padding // (len(data) // RUN["beats"])
        assert await host.request(SEND_LAST | left_out << 4, words) == [len(words)]
        assert await host.request(TAKE) == expected


@cocotb.test(timeout_time=8, timeout_unit="ms")
async def a_damaged_packet_has_no_answer_and_can_be_sent_again(dut):
    host = await started(dut)
    good = packet(77, READ, (0, 1))
    for i in range(0, len(good), 3):
        await host.send([*good[:i], good[i] ^ 1 << i % 8, *good[i + 1 :]])
        await host.silence()
        assert host.sink.empty()
    await host.send(good)
    first = next(iter(RUN["registers"].values()))["value"]
    assert await host.answer() == (77, 0, [first])
    # The answer to a repetition is the same.
    await host.send(good)
    assert await host.answer() == (77, 0, [first])
