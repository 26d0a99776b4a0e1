{# The ports of a block for MyHDL, see icarus_cosimulation.py. #}
`timescale 1ns/1ps

module bench;

{% for port in top.inputs %}
reg [${port.width - 1}:0] ${port.name} = 0;
{% endfor %}
{% for port in top.outputs %}
wire [${port.width - 1}:0] ${port.name};
{% endfor %}
wire [${[1, watched | length] | max - 1}:0] unknown = {{% for name, valid in watched.items() | reverse %}${valid ~ " === 1'b1 && " if valid}(^${name}) === 1'bx${", " if not loop.last}{% else %}1'b0{% endfor %}};

initial begin
    $from_myhdl(${top.inputs | join(", ", attribute="name")});
    $to_myhdl(${top.outputs | join(", ", attribute="name")}, unknown);
end

${top.name} dut ({% for port in top.ports %}.${port.name}(${port.name})${", " if not loop.last}{% endfor %});

endmodule
