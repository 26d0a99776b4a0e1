import random

import pytest

from duospike.rtl.loading import LoadedTable, pieces_of


def pieces(words, width):
    """The pieces of words, the lowest bits of each word first."""
    return [word >> 32 * i & 2**32 - 1 for word in words for i in range(pieces_of(width))]


@pytest.mark.parametrize(("width", "count"), [(1, 1), (32, 1), (33, 2), (64, 2), (65, 3)])
def test_pieces_of_a_word(width, count):
    assert pieces_of(width) == count


@pytest.mark.parametrize("width", [5, 32, 70])
def test_the_parts_of_a_table_are_loaded_where_the_whole_is(width):
    rng = random.Random(width)
    whole = LoadedTable("weights", width, [rng.getrandbits(width) for _ in range(7)], 11)
    bus = [0] * 11 + pieces(whole.words, width)
    assert whole.end == len(bus)
    parts = [whole.part(first, min(first + 3, 7)) for first in range(0, 7, 3)]
    assert [len(part.words) for part in parts] == [3, 3, 1]
    assert len({part.path for part in parts}) == 3
    assert all(bus[part.first : part.end] == pieces(part.words, width) for part in parts)
