"""Pickles of plain arrays, read without unpickling: nothing that the file names is imported, made or called.

A pickle is a program for a stack machine. Those of the published data sets use a few of its instructions, for dictionaries,
lists, tuples, texts and whole numbers, and numpy's way to write an array: `_reconstruct`, then `dtype` with a name and a byte
order, then the bytes. These are interpreted here; any other instruction, name or state is refused.
"""

from __future__ import annotations

import io
import math
import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np

MAX_STEPS = 2_000_000
"""Instructions of a file; the longest published one, of CIFAR-100, has some 350,000."""
INTEGERS = {f"{kind}{size}" for kind in "ui" for size in (1, 2, 4, 8)}
"""Types of arrays."""


class _Name:
    """One of the names that a pickle may use."""

    def __init__(self, text: str):
        self.text = text


ARRAY, RECONSTRUCT, DTYPE, ENCODE = (_Name(text) for text in ("ndarray", "_reconstruct", "dtype", "encode"))
NAMES = {
    "numpy ndarray": ARRAY,
    "numpy dtype": DTYPE,
    "numpy.core.multiarray _reconstruct": RECONSTRUCT,
    "numpy._core.multiarray _reconstruct": RECONSTRUCT,
    "_codecs encode": ENCODE,
}


class _Dtype:
    """A type of whole numbers; its state is only its byte order."""

    def __init__(self, kind: str):
        self.kind, self.order = kind, "<"

    def build(self, state: Any) -> None:
        if type(state) is not tuple or len(state) != 8 or state[0] != 3 or state[2:] != (None, None, None, -1, -1, 0):
            raise ValueError("a type of numbers has a state of its own")
        order = _text(state[1])
        if order not in ("<", ">", "|"):
            raise ValueError("an unknown byte order")
        self.order = order


class _Array:
    """An array, whose state are its shape, type, order and bytes."""

    values: np.ndarray | None = None

    def build(self, state: Any) -> None:
        if type(state) is not tuple or len(state) != 5 or state[0] != 1:
            raise ValueError("an array has a state of another kind")
        _, shape, dtype, by_column, data = state
        if not isinstance(dtype, _Dtype) or type(data) is not bytes or type(by_column) is not bool or not _is_shape(shape):
            raise ValueError("an array has no shape, type and bytes")
        kind = np.dtype(dtype.order + dtype.kind)
        if len(data) != math.prod(shape) * kind.itemsize:
            raise ValueError(f"an array of {len(data)} bytes; its shape is {shape}")
        self.values = np.frombuffer(data, kind).reshape(shape, order="F" if by_column else "C")


def _is_shape(shape: Any) -> bool:
    return type(shape) is tuple and len(shape) <= 4 and all(type(size) is int and size >= 0 for size in shape)


def read_pickle(data: bytes) -> dict[bytes, Any]:
    """The dictionary of a pickle, its keys as bytes: of bytes, int, list, tuple, None and bool, and numpy arrays of integers.

    ValueError: damaged, an instruction or name that arrays do not need, or more than MAX_STEPS instructions.
    """
    machine = _Machine(len(data))
    try:
        for step, (operation, argument, _) in enumerate(pickletools.genops(io.BytesIO(data))):
            if step > MAX_STEPS:
                raise ValueError(f"more than {MAX_STEPS} instructions")
            machine.step(operation.name, argument)
        [found] = machine.stack
    except (IndexError, KeyError, TypeError, RecursionError) as error:  # an empty stack, no such memo, a list as a key
        raise ValueError(f"damaged ({type(error).__name__})") from None
    if type(found) is not dict:
        raise ValueError("holds no dictionary")
    return {key: value.values if isinstance(value, _Array) else value for key, value in found.items()}


