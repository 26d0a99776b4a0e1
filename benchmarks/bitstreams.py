"""Makes bitstreams for a board that can be bought; --write: puts what they use and the clock they reach into docs/.

python -m benchmarks.bitstreams [--nir-paper MODEL] [--no-run] [--write]

MODEL is what `duospike import` makes of cnn_sinabs.nir, see docs/generated/networks.md. The page is made of the results in
benchmarks/results/bitstreams/, which a design that is not built now keeps.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import begin, comment, joined
from duospike.cosim.board.bitstream import BITSTREAM
from duospike.cosim.board.folder import REPORT
from duospike.cosim.synthesis.yosys import yosys_version
from duospike.cosim.timing.report import Location
from duospike.reference.files import write_atomically

NAME = "bitstreams"
DESIGNS = {"fashion-small": ["models/fashion-small.safetensors"], "loadable": ["models/fashion-small.safetensors", "--loadable"]}
"""The model and the options that are its own, by the name of the result."""
PAPER = "nir-paper"
BUILD = ["--board", "ulx3s-85f", "--lanes", "2"]
KINDS = {"TRELLIS_COMB": "TRELLIS_COMB", "TRELLIS_FF": "flip-flops", "DP16KD": "block RAMs", "MULT18X18D": "multipliers"}
RESULTS, RUNS = ROOT / "benchmarks" / "results" / NAME, ROOT / "runs" / NAME

Result = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nir-paper", type=Path, metavar="MODEL", help="the NIR paper's network, imported")
    parser.add_argument("--no-run", action="store_true", help="build nothing, only show the results that are there")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/")
    args = parser.parse_args()
    designs = DESIGNS | ({PAPER: [str(args.nir_paper.resolve())]} if args.nir_paper else {})
    for name, words in designs.items() if not args.no_run else ():
        build(name, words)
    if not (found := kept()):
        parser.error(f"{RESULTS}: no result is there")
    text = section(found)
    print(text)
    if args.write:
        write_section(NAME, text)
    return 0


def build(name: str, words: list[str]) -> None:
    """Run `duospike build` and keep what the page shows; SystemExit if it fails."""
    measurement, out = begin(NAME), RUNS / name
    command = [sys.executable, "-m", "duospike", "build", *words, *BUILD, "--out", str(out)]
    if subprocess.run(command, cwd=ROOT).returncode:
        raise SystemExit(f"{name}: there is no bitstream")
    report = json.loads((out / REPORT).read_text())
    shown = {key: report[key] for key in ("board", "clock_mhz", "fmax_mhz", "seed", "utilization", "critical_path")}
    tools = {"tools": f"{yosys_version()}, {report['nextpnr']}, {machine()}", "options": [Path(words[0]).name, *words[1:]]}
    result = shown | tools | {"bytes": (out / BITSTREAM).stat().st_size, "measured": measurement.record()}
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_atomically(RESULTS / f"{name}.json", (json.dumps(result, indent=2) + "\n").encode())


def kept() -> dict[str, Result]:
    """The results that are there, by name, in the order of the page."""
    paths = [RESULTS / f"{name}.json" for name in (*DESIGNS, PAPER)]
    return {path.stem: json.loads(path.read_text()) for path in paths if path.exists()}


def section(found: dict[str, Result]) -> str:
    """What is between the marks of the page."""
    return f"{comment(NAME, joined([result['measured'] for result in found.values()]))}\n\n{page(found)}"


def page(found: dict[str, Result]) -> str:
    """A line for each design, and where its longest path is."""
    rows, paths = [], []
    for name, result in found.items():
        kinds = [result["utilization"].get(kind) for kind in KINDS]
        use = [f"{kind['used']} of {kind['available']}" if kind else "0" for kind in kinds]
        start, end = (Location(**result["critical_path"][key]) for key in ("start", "end"))
        clocks = [f"{result['clock_mhz']:g} MHz", f"{result['fmax_mhz']:.1f} MHz"]
        rows.append([f"`{' '.join([*result['options'], *BUILD])}`", *use, *clocks, str(result["bytes"])])
        paths.append(f"{name}: {result['critical_path']['delay']:.1f} ns, from `{start}` to `{end}`")
    built = found.values()
    devices = {f"{each['board']['device']} of speed grade {each['board']['speed']}, seed {each['seed']}" for each in built}
    title = "; ".join(["`duospike build`", *sorted(devices), *sorted({each["tools"] for each in built})])
    columns = ["design", *KINDS.values(), "clock asked for", "reached", "bytes"]
    return "\n\n".join([table(title, columns, rows), f"Longest paths. {'; '.join(paths)}."])


if __name__ == "__main__":
    sys.exit(main())
