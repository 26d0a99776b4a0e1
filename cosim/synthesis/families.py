"""FPGA families: how Yosys maps a design to their cells, and what each cell takes."""

from __future__ import annotations

from dataclasses import dataclass

from duospike.cosim.errors import CosimError

TECHMAP_FILE = "arithmetic.v"
TECHMAP = r"""// What Yosys' own mapping does badly.

// A product as a sum of rows: those with a constant, which are not worth a DSP block, and with ALL_PRODUCTS every other one.
(* techmap_celltype = "$mul" *)
module product (A, B, Y);
    parameter A_SIGNED = 0;
    parameter B_SIGNED = 0;
    parameter A_WIDTH = 1;
    parameter B_WIDTH = 1;
    parameter Y_WIDTH = 1;
    parameter _TECHMAP_CONSTMSK_A_ = 0;
    parameter _TECHMAP_CONSTMSK_B_ = 0;
    input [A_WIDTH-1:0] A;
    input [B_WIDTH-1:0] B;
    output [Y_WIDTH-1:0] Y;

    // One row for each bit of the narrower factor; the sign bit's row counts negative.
    localparam SWAP = A_WIDTH < B_WIDTH;
    localparam ROWS = SWAP ? A_WIDTH : B_WIDTH;
    localparam ROWS_SIGNED = SWAP ? A_SIGNED : B_SIGNED;
    wire [ROWS-1:0] rows = SWAP ? A : B;
    wire [Y_WIDTH-1:0] factor = SWAP ? (B_SIGNED ? {{Y_WIDTH{B[B_WIDTH-1]}}, B} : B)
                                     : (A_SIGNED ? {{Y_WIDTH{A[A_WIDTH-1]}}, A} : A);
`ifdef ALL_PRODUCTS
    wire _TECHMAP_FAIL_ = ROWS < 2 || ROWS > Y_WIDTH;
`else
    wire _TECHMAP_FAIL_ = ROWS < 2 || ROWS > Y_WIDTH || ~((&_TECHMAP_CONSTMSK_A_) | (&_TECHMAP_CONSTMSK_B_));
`endif

    // sums[Y_WIDTH*i +: Y_WIDTH] is the sum of rows 0 to i; row i leaves the lowest i bits as they are.
    wire [Y_WIDTH*ROWS-1:0] sums;
    assign sums[Y_WIDTH-1:0] = factor & {Y_WIDTH{rows[0]}};
    genvar i;
    generate
        for (i = 1; i < ROWS; i = i + 1) begin: row
            wire [Y_WIDTH-i-1:0] before = sums[Y_WIDTH*i-1:Y_WIDTH*(i-1)+i];
            wire [Y_WIDTH-i-1:0] term = factor[Y_WIDTH-i-1:0] & {(Y_WIDTH-i){rows[i]}};
            assign sums[Y_WIDTH*i+i-1:Y_WIDTH*i] = sums[Y_WIDTH*(i-1)+i-1:Y_WIDTH*(i-1)];
            if (ROWS_SIGNED && i == ROWS - 1)
                assign sums[Y_WIDTH*(i+1)-1:Y_WIDTH*i+i] = before - term;
            else
                assign sums[Y_WIDTH*(i+1)-1:Y_WIDTH*i+i] = before + term;
        end
    endgenerate
    assign Y = sums[Y_WIDTH*ROWS-1:Y_WIDTH*(ROWS-1)];
endmodule

// Each addition keeps a carry chain of its own; Yosys would merge a sum of many terms into a tree of single-bit adders
// without carry chains, which takes several times the LUTs.
(* techmap_celltype = "$add $sub" *)
module carry_chain (A, B, Y);
    parameter _TECHMAP_CELLTYPE_ = "";
    parameter A_SIGNED = 0;
    parameter B_SIGNED = 0;
    parameter A_WIDTH = 1;
    parameter B_WIDTH = 1;
    parameter Y_WIDTH = 1;
    input [A_WIDTH-1:0] A;
    input [B_WIDTH-1:0] B;
    output [Y_WIDTH-1:0] Y;
    wire [Y_WIDTH-1:0] X, CO;
    localparam SUBTRACT = _TECHMAP_CELLTYPE_ == "$sub";
    \$alu #(
        .A_SIGNED(A_SIGNED), .B_SIGNED(B_SIGNED), .A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)
    ) _TECHMAP_REPLACE_ (.A(A), .B(B), .BI(SUBTRACT), .CI(SUBTRACT), .X(X), .Y(Y), .CO(CO));
endmodule
"""

MULTIPLIERS = ("dsp", "lut")
AREA = ("lut", "ff", "carry", "mux", "dsp", "lut_ram", "block_ram")
"""What an area counts: LUTs of logic, flip-flops, carry cells, wide multiplexers, multipliers, LUT RAM, block RAM."""


