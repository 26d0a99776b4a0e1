"""An FPGA's published figures: each by hand, and the report of a small network."""

import pytest

from duospike.cosim.energy.fabric import PARTS, clock_energy, fabric_energy
from duospike.cosim.energy.model import Coefficients, Operation
from duospike.cosim.energy.report import energy_lines, fabric_report, make_report
from duospike.cosim.synthesis.synthesize import Area


def fabric(*operations, registers=0, cycles=0):
    return fabric_energy({"conv1": list(operations)}, registers, cycles)


def test_the_data_sheets_figures_by_hand():
    # 20 bits are three blocks of 9; both places of the deeper memory are one block at work.
    assert fabric(Operation("", "access", 2, 20, words=512))["memory"] == 2 * 3 * 175
    # Sum and carry of ten bits, each half a period; 4 x 8 pairs with an AND each.
    assert fabric(Operation("", "add", 3, 10))["arithmetic"] == pytest.approx(3 * 20 * 0.7)
    assert fabric(Operation("", "multiply", 1, 4, factor_bits=8))["arithmetic"] == pytest.approx(32 * 3 * 0.7)
    assert fabric(Operation("", "add", 1, 10).as_float())["arithmetic"] == pytest.approx(64 * 0.7)
    assert fabric(Operation("", "multiply", 1, 4, factor_bits=8).as_float())["arithmetic"] == pytest.approx(576 * 3 * 0.7)
    found = fabric(registers=1000, cycles=5)
    assert found["clock"] == pytest.approx(5 * (100 + 1300 - 30)) and found["registers"] == pytest.approx(5 * 1000 * 0.55)


def test_both_pieces_of_the_clocks_model_meet():
    assert [clock_energy(15_000), clock_energy(15_001)] == pytest.approx([12_850, 12_850.4])


def test_what_a_report_makes_of_them():
    weights, sums = Operation("weights", "access", 100, 36, words=64, number_bits=4), Operation("additions", "add", 900, 12)
    operations = {"conv1": [weights, sums]}
    found = fabric_report(operations, {"conv1": Area(ff=40), "fc1": Area(ff=60)}, cycles=50.0, images=2)
    assert found["registers"] == 100 and list(found["energies"]) == list(PARTS)
    # Four blocks in place of 32, and sums of 32 bits; 50 cycles an image of as many registers in both.
    ours, twin = found["energies"], found["float_energies"]
    assert ours["memory"] * 1e3 == pytest.approx(50 * 4 * 175) and twin["memory"] == pytest.approx(8 * ours["memory"])
    assert ours["clock"] * 1e3 == pytest.approx(50 * (100 + 130 - 0.3)) and twin["clock"] == ours["clock"]
    assert found["ratio"] == pytest.approx(sum(twin.values()) / sum(ours.values()))
    assert found["ratio_drawn"][1] < found["ratio"] < found["ratio_drawn"][2]
    report = make_report(operations, 2, Coefficients())
    # In 45 nm an access of 9 bits to 288 bytes takes 9 bits of a bank of 8 KiB, by the root of the share; there 175 pJ.
    clock = (ours["clock"] + ours["registers"]) * 9 * (10 / 64) * (288 / 8192) ** 0.5 / 175
    assert found["clock"] == pytest.approx(clock) and found["clock_share"] == pytest.approx(clock / (report["total"] + clock))
    assert found["clocked_ratio"] == pytest.approx((report["float_total"] + clock) / (report["total"] + clock))
    assert 1 < found["clocked_ratio"] < report["float_ratio"]
    assert any(
        f"100 registers, not counted: at most {clock:.0f} nJ" in line for line in energy_lines({**report, "fabric": found})
    )
