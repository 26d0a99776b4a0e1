"""The report of a placement that the test wrote: its sums by hand, and each cell in its stage and block."""

from io import StringIO

import pytest
from rich.console import Console

from duospike.cosim.conversion.convert import Module
from duospike.cosim.energy.image_costs import ImageCosts
from duospike.cosim.timing.place_route import Placement, Target
from duospike.cosim.timing.report import Location, Locator, ends_table, make_report, timing_lines

INSIDE = {
    "rom_1": [],
    "lif_1": [("rom_1", "theta_rom")],
    "dense_core_1": [("lif_1", "fire_neurons")],
    "sparse_fc_1": [("rom_1", "weight_rom"), ("lif_1", "fire_neurons")],
    "accelerator": [("dense_core_1", "conv1"), ("sparse_fc_1", "fc1")],
}
MODULES = [
    Module(name, f"{name}.v", "".join(f"{of} {instance} (\n);\n" for of, instance in held), (), ())
    for name, held in INSIDE.items()
]
FROM, LUT = "conv1.fire_neurons.held[1]_TRELLIS_FF_Q_3", "conv1.fire_neurons.held[1]_TRELLIS_FF_Q_3_DI_LUT4_Z"
ACROSS, CARRY, END = "fc1.ready_LUT4_A", "fc1.sums[0]_CCU2C_A0_1$CCU2_COMB1", "fc1.sums[0]_TRELLIS_FF_Q"
MEMORY, PADDED = "fc1.weight_rom.mem.0.0", "dst_ready_LUT4_C"


def segment(kind, source, sink, delay):
    return {"type": kind, "delay": delay, "from": {"cell": source, "port": "Q"}, "to": {"cell": sink, "port": "A"}}


PATH = [
    segment("clk-to-q", FROM, FROM, 0.5),
    segment("routing", FROM, LUT, 1.0),
    segment("logic", LUT, LUT, 0.25),
    segment("routing", LUT, ACROSS, 2.0),
    segment("logic", ACROSS, ACROSS, 0.25),
    segment("routing", ACROSS, CARRY, 0.75),
    segment("logic", CARRY, CARRY, 0.5),
    segment("routing", CARRY, END, 0.125),
    segment("setup", END, END, 0.125),
]


def endpoint(cell, delay):
    return {"cell": cell, "port": "DI", "event": "posedge clk", "delay": [0.1, delay]}


REPORT = {
    "fmax": {"clk": {"achieved": 125.0, "constraint": 100}},
    "utilization": {
        "TRELLIS_FF": {"used": 3, "available": 83640}, "TRELLIS_COMB": {"used": 1000, "available": 83640},
        "DP16KD": {"used": 52, "available": 208}, "ALU54B": {"used": 0, "available": 78},
    },
    "critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": PATH}],
    "detailed_net_timings": [
        {"endpoints": [endpoint(FROM, 3.0), endpoint(END, 5.5)]},
        {"endpoints": [endpoint(MEMORY, 6.25), endpoint("conv1.fire_neurons.patterns[0]_TRELLIS_FF_Q", 4.0)]},
        {"endpoints": [endpoint(MEMORY, 2.0)]},
    ],
}  # fmt: skip
COSTS = ImageCosts(images=20, interval=2500.0, latency=6000, dynamic=40.0)


@pytest.fixture(scope="module")
def timing():
    return make_report(Placement(Target(7, 100, 2), "nextpnr 0.0", REPORT, ""), MODULES, COSTS)


@pytest.mark.parametrize(
    "cell, location",
    [
        (FROM, Location("conv1", "lif", "conv1.fire_neurons", "held[1]")),
        (LUT, Location("conv1", "lif", "conv1.fire_neurons", "held[1]")),
        (ACROSS, Location("fc1", "sparse_fc", "fc1", "ready")),
        (CARRY, Location("fc1", "sparse_fc", "fc1", "sums[0]")),
        (MEMORY, Location("fc1", "rom", "fc1.weight_rom", "mem.0.0")),
        ("fc1.state.0.10$DPRAM_COMB3", Location("fc1", "sparse_fc", "fc1", "state.0.10")),
        ("conv1.fire_neurons", Location("conv1", "lif", "conv1.fire_neurons", "")),
        (PADDED, Location("top", "accelerator", "top", "dst_ready")),
        ("$PACKER_GND", Location("top", "accelerator", "top", "")),
    ],
)
def test_a_cell_is_in_its_stage_and_block(cell, location):
    assert Locator(MODULES).locate(cell) == location


def test_use_and_clock(timing):
    assert (timing["device"], timing["speed"], timing["seed"], timing["target_mhz"]) == ("LFE5U-85F", 7, 2, 100)
    assert list(timing["utilization"]) == ["DP16KD", "TRELLIS_COMB", "TRELLIS_FF"]
    assert (timing["fmax_mhz"], timing["nextpnr"]) == (125.0, "nextpnr 0.0")


def test_the_critical_path_by_logic_routing_and_instance(timing):
    path = timing["critical_path"]
    assert (path["delay"], path["logic"], path["routing"]) == (5.5, 1.625, 3.875)
    assert (path["start"]["signal"], path["end"]["instance"], path["end"]["signal"]) == ("held[1]", "fc1", "sums[0]")
    assert path["through"] == [
        {"stage": "conv1", "block": "lif", "instance": "conv1.fire_neurons", "delay": 1.75, "nets": 1},
        {"stage": "fc1", "block": "sparse_fc", "instance": "fc1", "delay": 3.75, "nets": 3},
    ]


def test_the_slowest_path_into_each_instance(timing):
    ends = [(end["instance"], end["signal"], end["delay"]) for end in timing["slowest_ends"]]
    assert ends == [
        ("fc1.weight_rom", "mem.0.0", 6.25), ("fc1", "sums[0]", 5.5), ("conv1.fire_neurons", "patterns[0]", 4.0)
    ]  # fmt: skip


def test_images_at_the_clock(timing):
    images = timing["images"]
    assert (images["images"], images["latency"], images["images_per_second"]) == (20, 6000, 125e6 / 2500)
    # 1000 LUTs of 24 mA x 1.2 V / 22,528 each, for 20 microseconds.
    assert images["static"] == pytest.approx(1000 * 0.0288 / 22528 * 20e-6 * 1e9)


def test_everything_is_printed(timing):
    text = "\n".join(timing_lines(timing))
    for part in ("125.0 MHz on LFE5U-85F-7 with seed 2", "DP16KD 52 of 208 (25%)", "5.50 ns", "1.62 of logic", "3.88 of routing"):
        assert part in text, part
    for part in ("from conv1.fire_neurons.held[1] to fc1.sums[0]", "fc1 (sparse_fc) 3.75 ns", "50000 a second"):
        assert part in text, part
    output = StringIO()
    Console(width=120, file=output).print(ends_table(timing))
    rows = [line.split() for line in output.getvalue().splitlines() if "160.0" in line or "250.0" in line]
    assert rows == [
        ["fc1", "6.25", "160.0", "rom", "fc1.weight_rom.mem.0.0"],
        ["conv1", "4.00", "250.0", "lif", "conv1.fire_neurons.patterns[0]"],
    ]
