import random

import pytest
from myhdl import Signal, StopSimulation, always_comb, block, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.errors import DesignError
from duospike.rtl.stream import check_lanes, groups_of, index_bits, pack, signed, unpack


def fields_of(kind, count, width):
    if kind == "bits":
        return [Signal(bool(0)) for _ in range(count)]
    return [signed(width) if kind == "signed" else Signal(intbv(0)[width:]) for _ in range(count)]


@block
def through_fields(word_in, word_out, kind, count, width):
    """Unpacks a vector and packs it again."""
    parts = fields_of(kind, count, width)
    split = unpack(word_in, parts)
    join = pack(parts, word_out)
    return split, join


@block
def extend_first(word_in, word_out, count, width):
    """Unpacks signed fields and packs them as wider ones: their sign must survive."""
    parts, wide = fields_of("signed", count, width), fields_of("signed", count, width + 3)
    split = unpack(word_in, parts)
    widened = [widen(parts[i], wide[i]) for i in range(count)]
    join = pack(wide, word_out)
    return split, widened, join


@block
def widen(narrow, wide):
    @always_comb
    def copy():
        wide.next = narrow

    return copy


def outputs_of(place, function, words, bits_in, bits_out, **parameters):
    """What a combinational block shows for each word."""
    word_in, word_out, shown = Signal(intbv(0)[bits_in:]), Signal(intbv(0)[bits_out:]), []
    dut = place(function, word_in=word_in, word_out=word_out, **parameters)

    def drive():
        for word in words:
            word_in.next = word
            yield delay(10)
            shown.append(int(word_out))
        raise StopSimulation

    simulate(dut.instance, drive())
    return shown


@pytest.mark.parametrize(("kind", "width"), [("bits", 1), ("unsigned", 1), ("unsigned", 5), ("signed", 2), ("signed", 7)])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_unpack_and_pack_are_inverse(place, kind, width, count):
    bits = count * width
    words = [2**bits - 1, 0, *(random.Random(bits).getrandbits(bits) for _ in range(20))]
    assert outputs_of(place, through_fields, words, bits, bits, kind=kind, count=count, width=width) == words


@pytest.mark.parametrize("count", [1, 3])
def test_the_lowest_field_comes_first_and_keeps_its_sign(place, count):
    choose = random.Random(count)
    values = [[choose.randrange(-8, 8) for _ in range(count)] for _ in range(20)]

    def joined(fields, width):
        return sum((value % 2**width) << (i * width) for i, value in enumerate(fields))

    words = [joined(fields, 4) for fields in values]
    shown = outputs_of(place, extend_first, words, 4 * count, 7 * count, count=count, width=4)
    assert shown == [joined(fields, 7) for fields in values]


@pytest.mark.parametrize(("count", "bits"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (256, 8), (257, 9)])
def test_index_bits(count, bits):
    assert index_bits(count) == bits


@pytest.mark.parametrize(("channels", "lanes", "groups"), [(1, 1, 1), (8, 4, 2), (9, 4, 3), (3, 2, 2)])
def test_groups_of(channels, lanes, groups):
    assert groups_of(channels, lanes) == groups


@pytest.mark.parametrize("lanes", [0, -1, 5])
def test_lanes_that_a_layer_cannot_have(lanes):
    with pytest.raises(DesignError, match=rf"layer conv1: {lanes} lanes; allowed: 1 to 4"):
        check_lanes("conv1", lanes, 4)


def test_lanes_that_a_layer_can_have():
    for lanes in range(1, 5):
        check_lanes("conv1", lanes, 4)
