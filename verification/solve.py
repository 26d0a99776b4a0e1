"""The checks of a placed design: yosys-smtbmc with z3 on the properties, Yosys' own solver on the use of ready."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from duospike.cosim.errors import CosimError
from duospike.cosim.system import require, run_program, run_tool
from duospike.reference.files import write_file
from verification.system_yosys import run_yosys, yosys_version

TOP = "proven"
SMTBMC: dict[str, list[str]] = {"base": [], "induction": ["-i"], "cover": ["-c"]}
SECONDS = 3600
"""Seconds that a solver has for one check."""

FLAT = [
    f"prep -top {TOP} -flatten",
    # Small memories as registers: the solver is quicker than with arrays.
    "memory_map",
    "opt -fast",
    "async2sync",
    "dffunmap",
]

# The block's next state and outputs with ready at 0 and at 1, from equal inputs and states.
TWINS = """
read_json combinational.json
copy {top} idle
copy {top} eager
delete -input idle/w:{stream}_ready
delete -input eager/w:{stream}_ready
cd idle
connect -set {stream}_ready 1'0
cd eager
connect -set {stream}_ready 1'1
cd ..
miter -equiv -make_outputs -flatten idle eager twins
sat -timeout {seconds} -prove trigger 0 -set gold_{stream}_valid 0 twins
sat -timeout {seconds} -prove trigger 0 -set gate_{stream}_valid 0 twins
"""


class Undecided(CosimError):
    """A solver gave up, or reached its limit: the check neither holds nor fails."""


def versions() -> dict[str, str]:
    """The programs that do the work."""
    z3 = run_tool([require("z3", "z3"), "--version"], Path()).split()[2]
    return {"yosys": yosys_version(), "z3": z3}


def write_model(files: list[str], folder: Path):
    """Write proof.smt2 from the Verilog in `folder`."""
    # Without outputs only what the properties see is left, such as no checksum that none of them is about.
    seen = ["delete -output", "opt_clean"]
    run_yosys([f"read_verilog -formal {' '.join(files)}", *FLAT, *seen, "write_smt2 -wires proof.smt2"], folder)


def holds(mode: str, depth: int, folder: Path, seconds: float = SECONDS) -> bool:
    """Whether yosys-smtbmc proves proof.smt2; Undecided if z3 is not done in that many seconds, or gives up."""
    require("z3", "z3")
    command = [
        require("yosys-smtbmc", "yosys"),
        "-s",
        "z3",
        "--unroll",
        "--noincr",
        "-t",
        str(depth),
        *SMTBMC[mode],
        "proof.smt2",
    ]
    try:
        log = run_program(command, folder, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Undecided(f"{mode} is undecided: z3 was not done in {seconds:g} s") from None
    given_up = re.search(r"Unexpected (?:EOF )?response from solver[:.] ?(\w*)", log.stdout)
    if given_up:
        raise Undecided(f"{mode} is undecided: z3 gives up ({given_up[1] or 'ended early'})")
    verdicts = re.findall(r"Status: (\w+)", log.stdout)
    if verdicts not in (["PASSED"], ["FAILED"]):
        raise CosimError(f"yosys-smtbmc: {((log.stdout + log.stderr).strip().splitlines() or ['no output'])[-1]}")
    return verdicts == ["PASSED"]


def ready_is_free(stream: str, files: list[str], folder: Path, seconds: int = SECONDS) -> bool:
    """Whether ready of an outgoing stream changes nothing while valid is low: no output, and no register's next value.

    So valid cannot wait for ready. Held for all inputs and all values of the registers, even those that never occur. Undecided if
    Yosys' solver is not done in that many seconds.
    """
    run_yosys([f"read_verilog {' '.join(files)}", *FLAT, "write_json flat.json"], folder)
    design = json.loads((folder / "flat.json").read_text())
    cut_registers(design["modules"][TOP])
    write_file(folder / "combinational.json", json.dumps(design))
    log = run_yosys(TWINS.format(top=TOP, stream=stream, seconds=seconds).strip().splitlines(), folder)
    if "Interrupted SAT solver: TIMEOUT!" in log:
        raise Undecided(f"whether {stream}_ready matters while valid is low is undecided: Yosys was not done in {seconds} s")
    verdicts = re.findall(r"SAT proof finished - (no model found: SUCCESS|model found: FAIL)!", log)
    if len(verdicts) != 2:
        raise CosimError(f"yosys: two verdicts on {stream}_ready expected, there are {len(verdicts)}")
    return all("SUCCESS" in verdict for verdict in verdicts)


def cut_registers(module: dict):
    """Turn the registers of a module, as Yosys' JSON has it, into an input, `state`, and an output, `next_state`."""
    registers = [name for name, cell in module["cells"].items() if cell["type"] == "$dff"]
    pins = [module["cells"].pop(name)["connections"] for name in registers]
    left = {cell["type"] for cell in module["cells"].values() if re.search("ff|mem|latch", cell["type"])}
    if left:
        raise CosimError(f"yosys: {', '.join(sorted(left))} left in the netlist")
    state = {"direction": "input", "bits": [bit for pin in pins for bit in pin["Q"]]}
    next_state = {"direction": "output", "bits": [bit for pin in pins for bit in pin["D"]]}
    module["ports"] = {"state": state} | module["ports"] | {"next_state": next_state}
