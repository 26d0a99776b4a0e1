"""Damage to files: of their bytes, of JSON and TOML, and of the structure of each binary format, drawn from a generator."""

import gzip
import io
import json
import pickletools
import re
import struct
import zlib
from contextlib import suppress
from functools import cache, reduce
from itertools import islice

import h5py

from duospike.reference.files import GZIP, ZLIB

EXTREMES = (0, 1, -1, 2, 255, 256, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, -(2**63), 2**64, 10**30)
FLOATS = (0.0, -0.0, 0.5, -1.5, 1e-320, 1e300, -1e308, 3.4e38)
TEXTS = (
    "",
    " ",
    "a",
    "conv1",
    "conv1\u0663",
    "\ud800",
    "\x00",
    "\x1b[31m",
    "a\nb",
    "../../etc/passwd",
    "<script>",
    "$\\frac{1}{0}$",
    "x" * 5000,
    "9" * 5000,
    "\U0001f600" * 50,
    "nan",
    "fc99999999999999999999",
    "VGG9",
    "999999999C5-FC10",
    "float",
    "1/0",
    "5/\u0663\u0662",
)
CONSTANTS = ("NaN", "Infinity", "-Infinity", "1e999", "1" * 5000, "[" * 5000, '{"a":' * 3000)
TOKENS = (
    "nan",
    "inf",
    "-inf",
    "1e999",
    "true",
    '""',
    '"x"',
    "[]",
    "{}",
    "[[[]]]",
    "1979-05-27T07:32:00Z",
    "0x7fffffffffffffff",
    "-1",
    "0",
    "1.5",
    "99999999999999999999",
    "1e308",
    "[1, [2, [3]]]",
    '["a", 1]',
    "{a = 1, a = 2}",
    "[" * 800,
    '"""',
    '"\\ud800"',
    "1_0",
    '"999999999C5-FC10"',
    '"4C3-FC10-FC10-FC10"',
    "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]",
    '["a/b", "../c"]',
    "1" * 900,
)
LINES = ("[base]", "[[grid]]", "[a.b]", "[lanes]", "[" + ".".join("a" * 400) + "]", "x", "seed = [1]")
PLACEHOLDER = "\ue000here\ue000"
"""Marks a place in a JSON tree at which the text gets one of CONSTANTS."""
BOMB = 2**30
"""Bytes that compressed zeros expand to."""


def pick(draw, values):
    return values[int(draw.integers(len(values)))]


def damaged_bytes(draw, data):
    """Some flips of bits, a cut, a chunk that is put in, left out, doubled, exchanged or a number of extreme value."""
    data = bytearray(data)
    kind, at = pick(draw, range(8)), int(draw.integers(len(data) + 1))
    size = int(min(2 ** draw.integers(0, 12), len(data) - at))
    if kind == 0:
        for _ in range(int(draw.integers(1, 9))):
            data[int(draw.integers(len(data)))] ^= 1 << int(draw.integers(8))
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        data[at:at] = draw.bytes(int(2 ** draw.integers(0, 12)))
    elif kind == 3:
        del data[at : at + size]
    elif kind == 4:
        data[at:at] = data[at : at + size] * int(draw.integers(1, 20))
    elif kind == 5:
        to = int(draw.integers(len(data) + 1))
        data[at : at + size], data[to : to + size] = data[to : to + size], data[at : at + size]
    else:
        number = pick(draw, (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1))
        width = pick(draw, (1, 2, 4, 8))
        order = pick(draw, ("little", "big"))
        data[at : at + width] = (number % 2 ** (8 * width)).to_bytes(width, order)
    return bytes(data)


MAX_PLACES = 50_000
"""Of a tree, that one is chosen from."""


