"""The script for Vivado in a plain Tcl interpreter, with Vivado's commands replaced by ones that write down their arguments."""

import subprocess

import pytest

from duospike.cosim.axi.vivado import clock_constraints, package_script

COMMANDS = ["create_project", "add_files", "set_property", "update_compile_order", "ipx::package_project",
            "ipx::associate_bus_interfaces", "ipx::create_xgui_files", "ipx::update_checksums", "ipx::check_integrity",
            "ipx::save_core"]  # fmt: skip
STUBS = "namespace eval ipx {}\n" + "".join(
    f"proc {name} {{args}} {{ puts \"{name} $args\" }}\n" for name in COMMANDS
) + """
proc get_files {args} { return "files:[join $args]" }
proc current_fileset {} { return sources_1 }
proc ipx::current_core {} { return CORE }
"""  # fmt: skip


def run_script(folder, missing=None, language="verilog"):
    """Lines that the script's commands write; Yosys has a Tcl interpreter."""
    suffix = {"verilog": "v", "vhdl": "vhd"}[language]
    sources, tables = [f"a.{suffix}", f"axi_shell.{suffix}"], ["identity.hex", "w.hex"]
    for name in {*sources, *tables, "clock.xdc"} - {missing}:
        (folder / name).write_text("")
    (folder / "package_ip.tcl").write_text(package_script("axi_shell", "0.2", "0.2.0rc1", sources, tables, language))
    (folder / "run.tcl").write_text(f"{STUBS}\nsource {folder}/package_ip.tcl\n")
    return subprocess.run(["yosys", "-Q", "-T", "-c", folder / "run.tcl"], cwd="/", capture_output=True, text=True)


@pytest.mark.parametrize("language, kind", [("verilog", "Verilog"), ("vhdl", "VHDL 2008")])
def test_every_file_is_added_and_every_interface_gets_the_clock(tmp_path, language, kind):
    done = run_script(tmp_path, language=language)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(tuple(COMMANDS))]
    added = " ".join(line for line in lines if line.startswith("add_files"))
    assert all(f"{tmp_path}/{file.name}" in added for file in tmp_path.iterdir() if file.suffix != ".tcl")
    assert any(line.startswith("set_property file_type") and kind in line for line in lines)
    for bus in ("s_axi", "s_axis", "m_axis"):
        assert f"ipx::associate_bus_interfaces -busif {bus} -clock aclk CORE" in lines
    assert "ipx::associate_bus_interfaces -clock aclk -reset aresetn CORE" in lines
    assert "set_property version 0.2 CORE" in lines and any("by Duospike 0.2.0rc1" in line for line in lines)
    assert "set_property top axi_shell sources_1" in lines and lines[-1] == "ipx::save_core CORE"


@pytest.mark.parametrize("missing", ["a.v", "w.hex", "clock.xdc"])
def test_a_missing_file_ends_the_script(tmp_path, missing):
    done = run_script(tmp_path, missing)
    assert done.returncode != 0 and f"{missing} is missing" in done.stdout + done.stderr


@pytest.mark.parametrize("mhz, period", [(100, "10.000"), (125.5, "7.968"), (1000, "1.000")])
def test_the_period_is_that_of_the_clock(mhz, period):
    assert f"create_clock -name aclk -period {period} [get_ports aclk]" in clock_constraints(mhz)
