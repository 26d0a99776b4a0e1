"""Whether an older commit gives the same hardware: `python -m verification.same_hardware COMMIT [MODEL ...]`.

For each model, by default the shipped ones, the hex files of `convert` and cycles.json of `cycles` must be what they are now; so
must report.json of the co-simulation of a small network. Versions of the programs do not count. The text of the HDL may be
another, unless --hdl asks for it. Prints a line for each model with what differs; exit status 1 if something does, 2 if a
command fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from duospike.cosim.errors import CosimError
from duospike.cosim.folder import temporary_folder
from duospike.cosim.interrupts import run_command
from duospike.cosim.system import require, run_tool

ROOT = Path(__file__).parents[1]
SMALL = ["random", "4C3-MP2-4C3-FC10", "--input", "1x8x8", "--seed", "1"]
SHOWN = 5
"""Differences of a model that are printed."""
MISSING = object()
"""In place of a file or field that only one of the two has."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", metavar="COMMIT", help="of this repository, as git names it")
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL", help="model files (default: all of models/)")
    parser.add_argument("--images", type=int, default=20, metavar="N", help="images for the cycles (default: %(default)s)")
    parser.add_argument("--data", default="fashion-mnist", help="as for `cycles` (default: %(default)s)")
    parser.add_argument("--hdl", action="store_true", help="compare the text of Verilog files as well")
    args = parser.parse_args()
    models = [path.resolve() for path in args.models or sorted((ROOT / "models").glob("*.safetensors"))]
    try:
        with temporary_folder() as folder:
            counts = compare(check_out(args.commit, folder / "tree"), ROOT, models, args, folder)
    except CosimError as error:
        print(f"same_hardware: {error}", file=sys.stderr)
        return 2
    return 1 if any(counts) else 0


def compare(old: Path, new: Path, models: Sequence[Path], args: argparse.Namespace, folder: Path) -> list[int]:
    """Compare two trees of sources and print a line for each model; returns how much differs in each."""
    trees = {"old": old, "new": new}
    counts = []
    for model in models:
        found = [of_model(tree, model, args, folder / model.stem / name) for name, tree in trees.items()]
        counts.append(report(model.name, *found))
    small = folder / "small.safetensors"
    duospike(new, [*SMALL, "--out", str(small)])
    found = [of_simulation(tree, small, folder / f"simulation-{name}") for name, tree in trees.items()]
    return [*counts, report("co-simulation of a small network", *found)]


def report(title: str, old: Mapping, new: Mapping) -> int:
    """Print how much was compared and what differs; returns how much does."""
    found = list(differences(old, new))
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    print(f"{title}, {leaves(new)} values: {'; '.join(found[:SHOWN]) or 'unchanged'}{more}", flush=True)
    return len(found)


def check_out(commit: str, folder: Path) -> Path:
    """The files of a commit in a new folder, of which git knows nothing; CosimError if there is no such commit."""
    folder.mkdir()
    archive = folder.with_suffix(".tar")
    run_tool([require("git", "git"), "archive", "--output", str(archive), commit], ROOT)
    run_tool([require("tar", "tar"), "-xf", str(archive)], folder)
    return folder


def of_model(tree: Path, model: Path, args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The hex files, the cycles and, if it is asked for, the Verilog of a model, by the sources of a tree."""
    folder.mkdir(parents=True)
    duospike(tree, ["convert", str(model), "--out", str(folder / "hdl")])
    duospike(tree, ["cycles", str(model), "--images", str(args.images), "--data", args.data, "--out", str(folder / "cycles")])
    suffixes = (".hex", ".v") if args.hdl else (".hex",)
    files = {path.name: path.read_bytes() for path in (folder / "hdl").iterdir() if path.suffix in suffixes}
    return files | results(folder / "cycles" / "cycles.json")


def of_simulation(tree: Path, model: Path, folder: Path) -> dict[str, Any]:
    """The report on two images through a model in Icarus, by the sources of a tree."""
    duospike(tree, ["cosim", str(model), "--data", "random", "--images", "2", "--simulator", "icarus", "--out", str(folder)])
    return results(folder / "report.json")


def duospike(tree: Path, words: Sequence[str]) -> None:
    """Run a command with the sources of a folder, where it may still be `scripts.main`; CosimError if it fails."""
    module = "duospike" if (tree / "duospike" / "__main__.py").exists() else "scripts.main"
    environment = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run([sys.executable, "-m", module, *words], cwd=tree, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise CosimError(f"{tree}: {module} {' '.join(words)}: {said[-1]}")


def results(path: Path) -> dict[str, Any]:
    """A JSON file of a run; of the versions of what wrote it only the names."""
    found = json.loads(path.read_text())
    return {path.name: found | {"generator": sorted(found["generator"])}}


def differences(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """A line for each field of two nested results that only one has, or that has another value."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted(old.keys() | new.keys(), key=str):
            yield from differences(old.get(name, MISSING), new.get(name, MISSING), f"{place}.{name}" if place else str(name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from differences(before, after, f"{place}[{number}]")
    elif type(old) is not type(new) or old != new:
        yield f"{place} is {short(new)}, was {short(old)}"


def leaves(value: Any) -> int:
    """How many values a nested result holds, each file being one."""
    if isinstance(value, Mapping | list):
        return sum(map(leaves, value.values() if isinstance(value, Mapping) else value))
    return 1


def short(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = "nothing" if value is MISSING else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


if __name__ == "__main__":
    sys.exit(run_command("same_hardware", main))
