"""After routing a design is still the same: spikes, counters, and the cycle of every byte on the line; in Verilator."""

import json
import re
from dataclasses import replace

import pytest

from duospike.cosim.board.bitstream import BITSTREAM, ROUTED, build_bitstream
from duospike.cosim.board.boards import board_named
from duospike.cosim.board.host import Host, run_images
from duospike.cosim.board.routed import _for_models, cells, design_modules, netlist_text, routed_modules
from duospike.cosim.board.simulated_port import BOARD_PINS, simulated_board
from duospike.cosim.board.top import clock_of
from duospike.cosim.errors import CosimError
from tests.benches.board_bench import LINE, PATIENCE, small_board

COUNT = 3


@pytest.fixture(scope="module")
def routed(tmp_path_factory):
    """The small board in a bitstream for the ULX3S-25F."""
    folder = tmp_path_factory.mktemp("routed")
    board = board_named("ulx3s-25f")
    return build_bitstream(board, small_board().modules, clock_of(board, 50.0, folder), folder)


def run(modules, folder):
    """What a run gave, and the bytes that the board sent, each with its cycle."""
    folder.mkdir(exist_ok=True)
    board = small_board()
    with (
        simulated_board(modules, LINE, folder, "verilator", BOARD_PINS) as port,
        Host(lambda: port, board.description, patience=PATIENCE, seed=1) as host,
    ):
        return run_images(host, board.network, board.stages, board.images(COUNT)), port.log


@pytest.fixture(scope="module")
def before(routed, tmp_path_factory):
    return run(design_modules(routed.design), tmp_path_factory.mktemp("before"))


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_routed_design_is_equal_in_every_cycle(routed, before, tmp_path):
    found, log = run(routed_modules(routed.folder), tmp_path)
    assert found.differences == before[0].differences == [] and found.repeated == 0
    assert log == before[1] and len(log) > 300
    assert (routed.folder / BITSTREAM).stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_flipped_bit_of_the_routed_netlist_is_caught(routed, before, tmp_path):
    netlist = json.loads((routed.folder / ROUTED).read_text())
    [top] = netlist["modules"].values()
    # Of the LUT before a spike: its bit for zeros at all inputs that it uses.
    name = min(name for name in top["cells"] if re.search(r"\.conv1\..*spike_TRELLIS_FF_Q_DI_LUT4_Z$", name))
    changed = top["cells"][name]
    place = sum(2**i for i, pin in enumerate("ABCD") if not changed["connections"].get(pin))
    bits = [*changed["parameters"]["INITVAL"].strip()]
    bits[15 - place] = "10"[int(bits[15 - place])]
    changed["parameters"]["INITVAL"] = "".join(bits)
    cells_module, board = routed_modules(routed.folder)
    damaged = replace(board, text=netlist_text(netlist, routed.folder))
    assert damaged.text != board.text
    found, log = run((cells_module, damaged), tmp_path)
    assert found.differences and log != before[1]


def cell(kind, parameters=None, pins=None, **directions):
    return {
        "type": kind, "parameters": parameters or {}, "connections": pins or {}, "port_directions": directions, "attributes": {},
    }  # fmt: skip


def test_inputs_that_lead_nowhere_have_the_level_of_the_device():
    lut = _for_models("x", cell("TRELLIS_COMB", {}, {"A": [2], "B": []}, A="input", B="input", C="input"))
    assert lut["connections"] == {"A": [2], "B": ["1"], "C": ["1"]}
    mux = _for_models("x", cell("TRELLIS_COMB", {}, {"FXA": [4], "FXB": [5], "M": [6]}, FXA="input", FXB="input", M="input"))
    assert mux["parameters"]["IS_Z1"] == "1" and "IS_Z1" not in lut["parameters"]
    flop = _for_models("x", cell("TRELLIS_FF", {"SD": "0"}, {"M": [3], "LSR": []}, M="input", LSR="input"))
    assert flop["connections"] == {"DI": [3], "LSR": ["0"]} and "SD" not in flop["parameters"]


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"DATA_WIDTH_A": "100", "DATA_WIDTH_B": "10010"}, "a block RAM of 4 bits; modelled: 9, 18, 36"),
        ({"DATA_WIDTH_A": "1001", "DATA_WIDTH_B": "10010", "REGMODE_A": "OUTREG"}, "REGMODE_A OUTREG; modelled: NOREG"),
    ],
)
def test_what_has_no_model_is_refused(parameters, message):
    with pytest.raises(CosimError, match=message):
        _for_models("x", cell("DP16KD", parameters))


def test_the_pll_is_a_wire():
    assert "assign CLKOP = CLKI;" in cells(routed=False).text
