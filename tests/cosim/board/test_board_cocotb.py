"""A board's core against a serial line that others wrote: cocotbext-uart, in Icarus under cocotb."""

import json
from xml.etree import ElementTree

import pytest

from duospike.cosim.axi.pynq_driver import Accelerator
from duospike.cosim.conversion.convert import write_modules
from duospike.reference import golden
from tests.benches.board_bench import LINE, small_board

pytest.importorskip("cocotbext.uart")


class NoCore:
    """Registers of a core that is not there, for a driver that only encodes."""

    def __init__(self, registers):
        self.values = {register["offset"]: register.get("value", 0) for register in registers.values()}

    def read(self, offset):
        return self.values[offset]


@pytest.mark.slow
def test_cocotbext_uart(tmp_path):
    from cocotb_tools import runner

    board = small_board()
    images = board.images(3)
    trace = golden.run(board.network, images)
    core = Accelerator(board.description, NoCore(board.description["registers"]), None)
    content = {
        "registers": board.description["registers"],
        "images": [image.tobytes().hex() for image in core.encode(images)],
        "beats": board.network.input_shape[1] * board.network.input_shape[2],
        "results": [[int(head), *scores] for head, scores in zip(trace.predicted, trace.scores.tolist(), strict=True)],
        "divider": LINE.divider,
        "timeout": LINE.timeout,
    }
    (tmp_path / "run.json").write_text(json.dumps(content))
    sources = write_modules(list(board.modules), tmp_path)
    run = runner.get_runner("icarus")
    scale = ("1ns", "1ps")
    run.build(sources=sources, hdl_toplevel="board_core", build_dir=tmp_path, build_args=["-g2005"], timescale=scale)
    results = run.test(
        hdl_toplevel="board_core", test_module="tests.benches.cocotb_board", build_dir=tmp_path, test_dir=tmp_path,
        timescale=scale, extra_env={"BOARD_RUN": str(tmp_path / "run.json")},
    )  # fmt: skip
    cases = ElementTree.parse(results).findall(".//testcase")
    failed = [case.get("name") for case in cases if any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))]
    assert len(cases) == 3 and failed == []
