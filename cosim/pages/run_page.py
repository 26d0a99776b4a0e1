"""One HTML page of any runs: what their JSON files say, and nothing else. What no run measured is named with its command.

The page needs no other file and no network: styles and plots are in it, and there is no script. Text from the files is
escaped, in the page by jinja2, in the plots by matplotlib.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from duospike.cosim.cycles.model import SOURCE
from duospike.cosim.errors import CosimError
from duospike.cosim.simulation.report import CLOCK_HZ
from duospike.cosim.synthesis.families import AREA
from duospike.reference.errors import InputError
from duospike.reference.files import digest_of

from . import plots
from .run_files import WRITTEN, RunFile, recorded_spikes

PLACED = WRITTEN["timing.json"]

MAX_DRAWN = 300
"""Stages, points or lines of a plot: more than the layers of any network."""
MAX_ROWS = 10_000
"""Of a table."""
MAX_IMAGES = 100
"""Images that are listed one by one."""


@dataclass(frozen=True)
class Cell:
    """A value as it is shown. value: the number in the file, None for a text."""

    text: str
    value: float | None = None


Content = Cell | str | int | None
Rows = list[list[Content]]


@dataclass(frozen=True)
class Table:
    """columns: none where a row is a name and a value."""

    kind: ClassVar[str] = "table"
    title: str
    columns: list[str]
    rows: Rows


@dataclass(frozen=True)
class Plot:
    kind: ClassVar[str] = "plot"
    title: str
    svg: Markup


@dataclass(frozen=True)
class Line:
    """A sentence. mood: good, bad, missing, or nothing."""

    kind: ClassVar[str] = "line"
    text: str
    mood: str = ""


@dataclass(frozen=True)
class Source:
    """From which file the blocks that follow are."""

    kind: ClassVar[str] = "source"
    text: str


Block = Table | Plot | Line | Source


@dataclass(frozen=True)
class Section:
    """anchor: its id in the page."""

    anchor: str
    title: str
    blocks: list[Block]


@dataclass(frozen=True)
class Heading:
    """What the page is of. title: in few words. about: more of it, one line each."""

    title: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A key figure at the top. run: what it is of."""

    label: str
    value: Cell
    run: str
    mood: str = ""


def share(value: float | None, digits: int = 1) -> Cell | None:
    """A share as a percentage."""
    return None if value is None else Cell(f"{value:.{digits}%}", value)


def decimal(value: float | None, digits: int = 0) -> Cell | None:
    """A number with a fixed number of digits."""
    return None if value is None else Cell(f"{value:.{digits}f}", value)


def draw(title: str, plot: Callable[..., None], *args: Any, count: int) -> Block:
    """A plot as SVG within the page, if it shows no more than MAX_DRAWN things. count: of stages, points or lines in it."""
    if count > MAX_DRAWN:
        return Line(f"{title}: not drawn, as it has {count} parts; drawn are up to {MAX_DRAWN}.", "missing")
    if not plots.available():
        return Line(f"{title}: {plots.MISSING}.", "missing")
    text = io.StringIO()
    plot(*args, text)
    return Plot(title, _inline(text.getvalue()))


def _inline(svg: str) -> Markup:
    """An SVG file from its element on."""
    return Markup(re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL))


def named(block: Block, name: str) -> Block:
    """A block whose plot begins the names of its parts with `name`: several plots are on a page, and some are alike."""
    if not isinstance(block, Plot):
        return block
    names = re.compile(r'(\bid="|href="#|url\(#)')
    return replace(block, svg=Markup(re.sub(r"<[a-z][^>]*>", lambda tag: names.sub(rf"\g<1>{name}-", tag[0]), block.svg)))


# Each function below gives the blocks that one file has for one section.


