"""Makes bitstreams for a board that can be bought; --write: puts what they use and the clock they reach into docs/.

python -m benchmarks.bitstreams [--nir-paper MODEL] [--write]

MODEL is what `duospike import` makes of cnn_sinabs.nir, see docs/generated/networks.md. A design that is not built now is shown
as it was last built, from benchmarks/results/bitstreams/.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import begin, comment, joined
from duospike.cosim.board.bitstream import BITSTREAM
from duospike.cosim.board.folder import REPORT
from duospike.cosim.errors import CosimError
from duospike.cosim.synthesis.yosys import yosys_version
from duospike.cosim.timing.report import Location
from duospike.reference.files import write_atomically
from duospike.scripts import main as commands

NAME = "bitstreams"
SMALL, PAPER = "models/fashion-small.safetensors", "nir-paper"
BUILD = ["--board", "ulx3s-85f", "--lanes", "2"]
DESIGNS = {"fashion-small": [SMALL], "fashion-small-loadable": [SMALL, "--loadable"], PAPER: ["MODEL"]}
"""By name, the model and the options that are its own."""
KINDS = {"TRELLIS_COMB": "TRELLIS_COMB", "TRELLIS_FF": "flip-flops", "DP16KD": "block RAMs", "MULT18X18D": "multipliers"}
RESULTS, RUNS = ROOT / "benchmarks" / "results" / NAME, ROOT / "runs" / NAME


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nir-paper", metavar="MODEL", help="the NIR paper's network, imported")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/")
    args = parser.parse_args()
    for name, options in DESIGNS.items():
        if name != PAPER:
            build(name, options)
        elif args.nir_paper:
            build(name, [args.nir_paper])
    found = {name: json.loads(path.read_text()) for name in DESIGNS if (path := RESULTS / f"{name}.json").exists()}
    text = f"{comment(NAME, joined([result['measured'] for result in found.values()]))}\n\n{page(found)}"
    print(text)
    if args.write:
        write_section(NAME, text)
    return 0


def build(name: str, options: list[str]) -> None:
    """Run `duospike build` and keep what the page shows; CosimError if it fails."""
    measurement, out = begin(NAME), RUNS / name
    if status := commands.main(["build", *options, *BUILD, "--out", str(out)]):
        raise CosimError(f"build of {name} ended with status {status}")
    report = json.loads((out / REPORT).read_text())
    kept = {key: report[key] for key in ("board", "clock_mhz", "fmax_mhz", "seed", "utilization", "critical_path", "nextpnr")}
    RESULTS.mkdir(parents=True, exist_ok=True)
    result = kept | {"bytes": (out / BITSTREAM).stat().st_size, "measured": measurement.record()}
    write_atomically(RESULTS / f"{name}.json", (json.dumps(result, indent=2) + "\n").encode())


def page(found: dict[str, dict[str, Any]]) -> str:
    """A line for each design, and where its longest path is."""
    rows, paths = [], []
    for name, result in found.items():
        use = [result["utilization"].get(kind, {"used": 0, "available": 0}) for kind in KINDS]
        board, path = result["board"], result["critical_path"]
        rows.append(
            [f"`{' '.join([*DESIGNS[name], *BUILD])}`", *(f"{each['used']:,} of {each['available']:,}" for each in use),
             f"{result['clock_mhz']:g} MHz", f"{result['fmax_mhz']:.1f} MHz", f"{result['bytes']:,}"]
        )  # fmt: skip
        start, end = (Location(**path[key]) for key in ("start", "end"))
        paths.append(f"{name}: {path['delay']:.1f} ns, from `{start}` to `{end}`")
    title = (
        f"`duospike build`, {yosys_version()}, {result['nextpnr']}, seed {result['seed']}, {board['device']} of speed grade "
        f"{board['speed']}, {machine()}"
    )
    columns = ["design", *KINDS.values(), "clock asked for", "reached", "bytes"]
    return "\n\n".join([table(title, columns, rows), f"Longest paths. {'; '.join(paths)}."])


if __name__ == "__main__":
    sys.exit(main())
