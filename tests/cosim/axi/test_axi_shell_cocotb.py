"""The AXI shell against bus models that others wrote: cocotbext-axi, in Icarus and in GHDL under cocotb."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from cocotb_tools import runner

from duospike.cosim.axi.loadable import network_words
from duospike.cosim.axi.pynq_driver import INVALID, Accelerator
from duospike.cosim.conversion.convert import write_modules
from duospike.reference import golden
from tests.benches.shell_bench import shell_design
from tests.benches.small_networks import small_network

OPTIONS = {
    "icarus": {"build": ["-g2005"], "test": [], "plus": []},
    # Before reset all is unknown, and numeric_std would say so once a signal.
    "ghdl": {"build": ["--std=08"], "test": ["--std=08"], "plus": ["--ieee-asserts=disable"]},
}
"""Of each simulator: those of a build, of a test, and those that come after the name of the top."""


class NoCore:
    """Registers of a core that is not there, for a driver that only encodes."""

    def __init__(self, registers):
        self.values = {register["offset"]: register.get("value", 0) for register in registers.values()}

    def read(self, offset):
        return self.values[offset]


def run_of(design, network, words):
    """Five packets, one of them short and one long, and what they must give by `network`, of which `words` are to be loaded."""
    images = design.images(5)
    channels, height, width = network.input_shape
    beats = height * width
    core = Accelerator(design.description, NoCore(design.description["registers"]), None)
    packets = core.encode(images).reshape(5, beats, -1)
    values = [[int.from_bytes(beat.tobytes(), "little") for beat in packet] for packet in packets]
    values[1], values[3] = values[1][: beats // 2], values[3] + values[0][:3]
    images[1].reshape(channels, beats)[:, beats // 2 :] = 0
    trace = golden.run(network, images)
    heads = trace.predicted + np.array([0, INVALID, 0, INVALID, 0])
    results = [[int(head), *counts] for head, counts in zip(heads, trace.scores.tolist(), strict=True)]
    bits = design.description["registers"]["ERRORS"]["bits"]
    return {
        "registers": design.description["registers"],
        "packets": values,
        "results": results,
        "words": words,
        "errors": bits["SHORT_IMAGE"] | bits["LONG_IMAGE"],
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [{}, {"architecture": "4C3-FC6", "shape": (3, 5, 3), "image_signed": True}, {"loadable": True, "headroom": 2, "seed": 11}],
    ids=["small", "wide", "loadable"],
)
def test_cocotbext_axi(settings, simulator, tmp_path):
    design = shell_design(**settings, simulator=simulator)
    network, words = design.network, []
    if "loadable" in settings:
        network = small_network("2C3-FC6", (1, 9, 8), rate=0.4, classes=6, seed=4)
        words = network_words(network, design.description["load"]).tolist()
    sources = write_modules(list(design.modules), tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(run_of(design, network, words)))
    run = runner.get_runner(simulator)
    options = {kind: list(words) for kind, words in OPTIONS[simulator].items()}
    run.build(
        sources=sources, hdl_toplevel="axi_shell", build_dir=tmp_path, build_args=options["build"], timescale=("1ns", "1ps")
    )
    results = run.test(
        hdl_toplevel="axi_shell", test_module="tests.benches.cocotb_shell", build_dir=tmp_path, test_dir=tmp_path,
        test_args=options["test"], plusargs=options["plus"], timescale=("1ns", "1ps"),
        extra_env={"SHELL_RUN": str(tmp_path / "run.json")},
    )  # fmt: skip
    cases = ElementTree.parse(results).findall(".//testcase")
    failed = [case.get("name") for case in cases if any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))]
    assert len(cases) == 6 and failed == []
