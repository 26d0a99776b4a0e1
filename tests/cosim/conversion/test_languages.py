"""What is read from, and fixed in, the texts that MyHDL writes."""

import pytest
from myhdl import Signal, always_comb, block, intbv

from duospike.cosim.conversion.convert import convert
from duospike.cosim.conversion.languages import LANGUAGES, Port, Verilog, Vhdl
from duospike.rtl.stream import Stream, signed


@block
def all_ports(bit, number, vector, stream, total):
    """A port of every kind; `vector` has one bit."""

    @always_comb
    def pass_on():
        stream.valid.next = bit and stream.ready
        stream.data.next = vector
        total.next = number

    return pass_on


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_port_is_lost(language):
    signals = {"bit": Signal(bool(0)), "number": signed(5), "vector": Signal(intbv(0)[1:])}
    module = convert(all_ports(**signals, stream=Stream(130), total=signed(9)), language=language)[-1]
    inputs = {"bit": 1, "number": 5, "vector": 1, "stream_ready": 1}
    outputs = {"stream_valid": 1, "stream_data": 130, "total": 9}
    assert set(module.ports) == {
        *(Port(name, "input", width) for name, width in inputs.items()),
        *(Port(name, "output", width) for name, width in outputs.items()),
    }


def test_sensitivity_lists_have_one_order():
    """MyHDL's is that of a set, which changes from one process to the next."""
    assert Verilog.tidy("always @(c, a, b) begin") == "always @(a, b, c) begin"
    assert Verilog.tidy("always @(posedge clk) begin") == "always @(posedge clk) begin"
    assert Vhdl.tidy("work: process (c, a(1), b) is") == "work: process (a(1), b, c) is"


def test_signed_parts_of_a_joined_vector_are_cast():
    assert Vhdl.tidy("a_joined(5 downto 2) <= part;") == "a_joined(5 downto 2) <= unsigned(part);"
    assert Vhdl.tidy("other(5 downto 2) <= part;") == "other(5 downto 2) <= part;"
