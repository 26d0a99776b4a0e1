"""Formal proofs of blocks: `python -m verification.prove [NAME ...]`.

A proof takes a block at small parameters, converts it to Verilog, puts the properties of properties/NAME.sv inside its
module, where all its registers can be seen, and checks it four times:

    base       bounded: no assertion fails in the first `depth` cycles after reset
    induction  k-induction: if none failed for `depth` cycles, none fails in the next; with the base, none ever fails
    cover      every `cover` of the properties is reached, so that no assumption excludes all cases
    ready      what `ready` of an outgoing stream does while its `valid` is low changes nothing

The rules of rtl/stream.py are part of each proof: assumed of the streams that the block is given, asserted of those that it
gives, and of all between the blocks inside. Then every fault of the proof is planted in the Verilog, one at a time, and the
bounded run, or the check of ready, must find it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from unittest import mock

from benchmarks.figures.record import begin
from duospike.cosim.conversion.convert import Module, convert, write_modules
from duospike.cosim.conversion.internals import LOCK
from duospike.cosim.errors import CosimError
from duospike.cosim.folder import temporary_folder
from duospike.cosim.interrupts import run_command
from duospike.cosim.system import side_by_side
from duospike.reference.files import write_atomically
from duospike.rtl.errors import DesignError
from verification.placement import block_of, covers, place, planted, streams
from verification.proof import Fault, Misuse, Proof
from verification.proofs import PROOFS
from verification.solve import SMTBMC, TOP, Undecided, holds, ready_is_free, versions, write_model


@dataclass(frozen=True)
class Result:
    """The result of a proof: `failures` is empty if it holds, reaches all its covers and finds all its faults."""

    name: str
    block: str
    parameters: list[str]
    claims: str
    depth: int
    covers: int
    faults: list[str]
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
    start, measurement = time.monotonic(), begin("proofs")
    results = prove_all([proof for proof in PROOFS if not args.names or proof.name in args.names])
    failed = [result.name for result in results if result.failures]
    print(f"{len(results) - len(failed)} of {len(results)} proofs hold, {time.monotonic() - start:.0f} s")
    if args.out:
        record = {"measured": measurement.record(), "solvers": versions(), "proofs": [asdict(result) for result in results]}
        write_atomically(args.out, (json.dumps(record, indent=2) + "\n").encode())
    return 1 if failed else 0


def prove_all(proofs: list[Proof]) -> list[Result]:
    """Run proofs in parallel and print the result of each; the results are in the order of the proofs."""
    return list(side_by_side(lambda proof: report(prove(proof)), proofs))


def report(result: Result) -> Result:
    """Print a result; returns it."""
    verdict = "; ".join(result.failures) or f"holds, {result.covers} covers reached, {len(result.faults)} faults found"
    print(f"{result.name:<32} depth {result.depth:<3} {result.seconds:6.1f} s  {verdict}", flush=True)
    return result


def prove(proof: Proof) -> Result:
    """Run a proof and plant its faults."""
    start = time.monotonic()
    modules = converted(proof)
    if proof.harmless:
        modules = planted(modules, proof.harmless)
    failures = failed_checks(proof, modules)
    faults: tuple[Fault | Misuse, ...] = (*proof.faults, *proof.misuses)
    for fault in faults:
        try:
            if not finds(proof, modules, fault):
                failures.append(f"the fault {fault.what!r} is not found")
        except Undecided as error:
            failures.append(f"whether the fault {fault.what!r} is found: {error}")
        except CosimError as error:
            failures.append(str(error))
    return Result(
        proof.name, block_of(modules[-1]), list(modules[-1].parameters), proof.claims, proof.depth, covers(proof),
        [fault.what for fault in faults], round(time.monotonic() - start, 1), failures,
    )  # fmt: skip


def converted(proof: Proof, misuse: Misuse | None = None) -> list[Module]:
    """The Verilog of the proof's block, children first. misuse: the one that the proof is built with; CosimError if the block
    has a rule against it and takes it all the same."""
    with LOCK:
        if misuse is None or not misuse.rule:
            return convert(proof.build(), TOP)
        with suppress(DesignError):
            proof.build()
            raise CosimError(f"{proof.name}: the misuse {misuse.what!r} is not refused")
        with mock.patch(misuse.rule, return_value=0):
            return convert(proof.build(), TOP)


def failed_checks(proof: Proof, modules: list[Module]) -> list[str]:
    """The checks of a design without a fault that fail."""
    depths = {"cover": proof.reach or proof.depth}
    modes = [mode for mode in SMTBMC if mode != "cover" or covers(proof)]
    with temporary_folder() as folder:
        write_proof(proof, modules, folder)
        failures = [failure for mode in modes for failure in failed_mode(mode, depths.get(mode, proof.depth), folder)]
    try:
        return failures + failed_ready(modules)
    except Undecided as error:
        return [*failures, str(error)]


def failed_mode(mode: str, depth: int, folder: Path) -> list[str]:
    """The message for a check by yosys-smtbmc that does not hold, or is not decided."""
    try:
        return [] if holds(mode, depth, folder) else [f"{mode} fails"]
    except Undecided as error:
        return [str(error)]


def failed_ready(modules: list[Module]) -> list[str]:
    """The outgoing streams whose ready matters while valid is low."""
    outgoing = [stream for stream, direction in streams(modules[-1]).items() if direction == "output"]
    with temporary_folder() as folder:
        write_modules(modules, folder)
        files = [module.file for module in modules]
        free = [ready_is_free(stream, files, folder) for stream in outgoing]
    return [f"{stream}_ready matters while valid is low" for stream, is_free in zip(outgoing, free, strict=True) if not is_free]


def finds(proof: Proof, modules: list[Module], fault: Fault | Misuse) -> bool:
    """Whether the check that is to find a fault does; CosimError if it cannot be planted."""
    if isinstance(fault, Misuse):
        wrong = replace(proof, build=fault.build, constants={**proof.constants, **fault.constants})
        return not base_holds(wrong, converted(wrong, fault))
    faulty = planted(modules, fault)
    return bool(failed_ready(faulty)) if fault.found_by == "ready" else not base_holds(proof, faulty)


def base_holds(proof: Proof, modules: list[Module]) -> bool:
    """Whether the bounded run finds nothing."""
    with temporary_folder() as folder:
        write_proof(proof, modules, folder)
        return holds("base", proof.depth, folder)


def write_proof(proof: Proof, modules: list[Module], folder: Path):
    """Write the design with its properties, and the model of it for the solver."""
    place(proof, modules, folder)
    write_model([module.file for module in modules], folder)


if __name__ == "__main__":
    sys.exit(run_command("prove", main))
