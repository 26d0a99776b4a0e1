"""`duospike report`: one HTML page of any runs, or of a study."""

from __future__ import annotations

import argparse
from pathlib import Path

from .network_options import zero_or_more

DESCRIPTION = """Make one HTML page of the runs in the folders DIR, those that cosim, cycles, energy, synth, explore, convert and
evaluate wrote: the network, accuracy, sparsity and events, cycles and stalls, a spike raster, areas, timing, energy, what was
verified, versions and hashes. The page needs no other file, no network and no script. What no run measured is named with
the command that measures it. The folder of a study alone gives a page of its means and spreads, plots, points, versions and
hashes."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("report", help="one HTML page of any runs, or of a study", description=DESCRIPTION)
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="folder of a run, of several runs, or of a study")
    parser.add_argument("--out", type=Path, metavar="FILE", help="page to write (default: report.html in the first DIR)")
    parser.add_argument("--image", type=zero_or_more, metavar="N", help="image of the raster and the Gantt chart (default: 0)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.cosim.pages.run_files import STUDY, WRITTEN, read_runs, read_study, write_into_folder
    from duospike.cosim.pages.run_page import make_page
    from duospike.cosim.study.page import make_study_page
    from duospike.reference.errors import InputError

    out = args.out or args.folders[0] / "report.html"
    written = WRITTEN | {STUDY: "study"}
    if out.name in written:
        raise InputError(f"{out}: is the name of a file that duospike {written[out.name]} writes; name another")
    studies = [folder for folder in args.folders if (folder / STUDY).is_file()]
    if studies and (len(args.folders) > 1 or args.image is not None):
        raise InputError(f"{studies[0]}: is the folder of a study, which has a page of its own, without other runs and --image")
    runs = [read_study(studies[0])] if studies else read_runs(args.folders)
    page = make_study_page(runs[0]) if studies else make_page(runs, args.image or 0)
    # A name or a text that is no UTF-8 is shown by the numbers of its bytes.
    write_into_folder(out, page.encode(errors="backslashreplace"))
    print(f"wrote {out}, of {', '.join(str(run.path) for run in runs)}")
    return 0