def damaged_tree(draw, tree):
    """A JSON value with one place changed, and the text that must replace PLACEHOLDER, or None."""
    tree = json.loads(json.dumps(tree))
    # A tree that is damaged several times may have grown to millions of places, deep within it.
    places = list(islice(_places(tree), MAX_PLACES))
    holder, key = pick(draw, places)
    kind, text = pick(draw, range(12)), None
    if kind < 3:
        holder[key] = pick(draw, EXTREMES)
    elif kind == 3:
        holder[key] = pick(draw, FLOATS)
    elif kind == 4:
        holder[key] = pick(draw, TEXTS)
    elif kind == 5:
        holder[key] = pick(draw, (None, True, False, [], {}, [[]], {"": {}}))
    elif kind == 6:
        holder[key], text = PLACEHOLDER, pick(draw, CONSTANTS)
    elif kind == 7:
        del holder[key]
    elif kind == 8 and isinstance(holder, dict):
        holder[pick(draw, TEXTS)] = holder.pop(key)
    elif kind == 9 and isinstance(holder, list):
        holder[:] = holder * int(pick(draw, (2, 40, 300, 20_000)) // len(holder) + 1)
    elif kind == 10:
        other, there = pick(draw, places)
        # One may hold the other.
        with suppress(KeyError, IndexError, ValueError):
            holder[key], other[there] = json.loads(json.dumps(other[there])), json.loads(json.dumps(holder[key]))
    else:
        holder[key] = nested(pick(draw, (2, 20, 200)), holder[key])
    return tree, text


def _places(tree):
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in pairs:
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def nested(depth, value):
    for _ in range(depth):
        value = [value]
    return value


def damaged_json(draw, data):
    """A JSON text with one to three places of its tree changed, a key doubled, or its bytes damaged."""
    if draw.random() < 0.15:
        return damaged_bytes(draw, data)
    tree, text = json.loads(data), None
    for _ in range(int(draw.integers(1, 4))):
        if text is None and tree:
            tree, text = damaged_tree(draw, tree)
    found = json.dumps(tree)
    if text is not None:
        found = found.replace(json.dumps(PLACEHOLDER), text)
    if draw.random() < 0.1:
        found = doubled_key(draw, found)
    return found.encode()


EDITS = (
    ("frames", "direct", "rate", "events"),
    ("or", "sum", "max"),
    ("count", "first_spike", "last_membrane", "max_membrane"),
    ("subtract", "subtract_delayed", "zero", "none"),
)
"""Words of model files that one may take for another."""


def edited_safetensors(draw, data, key):
    """One to three numbers or words of the text in the metadata under `key` changed as by hand: to others of their kind."""
    length = int.from_bytes(data[:8], "little")
    tree = json.loads(data[8 : 8 + length])
    about = json.loads(tree["__metadata__"][key])
    leaves = [(holder, at) for holder, at in _places(about) if not isinstance(holder[at], dict | list)]
    for _ in range(int(draw.integers(1, 4))):
        holder, at = pick(draw, leaves)
        holder[at] = _other(draw, holder[at])
    tree["__metadata__"][key] = json.dumps(about)
    header = json.dumps(tree).encode()
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


def _other(draw, value):
    """Another value of the kind of one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return pick(draw, (value - 1, value + 1, 2 * value, 0, 1, int(draw.integers(0, 40)), pick(draw, EXTREMES)))
    return pick(draw, next((words for words in EDITS if value in words), (value + "0", "7", "10000000000000", "")))


def drawn_hdf5(draw, data):
    """A file of events in either layout: lengths, types, links and values drawn, some of what they should be; data: not used."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        if draw.random() < 0.5:
            for name in ("events/t", "events/x", "events/y", "events/p"):
                _put(draw, file, name, pick(draw, ("u1", "i8", "u8", "?", "f4")) if draw.random() < 0.3 else "?")
        else:
            for name, kind in (("spikes/times", "f4"), ("spikes/units", "u2")):
                _put(draw, file, name, h5py.vlen_dtype(pick(draw, ("f8", "u8", "i1")) if draw.random() < 0.2 else kind))
            if draw.random() < 0.7:
                _put(draw, file, "labels", pick(draw, ("i8", "u1", "u8", "f4")))
    return memory.getvalue()


def _put(draw, file, name, kind):
    """A drawn array, or what is none."""
    way, count = draw.random(), 5 if draw.random() < 0.9 else pick(draw, (0, 4, 6, 2**24, 2**24 + 1, 2**40))
    if way < 0.03:
        file[name] = pick(draw, (h5py.SoftLink("/labels"), h5py.ExternalLink("/etc/passwd", "/a"), h5py.SoftLink(f"/{name}")))
    elif way < 0.05:
        file[name] = pick(draw, (5, "text", [[1, 2]] * 5))
    elif way < 0.07:
        file.create_group(name)
    elif way < 0.9 or count > 9:
        options = {"fillvalue": int(draw.integers(2))} if isinstance(kind, str) and draw.random() < 0.5 else {}
        found = file.create_dataset(name, (count,), kind, chunks=(2**16,) if count > 9 else None, **options)
        if h5py.check_vlen_dtype(found.dtype) and count < 9:
            for index in range(count):
                found[index] = draw.integers(0, 9, int(draw.integers(0, 4) if draw.random() < 0.02 else 3))
    else:
        file[name] = draw.integers(0, 2, (count,))


def doubled_key(draw, text):
    """The first part of an object twice: {"a": 1, "a": 1, ..."""
    spots = [match for match in re.finditer(r'[{,] ?("[^"]*": ?[0-9.]+)(?=[,}])', text)]
    if not spots:
        return text
    spot = pick(draw, spots)
    return f"{text[: spot.end()]}, {spot[1]}{text[spot.end() :]}"


def damaged_toml(draw, data):
    """A TOML text with one to three lines changed, or its bytes damaged."""
    if draw.random() < 0.15:
        return damaged_bytes(draw, data)
    lines = data.decode().split("\n")
    for _ in range(int(draw.integers(1, 4))):
        at = int(draw.integers(len(lines)))
        key, equals, _ = lines[at].partition("=")
        kind = pick(draw, range(8))
        if kind < 3 and equals:
            lines[at] = f"{key}= {pick(draw, TOKENS)}"
        elif kind == 3 and equals:
            lines[at] = pick(draw, ("", "x", "a.b.c", '"a b"', "\u0663", f"{key}x")) + lines[at][len(key) :]
        elif kind == 4:
            lines.insert(at, lines[at])
        elif kind == 5:
            lines.insert(
                at, pick(draw, ("[base]", "[[grid]]", "[a.b]", "[lanes]", "[" + ".".join("a" * 400) + "]", "x", "seed = [1]"))
            )
        elif kind == 6:
            del lines[at]
            lines = lines or [""]
        else:
            other = int(draw.integers(len(lines)))
            lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines).encode()


