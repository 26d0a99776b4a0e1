"""What differs between Verilog and VHDL when MyHDL converts a block."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import myhdl

from .internals import Block, UserVerilogCode, UserVhdlCode


@dataclass(frozen=True)
class Port:
    """A port of a converted module: direction is "input" or "output", width in bits."""

    name: str
    direction: str
    width: int


class Verilog:
    """Verilog-2005, one module a file."""

    name, suffix, comment = "verilog", "v", "//"
    packages: tuple[str, ...] = ()

    @staticmethod
    def convert(block: Block, name: str, folder: str) -> str:
        """MyHDL's text for an elaborated block."""
        # Not block.convert(), which elaborates the whole block once more.
        converter = myhdl.toVerilog
        converter.name, converter.directory, converter.timescale = name, folder, "1ns/1ps"
        converter.no_testbench = converter.no_myhdl_header = True
        converter.initial_values = False
        converter(block)
        return (Path(folder) / f"{name}.v").read_text()

    @staticmethod
    def tidy(text: str) -> str:
        """Put sensitivity lists into a fixed order and drop blank lines between assignments."""
        text = re.sub(r"always @\(([^()]*, [^()]*)\)", lambda m: f"always @({_sorted(m[1])})", text)
        return re.sub(r"(assign .*;)\n+(?=assign)", r"\1\n", text)

    @staticmethod
    def ports(text: str) -> tuple[Port, ...]:
        """The ports of a module that MyHDL wrote."""
        pattern = re.compile(r"^(input|output) (?:signed )?(?:\[(\d+):0\] )?(\w+);$", re.MULTILINE)
        return tuple(Port(name, direction, int(msb or 0) + 1) for direction, msb, name in pattern.findall(text))

    @staticmethod
    def instantiate(child: Block, signals: dict, module: str, instance: str):
        """Replace a child block by an instance of `module`; signals: by port."""
        connections = ",\n".join(f"    .{port}(${port})" for port in signals)
        code = f"{module} {instance} (\n{connections}\n);"
        child.verilog_code = UserVerilogCode(code, signals, child.func.__name__, child.func, "", 0)


class Vhdl:
    """VHDL-2008, one entity and architecture a file; all use MyHDL's package."""

    name, suffix, comment = "vhdl", "vhd", "--"
    packages = (f"pck_myhdl_{''.join(myhdl.__version__.split('.')[:2]).zfill(3)}",)

    @staticmethod
    def convert(block: Block, name: str, folder: str) -> str:
        """MyHDL's text for an elaborated block; its package is beside it in `folder`."""
        converter = myhdl.conversion._toVHDL.toVHDL
        converter.name, converter.directory = name, folder
        converter.no_myhdl_header = True
        converter.initial_values = False
        converter(block)
        return (Path(folder) / f"{name}.vhd").read_text()

    @staticmethod
    def tidy(text: str) -> str:
        """Put sensitivity lists into a fixed order, and cast the signed parts of a joined vector, which MyHDL leaves out."""
        text = re.sub(r"^(\w+_joined\(.* downto .*\)) <= (.*);$", r"\1 <= unsigned(\2);", text, flags=re.MULTILINE)
        return re.sub(r"process \(([^()]*(?:\([^()]*\))?[^()]*, .*)\) is", lambda m: f"process ({_sorted(m[1])}) is", text)

    @staticmethod
    def ports(text: str) -> tuple[Port, ...]:
        """The ports of an entity that MyHDL wrote."""
        pattern = re.compile(r"^ {8}(\w+): (in|out|inout) \w+(?: ?\((\d+) downto 0\))?;?$", re.MULTILINE)
        return tuple(
            Port(name, "input" if direction == "in" else "output", int(msb or 0) + 1)
            for name, direction, msb in pattern.findall(text)
        )

    @staticmethod
    def instantiate(child: Block, signals: dict, module: str, instance: str):
        """Replace a child block by an instance of entity `module`; signals: by port."""
        connections = ",\n".join(f"    {port} => ${port}" for port in signals)
        code = f"{instance}: entity work.{module} port map (\n{connections}\n);"
        child.vhdl_code = UserVhdlCode(code, signals, child.func.__name__, child.func, "", 0)


Language = type[Verilog] | type[Vhdl]
LANGUAGES: dict[str, Language] = {language.name: language for language in (Verilog, Vhdl)}


def _sorted(sensitivity: str) -> str:
    return ", ".join(sorted(sensitivity.split(", ")))
