"""The control of a load against a model of what it promises; tests/cosim/axi/test_axi_loading.py has it in the shell."""

import random
import zlib

import pytest
from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.load_control import load_control
from duospike.rtl.loading import Load
from duospike.rtl.stream import counter

START, STOP, RESET, LOAD = 1, 2, 4, 8
NOT_LOADED, BAD_LOAD = 0x10, 0x20
HELD = 4
"""Cycles for which the core is in reset after the last word is taken."""


class Model:
    """What the host may rely on, after each edge."""

    def __init__(self, pieces):
        self.pieces, self.words, self.errors, self.since = pieces, [], 0, 0
        self.history = [[]]

    @property
    def complete(self):
        return len(self.words) == self.pieces

    def edge(self, rst, write, index, data):
        """Returns what is put on the bus: None, or the position and the word."""
        self.since = 0 if not self.complete else self.since + 1
        piece = None
        if write and index == 1:
            self.errors &= ~data
        if write and index == 0 and data == START and not self.complete:
            self.errors |= NOT_LOADED
        if write and index == 2 and self.complete:
            self.errors |= BAD_LOAD
        elif write and index == 2:
            piece = (len(self.words), data)
            self.words.append(data)
        if write and index == 0 and data in (RESET, LOAD):
            self.errors = 0
        if rst or (write and index == 0 and data == LOAD):
            self.words, self.errors, self.since, piece = [], 0, 0, None
        self.history.append(list(self.words))
        return piece

    def checksum(self):
        """Of the words that were taken an edge before the last: the last is still on the bus."""
        return zlib.crc32(b"".join(word.to_bytes(4, "little") for word in self.history[-2]))


@pytest.mark.parametrize("pieces", [4, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 7))])
def test_commands_words_and_flags(place, pieces):
    rng, model = random.Random(pieces), Model(pieces)
    clk, rst, write, control_rst, command, core_rst = [Signal(bool(0)) for _ in range(6)]
    write_index, write_data, command_data = counter(3), Signal(intbv(0)[32:]), Signal(intbv(0)[32:])
    states, values, load = Signal(intbv(0)[192:]), Signal(intbv(0)[288:]), Load(pieces)
    dut = place(
        load_control, clk=clk, rst=rst, write=write, write_index=write_index, write_data=write_data, states=states,
        control_rst=control_rst, command=command, command_data=command_data, core_rst=core_rst, load=load, values=values,
        pieces=pieces,
    )  # fmt: skip
    faults, done, met = [], [], set()

    def check(cycle, what, got, wanted):
        if int(got) != wanted:
            faults.append(f"cycle {cycle}: {what} {int(got):#x}; expected: {wanted:#x}")

    def run():
        piece, began = None, True
        for cycle in range(400 if pieces == 4 else 800):
            resets = cycle < 2 or rng.random() < 0.005
            writes, index = rng.random() < 0.6, rng.choice([0, 1, 2, 2, 2])
            if index == 0:
                data = rng.choice([START] * 4 + [STOP, LOAD | START, rng.getrandbits(32)] + [RESET, LOAD] * (rng.random() < 0.7))
            else:
                data = rng.choice([0, BAD_LOAD, NOT_LOADED | BAD_LOAD, LOAD, rng.getrandbits(32)])
            if not model.complete and rng.random() < 0.3:
                index, data = 0, START
            # The slave's words of states may be anything, but for the bits that loading adds.
            words = [rng.getrandbits(32) for _ in range(6)]
            words[1], words[2] = words[1] & ~0x30, words[2] & ~4
            held = rng.random() < 0.1
            rst.next, write.next, write_index.next, write_data.next, control_rst.next = resets, writes, index, data, held
            states.next = sum(word << 32 * i for i, word in enumerate(words))
            yield delay(5)
            if cycle > 1:
                early = writes and index == 0 and data == START and not model.complete
                check(cycle, "command", command, writes and not early)
                if command:
                    check(cycle, "command_data", command_data, RESET if index == 0 and data == LOAD else data)
                check(cycle, "core_rst", core_rst, held or model.since < HELD)
                check(cycle, "restart", load.restart, began)
                check(cycle, "load.write", load.write, piece is not None)
                if piece:
                    check(cycle, "position", load.position, piece[0])
                    check(cycle, "data", load.data, piece[1])
                shown = [words[0], words[1] | model.errors, 0, words[2] | model.complete << 2, *words[3:], len(model.words)]
                for i, word in enumerate(shown):
                    check(cycle, f"word {i}", values >> 32 * i & 2**32 - 1, word)
                if len(model.history) > 1 and not began:
                    check(cycle, "checksum", values >> 32 * 8, model.checksum())
                met.add((model.complete, model.errors, bool(early)))
            clk.next = True
            yield delay(5)
            clk.next = False
            piece = model.edge(resets, writes, index, data)
            began = resets or (writes and index == 0 and data == LOAD)
        done.append(True)
        raise StopSimulation

    simulate(dut.instance, run())
    assert done and not faults, faults[:3]
    assert {complete for complete, _, _ in met} == {False, True} and len({errors for _, errors, _ in met}) == 4