class _Machine:
    """stack: of values. marks: heights of the stack. memo: what the pickle refers to again, by number.

    to_encode: how many letters of texts may still be encoded: each text of the file once, however often it is referred to.
    """

    def __init__(self, to_encode: int) -> None:
        self.to_encode = to_encode
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        if name in VALUES:
            self.stack.append(VALUES[name](argument))
        elif name in ACTIONS:
            ACTIONS[name](self, argument)
        else:
            raise ValueError(f"it holds the instruction {name}")

    def since_mark(self) -> list[Any]:
        at = self.marks.pop()
        found = self.stack[at:]
        del self.stack[at:]
        return found

    def push_tuple(self, count: int) -> None:
        found = tuple(self.stack.pop() for _ in range(count))
        self.stack.append(found[::-1])

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise ValueError("it appends to what is no list")
        target.extend(values)

    def update(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(values) % 2:
            raise ValueError("it sets items of what is no dictionary")
        for key, value in zip(values[::2], values[1::2], strict=True):
            target[_key(key)] = value

    def push_dict(self, values: list[Any]) -> None:
        self.stack.append({})
        self.update(values)

    def push_name(self, text: str) -> None:
        if text not in NAMES:
            raise ValueError(f"it holds {text.replace(' ', '.')}")
        self.stack.append(NAMES[text])

    def reduce(self) -> None:
        arguments, name = self.stack.pop(), self.stack.pop()
        if name is RECONSTRUCT and type(arguments) is tuple and arguments[:1] == (ARRAY,):
            self.stack.append(_Array())
        elif name is DTYPE and type(arguments) is tuple and arguments and _text(arguments[0]) in INTEGERS:
            self.stack.append(_Dtype(_text(arguments[0])))
        elif name is ENCODE and type(arguments) is tuple and len(arguments) == 2 and type(arguments[0]) is str:
            self.stack.append(self.encoded(arguments[0]))
        else:
            raise ValueError("it calls what no array needs")

    def encoded(self, text: str) -> bytes:
        self.to_encode -= len(text)
        if self.to_encode < 0:
            raise ValueError("it encodes more than it holds")
        return text.encode("latin1")

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, _Dtype | _Array):
            raise ValueError("it sets the state of what has none")
        target.build(state)


def _text(value: Any) -> str:
    """A text or latin-1 bytes; Python 2 wrote bytes."""
    return value.decode("latin1") if type(value) is bytes else value if type(value) is str else ""


def _key(value: Any) -> bytes:
    if type(value) not in (bytes, str):
        raise ValueError("a key of the dictionary is no text")
    return value.encode("utf-8", "surrogatepass") if type(value) is str else value


def _same(value: Any) -> Any:
    return value


VALUES: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), _same),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _same),
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), lambda text: text.encode("latin1")),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_DICT": lambda _: {},
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
}
"""Instructions that push a value, made of their argument."""
ACTIONS: dict[str, Callable[[_Machine, Any], Any]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda machine, _: None),
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "DICT": lambda machine, _: machine.push_dict(machine.since_mark()),
    "LIST": lambda machine, _: machine.stack.append(machine.since_mark()),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.push_tuple(1),
    "TUPLE2": lambda machine, _: machine.push_tuple(2),
    "TUPLE3": lambda machine, _: machine.push_tuple(3),
    "APPEND": lambda machine, _: machine.extend([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.update([machine.stack.pop(-2), machine.stack.pop()]),
    "SETITEMS": lambda machine, _: machine.update(machine.since_mark()),
    "BINPUT": lambda machine, number: machine.memo.update({number: machine.stack[-1]}),
    "LONG_BINPUT": lambda machine, number: machine.memo.update({number: machine.stack[-1]}),
    "MEMOIZE": lambda machine, _: machine.memo.update({len(machine.memo): machine.stack[-1]}),
    "BINGET": lambda machine, number: machine.stack.append(machine.memo[number]),
    "LONG_BINGET": lambda machine, number: machine.stack.append(machine.memo[number]),
    "GLOBAL": lambda machine, text: machine.push_name(text),
    "STACK_GLOBAL": lambda machine, _: machine.push_name(f"{_text(machine.stack.pop(-2))} {_text(machine.stack.pop())}"),
    "REDUCE": lambda machine, _: machine.reduce(),
    "BUILD": lambda machine, _: machine.build(),
}
"""All others that are understood."""
