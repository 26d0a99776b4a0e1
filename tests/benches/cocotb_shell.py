"""Cocotb tests of the AXI shell with the bus models of cocotbext-axi; tests/cosim/axi/test_axi_shell_cocotb.py runs them."""

import json
import os
import random
import struct
import zlib
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp, AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

RUN = json.loads(Path(os.environ["SHELL_RUN"]).read_text()) if "SHELL_RUN" in os.environ else {}
"""registers: as in registers.json; packets: beats of each packet; results: the words that each must give; words: those of the
network to load, none for a core that has its own."""


def pauses(seed, share):
    rng = random.Random(seed)
    while True:
        yield rng.random() < share


class Shell:
    """The bus models around the shell, their channels held back at random for `share` of the cycles."""

    def __init__(self, dut, share):
        self.dut, self.registers = dut, RUN["registers"]
        reset = {"reset_active_level": False}
        self.bus = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.aclk, dut.aresetn, **reset)
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk, dut.aresetn, byte_lanes=1, **reset)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk, dut.aresetn, byte_lanes=1, **reset)
        write, read = self.bus.write_if, self.bus.read_if
        channels = [write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel, self.source, self.sink]
        if share:
            for seed, channel in enumerate(channels):
                channel.set_pause_generator(pauses(seed, share))

    async def read(self, name):
        return await self.bus.read_dword(self.registers[name]["offset"])

    async def write(self, name, value):
        await self.bus.write_dword(self.registers[name]["offset"], value)


async def started(dut, share):
    """The shell after its reset, with a network; the models come only when no signal that they read is unknown."""
    cocotb.start_soon(Clock(dut.aclk, 10, unit="ns").start())
    dut.aresetn.value = 0
    await ClockCycles(dut.aclk, 4)
    shell = Shell(dut, share)
    await ClockCycles(dut.aclk, 2)
    dut.aresetn.value = 1
    await ClockCycles(dut.aclk, 2)
    if RUN["words"]:
        await shell.write("CONTROL", RUN["registers"]["CONTROL"]["bits"]["LOAD"])
        for word in RUN["words"]:
            await shell.write("LOAD_DATA", word)
        assert await shell.read("LOADED_WORDS") == len(RUN["words"])
        assert await shell.read("LOAD_CRC") == zlib.crc32(struct.pack(f"<{len(RUN['words'])}I", *RUN["words"]))
    await shell.write("CONTROL", 1)
    return shell


async def check_results(dut, share):
    shell = await started(dut, share)
    for packet in RUN["packets"]:
        await shell.source.send(AxiStreamFrame(packet))
    for expected in RUN["results"]:
        frame = await shell.sink.recv()
        assert list(frame.tdata) == expected
    await ClockCycles(dut.aclk, 100)
    assert shell.sink.empty() and shell.sink.idle()
    assert await shell.read("RESULTS") == await shell.read("IMAGES") == len(RUN["packets"])
    assert await shell.read("ERRORS") == RUN["errors"]
    await shell.write("ERRORS", RUN["errors"])
    assert await shell.read("ERRORS") == 0


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def results_without_pauses(dut):
    await check_results(dut, 0)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def results_with_pauses_on_all_channels(dut):
    await check_results(dut, 0.5)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_register_reads_while_writes_go_on(dut):
    shell = await started(dut, 0.4)
    writes = [cocotb.start_soon(shell.write("ERRORS", i)) for i in range(20)]
    for name, register in RUN["registers"].items():
        value = await shell.read(name)
        assert value == register.get("value", value), name
    for write in writes:
        await write
    assert await shell.read("ERRORS") == 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def wrong_accesses_are_answered(dut):
    shell = await started(dut, 0.3)
    beyond = 4 * len(RUN["registers"])
    for address, expected in ((0, AxiResp.SLVERR), (beyond, AxiResp.DECERR), (0xFFC, AxiResp.DECERR), (0x20, AxiResp.OKAY)):
        assert (await shell.bus.write(address, bytes(4))).resp == expected
    for address, expected in ((0, AxiResp.OKAY), (beyond, AxiResp.DECERR), (0xFFC, AxiResp.DECERR)):
        assert (await shell.bus.read(address, 4)).resp == expected
    assert await shell.read("ERRORS") == RUN["registers"]["ERRORS"]["bits"]["BAD_ACCESS"]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_part_of_a_word_is_not_written(dut):
    shell = await started(dut, 0.3)
    control = RUN["registers"]["CONTROL"]["offset"]
    bad_access = RUN["registers"]["ERRORS"]["bits"]["BAD_ACCESS"]
    for first in range(4):
        for count in range(1, 5 - first):
            written = await shell.bus.write(control + first, bytes([2] * count))
            assert written.resp == (AxiResp.OKAY if count == 4 else AxiResp.SLVERR)
            assert await shell.read("ERRORS") & bad_access == (bad_access if count < 4 else 0)
            assert await shell.read("STATUS") & RUN["registers"]["STATUS"]["bits"]["RUNNING"]
            await shell.write("ERRORS", 0xFFFFFFFF)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_write_without_strobes_does_nothing(dut):
    """The model's master has always some, so its channels are driven by hand."""
    shell = await started(dut, 0.3)
    write, offsets = shell.bus.write_if, {name: register["offset"] for name, register in RUN["registers"].items()}
    for name in ("CONTROL", "ERRORS", "ID", "LOAD_DATA" if RUN["words"] else "CYCLES"):
        await write.aw_channel.send(write.aw_channel._transaction_obj(awaddr=offsets[name]))
        await write.w_channel.send(write.w_channel._transaction_obj(wdata=0xFFFFFFFF, wstrb=0))
        assert AxiResp(int((await write.b_channel.recv()).bresp)) == AxiResp.OKAY
    assert await shell.read("ERRORS") == 0
    assert await shell.read("STATUS") & RUN["registers"]["STATUS"]["bits"]["RUNNING"]
