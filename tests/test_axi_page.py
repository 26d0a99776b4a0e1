"""docs/axi.md shows the registers that the hardware has."""

from pathlib import Path

from cosim.register_pages import markdown_table
from rtl.registers import register_map

PAGE = Path(__file__).parents[1] / "docs" / "axi.md"


def fixed_rows():
    """Rows of the table without the stages' counters and the constants' values, which depend on the network."""
    rows = markdown_table(register_map([], (0, 0, 0), bytes(16), 0, 0)).splitlines()
    return [row.replace(" `0x00000000` |", " |").replace(" `0x44554f53` |", " |") for row in rows]


def test_the_table_is_that_of_the_hardware():
    text = PAGE.read_text()
    assert "\n".join(["<!-- from rtl/registers.py -->", *fixed_rows(), ""]) in text