def network_blocks(run: RunFile, image: int) -> list[Block]:
    network = run.content.get("network")
    if network is None or "layers" not in network:
        return [Line("This file says nothing of its network; it was written by an earlier version.", "missing")]
    pixel = f"{network['image_bits']} bits, {'signed' if network['image_signed'] else 'unsigned'}"
    facts: Rows = [
        ["input (channels x height x width)", _sizes(network["input_shape"])],
        ["pixels", pixel],
        ["timesteps", network["timesteps"]],
        ["coding", network["coding"]],
        ["classes", network["classes"]],
        ["weights", sum(layer.get("weights", 0) for layer in network["layers"])],
        ["SHA-256 of the model file", network["sha256"]],
    ]
    keys = ("kernel", "weights", "weight_bits", "reset", "beta")
    layers: Rows = [
        [layer["name"], layer["kind"], _sizes(layer["shape"]), *(layer.get(key) for key in keys)] for layer in network["layers"]
    ]
    columns = ["layer", "kind", "output", "kernel", "weights", "bits of a weight", "reset", "beta"]
    blocks: list[Block] = [Table("The network", [], facts), Table("Layers", columns, layers)]
    if network["metadata"]:
        rows: Rows = [[key, value] for key, value in network["metadata"].items()]
        blocks.append(Table("How it was trained, as the model file says", ["setting", "value"], rows))
    return blocks


