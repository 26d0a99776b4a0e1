"""Conversion of a block to hierarchical Verilog or VHDL: one module for each block type and parameter set.

MyHDL flattens a design into one module. Here every child block becomes an instance of a module of its own: its place in
the parent is taken by user-defined code that instantiates it, and it is converted in its turn from fresh signals. Some
(INLINED) stay part of their parent.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat

import myhdl

from duospike.cosim.errors import CosimError
from duospike.cosim.folder import temporary_folder
from duospike.reference.files import write_file
from duospike.rtl.memory import Table

from .elaboration import INLINED, one_level, quick_inspection
from .internals import AnySignal, Block
from .languages import LANGUAGES, Language, Port


@dataclass(frozen=True)
class Module:
    """A converted module: its name, its file and the text in it, its ports in order, the ROM contents that it reads, and
    the parameters that it was made for."""

    name: str
    file: str
    text: str
    ports: tuple[Port, ...]
    tables: tuple[Table, ...]
    parameters: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[Port]:
        return [port for port in self.ports if port.direction == "input"]

    @property
    def outputs(self) -> list[Port]:
        return [port for port in self.ports if port.direction == "output"]

    def width(self, port: str) -> int:
        """Bits of a port."""
        return next(one.width for one in self.ports if one.name == port)


def convert(block: Block, top_name: str | None = None, language: str = "verilog") -> list[Module]:
    """Convert an elaborated block and everything below it; children come before parents, the block itself last.

    The text depends on nothing but the block's function and parameters; threads may call this at once. top_name: name of the
    block's own module, instead of one made from its parameters. language: verilog or vhdl; in VHDL MyHDL's package comes first.
    """
    modules: dict[str, Module] = {}
    with quick_inspection():
        _convert(_function(block), block.args, block.kwargs, modules, LANGUAGES[language], top_name)
    return list(modules.values())


def write_modules(modules: list[Module], folder: Path) -> list[Path]:
    """Write each module to its file and each ROM to its hex file in `folder`; returns the modules' files, in order."""
    for module in modules:
        write_file(folder / module.file, module.text)
        for table in module.tables:
            write_file(folder / table.path, table.hex_lines())
    return [folder / module.file for module in modules]


def _function(block: Block):
    """The decorated function that made a block: calling it again elaborates a twin."""
    return getattr(sys.modules[block.func.__module__], block.func.__name__)


def _convert(function, args, kwargs, modules: dict[str, Module], language: Language, name: str | None = None) -> Module:
    arguments = inspect.signature(function.func).bind(*args, **kwargs).arguments
    name = name or module_name(function.func.__name__, arguments)
    parameters = _parameters(arguments)
    if name in modules:
        if modules[name].parameters != tuple(parameters):
            raise CosimError(f"module name {name} has two sets of parameters; change a parameter or the digest's length")
        return modules[name]
    block, variables = _elaborate(function, {key: _fresh(value) for key, value in arguments.items()})
    # MyHDL names only what a generator uses; members of interfaces must have a name as ports of instances and for slices.
    for key, value in variables.items():
        for signal_name, signal in signals_of(key, value):
            block.sigdict.setdefault(signal_name, signal)
    for child, instance in _children(block, variables):
        module = _convert(_function(child), child.args, child.kwargs, modules, language)
        _instantiate(block, child, instance, module, language)
    text = _text(block, name, parameters, modules, language)
    tables = tuple(value for value in arguments.values() if isinstance(value, Table) and block.verilog_code is not None)
    modules[name] = Module(name, f"{name}.{language.suffix}", text, language.ports(text), tables, tuple(parameters))
    return modules[name]


def module_name(block: str, arguments: dict) -> str:
    """Name of the module for these arguments: the block's name and a digest of everything that shapes the module."""
    shape = [f"{name}:{width}:{low}" for name, width, low in _port_types(arguments)]
    digest = hashlib.sha256("\n".join([block, *shape, *_parameters(arguments)]).encode()).hexdigest()
    return f"{block}_{digest[:8]}"


def _parameters(arguments: dict) -> list[str]:
    """Those that are no ports; None means an interface that the module does without."""
    parameters = {key: value for key, value in arguments.items() if value is not None and not signals_of(key, value)}
    return [f"{key} = {pformat(value, width=110, sort_dicts=False)}" for key, value in parameters.items()]


