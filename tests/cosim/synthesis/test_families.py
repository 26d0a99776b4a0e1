import pytest

from duospike.cosim.errors import CosimError
from duospike.cosim.synthesis.families import ECP5, TECHMAP, TECHMAP_FILE, XCUP, check_multipliers, family_named
from duospike.cosim.synthesis.yosys import run_yosys

SAME = ["miter -equiv -flatten before after both", "sat -verify -prove trigger 0 both"]


def mapped_equally(expression, folder, widths, signs=("", ""), options="", techmap=TECHMAP):
    """Let Yosys map one operation by the techmap file, and prove that all results are the same; returns the cells."""
    (folder / TECHMAP_FILE).write_text(techmap)
    (a, b, y), (a_sign, b_sign) = widths, signs
    (folder / "before.v").write_text(
        f"module before(input {a_sign} [{a - 1}:0] a, input {b_sign} [{b - 1}:0] b, output [{y - 1}:0] y);\n"
        f"assign y = {expression};\nendmodule\n"
    )
    commands = ["read_verilog before.v", "copy before after", f"techmap -map {TECHMAP_FILE} {options} after"]
    log = run_yosys([*commands, "stat after", "opt_clean", *SAME], folder)
    return log.partition("=== after ===")[2].partition("MITER")[0]


@pytest.mark.parametrize("signs", [("", ""), ("signed", "signed")])
@pytest.mark.parametrize("widths", [(8, 4, 12), (4, 9, 13), (5, 5, 7), (2, 2, 9), (3, 6, 4)])
def test_products_as_rows(widths, signs, tmp_path):
    cells = mapped_equally("a * b", tmp_path, widths, signs, "-D ALL_PRODUCTS")
    assert "$mul" not in cells and "$alu" in cells


@pytest.mark.parametrize("signs", [("", ""), ("signed", "signed")])
@pytest.mark.parametrize("constant", [5, 38, -3])
def test_products_with_a_constant_need_no_multiplier(constant, signs, tmp_path):
    cells = mapped_equally(f"a * {constant} + b", tmp_path, (7, 3, 11), signs)
    assert "$mul" not in cells and "$alu" in cells


def test_a_wrong_sign_is_found(tmp_path):
    wrong = TECHMAP.replace("before - term", "before + term")
    with pytest.raises(CosimError, match="proof did fail"):
        mapped_equally("a * b", tmp_path, (8, 4, 12), ("signed", "signed"), "-D ALL_PRODUCTS", wrong)


def test_other_products_stay(tmp_path):
    assert "$mul" in mapped_equally("a * b", tmp_path, (8, 4, 12))


@pytest.mark.parametrize("signs", [("", ""), ("signed", "signed"), ("signed", "")])
@pytest.mark.parametrize("expression", ["a + b", "a - b", "b - a"])
def test_additions_keep_their_carry_chains(expression, signs, tmp_path):
    cells = mapped_equally(expression, tmp_path, (6, 4, 8), signs)
    assert "$alu" in cells and "$add" not in cells and "$sub" not in cells


def test_commands():
    assert XCUP.commands("m", "lut", flat=True, block_ram=False)[-2:] == [
        "synth_xilinx -family xcup -noiopad -noclkbuf -top m -flatten -nodsp -nobram",
        "check -assert",
    ]
    assert ECP5.commands("m")[-6:] == [
        "synth_ecp5 -top m -noflatten -run :map_luts",
        "check -latchonly -assert",
        "abc9 -W 900",
        "clean",
        "synth_ecp5 -top m -noflatten -run map_cells:",
        "check -assert",
    ]
    assert ECP5.commands("m", flat=True)[-6] == "synth_ecp5 -top m -run :map_luts"


def test_unknown_families_and_multipliers_are_refused():
    with pytest.raises(CosimError, match="FPGA family 'max10'; allowed: xcup, ecp5"):
        family_named("max10")
    with pytest.raises(CosimError, match="multipliers 'none'; allowed: dsp, lut"):
        check_multipliers("none")
