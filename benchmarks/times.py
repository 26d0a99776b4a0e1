"""Measures how long commands and simulators take, on an idle machine, prints it, and with --write puts it into docs/.

python -m benchmarks.times {times,scale} [--write]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import begin, with_comment
from duospike.cosim.cycles.model import run_model
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.folder import temporary_folder
from duospike.cosim.simulation.network_run import SIMULATORS, network_bench
from duospike.cosim.system import program
from duospike.reference import golden
from duospike.reference.data.datasets import load
from duospike.reference.modelfile import load_model
from duospike.reference.network import Network

SEED = 1
MODEL = ROOT / "models" / "fashion-small.safetensors"
SIMULATED = {"ghdl": 2, "icarus": 4, "verilator": 100}
"""Images in each simulator."""
MODELLED = 200
"""Images in the cycle model."""
DEMO = [sys.executable, "-m", "duospike", "demo"]
INPUT, LANES, RATE = (3, 32, 32), 200, 0.1
"""Of the network of full size."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("section", choices=SECTIONS, help="times: of the shipped network; scale: of the paper's at full size")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/")
    args = parser.parse_args()
    measurement = begin(args.section)
    tables = [measure() for measure in SECTIONS[args.section]]
    text = with_comment(measurement, "\n\n".join([f"{machine()}, seed {SEED}.", *tables]))
    print(text)
    if args.write:
        write_section(args.section, text)
    return 0


def _simulator_table() -> str:
    network = load_model(MODEL)
    stages = plan_stages(network, choose_sizing(network))
    rows = [_simulator_row(name, images, network, stages) for name, images in SIMULATED.items()]
    rows.append(_model_row(network, stages))
    slowest = min(float(row[-1]) for row in rows)
    title = f"Cycles a second of whole runs of {MODEL.name}, all streams recorded"
    rows = [[*row, f"{float(row[-1]) / slowest:.0f}"] for row in rows]
    return table(title, ["simulator", "images", "cycles", "seconds", "cycles a second", "times the slowest"], rows)


def _simulator_row(simulator: str, images: int, network: Network, stages: dict) -> list[str]:
    """Time the simulator's second run: Verilator's program is in its cache then; Icarus and GHDL compile each time."""
    language, run_simulator = SIMULATORS[simulator]
    batch = load("fashion-mnist", network, images).images
    bench = network_bench(network, stages, batch, language)
    for _ in range(2):
        with temporary_folder() as folder:
            start = time.monotonic()
            cycles = run_simulator(bench, folder).complete().cycles
            seconds = time.monotonic() - start
    return [simulator, str(images), str(cycles), f"{seconds:.1f}", f"{cycles / seconds:.0f}"]


def _model_row(network: Network, stages: dict) -> list[str]:
    """The cycle model, whose cycles are those of the RTL, once it is compiled."""
    trace = golden.run(network, load("fashion-mnist", network, MODELLED).images)
    for _ in range(2):
        start = time.monotonic()
        cycles = run_model(stages, trace).cycles
        seconds = time.monotonic() - start
    return ["the cycle model", str(MODELLED), str(cycles), f"{seconds:.1f}", f"{cycles / seconds:.0f}"]


def _demo_table() -> str:
    with temporary_folder() as folder:
        seconds = _timed([*DEMO, "--out", str(folder / "demo")])
    row = ["the command of `make demo`: two images through Icarus, all compared", seconds]
    return table("Wall clock", ["command", "seconds"], [row])


def _timed(command: list[str]) -> str:
    start = time.monotonic()
    with program(command, ROOT, stdout=subprocess.DEVNULL, env=os.environ) as process:
        status = process.wait()
    if status:
        raise SystemExit(f"{' '.join(command)}: failed")
    return f"{time.monotonic() - start:.0f}"


def _scale_table() -> str:
    """Wall clock and memory of whole commands, in a folder and with a cache of their own."""
    rows: list[list[str]] = []
    with temporary_folder() as folder:
        run = _Commands(folder, rows)
        size = ["--input", "x".join(map(str, INPUT)), "--rate", str(RATE), "--seed", str(SEED)]
        one = ["--data", "random", "--seed", str(SEED), "--images", "1"]
        run("random network of full size", ["random", "VGG9", *size, "--out", "vgg9.safetensors"])
        explore = ["explore", "vgg9.safetensors", "--budget", f"lanes={LANES}", "--data", "random", "--images", "4", "--no-front"]
        run(f"lanes for {LANES}", [*explore, "--out", "explored"])
        sized = ["vgg9.safetensors", "--sizing", "explored/sizing.toml"]
        run("conversion", ["convert", *sized, "--out", "hdl"])
        verilator = ["cosim", *sized, *one, "--simulator", "verilator"]
        run("one image in Verilator: conversion, build, run, comparison", [*verilator, "--out", "first"])
        run("the same, built before", [*verilator, "--out", "second"])
        run("1,000 images in the cycle model", ["cycles", *sized, "--data", "random", "--images", "1000"])
        run("random network, a quarter of the width", ["random", "VGG9/4", *size, "--out", "quarter.safetensors"])
        run("one image of it in Icarus", ["cosim", "quarter.safetensors", *one, "--lanes", "4", "--out", "icarus"])
        for timesteps in (25, 64):
            model, coding = f"rate{timesteps}.safetensors", ["--coding", "rate", "--timesteps", str(timesteps)]
            run(f"the same with rate coding, T={timesteps}", ["random", "VGG9/4", *size, *coding, "--out", model])
            rated = ["cosim", model, *one, "--lanes", "4", "--simulator", "verilator"]
            run(f"one image of it in Verilator, {timesteps} timesteps", [*rated, "--out", f"rate{timesteps}"])
    title = "Commands at full size, wall clock and memory, the machine otherwise idle"
    return table(title, ["what", "seconds", "GiB", "says"], rows)


class _Commands:
    """Runs commands in a folder and notes what each took."""

    def __init__(self, folder: Path, rows: list[list[str]]):
        self.folder, self.rows = folder, rows
        self.environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT)}

    def __call__(self, what: str, words: list[str]):
        start = time.monotonic()
        with (self.folder / "output").open("w") as output:
            command = [sys.executable, "-m", "duospike", *words]
            with program(command, self.folder, stdout=output, env=self.environment) as process:
                _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        if status:
            raise SystemExit(f"{' '.join(words)}: failed")
        last = (self.folder / "output").read_text().rstrip().splitlines()[-1]
        self.rows.append([what, f"{seconds:.0f}", f"{usage.ru_maxrss / 2**20:.1f}", last])
        print(self.rows[-1], file=sys.stderr, flush=True)


SECTIONS = {"times": (_simulator_table, _demo_table), "scale": (_scale_table,)}
"""The tables of each section."""


if __name__ == "__main__":
    sys.exit(main())
