"""A loadable core in Verilog and in VHDL under a host that does anything, see axi_abuse.py: one sequence, two languages."""

import pytest

from duospike.cosim.errors import CosimError
from tests.benches.axi_abuse import Abuser
from tests.benches.shell_bench import shell_design, shell_running
from tests.benches.small_networks import small_network
from tests.rtl.test_axi_shell import planted


def abused(simulator, folder, steps, seed, stall=100, fault=None, **more):
    """The abuser when it is done. fault: of FAULTS, to plant. more: of the network."""
    settings = {"architecture": "2C3-FC2", "shape": (1, 4, 3), "classes": 2} | more
    design = shell_design(**settings, simulator=simulator, loadable=True, headroom=7, seed=11)
    networks = [small_network(**settings, rate=0.4, seed=number) for number in (4, 5)]
    modules = planted(design.modules, *FAULTS[fault][simulator]) if fault else None
    with shell_running(folder, design, modules, stall=stall, seed=seed, idle_limit=3000) as (overlay, core):
        abuser = Abuser(overlay, core, design, networks, seed)
        abuser.run(steps)
    return abuser


def test_nothing_that_a_host_does_is_lost_or_does_harm(simulator, tmp_path):
    abuser = abused(simulator, tmp_path, 150, seed=3)
    assert abuser.faults == []
    assert all(abuser.counts.values()), abuser.counts


@pytest.mark.slow
@pytest.mark.parametrize("stall", [0, 60, 190])
def test_nothing_that_a_host_does_for_long_is_lost_or_does_harm(simulator, tmp_path, stall):
    abuser = abused(simulator, tmp_path, 1500, seed=stall + 1, stall=stall)
    assert abuser.faults == []
    assert abuser.cycles > 10_000, abuser.cycles
    print(f"{simulator}, stall {stall}: {abuser.cycles} cycles, {abuser.counts}")


@pytest.mark.slow
def test_nothing_is_lost_of_frames(simulator, tmp_path):
    """A packet has the frames of all timesteps, and may end within any of them."""
    abuser = abused(simulator, tmp_path, 300, seed=5, timesteps=3, coding="frames")
    assert abuser.faults == []
    assert abuser.counts["images"] > 5, abuser.counts


FAULTS = {
    "a part of a word is written": {
        "icarus": ("is_whole <= (bus_wstrb == 15);", "is_whole <= (bus_wstrb != 0);"),
        "ghdl": ("is_whole <= stdl(bus_wstrb = 15);", "is_whole <= stdl(bus_wstrb /= 0);"),
    },
    "no strobe is an error": {
        "icarus": ("is_empty <= (bus_wstrb == 0);", "is_empty <= 1'b0;"),
        "ghdl": ("is_empty <= stdl(bus_wstrb = 0);", "is_empty <= '0';"),
    },
    "no strobe is a write": {
        "icarus": ("is_whole <= (bus_wstrb == 15);", "is_whole <= ((bus_wstrb == 15) || (bus_wstrb == 0));"),
        "ghdl": ("is_whole <= stdl(bus_wstrb = 15);", "is_whole <= stdl((bus_wstrb = 15) or (bus_wstrb = 0));"),
    },
    "a part of a word is not flagged": {
        "icarus": ("bad_access = ((commit && write_refused)", "bad_access = ((commit && write_missing)"),
        "ghdl": ("bad_access <= stdl((bool(commit) and bool(write_refused))",
                 "bad_access <= stdl((bool(commit) and bool(write_missing))"),
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found(simulator, tmp_path, fault):
    assert abused(simulator, tmp_path, 60, seed=4).faults == []
    try:
        faults = abused(simulator, tmp_path, 60, seed=4, fault=fault).faults
    except CosimError as error:
        faults = [str(error)]
    assert faults
