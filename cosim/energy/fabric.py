"""What an FPGA's own published figures make of the same operations, with an upper bound of its clock and registers.

Microsemi (Actel), "ProASIC PLUS Flash Family FPGAs", "Calculating Typical Power Dissipation", pages 38 and 39 of 178: one data
sheet that has clock, registers, logic and memory of one device, so that their shares can be compared. For the UltraScale+ AMD
publishes a spreadsheet (UG440) and no such figures. A µW/MHz there is a picojoule here.
"""

from __future__ import annotations

from .model import Coefficients, Operation, Operations

BLOCK_ACCESS, BLOCK_WORDS, BLOCK_BITS = 175.0, 256, 9
"""P6: an access of a block; of blocks that make a deeper memory only one is at work, and a smaller memory is a block as well."""
TILE_CHANGE = 1.4 / 2
"""P3, a logic tile, for each change of its output: the data sheet has it for each period of it, which is two changes."""
REGISTER_CHANGE = 1.1 / 2
"""P5, a storage tile, likewise."""
LIGHT_CLOCK, HEAVY_CLOCK, LIGHT_MOST = (100.0, 1.3, -0.00003), (6850.0, 0.4, 0.0), 15_000
"""P1, P2, -P7, and P10, P11: a cycle of the clock tree as a polynomial of its registers; the first up to LIGHT_MOST of them."""
ADDER_TILES, PRODUCT_TILES = 2, 3
"""Tiles that change once: sum and carry of a bit; for each bit of one factor times each of the other one's an AND, too."""
FLOAT_MANTISSA = 24
"""Bits of float32's product; its exponents, shifts and rounding are left out, so that the twin's energy is at least this."""
PARTS = ("memory", "arithmetic", "clock", "registers")


def fabric_energy(operations: Operations, registers: float, cycles: float) -> dict[str, float]:
    """Picojoules by PARTS. registers: flip-flops of the stages, each clocked in all `cycles`, and changing in each at most.

    clock and registers are upper bounds: no register keeps its value.
    """
    all_operations = [one for of_stage in operations.values() for one in of_stage]
    return {
        "memory": sum(access_energy(one) for one in all_operations if one.kind == "access"),
        "arithmetic": sum(arithmetic_energy(one) for one in all_operations if one.kind != "access"),
        "clock": cycles * clock_energy(registers),
        "registers": cycles * registers * REGISTER_CHANGE,
    }


def clock_bound(registers: float, cycles: float, coefficients: Coefficients) -> float:
    """Picojoules of clock and registers in the model's own process, at most.

    By the one thing that both tables have, an access to a memory of a block's size.
    """
    energies = fabric_energy({}, registers, cycles)
    block = Operation("", "access", 1, BLOCK_BITS, words=BLOCK_WORDS).energy(coefficients)
    return (energies["clock"] + energies["registers"]) * block / BLOCK_ACCESS


def access_energy(operation: Operation) -> float:
    """Blocks side by side as wide as the word."""
    return operation.count * -(-operation.bits // BLOCK_BITS) * BLOCK_ACCESS


def arithmetic_energy(operation: Operation) -> float:
    if operation.kind == "add":
        tiles = ADDER_TILES * (32 if operation.is_float else operation.bits)
    else:
        pairs = FLOAT_MANTISSA**2 if operation.is_float else operation.bits * operation.factor_bits
        tiles = PRODUCT_TILES * pairs
    return operation.count * tiles * TILE_CHANGE


def clock_energy(registers: float) -> float:
    """Picojoules of the clock tree in a cycle."""
    base, each, square = LIGHT_CLOCK if registers <= LIGHT_MOST else HEAVY_CLOCK
    return base + each * registers + square * registers**2
