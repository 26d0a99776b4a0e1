"""Formal proofs of blocks: `python -m verification.prove [NAME ...]`.

A proof takes a block at small parameters, converts it to Verilog, puts the properties of properties/NAME.sv inside its
module, where all its registers can be seen, and hands it to yosys-smtbmc three times:

    base       bounded: no assertion fails in the first `depth` cycles after reset
    induction  k-induction: if none failed for `depth` cycles, none fails in the next; with the base, none ever fails
    cover      every `cover` of the properties is reached, so that no assumption makes them hold for want of a case

Then every fault of the proof is planted in the Verilog, one at a time, and the bounded run must find it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cosim.convert import Module, convert, write
from cosim.errors import CosimError
from cosim.system import require
from cosim.yosys import run_yosys

from .proofs import PROOFS, Fault, Proof

PROPERTIES = Path(__file__).parent / "properties"
TOP = "proven"
MODES: dict[str, list[str]] = {"base": [], "induction": ["-i"], "cover": ["-c"]}

PRELUDE = """
// known: reset has been seen, so the registers hold what the design put there.
reg known = 0;
always @(posedge clk) known <= 1;
always @(*) if (!known) assume(rst);
"""

STREAM_RULES = """
reg {stream}_waits = 0;
always @(posedge clk) {stream}_waits <= !rst && {stream}_valid && !{stream}_ready;
always @(posedge clk) if (known && {stream}_waits) begin
    {must}({stream}_valid);
    {must}({stream}_data == $past({stream}_data));
end
"""


@dataclass(frozen=True)
class Result:
    """What came of a proof: `failures` is empty if it holds, reaches all its covers and finds all its faults."""

    name: str
    claims: str
    depth: int
    covers: int
    faults: int
    seconds: float
    failures: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="proofs to run (default: all)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the results to this JSON file")
    args = parser.parse_args()
    known = {proof.name: proof for proof in PROOFS}
    unknown = [name for name in args.names if name not in known]
    if unknown:
        parser.error(f"no proof {', '.join(unknown)}; there are {', '.join(known)}")
    start = time.monotonic()
    # MyHDL converts one block at a time.
    jobs = [(proof, converted(proof)) for proof in PROOFS if not args.names or proof.name in args.names]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: report(prove(*job)), jobs))
    failed = [result.name for result in results if result.failures]
    print(f"{len(results) - len(failed)} of {len(results)} proofs hold, {time.monotonic() - start:.0f} s")
    if args.out:
        args.out.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 1 if failed else 0


def report(result: Result) -> Result:
    """Print a result; returns it."""
    verdict = "; ".join(result.failures) or f"holds, {result.covers} covers reached, {result.faults} faults found"
    print(f"{result.name:<20} depth {result.depth:<3} {result.seconds:6.1f} s  {verdict}", flush=True)
    return result


def converted(proof: Proof) -> list[Module]:
    """The Verilog of the proof's block, children first."""
    return convert(proof.build(), TOP)


def prove(proof: Proof, modules: list[Module]) -> Result:
    """Run a proof and plant its faults."""
    start, failures = time.monotonic(), []
    properties = (PROPERTIES / f"{proof.properties}.sv").read_text()
    with TemporaryDirectory() as folder:
        work = Path(folder)
        for mode, options in MODES.items():
            if not passes(modules, properties, proof.depth, work, options):
                failures.append(f"{mode} fails")
        for fault in proof.faults:
            if sum(module.text.count(fault.old) for module in modules) != 1:
                failures.append(f"the place of the fault {fault.what!r} is not there once")
            elif passes(modules, properties, proof.depth, work, MODES["base"], fault):
                failures.append(f"the fault {fault.what!r} is not found")
    seconds = time.monotonic() - start
    return Result(proof.name, proof.claims, proof.depth, properties.count("cover("), len(proof.faults), seconds, failures)


def passes(
    modules: list[Module], properties: str, depth: int, work: Path, options: list[str], fault: Fault | None = None
) -> bool:
    """Whether yosys-smtbmc is content with the modules, or with the fault in their place."""
    write(modules, work)
    for module in modules:
        text = module.text.replace(fault.old, fault.new) if fault else module.text
        if module is modules[-1]:
            before, end, after = text.rpartition("endmodule")
            text = f"{before}{PRELUDE}{stream_rules(module)}{properties}\n{end}{after}"
        (work / module.file).write_text(text)
    commands = [
        f"read_verilog -formal {' '.join(module.file for module in modules)}",
        f"prep -top {TOP} -flatten",
        # Small memories as registers: the solver is quicker than with arrays.
        "memory_map",
        "opt -fast",
        "async2sync",
        "dffunmap",
        "write_smt2 -wires proof.smt2",
    ]
    run_yosys(commands, work)
    require("z3", "z3")
    command = [require("yosys-smtbmc", "yosys"), "-s", "z3", "-t", str(depth), *options, "proof.smt2"]
    log = subprocess.run(command, cwd=work, capture_output=True, text=True)
    verdicts = re.findall(r"Status: (\w+)", log.stdout)
    if verdicts not in (["PASSED"], ["FAILED"]):
        raise CosimError(f"yosys-smtbmc: {(log.stdout + log.stderr).strip().splitlines()[-1]}")
    return verdicts == ["PASSED"]


def stream_rules(module: Module) -> str:
    """The stream rules of every stream among the ports: assumed of those that come in, asserted of those that go out."""
    lines = []
    for port in module.ports:
        if not port.name.endswith("_valid"):
            continue
        stream, must = port.name.removesuffix("_valid"), "assume" if port.direction == "input" else "assert"
        lines.append(STREAM_RULES.format(stream=stream, must=must))
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
