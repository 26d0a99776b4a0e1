"""Which serial lines a clock can have."""

import pytest

from duospike.cosim.board.core import serial_line
from duospike.cosim.errors import CosimError
from duospike.rtl.packets import Line


def test_a_bit_is_a_whole_number_of_cycles():
    assert serial_line(60, 3_000_000) == Line(divider=20, timeout=1_200_000)
    assert serial_line(50, 115_200).divider == 434


@pytest.mark.parametrize(
    "clock, baud, message",
    [
        (25, 12_000_000, "12000000 baud at 25 MHz; allowed: up to 6250000"),
        (50, 3_000_000, None),
        (50, 11_000_000, "5 cycles a bit are 10000000 baud"),
    ],
)
def test_a_rate_that_the_clock_cannot_make_is_refused(clock, baud, message):
    if message is None:
        assert serial_line(clock, baud).divider == 17
    else:
        with pytest.raises(CosimError, match=message):
            serial_line(clock, baud)