def damaged_safetensors(draw, data, key):
    """Its header changed as JSON, or the JSON text in the header's metadata under `key`, or its bytes."""
    kind = draw.random()
    if kind < 0.2:
        return damaged_bytes(draw, data)
    length = int.from_bytes(data[:8], "little")
    header, rest = data[8 : 8 + length], data[8 + length :]
    if kind < 0.6:
        tree = json.loads(header)
        tree["__metadata__"][key] = damaged_json(draw, tree["__metadata__"][key].encode()).decode(errors="surrogateescape")
        header = json.dumps(tree).encode()
    elif kind < 0.95:
        header = damaged_json(draw, header)
    else:
        rest = damaged_bytes(draw, rest)
    length = pick(draw, (0, 2**20, 2**31, 2**63, 2**64 - 1)) if draw.random() < 0.05 else len(header)
    return struct.pack("<Q", length) + header + rest


def damaged_pickle(draw, data):
    """Instructions left out, doubled, exchanged, or others put in; or its bytes damaged."""
    if draw.random() < 0.3:
        return damaged_bytes(draw, data)
    starts = [place for _, _, place in pickletools.genops(data)]
    steps = [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]
    for _ in range(int(draw.integers(1, 4))):
        at, other = int(draw.integers(len(steps))), int(draw.integers(len(steps)))
        kind = pick(draw, range(6))
        if kind == 0:
            steps[at] = b""
        elif kind == 1:
            steps[at] = steps[at] * int(draw.integers(2, 40))
        elif kind == 2:
            steps[at], steps[other] = steps[other], steps[at]
        elif kind == 3:
            steps[at] = damaged_bytes(draw, steps[at])
        else:
            steps[at:at] = [pick(draw, INSTRUCTIONS)]
    return b"".join(steps)


INSTRUCTIONS = (
    b"cos\nsystem\n",
    b"cnumpy\ndtype\n",
    b"cnumpy.core.multiarray\n_reconstruct\n",
    b"cnumpy\nndarray\n",
    b"c_codecs\nencode\n",
    b"R",
    b"b",
    b"t",
    b"(",
    b"l",
    b"d",
    b"}",
    b"]",
    b"N",
    b"2",
    b"0",
    b"1",
    b"a",
    b"e",
    b"s",
    b"u",
    b"\x85",
    b"\x86",
    b"\x87",
    b".",
    b"K\xff",
    b"J\xff\xff\xff\x7f",
    b"\x8a\xff" + b"\xff" * 255,
    b"T\xff\xff\xff\x7f",
    b"B\xff\xff\xff\xff",
    b"h\x00",
    b"q\x00",
    b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"X\xff\xff\xff\xff",
    b"U\x02O8",
    b"U\x02u8",
    b"I" + b"9" * 5000 + b"\n",
    b"\x93",
    b"\x94",
    b"cbuiltins\neval\n",
    b"Q",
    b"P1\n",
    b"\x81",
    b"\x92",
    b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
)


