import json
import subprocess

from duospike.cosim.axi.register_pages import as_json, c_header, json_text, markdown_page, markdown_table
from tests.rtl.test_registers import small_map


def test_the_c_header_holds_the_table(tmp_path):
    """A C program prints all macros; a compiler reads them."""
    registers = small_map()
    expected = {}
    for i, register in enumerate(registers.registers):
        expected[f"DUOSPIKE_{register.name}"] = 4 * i
        if i < 8:
            expected[f"DUOSPIKE_{register.name}_VALUE"] = register.value
        for bits in register.bits:
            expected[f"DUOSPIKE_{register.name}_{bits.name}"] = sum(1 << k for k in range(bits.low, bits.low + bits.width))
            expected[f"DUOSPIKE_{register.name}_{bits.name}_SHIFT"] = bits.low
    (tmp_path / "registers.h").write_text(c_header(registers))
    prints = "\n".join(f'printf("{name} %u\\n", {name});' for name in expected)
    include = '#include "registers.h"\n'
    (tmp_path / "main.c").write_text(f"#include <stdio.h>\n{include * 2}int main(void) {{\n{prints}\nreturn 0;\n}}\n")
    compiler = ["cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "main.c", "-o", "main"]
    subprocess.run(compiler, cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout
    assert {line.split()[0]: int(line.split()[1]) for line in printed.splitlines()} == expected
    assert c_header(registers).count("#define") == len(expected) + 1


def test_the_markdown_page_has_a_row_for_each_register_and_bit_field():
    registers = small_map()
    rows = markdown_table(registers).splitlines()
    assert len(rows) == 2 + len(registers) + sum(len(register.bits) for register in registers.registers)
    assert {row.count("|") for row in rows} == {5}
    for i, register in enumerate(registers.registers):
        assert any(row.startswith(f"| `{4 * i:#05x}` | `{register.name}` |") for row in rows)
    assert markdown_page(registers, "shell").endswith(markdown_table(registers))


def test_json_is_read_back_as_it_was():
    registers = small_map()
    entries = as_json(registers)
    assert json.loads(json_text(entries)) == entries
    assert entries["CONTROL"] == {"offset": 0x20, "access": "read, write", "bits": {"START": 1, "STOP": 2, "RESET": 4}}
    assert entries["IMAGE_BEATS"] == {"offset": 0x18, "access": "read", "value": 42}
    assert entries["READOUT_BUSY"] == {"offset": registers.offset("READOUT_BUSY"), "access": "read"}
