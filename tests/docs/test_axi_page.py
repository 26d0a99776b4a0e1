"""docs/reference/ports-and-registers.md shows the registers that the hardware has."""

from pathlib import Path

from duospike.cosim.axi.register_pages import markdown_table
from duospike.rtl.registers import ACCESS_RULES, register_map

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "ports-and-registers.md"


def fixed_rows(loadable=False):
    """Rows of the table without the stages' counters and the constants' values, which depend on the network."""
    rows = markdown_table(register_map([], (0, 0, 0), bytes(16), 0, 0, loadable)).splitlines()
    return [row.replace(" `0x00000000` |", " |").replace(" `0x44554f53` |", " |") for row in rows]


def test_the_table_is_that_of_the_hardware():
    text = PAGE.read_text()
    assert "\n".join(["<!-- from rtl/registers.py -->", *fixed_rows(), ""]) in text


def test_the_table_of_a_loadable_core_has_its_other_rows():
    """Those from CONTROL on; the constants before it are the same, but for what is hashed."""
    rows = fixed_rows(loadable=True)
    start = next(i for i, row in enumerate(rows) if "`CONTROL`" in row)
    assert "\n".join(["<!-- from rtl/registers.py, loadable -->", *rows[:2], *rows[start:], ""]) in PAGE.read_text()


def test_what_an_access_does_is_what_the_hardware_does():
    assert "\n".join(f"* {rule}" for rule in ACCESS_RULES) in PAGE.read_text()
