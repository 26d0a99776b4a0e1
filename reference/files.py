"""Reading files of others within bounds, and writing files whole or not at all.

What is read here takes no more memory and time than its limits say, whatever the file claims to hold.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import stat
import tomllib
import zlib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from .errors import InputError, brief, name_text
from .locks import remove_if_free, try_lock

MAX_BYTES = 2**28
"""Bytes of a file of data, and of its decompressed content: 256 MiB. The largest published one, of SVHN, has 225 MB."""
MAX_JSON = 2**24
"""Bytes of a JSON file, which takes up to thirty times its size in memory."""
MAX_TOML = 2**16
"""Bytes of a TOML file."""
MAX_DEPTH = 32
"""Tables and lists within each other, in TOML and JSON."""
MAX_BITS = 64
"""Bits of an integer in TOML and JSON."""
GZIP, ZLIB = 31, 15
"""Kinds of compressed data, as zlib names them."""
TRANSIENT_PREFIX = ".duospike-"
"""Prefix of the names of files and folders that exist only while a command runs."""
MAX_LINE = 1000
"""Characters of a line of TOML: the time for a dotted key grows with the square of its parts."""


def check_plain(path: Path | str, limit: int | None = None) -> int:
    """The size of a file in bytes. InputError: not found, not readable, no plain file, or larger than `limit` bytes."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise InputError(f"{path}: not found") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:  # a zero byte in the name
        raise InputError(f"{str(path)!r}: cannot be read ({error})") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: not a file")
    if limit is not None and status.st_size > limit:
        raise InputError(f"{path}: {status.st_size} bytes; allowed: up to {limit}")
    return status.st_size


def read_bytes(path: Path | str, limit: int = MAX_BYTES) -> bytes:
    """The content of a file. InputError: as check_plain."""
    check_plain(path, limit)
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def digest_of(path: Path | str) -> str:
    """SHA-256 of a file in hex digits. InputError: as read_bytes."""
    return sha256(read_bytes(path)).hexdigest()


def inflate(data: bytes | memoryview, kind: int, limit: int) -> bytes:
    """What one stream of GZIP or ZLIB expands to. ValueError: damaged, cut, followed by more, or over `limit` bytes."""
    stream = zlib.decompressobj(kind)
    found = _expand(stream, data, limit + 1)
    if len(found) > limit:
        raise ValueError(f"expands to more than {limit} bytes")
    if not stream.eof:
        raise ValueError("the compressed data is cut")
    if stream.unused_data:
        raise ValueError("more follows the compressed data")
    return found


def inflate_start(data: bytes | memoryview, kind: int, count: int) -> bytes:
    """The first `count` bytes that a stream expands to; fewer where it ends before. ValueError: damaged."""
    return _expand(zlib.decompressobj(kind), data, count)


def _expand(stream: Any, data: bytes | memoryview, count: int) -> bytes:
    try:
        return stream.decompress(data, count)
    except zlib.error as error:
        raise ValueError(str(error)) from None


def read_toml(path: Path | str) -> dict[str, Any]:
    """The tables of a TOML file.

    InputError: not readable, over MAX_TOML bytes, not TOML, with a line over MAX_LINE, or what check_values refuses.
    """
    data = read_bytes(path, MAX_TOML)
    try:
        text = data.decode("utf-8")
        _check_lines(text)
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # those of the TOML, of its encoding, and of numbers and tables without end
        raise InputError(f"{path}: not a TOML file ({brief(error)})") from None
    try:
        check_values(found)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    return found


def parse_json(data: bytes | str) -> Any:
    """The value of a JSON text.

    ValueError: not JSON, a key twice in an object, or what check_values refuses.
    """
    try:
        found = json.loads(data, object_pairs_hook=_object, parse_constant=_refuse_constant)
        if isinstance(found, dict | list):
            check_values(found)
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH}") from None
    return found


def read_json(path: Path | str) -> dict[str, Any]:
    """The object of a JSON file. InputError: as read_bytes with MAX_JSON and parse_json, or another kind of value."""
    data = read_bytes(path, MAX_JSON)
    try:
        found = parse_json(data)
    except ValueError as error:
        raise InputError(f"{path}: not JSON, or not as this program reads it ({brief(error)})") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: not a JSON object")
    return found


def check_values(found: Any, key: object = "value", depth: int = 0) -> None:
    """ValueError: tables and lists nested deeper than MAX_DEPTH, a number that is not finite, or an integer over 64 bits.

    key: that of `found`, for the message.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    for name, value in found.items() if isinstance(found, dict) else ((key, value) for value in found):
        if isinstance(value, dict | list):
            check_values(value, name, depth + 1)
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name_text(name)} = {value}; allowed: finite numbers")
        elif isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise ValueError(f"{name_text(name)} is an integer of {value.bit_length()} bits; allowed: up to {MAX_BITS}")


def _check_lines(text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MAX_LINE:
            raise ValueError(f"line {number} has {len(line)} characters; allowed: up to {MAX_LINE}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"twice in an object: key {brief(key)}")
        found[key] = value
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"a number is {name}; allowed: finite numbers")


def transient_name(path: Path) -> str:
    """The name under which a folder is written beside its place; the writers of a file add a dot and letters."""
    return f"{TRANSIENT_PREFIX}{sha256(os.fsencode(path.name)).hexdigest()[:16]}"


def write_atomically(path: Path | str, data: bytes) -> None:
    """Write `data` beside `path`, then rename it there: a reader sees the old file or the new one.

    What killed writers of the same file have left beside it is removed. InputError: as check_writable, or the disk refuses.
    """
    check_writable(path)
    path = Path(path)
    transient = f"{transient_name(path)}."
    try:
        for left in path.parent.glob(f"{transient}*"):
            remove_if_free(left)
        _write_and_rename(path, transient, data)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def _write_and_rename(path: Path, transient: str, data: bytes) -> None:
    file = None
    while file is None:
        temporary = path.with_name(transient + secrets.token_hex(4))
        # While the lock is held, the file's writer is alive.
        file = try_lock(temporary)
    try:
        with file:
            file.write(data)
            file.flush()
            # A network disk may report only now that it is full.
            os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file of a folder that no reader sees yet. OSError, which names the file also where the disk is full."""
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def check_writable(path: Path | str) -> None:
    """Refuse what cannot be written before the work that gives its contents.

    InputError: `path` names no file, is a folder, or its folder is missing or not writable.
    """
    path = Path(path)
    if not path.name or os.path.isdir(path):
        raise InputError(f"{path}: cannot be written (is a folder; needs the name of a file)")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written (folder {path.parent} is not there)")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written (folder {path.parent} is not writable)")
