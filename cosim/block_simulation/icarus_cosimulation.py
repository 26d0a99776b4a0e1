"""A block's Verilog in Icarus behind MyHDL's signals, through MyHDL's Cosimulation and its interface to Icarus, myhdl.vpi."""

from __future__ import annotations

import fcntl
import shutil
from importlib import metadata
from pathlib import Path

import myhdl

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.folder import temporary_folder
from duospike.cosim.system import require, run_tool
from duospike.cosim.templates import fill
from duospike.reference.files import write_file

MESSAGE_LIMIT = 4000
"""Characters of one message between MyHDL and Icarus: MyHDL's myhdl.c has a buffer of 4,096 and does not check."""


def icarus_cosimulation(
    modules: list[Module], signals: dict, watched: dict[str, str | None], folder: Path, vpi: Path
) -> myhdl.Cosimulation:
    """Compile modules in `folder` and start them in Icarus.

    signals: by port of the top, which is the last module, and `unknown`. watched: see dut.watched_outputs(). vpi: see
    build_vpi().
    """
    top = modules[-1]
    _check_messages(top)
    files = [file.name for file in write_modules(modules, folder)]
    write_file(folder / "bench.v", _bench(top, watched))
    run_tool([require("iverilog", "iverilog"), "-g2005", "-o", "bench.vvp", "-s", "bench", *files, "bench.v"], folder)
    # A ROM's hex file has a relative name, and Cosimulation takes no folder to run in: a shell changes to it.
    vvp = [require("vvp", "iverilog"), "-n", "-m", str(vpi), "bench.vvp"]
    return myhdl.Cosimulation(["sh", "-c", 'cd "$0" && exec "$@"', str(folder), *vvp], **signals)


def build_vpi(cache: Path) -> Path:
    """Path of myhdl.vpi in the folder `cache`, built there from MyHDL's sources if need be; safe in parallel runs."""
    target = cache / "myhdl.vpi"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with temporary_folder(cache) as work:
                for source in vpi_sources():
                    shutil.copy(source, work)
                run_tool([require("iverilog-vpi", "iverilog"), "--name=myhdl", "myhdl.c", "myhdl_table.c"], work)
                (work / "myhdl.vpi").replace(target)
    return target


def vpi_sources() -> list[Path]:
    """The C files of MyHDL's interface to Icarus, as its wheel installs them."""
    files = metadata.files("myhdl") or []
    found = [Path(file.locate()).resolve() for file in files if file.match("cosimulation/icarus/myhdl*.c")]
    sources = [file for file in found if file.name in ("myhdl.c", "myhdl_table.c") and file.is_file()]
    if len(sources) != 2:
        raise CosimError("the sources of myhdl.vpi are missing; reinstall myhdl with pip")
    return sources


def _check_messages(top: Module):
    longest = sum(len(port.name) + 2 + max(5, -(-port.width // 4)) for port in top.ports)
    if longest > MESSAGE_LIMIT:
        raise CosimError(f"{top.name}: its ports need messages of {longest} characters; allowed: {MESSAGE_LIMIT}")


def _bench(top: Module, watched: dict[str, str | None]) -> str:
    """The module through which MyHDL drives and sees the ports of the design."""
    # The registers have a value at time 0: else Icarus would see an edge from x.
    return fill("duospike.cosim.block_simulation", "bench.v", top=top, watched=watched)