def damaged_gzip(draw, data):
    """What is compressed, damaged, or the compressed bytes; or a bomb."""
    kind = draw.random()
    if kind < 0.3:
        return damaged_bytes(draw, data)
    if kind < 0.32:
        return bomb(GZIP)
    if kind < 0.35:
        return data + data
    plain = bytearray(gzip.decompress(data))
    if kind < 0.7:
        at = 4 * int(draw.integers(0, 4))
        plain[at : at + 4] = struct.pack(">I", pick(draw, (0, 1, 2, 2**16, 2**28, 2**31, 2**32 - 1, 0x0803, 0x08FF, 0x0D03)))
    return gzip.compress(bytes(plain) if kind < 0.7 else damaged_bytes(draw, bytes(plain)), 1)


@cache
def bomb(kind):
    """BOMB zeros, compressed as ZLIB or GZIP: blocks that say the same, between a head and checksums."""
    stream, block = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(2**20)
    packed = (stream.compress(block) + stream.flush(zlib.Z_FULL_FLUSH)) * (BOMB // 2**20) + b"\x03\x00"
    check = zlib.crc32 if kind == GZIP else zlib.adler32
    total = reduce(lambda before, _: check(block, before), range(BOMB // 2**20), check(b""))
    if kind == GZIP:
        return gzip.compress(b"")[:10] + packed + struct.pack("<II", total, BOMB)
    return b"\x78\xda" + packed + struct.pack(">I", total)


def damaged_matlab(draw, data):
    """What is compressed, damaged, or the file's bytes; or a bomb. data: of compressed or of plain variables."""
    kind = draw.random()
    if kind < 0.4:
        # Most of a file are its numbers.
        return damaged_bytes(draw, data[:400]) + data[400:] if draw.random() < 0.5 else damaged_bytes(draw, data)
    head, elements = data[:128], []
    rest = data[128:]
    while rest:
        tag, size = struct.unpack("<II", rest[:8])
        elements.append((tag, rest[8 : 8 + size]))
        rest = rest[8 + size :]
    at = int(draw.integers(len(elements)))
    tag, content = elements[at]
    plain = zlib.decompress(content) if tag == 15 else struct.pack("<II", tag, len(content)) + content
    if kind < 0.9:
        start = int(min(2 ** draw.integers(0, 9), len(plain)))
        plain = damaged_bytes(draw, plain[:start]) + plain[start:]
    packed = bomb(ZLIB) if kind > 0.97 else zlib.compress(plain, 1)
    elements[at] = 15, packed
    if kind > 0.95:
        elements = elements * 3
    return head + b"".join(struct.pack("<II", tag, len(content)) + content for tag, content in elements)


HEADERS = {
    "'descr': '": ("'descr': '>", "'descr': [('a', '", "'descr': 'O8', 'x': '", "'descr': ('", "'descr': 'V99999999"),
    "False": ("True", "None", "0", "[" * 300, "-" * 3000 + "1", "(" * 3000, "1" * 5000, "{}"),
    "(": ("(9223372036854775807, ", "(-1, ", "(0, ", "(True, ", "(1.5, ", "(4294967296, 4294967296, ", "('a', ", "(("),
    "u1": ("O", "u8", "M8[ns]", "S1000000000", "U5", "i4, i4", "f2", "c16", "b1", "(1000,1000,1000)u1", "u1" * 40),
    "}": ("", "}}", ", 'shape': (1,)}", "} # " + "x" * 9000, "\x00"),
}
"""What a header holds, and what replaces it."""


def damaged_npy(draw, data):
    """Its header changed, or its bytes."""
    if draw.random() < 0.3:
        return damaged_bytes(draw, data)
    length = struct.unpack("<H", data[8:10])[0]
    header, rest = data[10 : 10 + length].decode(), data[10 + length :]
    for old, new in HEADERS.items():
        if draw.random() < 0.35:
            header = header.replace(old, pick(draw, new), 1)
    header = header.encode(errors="replace")
    length = pick(draw, (0, 65535, 128)) if draw.random() < 0.05 else len(header)
    return data[:8] + struct.pack("<H", length % 65536) + header + rest


BEATS = ("", "1", "1 x", "-1 f", "9" * 5000 + " 0", "1 " + "f" * 5000, "1 2 3", "a b", "\u0663 f", "1 0x1", "\x00" * 3000)


def damaged_stream(draw, data):
    """A recorded stream with some lines changed, or its bytes."""
    if draw.random() < 0.4:
        return damaged_bytes(draw, data)
    lines = data.decode().split("\n")
    for _ in range(int(draw.integers(1, 4))):
        at = int(draw.integers(len(lines)))
        lines[at] = pick(
            draw,
            ("", "1", "1 x", "-1 f", "9" * 5000 + " 0", "1 " + "f" * 5000, "1 2 3", "a b", "\u0663 f", "1 0x1", "\x00" * 3000),
        )
    return "\n".join(lines).encode()
