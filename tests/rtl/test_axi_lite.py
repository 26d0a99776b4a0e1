"""The AXI4-Lite slave against the project's own bus master; tests/cosim/axi/test_axi_shell_cocotb.py has an independent one."""

import random

import pytest
from myhdl import Signal, intbv

from duospike.rtl.axi_lite import DECERR, OKAY, SLVERR, Layout, axi_lite
from duospike.rtl.memory import Table
from duospike.rtl.stream import counter
from tests.benches.axi_lite_bench import run_bus, vector

STALLS = [(0, 0), (0.6, 0), (0, 0.7), (0.5, 0.5)]
LAYOUTS = [
    Layout(constants=constants, commands=commands, states=states)
    for constants, commands, states in [(8, 2, 9), (1, 1, 1), (3, 5, 120)]
]


def answer_to_write(layout, address, strobe):
    """What docs/reference/ports-and-registers.md promises for a write."""
    word = address // 4
    if word >= layout.constants + layout.commands + layout.states:
        return DECERR
    if strobe == 0:
        return OKAY
    is_command = layout.constants <= word < layout.constants + layout.commands
    return OKAY if is_command and strobe == 0b1111 else SLVERR


def run(place, layout, writes, reads, stalls=(0, 0), seed=0):
    """Returns what the slave answered and did, and the words that its registers had."""
    rng = random.Random(seed)
    constants = [rng.getrandbits(32) for _ in range(layout.constants)]
    values = [rng.getrandbits(32) for _ in range(layout.commands + layout.states)]
    write, bad_access = Signal(bool(0)), Signal(bool(0))
    index, data = counter(layout.commands), Signal(intbv(0)[32:])
    done, bad = [], []

    def observe():
        if write:
            done.append((int(index), int(data)))
        if bad_access:
            bad.append(1)

    ports = {"values": vector(values), "write": write, "write_index": index, "write_data": data, "bad_access": bad_access}
    written, read = run_bus(
        place, axi_lite, writes, reads, address_bits=12, ports=ports, observe=observe, stalls=stalls, seed=seed,
        layout=layout, identity=Table("identity.hex", 32, constants),
    )  # fmt: skip
    return written, read, done, len(bad), constants + values


@pytest.mark.parametrize("layout", LAYOUTS, ids=["shell", "smallest", "large"])
@pytest.mark.parametrize("stalls", STALLS)
def test_every_access_is_answered_and_done_once_and_in_order(place, layout, stalls):
    rng = random.Random(str((layout, stalls)))
    total, first, last = layout.constants + layout.commands + layout.states, layout.constants, layout.constants + layout.commands
    edges = [0, 4 * first - 1, 4 * first, 4 * last - 1, 4 * last, 4 * total - 1, 4 * total, 4095]
    # One more bit of an address than a register has.
    edges += [4 * (2**bit + first) for bit in range(total.bit_length(), 10)]
    addresses = edges + [rng.randrange(4 * total + 8) for _ in range(25)]
    writes = [
        (address, rng.getrandbits(32), rng.choice([0, 0b1111, 0b1111, 0b1111, rng.randrange(16)]))
        for address in rng.sample(addresses, len(addresses))
    ]
    reads = rng.sample(addresses, len(addresses))
    written, read, done, bad, words = run(place, layout, writes, reads, stalls, STALLS.index(stalls))

    kinds = [answer_to_write(layout, address, strobe) for address, _, strobe in writes]
    assert written == kinds and {OKAY, SLVERR, DECERR} == set(kinds)
    assert done == [(a // 4 - first, data) for a, data, strobe in writes if first <= a // 4 < last and strobe == 0b1111]
    assert read == [(words[a // 4], OKAY) if a // 4 < total else (0, DECERR) for a in reads]
    expected_bad = len(kinds) - kinds.count(OKAY) + sum(a // 4 >= total for a in reads)
    # A bad read and a bad write may fall into one cycle.
    assert expected_bad / 2 <= bad <= expected_bad


@pytest.mark.parametrize("kind", ["writes", "reads"])
def test_each_bad_access_is_one(place, kind):
    """Accesses one after the other, of which each bad one sets `bad_access` in one cycle."""
    layout, rng = LAYOUTS[0], random.Random(kind)
    addresses = [4 * rng.randrange(30) for _ in range(40)]
    writes = [(address, rng.getrandbits(32), rng.choice([0, 1, 0b1111])) for address in addresses]
    total = layout.constants + layout.commands + layout.states
    if kind == "writes":
        written, _, _, bad, _ = run(place, layout, writes, [], (0.2, 0.2), seed=5)
        assert bad == len(written) - written.count(OKAY) > 10
    else:
        _, _, _, bad, _ = run(place, layout, [], addresses, (0.2, 0.2), seed=6)
        assert bad == sum(address // 4 >= total for address in addresses) > 10


def test_address_and_data_of_a_write_wait_for_each_other(place):
    """Many writes and no read: with stalls of their own the two channels drift apart in both directions."""
    layout = LAYOUTS[0]
    writes = [(32 + 4 * (i % 2), i, 15) for i in range(60)]
    _, _, done, bad, _ = run(place, layout, writes, [], (0.7, 0.3), seed=3)
    assert done == [(i % 2, i) for i in range(60)] and bad == 0


@pytest.mark.parametrize("word", [0, 8, 9, 10, 19], ids=["constant", "command", "command", "state", "outside"])
def test_each_pattern_of_strobes(place, word):
    """Only a whole word is written; none is no error where there is a register, a part is one everywhere."""
    layout = LAYOUTS[0]
    writes = [(4 * word, 0x01010101 * strobe, strobe) for strobe in (*range(16), 0b1111)]
    registers = range(layout.constants + layout.commands + layout.states)
    written, read, done, bad, words = run(place, layout, writes, [4 * i for i in registers], (0.2, 0.2), seed=word)
    assert read == [(words[i], OKAY) for i in registers]
    assert written == [answer_to_write(layout, address, strobe) for address, _, strobe in writes]
    assert done == ([(word - 8, 0x0F0F0F0F)] * 2 if word in (8, 9) else [])
    assert bad == len(writes) - written.count(OKAY)
