"""For Vivado: a Tcl script that packages the AXI shell as an IP, and the constraints of its clock."""

from __future__ import annotations

VENDOR, LIBRARY = "duospike", "user"
CONSTRAINTS = "clock.xdc"
SCRIPT = "package_ip.tcl"
BUSES = ("s_axi", "s_axis", "m_axis")
PART = "xc7z020clg400-1"
"""Of the PYNQ-Z2; another one can be given to the script."""


def clock_constraints(mhz: float) -> str:
    """XDC for the shell on its own; in a larger design the clock comes from there."""
    return f"""\
# The core on its own, out of context: {mhz:g} MHz.
create_clock -name aclk -period {1000 / mhz:.3f} [get_ports aclk]
"""


def package_script(top: str, version: str, generator: str, sources: list[str], tables: list[str], language: str) -> str:
    """Tcl that packages the folder it lies in: `vivado -mode batch -source package_ip.tcl [-tclargs PART]`, in any folder.

    version: of the IP, which for Vivado is MAJOR.MINOR. generator: the whole version of Duospike, for the description.
    """
    file_type = "{VHDL 2008}" if language == "vhdl" else "Verilog"
    return f"""\
# Packages the core as an IP, {VENDOR}:{LIBRARY}:{top}:{version}, in the folder ip beside this script.
#   vivado -mode batch -source {SCRIPT} [-tclargs PART]
# The design is generated for any part; PART (default {PART}) is what Vivado needs for its project.

set here [file dirname [file normalize [info script]]]
set part {PART}
if {{[info exists argv] && [llength $argv] > 0}} {{
    set part [lindex $argv 0]
}}
set sources {{
{_indented(sources)}
}}
set tables {{
{_indented(tables)}
}}

proc beside {{folder names}} {{
    set paths {{}}
    foreach name $names {{
        if {{![file exists [file join $folder $name]]}} {{
            error "$name is missing in $folder"
        }}
        lappend paths [file join $folder $name]
    }}
    return $paths
}}

create_project -in_memory -part $part
add_files -norecurse [beside $here $sources]
set_property file_type {file_type} [get_files [beside $here $sources]]
# The contents of the ROMs, which the sources read by name.
add_files -norecurse [beside $here $tables]
set_property file_type {{Memory Initialization Files}} [get_files [beside $here $tables]]
add_files -fileset constrs_1 -norecurse [beside $here {CONSTRAINTS}]
set_property used_in {{synthesis implementation out_of_context}} [get_files [beside $here {CONSTRAINTS}]]
set_property top {top} [current_fileset]
update_compile_order -fileset sources_1

ipx::package_project -root_dir [file join $here ip] -vendor {VENDOR} -library {LIBRARY} -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property name {top} $core
set_property version {version} $core
set_property display_name {{Duospike accelerator}} $core
set_property description {{Spiking neural network with AXI4-Lite and AXI4-Stream, by Duospike {generator}}} $core

# Vivado finds the interfaces by the names of their ports; all belong to one clock and one reset.
foreach bus {{{" ".join(BUSES)}}} {{
    ipx::associate_bus_interfaces -busif $bus -clock aclk $core
}}
ipx::associate_bus_interfaces -clock aclk -reset aresetn $core

ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity $core
ipx::save_core $core
puts "packaged {VENDOR}:{LIBRARY}:{top}:{version} in [file join $here ip]"
"""


def _indented(names: list[str]) -> str:
    return "\n".join(f"    {name}" for name in names)