@dataclass(frozen=True)
class Family:
    """A family. synth: Yosys' command. models: its simulation models of the cells. units: by name of AREA, what is counted.

    cell_units: for each cell its name of AREA and how many units it takes. to_luts: commands that take the place of its step
    map_luts; none: its own.
    """

    name: str
    synth: str
    flattens_by_default: bool
    models: str
    units: dict[str, str]
    cell_units: dict[str, tuple[str, float]]
    to_luts: tuple[str, ...] = ()

    def commands(self, top: str, multipliers: str = "dsp", *, flat: bool = False, block_ram: bool = True) -> list[str]:
        """Commands that map the design that was read, with TECHMAP_FILE in the current folder.

        multipliers: dsp or lut. flat: one module, else the hierarchy is kept. block_ram: whether memories may go there.
        """
        options = ["-top", top]
        if flat != self.flattens_by_default:
            options.append("-flatten" if flat else "-noflatten")
        options += ["-nodsp"] * (multipliers == "lut") + ["-nobram"] * (not block_ram)
        synth = " ".join([self.synth, *options])
        steps = [f"{synth} -run :map_luts", *self.to_luts, f"{synth} -run map_cells:"] if self.to_luts else [synth]
        return [
            *("proc", "opt", "wreduce", "peepopt", "opt_clean"),
            f"techmap -map {TECHMAP_FILE}{' -D ALL_PRODUCTS' * (multipliers == 'lut')}",
            *steps,
            "check -assert",
        ]


def _cells(**kinds: dict[str, float]) -> dict[str, tuple[str, float]]:
    return {cell: (kind, units) for kind, cells in kinds.items() for cell, units in cells.items()}


XCUP = Family(
    name="xcup",
    # No pads and clock buffers: an accelerator is a part of a chip.
    synth="synth_xilinx -family xcup -noiopad -noclkbuf",
    flattens_by_default=False,
    models="xilinx/cells_sim.v",
    units={
        "lut": "LUT6", "ff": "FDRE", "carry": "CARRY4", "mux": "MUXF7..9", "dsp": "DSP48E2", "lut_ram": "LUT6 as RAM",
        "block_ram": "RAMB36E2",
    },
    cell_units=_cells(
        lut=dict.fromkeys(("LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6", "INV"), 1),
        ff=dict.fromkeys(("FDRE", "FDSE"), 1),
        carry={"CARRY4": 1},
        mux=dict.fromkeys(("MUXF7", "MUXF8", "MUXF9"), 1),
        dsp={"DSP48E2": 1},
        lut_ram={
            "RAM64X1S": 1, "RAM32M": 4, "RAM64M": 4, "RAM128X1S": 2, "RAM256X1S": 4, "RAM512X1S": 8, "RAM64X1D": 2,
            "RAM128X1D": 4, "RAM256X1D": 8, "RAM32M16": 8, "RAM64M8": 8, "RAM64X8SW": 8, "RAM32X16DR8": 8,
            "SRL16E": 1, "SRLC32E": 1,
        },
        block_ram={"RAMB36E2": 1, "RAMB18E2": 0.5},
    ),
)  # fmt: skip

ECP5 = Family(
    name="ecp5",
    synth="synth_ecp5",
    flattens_by_default=True,
    models="ecp5/cells_sim.v",
    units={
        "lut": "LUT4", "ff": "TRELLIS_FF", "carry": "CCU2C", "mux": "PFUMX, L6MUX21", "dsp": "MULT18X18D",
        "lut_ram": "TRELLIS_DPR16X4", "block_ram": "DP16KD",
    },
    cell_units=_cells(
        lut={"LUT4": 1},
        ff={"TRELLIS_FF": 1},
        carry={"CCU2C": 1},
        mux={"PFUMX": 1, "L6MUX21": 1},
        dsp={"MULT18X18D": 1},
        lut_ram={"TRELLIS_DPR16X4": 1},
        block_ram={"DP16KD": 1},
    ),
    # A wire takes 900 ps, about what it does once it is routed; Yosys' own 300 give more LUTs on the longest paths.
    to_luts=("check -latchonly -assert", "abc9 -W 900", "clean"),
)  # fmt: skip

FAMILIES = {family.name: family for family in (XCUP, ECP5)}


def family_named(name: str) -> Family:
    """The family of that name, or CosimError."""
    if name not in FAMILIES:
        raise CosimError(f"FPGA family {name!r}; allowed: {', '.join(FAMILIES)}")
    return FAMILIES[name]


def check_multipliers(multipliers: str) -> None:
    """CosimError unless `multipliers` is one of MULTIPLIERS."""
    if multipliers not in MULTIPLIERS:
        raise CosimError(f"multipliers {multipliers!r}; allowed: {', '.join(MULTIPLIERS)}")
