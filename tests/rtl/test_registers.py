import pytest

from duospike.rtl.errors import DesignError
from duospike.rtl.registers import COMMAND, CONSTANT, FIRST_HASH, STATUS, Register, RegisterMap, register_map

STAGES = ["conv1", "pool1", "readout"]


def small_map(version=(0, 1, 0)):
    return register_map(STAGES, version, bytes(range(32)), 42, 11)


def test_addresses_are_consecutive_and_known():
    """The addresses are a promise to software: they do not move unnoticed."""
    registers = small_map()
    fixed = ["ID", "VERSION", *(f"HASH_{i}" for i in range(4)), "IMAGE_BEATS", "RESULT_WORDS", "CONTROL", "ERRORS", "STATUS"]
    counters = ["CONV1_BUSY", "CONV1_STALL_IN", "CONV1_STALL_OUT", "CONV1_EVENTS", "CONV1_SILENT", "POOL1_BUSY"]
    names = [*fixed, "IMAGES", "RESULTS", "CYCLES", *counters]
    assert [registers.registers[i].name for i in range(len(names))] == names
    assert registers.offset("CONTROL") == 0x20 and registers.offset("READOUT_SILENT") == 4 * (14 + 14)
    assert registers.address_bits == 12 and registers.index("HASH_0") == FIRST_HASH


def test_constants():
    values = {register.name: register.value for register in small_map((1, 20, 3)).of_kind(CONSTANT)}
    assert values["ID"].to_bytes(4, "big") == b"DUOS"
    assert values["VERSION"] == 0x01_14_03
    assert [values[f"HASH_{i}"] for i in range(4)] == [0x00010203, 0x04050607, 0x08090A0B, 0x0C0D0E0F]
    assert (values["IMAGE_BEATS"], values["RESULT_WORDS"]) == (42, 11)


def test_no_two_bits_overlap():
    for register in small_map().registers:
        seen = 0
        for bits in register.bits:
            assert not seen & bits.mask and bits.mask < 2**32
            seen |= bits.mask


def test_large_maps_have_more_address_bits():
    registers = register_map([f"conv{i}" for i in range(300)], (0, 1, 0), bytes(32), 1, 1)
    assert registers.address_bits == 13 and 4 * len(registers) <= 2**13


@pytest.mark.parametrize("kinds", [(COMMAND, CONSTANT, STATUS), (CONSTANT, STATUS), (CONSTANT, COMMAND, STATUS, COMMAND)])
def test_another_order_is_refused(kinds):
    with pytest.raises(DesignError, match="constants, then commands"):
        RegisterMap(tuple(Register(f"R{i}", kind, "") for i, kind in enumerate(kinds)))


def test_twice_the_same_name_is_refused():
    with pytest.raises(DesignError, match="one name"):
        RegisterMap(tuple(Register("R", kind, "") for kind in (CONSTANT, COMMAND, STATUS)))


def test_a_version_that_does_not_fit_is_refused():
    with pytest.raises(DesignError, match=r"\(0, 256, 0\); allowed"):
        small_map((0, 256, 0))