def _sizes(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def cosim_verification(run: RunFile, image: int) -> list[Block]:
    report = run.content
    simulator, images = report["simulator"], len(report["images"])
    if report["bit_exact"]:
        outputs = f"{report['compared']} neuron outputs" if "compared" in report else "all neuron outputs"
        return [Line(f"Bit-exact in {simulator}: {outputs}, scores and classes of {images} images.", "good")]
    found = report["mismatch"]
    rows: Rows = [[key, None if found[key] is None else str(found[key])] for key in found]
    lines: list[Block] = [Line(f"NOT EQUAL to the integer reference in {simulator}.", "bad")]
    if report["fault"] is not None:
        lines.append(Line(f"The simulation ended early: {report['fault']}.", "bad"))
    return [*lines, Table("The first difference", [], rows)]


def convert_verification(run: RunFile, image: int) -> list[Block]:
    """The files of the folder against the hashes of its manifest."""
    changed = []
    for name, wanted in run.content["files"].items():
        path = run.folder / name
        is_there = path.parent == run.folder and path.is_file()
        if not is_there or digest_of(path) != wanted:
            changed.append(f"{name} {'differs' if is_there else 'is missing'}")
    if changed:
        return [Line(f"Not as the manifest has it: {', '.join(changed)}.", "bad")]
    return [Line(f"All {len(run.content['files'])} files have the SHA-256 of the manifest.", "good")]


def evaluation_accuracy(run: RunFile, image: int) -> list[Block]:
    rates: Rows = [[name, share(rate, 2)] for name, rate in run.content["spike_rates"].items()]
    return [
        Table("Integer reference", ["images", "accuracy"], [[run.content["images"], _accuracy(run)]]),
        Table("Spikes of a neuron and timestep", ["layer", "rate"], rates),
    ]


def _accuracy(run: RunFile) -> Cell:
    """Share of right answers; where the images have no labels there is none."""
    found = run.content["accuracy"] if run.command == "evaluate" else _hardware_accuracy(run)
    return share(found, 2) or Cell("unknown, images without labels")


def _hardware_accuracy(run: RunFile) -> float | None:
    images = run.content["images"]
    if any(image["label"] is None for image in images):
        return None
    return sum(image["predicted_class"] == image["label"] for image in images) / len(images)


def cosim_accuracy(run: RunFile, image: int) -> list[Block]:
    images = run.content["images"]
    keys = ("index", "label", "expected_class", "predicted_class", "cycles")
    rows: Rows = [[one[key] for key in keys] for one in images[:MAX_IMAGES]]
    more = f", the first {MAX_IMAGES} of {len(images)}; all are in {run.name}" if len(images) > MAX_IMAGES else ""
    columns = ["image", "label", "reference", "hardware", "cycles"]
    return [
        Table("Simulated hardware", ["images", "accuracy"], [[len(images), _accuracy(run)]]),
        Table(f"Images{more}", columns, rows),
    ]


def cosim_sparsity(run: RunFile, image: int) -> list[Block]:
    rows: Rows = [
        [one["name"], one["neurons"] or None, one["spikes"], share(one["sparsity"]), one["events"]]
        for one in run.content["stages"]
    ]
    title = f"Spikes by the reference, events by the hardware's counters, of {len(run.content['images'])} images"
    return [Table(title, ["stage", "neurons", "spikes", "sparsity", "events"], rows)]


def cycles_sparsity(run: RunFile, image: int) -> list[Block]:
    rows: Rows = [[one["name"], decimal(one["events"])] for one in run.content["stages"]]
    return [Table(f"Events an image, mean of {run.content['images']} images, by the cycle model", ["stage", "events"], rows)]


def cosim_cycles(run: RunFile, image: int) -> list[Block]:
    report, images = run.content, len(run.content["images"])
    keys = ("busy_cycles", "stall_in", "stall_out")
    rows: Rows = [[one["name"], one["kind"], one["lanes"], *(one[key] for key in keys)] for one in report["stages"]]
    activity = {
        one["name"]: {"busy": one["busy_cycles"], "stall_in": one["stall_in"], "stall_out": one["stall_out"]}
        for one in report["stages"]
    }
    title = f"{report['total_cycles']} cycles of {images} images, by the hardware's counters"
    columns = ["stage", "kind", "lanes", "busy", "stalled, no input", "stalled, held back"]
    drawn = draw("What each stage does, an image", plots.plot_cycles, activity, images, count=len(activity))
    return [Table(title, columns, rows), drawn, *_gantt(run, image)]


def cycles_cycles(run: RunFile, image: int) -> list[Block]:
    report, images = run.content, run.content["images"]
    facts: Rows = [[images, report["cycles"], report["latency"], decimal(report["interval"], 1)]]
    activity = {one["name"]: {key: one[key] * images for key in ("busy", "stall_in", "stall_out")} for one in report["stages"]}
    return [
        Table("By the cycle model", ["images", "cycles", "latency of the first", "interval"], facts),
        _stage_table("Cycles an image, mean", report["stages"]),
        draw("What each stage does, an image", plots.plot_cycles, activity, images, count=len(activity)),
        *_gantt(run, image),
    ]


def _stage_table(title: str, stages: list[dict[str, Any]]) -> Table:
    """A table of rows as cycles.report.stage_rows gives them."""
    rows: Rows = [
        [one["name"], one["kind"], one["lanes"], one["parts"], decimal(one["busy"]), share(one["busy_share"]),
         decimal(one["stall_in"]), decimal(one["stall_out"])]
        for one in stages
    ]  # fmt: skip
    columns = ["stage", "kind", "lanes", "parts", "busy", "share", "stalled, no input", "stalled, held back"]
    return Table(title, columns, rows)


def _gantt(run: RunFile, image: int) -> list[Block]:
    firsts, lasts = run.content.get("firsts"), run.content.get("lasts")
    if firsts is None or lasts is None:
        return [Line("No Gantt chart: this file does not say when beats came; it was written by an earlier version.", "missing")]
    firsts = {SOURCE: firsts[SOURCE], **{name: cycles for name, cycles in firsts.items() if name != SOURCE}}
    if any(len(lasts[name]) <= image for name in firsts if name != SOURCE):
        return [Line(f"No Gantt chart: image {image} did not come whole in this run.", "missing")]
    return [draw(f"Gantt chart of image {image}", plots.plot_gantt, firsts, lasts, image, count=len(firsts))]


def cosim_raster(run: RunFile, image: int) -> list[Block]:
    if "network" not in run.content:
        return [Line("No raster: this file says nothing of its network; it was written by an earlier version.", "missing")]
    try:
        spikes = recorded_spikes(run, image)
    except CosimError as error:
        return [Line(f"No raster: {error}.", "missing")]
    rows: Rows = [[name, int(of_stage.sum()), share(1 - float(of_stage.mean()))] for name, of_stage in spikes.items()]
    note = "A row is a channel, a column a place of the map in a timestep; recorded from the simulated hardware."
    return [
        Line(note),
        draw(f"Spikes of image {image}", plots.plot_raster, spikes, f"Image {image}", count=len(spikes)),
        Table(f"Spikes of image {image}, all timesteps", ["stage", "spikes", "sparsity"], rows),
    ]


def synth_area(run: RunFile, image: int) -> list[Block]:
    report = run.content
    columns = [kind.replace("_", " ") for kind in AREA]

    def row(about: list[Content], area: dict[str, Any]) -> list[Content]:
        return [*about, *(Cell(f"{area[kind]:g}", area[kind]) for kind in AREA)]

    stages = [row([one["name"], one["module"]], one) for one in report["stages"]]
    modules = [row([one["name"], one["block"], one["instances"]], one) for one in report["modules"] if one["cells"]]
    units: Rows = [[kind.replace("_", " "), report["units"][kind]] for kind in AREA]
    return [
        Line(f"{report['yosys']}, family {report['family']}, multipliers in {report['multipliers']}; before placement."),
        Table("Each stage", ["stage", "module", *columns], [*stages, row(["total", None], report["total"])]),
        Table("Each module, one instance", ["module", "block", "instances", *columns], modules),
        Table("What is counted", ["column", "unit"], units),
    ]


def timing_blocks(run: RunFile, image: int) -> list[Block]:
    """Clock, critical path, use of the device, and the slowest path that ends in each stage."""
    report = run.content
    path, images = report["critical_path"], report["images"]
    device = f"{report['device']}-{report['speed']}, seed {report['seed']}, {report['target_mhz']} MHz aimed at"
    clock: Rows = [[decimal(report["fmax_mhz"], 1), *(decimal(path[key], 2) for key in ("delay", "logic", "routing"))]]
    passed: Rows = [[one["instance"], one["block"], decimal(one["delay"], 2), one["nets"]] for one in path["through"]]
    rates: Rows = [
        [
            images["images"],
            decimal(images["interval"], 1),
            *(decimal(images[key]) for key in ("images_per_second", "dynamic", "static")),
        ]
    ]
    slowest: dict[str, list[Content]] = {}
    for end in report["slowest_ends"]:
        row = [end["stage"], decimal(end["delay"], 2), end["block"], f"{end['instance']}.{end['signal']}"]
        slowest.setdefault(str(end["stage"]), row)
    used: Rows = [
        [kind, count["used"], count["available"], share(count["used"] / count["available"])]
        for kind, count in report["utilization"].items()
    ]
    return [
        Line(f"{report['nextpnr']}: {device}; placed and routed out of context."),
        Table("Clock", ["MHz", "critical path, ns", "of it logic", "of it routing"], clock),
        Table("The critical path, instance by instance", ["instance", "block", "ns", "nets"], passed),
        Table("The slowest path that ends in a stage", ["stage", "ns", "block", "ends in"], list(slowest.values())),
        Table("Use of the device", ["cell", "used", "there", "share"], used),
        Table("At that clock, nJ modelled", ["images", "cycles an image", "images a second", "dynamic, nJ", "static, nJ"], rates),
    ]


def energy_blocks(run: RunFile, image: int) -> list[Block]:
    report = run.content
    kinds = list(dict.fromkeys(what for parts in report["stages"].values() for what in parts))
    rows: Rows = [
        [name, *(decimal(parts.get(what), 2) for what in kinds), decimal(sum(parts.values()), 2)]
        for name, parts in report["stages"].items()
    ]
    totals: Rows = [
        [report["images"], decimal(report["total"], 1), decimal(report["float_total"], 1), decimal(report["float_ratio"], 2)]
    ]
    hangs: Rows = [[name, *(decimal(ratio, 2) for ratio in ratios)] for name, ratios in report["sensitivity"].items()]
    # Reports of earlier versions have no draws.
    drawn: Rows = [[decimal(one, 2) for one in report["float_ratio_drawn"]]] if "float_ratio_drawn" in report else []
    leaks: list[Block] = []
    if static := report.get("static"):
        facts: Rows = [
            [static["clock_mhz"], decimal(static["cycles"], 1), decimal(static["luts"]), decimal(static["total"], 1)],
        ]
        leaks = [Table("What leaks, nJ an image", ["MHz", "cycles an image", "LUTs", "static"], facts)]
    if fabric := report.get("fabric"):
        parts: Rows = [
            [name, *(decimal(one, 1) for one in of.values()), decimal(sum(of.values()), 1)]
            for name, of in (("this network", fabric["energies"]), ("its float twin", fabric["float_energies"]))
        ]
        title = f"By an FPGA's published figures, nJ an image; clock and {fabric['registers']:.0f} registers at most"
        leaks.append(Table(title, ["network", *fabric["energies"], "all"], parts))
    return [
        Line("Modelled, of a 45 nm process: trust ratios, not joules."),
        Table("nJ an image", ["images", "this network", "its float twin, same spikes", "ratio"], totals),
        Table("Where it goes, nJ an image", ["stage", *kinds, "all"], rows),
        *([Table("The ratio with all coefficients drawn at once", ["median", "95 % from", "to"], drawn)] if drawn else []),
        Table("The ratio with one coefficient", ["coefficient", "halved", "doubled"], hangs),
        *leaks,
    ]


def explore_blocks(run: RunFile, image: int) -> list[Block]:
    report = run.content
    clock = f"{report['clock'] / 1e6:g} MHz"
    front: Rows = [
        [decimal(one["cost"]), decimal(one["interval"]), decimal(one["images_per_second"]), one["latency"],
         "chosen" if one["sizing"] == report["chosen"]["sizing"] else None]
        for one in report["front"]
    ]  # fmt: skip
    columns = [report["unit"], "cycles an image", f"images a second at {clock}", "latency, cycles", ""]
    budget = report["budget"]
    return [
        Line(f"Chosen for {budget['kind']} = {budget['amount']:g}, by the cycle model."),
        _stage_table(f"The chosen lanes: {report['chosen']['interval']:.0f} cycles an image", report["chosen"]["stages"]),
        Table("Pareto front", columns, front),
        draw("Pareto front", plots.plot_front, report, count=len(report["front"])),
    ]


def origin_blocks(run: RunFile, image: int) -> list[Block]:
    rows: Rows = [["command", f"duospike {run.command}"], [f"SHA-256 of {run.name}", run.sha256]]
    rows += [[f"version of {name}", str(number)] for name, number in run.content.get("generator", {}).items()]
    rows += [[f"version of {tool}", run.content[tool]] for tool in ("yosys", "nextpnr") if tool in run.content]
    if "network" in run.content:
        rows.append(["SHA-256 of the model file", run.content["network"].get("sha256")])
    if "data" in run.content:
        data = run.content["data"]
        rows += [["images", f"{data['shape'][0]} of {data['source']}"], ["SHA-256 of their pixels", data["sha256"]]]
    for key, value in run.content.get("sizing", {}).items():
        rows.append(
            [key.replace("_", " "), ", ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else value]
        )
    blocks: list[Block] = [Table("Where it is from", [], rows)]
    if run.command == "convert":
        files: Rows = [[name, digest] for name, digest in run.content["files"].items()]
        blocks.append(Table("Files of the folder", ["file", "SHA-256"], files))
    return blocks


Builder = Callable[[RunFile, int], list[Block]]
EVERY = "every"
"""In SECTIONS: whatever the command."""
SECTIONS: tuple[tuple[str, str, dict[str, Builder]], ...] = (
    ("verification", "Verification", {"cosim": cosim_verification, "convert": convert_verification}),
    ("accuracy", "Accuracy", {"evaluate": evaluation_accuracy, "cosim": cosim_accuracy}),
    ("cycles", "Cycles and stalls", {"cosim": cosim_cycles, "cycles": cycles_cycles}),
    ("sparsity", "Sparsity and events", {"cosim": cosim_sparsity, "cycles": cycles_sparsity}),
    ("raster", "Spike raster", {"cosim": cosim_raster}),
    ("area", "Area", {"synth": synth_area}),
    ("timing", "Timing", {PLACED: timing_blocks}),
    ("energy", "Energy", {"energy": energy_blocks}),
    ("exploration", "Exploration", {"explore": explore_blocks}),
    ("network", "Network and training", {EVERY: network_blocks}),
    ("origin", "Versions and hashes", {EVERY: origin_blocks}),
)
"""Of each section its anchor, its title, and for each command what its file has for it; results first."""


def make_page(runs: list[RunFile], image: int) -> str:
    """The page of the runs as HTML; Gantt chart and raster are of image number `image`.

    InputError: no run holds that image, or a file is not what its command writes.
    """
    check_image(runs, image)
    folders = list(dict.fromkeys(str(run.folder) for run in runs))
    sections = [_section(runs, image, *about) for about in SECTIONS]
    return render(folders, heading(runs), warnings(runs), facts(runs), sections)


def heading(runs: list[RunFile]) -> Heading:
    """The network and the data set of the runs; of several networks their number."""
    described = [run for run in runs if isinstance(run.content.get("network"), dict) and "layers" in run.content["network"]]
    count = len({str(run.content["network"].get("sha256")) for run in described})
    if count != 1:
        return Heading(f"{count} networks" if count else "Duospike report")
    with naming(described[0]):
        network = described[0].content["network"]
        layers = network["layers"]
        sources = [run.content["data"]["source"] for run in described if "data" in run.content]
        data = network["metadata"].get("dataset") or next(iter(sources), None)
        bits = sorted({layer["weight_bits"] for layer in layers if "weight_bits" in layer})
        size = f"{sum(layer.get('weights', 0) for layer in layers)} weights of {' and '.join(map(str, bits))} bits"
        steps = f"{network['timesteps']} timesteps, {network['coding']} coding, {network['classes']} classes"
        about = (f"{size}, {steps}", f"Images: {', '.join(dict.fromkeys(sources))}" if sources else "")
        return Heading("-".join(map(_layer_text, layers)) + (f" on {data}" if data else ""), tuple(filter(None, about)))


def _layer_text(layer: dict[str, Any]) -> str:
    """A layer as architectures are written: 16C3, MP2, FC100."""
    if "weights" not in layer:
        return "MP2"
    outputs = layer["shape"][0]
    return f"{outputs}C{layer['kernel']}" if "kernel" in layer else f"FC{outputs}"


def render(folders: list[str], heading: Heading, warnings: list[str], facts: list[Fact], sections: list[Section]) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=PackageLoader("duospike.cosim.pages"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        title=f"Duospike: {heading.title}", folders=folders, heading=heading, warnings=warnings, facts=facts, sections=sections
    )


def check_image(runs: list[RunFile], image: int) -> None:
    """Refuse an image that none of the runs with images holds."""
    held = []
    for run in runs:
        if run.command in ("cosim", "cycles"):
            with naming(run):
                images = run.content["images"]
                held.append(len(images) if run.command == "cosim" else int(images))
    if held and image >= max(held):
        raise InputError(f"image {image} is in no run here; allowed: 0 to {max(held) - 1}")


def warnings(runs: list[RunFile]) -> list[str]:
    """What must be known before figures of several runs are put side by side."""
    networks = {str(run.content["network"].get("sha256")) for run in runs if isinstance(run.content.get("network"), dict)}
    sizings = {json.dumps(run.content["sizing"], sort_keys=True) for run in runs if "sizing" in run.content}
    found = []
    if len(networks) > 1:
        found.append(f"These runs are of {len(networks)} networks: their figures do not belong together.")
    if len(sizings) > 1:
        found.append(f"These runs are of {len(sizings)} sizings of the accelerator: their figures do not belong to one design.")
    return found


def facts(runs: list[RunFile]) -> list[Fact]:
    """The key figures, each of every run that has it, or said to be not measured."""
    found: list[Fact] = []
    for label, figures in FACTS:
        of_label: list[Fact] = []
        for command, figure in figures.items():
            for run in runs if not of_label else []:
                if run.command == command:
                    with naming(run):
                        of_label.append(Fact(label, *figure(run)))
        found += of_label or [Fact(label, Cell("not measured"), f"duospike {next(iter(figures))}", "missing")]
    return found


def _equal_fact(run: RunFile) -> tuple[Cell, str, str]:
    is_equal = run.content["bit_exact"]
    return Cell("yes" if is_equal else "NO"), f"{run.path}, {run.content['simulator']}", "good" if is_equal else "bad"


def _interval_fact(run: RunFile) -> tuple[Cell, str]:
    return decimal(run.content["interval"]) or Cell("one image only"), str(run.path)


def _accuracy_fact(run: RunFile) -> tuple[Cell, str]:
    images = run.content["images"]
    return _accuracy(run), f"{run.path}, {images if run.command == 'evaluate' else len(images)} images"


def _rate_fact(run: RunFile) -> tuple[Cell, str]:
    interval = run.content["interval"]
    return decimal(interval and CLOCK_HZ / interval) or Cell("one image only"), str(run.path)


def _latency_fact(run: RunFile) -> tuple[Cell, str]:
    """Of the first image, which waits for no other."""
    cycles = run.content["latency"] if run.command == "cycles" else run.content["images"][0]["cycles"]
    return decimal(cycles and cycles / CLOCK_HZ * 1e3, 3) or Cell("no class came"), str(run.path)


def _total_fact(run: RunFile) -> tuple[Cell, str]:
    return Cell(str(run.content["total_cycles"]), run.content["total_cycles"]), str(run.path)


AT_CLOCK = f"at {CLOCK_HZ / 1e6:g} MHz"
FACTS: tuple[tuple[str, dict[str, Callable[[RunFile], Any]]], ...] = (
    ("Accuracy", {"evaluate": _accuracy_fact, "cosim": _accuracy_fact}),
    (f"Images a second {AT_CLOCK}", {"cycles": _rate_fact, "cosim": _rate_fact}),
    (f"Latency {AT_CLOCK}, ms", {"cycles": _latency_fact, "cosim": _latency_fact}),
    ("Bit-exact", {"cosim": _equal_fact}),
    ("Cycles an image", {"cycles": _interval_fact, "cosim": _interval_fact}),
    ("Cycles in simulation", {"cosim": _total_fact}),
    ("Energy, nJ an image", {"energy": lambda run: (decimal(run.content["total"]), f"{run.path}, modelled")}),
    ("Clock, MHz", {PLACED: lambda run: (decimal(run.content["fmax_mhz"], 1), f"{run.path}, {run.content['device']}")}),
    ("LUTs", {"synth": lambda run: (decimal(run.content["total"]["lut"]), f"{run.path}, {run.content['family']}")}),
)
"""Of each key figure its label, and for the commands that measure it, the best first, what it is in a file: value, source and
mood."""


def _section(runs: list[RunFile], image: int, anchor: str, title: str, builders: dict[str, Builder]) -> Section:
    """What several files say alike is shown once."""
    shown: list[tuple[list[str], list[Block]]] = []
    for run in runs:
        builder = builders.get(run.command) or builders.get(EVERY)
        if builder:
            with naming(run):
                found = builder(run, image)
                _check_cells(found)
            same = next((sources for sources, blocks in shown if blocks == found), None)
            if same is None:
                shown.append(([str(run.path)], found))
            else:
                same.append(str(run.path))
    blocks = [block for sources, found in shown for block in (Source(", ".join(sources)), *found)]
    measured = {run.command for run in runs}
    blocks += [
        Line(f"Not measured here: duospike {command} MODEL.", "missing")
        for command in builders
        if command not in measured | {EVERY}
    ]
    return section_of(anchor, title, blocks)


def section_of(anchor: str, title: str, blocks: list[Block]) -> Section:
    """A section whose plots have names of their own. TypeError: what a file has in the place of a number or text is neither."""
    _check_cells(blocks)
    return Section(anchor, title, [named(block, f"{anchor}-{i}") for i, block in enumerate(blocks)])


def _check_cells(blocks: list[Block]) -> None:
    for block in blocks:
        if isinstance(block, Table) and len(block.rows) > MAX_ROWS:
            raise ValueError(f"{len(block.rows)} rows of {block.title!r}; allowed: up to {MAX_ROWS}")
    for cell in (cell for block in blocks if isinstance(block, Table) for row in block.rows for cell in row):
        if not isinstance(cell, Cell | str | int | float | None):
            raise TypeError(f"{cell!r} in the place of a number or a text")


@contextmanager
def naming(run: RunFile) -> Iterator[None]:
    """Name the file whose content is not of the shape that its command writes."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        raise InputError(
            f"{run.path}: not what `duospike {run.command}` writes ({type(error).__name__}: {' '.join(str(error).split())})"
        ) from None
