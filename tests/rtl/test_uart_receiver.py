"""The receiver against a line that a plain function draws: other rates, noise, breaks."""

import random

import pytest
from myhdl import Signal, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.uart_receiver import uart_receiver
from tests.benches.serial_bench import levels
from tests.rtl.test_memory import clocked

LATENCY = 6


def receive(place, line, divider):
    """The bytes that came, and how many were broken."""
    clk, rst, rxd = Signal(bool(0)), Signal(bool(1)), Signal(bool(1))
    data, arrived, broken = Signal(intbv(0)[8:]), Signal(bool(0)), Signal(bool(0))
    dut = place(uart_receiver, clk=clk, rst=rst, rxd=rxd, data=data, arrived=arrived, broken=broken, divider=divider)
    found, failures = [], []
    levels_then_silence = [*line, *[1] * (10 * divider + LATENCY)]

    def step(cycle):
        if cycle > 3:
            assert not (arrived and broken)
            if arrived:
                found.append(int(data))
            if broken:
                failures.append(cycle)
        rst.next = cycle < 3
        rxd.next = levels_then_silence[cycle] if cycle < len(levels_then_silence) else 1

    simulate(dut.instance, clocked(clk, step, len(levels_then_silence)))
    return found, len(failures)


@pytest.mark.parametrize("divider", [4, 9, 16])
def test_bytes_at_rates_that_are_a_little_off(place, divider):
    rng = random.Random(divider)
    # Five percent of nine and a half bits is half a bit; the two flip-flops and a whole number of cycles take a part of it.
    off = 0.0 if divider < 9 else 0.03
    sent = [0x00, 0xFF, 0x55, 0xAA, *(rng.randrange(256) for _ in range(4))]
    line = []
    for i, octet in enumerate(sent):
        line += levels([octet], divider * (1 + off * (-1) ** i)) + [1] * rng.choice([0, 0, 1, 3 * divider])
    assert receive(place, [1] * 8 + line, divider) == (sent, 0)


def test_noise_begins_no_byte_and_a_break_is_one_failure(place):
    divider = 8
    glitch, long_break = [0] * (divider // 2 - 2) + [1] * divider, [0] * (25 * divider) + [1] * divider
    line = [*[1] * 8, *levels([0x3C], divider), *glitch, *glitch, *levels([0x81], divider), *long_break, *levels([0x7E], divider)]
    assert receive(place, line, divider) == ([0x3C, 0x81, 0x7E], 1)


def test_a_byte_without_a_stop_bit_is_dropped(place):
    divider = 5
    broken = [0] * divider + [1] * (8 * divider) + [0] * (2 * divider) + [1] * (12 * divider)
    line = [*[1] * 8, *levels([1], divider), *broken, *levels([2], divider)]
    assert receive(place, line, divider) == ([1, 2], 1)


def test_a_line_that_is_low_at_reset_begins_no_byte(place):
    assert receive(place, [0] * 60 + [1] * 9 + levels([0x42], 4), 4) == ([0x42], 0)