def signals_of(key: str, value) -> list[tuple[str, AnySignal]]:
    """The ports behind one argument: itself if it is a signal, its signals if it is an interface."""
    if isinstance(value, AnySignal):
        return [(key, value)]
    members = getattr(value, "__dict__", {})
    return [(f"{key}_{name}", member) for name, member in members.items() if isinstance(member, AnySignal)]


def _port_types(arguments: dict) -> Iterator[tuple[str, int, int | None]]:
    for key, value in arguments.items():
        for name, signal in signals_of(key, value):
            yield name, len(signal), signal.min


def _fresh(value):
    """The same argument with signals of its own; parameters stay as they are."""
    if isinstance(value, myhdl.ResetSignal):
        return myhdl.ResetSignal(value._init, value.active, value.isasync)
    if isinstance(value, AnySignal):
        return myhdl.Signal(copy.copy(value._init))
    if not signals_of("", value):
        return value
    twin = copy.copy(value)
    for name, member in vars(value).items():
        if isinstance(member, AnySignal):
            setattr(twin, name, _fresh(member))
    return twin


def _elaborate(function, arguments: dict) -> tuple[Block, dict]:
    """Call a block's function; returns the block and the function's local variables, which give instances their names."""
    variables = {}

    def begins(frame, event, _):
        if frame.f_code is not function.func.__code__:
            return None
        # Of the function's own events only the last is wanted, and none of the calls below.
        frame.f_trace_lines = False
        return ends

    def ends(frame, event, _):
        if event == "return":
            variables.update(frame.f_locals)

    previous = sys.gettrace()
    sys.settrace(begins)
    try:
        with one_level():
            return function(**arguments), variables
    finally:
        sys.settrace(previous)


def _children(block: Block, variables: dict) -> Iterator[tuple[Block, str]]:
    """The child blocks that become modules, with their instance names: those of variables or dictionary keys."""
    names: dict[int, str] = {}
    for key, value in variables.items():
        if isinstance(value, Block):
            names.setdefault(id(value), key)
        elif isinstance(value, list):
            names.update({id(v): f"{key}_{i}" for i, v in enumerate(value) if isinstance(v, Block)})
        elif isinstance(value, dict):
            names.update({id(v): str(k) for k, v in value.items() if isinstance(v, Block)})
    for sub in block.subs:
        if isinstance(sub, Block):
            # MyHDL's own names count the blocks of the process, so they would change from one conversion to the next.
            sub.name = sub.__name__ = names[id(sub)]
            if sub.func.__name__ not in INLINED:
                yield sub, sub.name


def _instantiate(parent: Block, child: Block, instance: str, module: Module, language: Language):
    """Replace the child in its parent by user-defined code."""
    arguments = inspect.signature(child.func).bind(*child.args, **child.kwargs).arguments
    signals = dict(pair for key, value in arguments.items() for pair in signals_of(key, value))
    for port in module.ports:
        signal = signals[port.name]
        if port.direction == "output":
            signal.driven = "wire"
        else:
            signal.read = True
            if isinstance(signal, myhdl.ConcatSignal):
                # MyHDL drives one only if a generator of the block itself reads it.
                signal.driven = "wire"
        signal._markUsed()
        if not any(known is signal for known in parent.sigdict.values()):
            parent.sigdict[f"{instance}_{port.name}"] = signal
    language.instantiate(child, {port.name: signals[port.name] for port in module.ports}, module.name, instance)
    child.subs, child.sigdict, child.memdict = [], {}, {}


def _text(block: Block, name: str, parameters: list[str], modules: dict[str, Module], language: Language) -> str:
    """The block's file; a package that comes with it is added to `modules`."""
    with temporary_folder() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", myhdl.ConversionWarning)
        text = language.tidy(language.convert(block, name, str(folder)))
        for package in language.packages:
            file = f"{package}.{language.suffix}"
            modules.setdefault(package, Module(package, file, _spaced((folder / file).read_text()), (), ()))
    lines = [f"{block.func.__name__}: generated by Duospike", *"\n".join(parameters).splitlines()]
    header = "".join(f"{language.comment} {line}".rstrip() + "\n" for line in lines)
    return header + _spaced(text)


def _spaced(text: str) -> str:
    """Drop runs of blank lines."""
    return re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"
