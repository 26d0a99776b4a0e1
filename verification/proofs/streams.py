"""Proofs of the rules of rtl/stream.py, for blocks, for whole stages, and for all streams of an accelerator."""

from dataclasses import replace
from typing import Any

from duospike.rtl.accelerator import accelerator, trace_bits
from duospike.rtl.activity import ACTIVITY_BITS
from duospike.rtl.dense_core import DenseCore, dense_core
from duospike.rtl.dense_fc import DenseFc, dense_fc
from duospike.rtl.lif import Lif, lif
from duospike.rtl.mac_array import mac_array
from duospike.rtl.pool import Pool, pool
from duospike.rtl.readout import Readout, readout
from duospike.rtl.sparse_conv import SparseConv, sparse_conv
from duospike.rtl.sparse_fc import SparseFc, sparse_fc
from duospike.rtl.stage import DenseStage
from duospike.rtl.stream import Stream
from verification.proof import Fault, Proof, bit, stage, table, vector

CLAIMS = "valid stays and the payload does not change until the transfer; valid never waits for ready"


def neuron(groups: int, lanes: int, kind: str = "subtract") -> Lif:
    return Lif(
        reset=kind, multiplier=1, shift=1, current_bits=3, potential_bits=4, theta_bits=3,
        theta=table("theta.hex", 3 * lanes, groups),
    )  # fmt: skip


# Stages of one channel on maps of at most 2 x 2, which do all that there is to do within a few cycles.
QUEUE_DEPTH = 1
ONE: dict[str, Any] = {"lanes": 1, "timesteps": 1, "passes": 1}
DENSE = DenseCore(
    height=2, width=2, out_rows=range(2), out_columns=range(2), channels=1, image_bits=1, image_signed=False, outputs=1,
    kernel=(1, 1), bias=table("b.hex", 3, 1), weights=table("w.hex", 2, 1), neuron=neuron(1, 1), **ONE,
)  # fmt: skip
DENSE_FC = DenseFc(
    height=1, width=2, channels=1, image_bits=1, image_signed=False, multipliers=1, outputs=1, bias=table("b.hex", 3, 1),
    weights=table("w.hex", 2, 2), neuron=neuron(1, 1), **ONE,
)  # fmt: skip
FRAMES = replace(DENSE, timesteps=2, frames=2)
SPARSE: dict[str, Any] = {
    "parts": 1, "lanes_in": 1, "outputs": 2, "banks": 2, "queue_depth": QUEUE_DEPTH, "bias": table("b.hex", 3, 2),
    "neuron": neuron(2, 1), **ONE,
}  # fmt: skip
CONV = SparseConv(
    height=1, width=1, out_rows=range(1), out_columns=range(1), chunks=1, kernel=(1, 1), weights=table("w.hex", 2, 2), **SPARSE
)
FC = SparseFc(chunks=2, weights=table("w.hex", 2, 4), **SPARSE)
CONV_2X2 = replace(CONV, height=2, width=2, out_rows=range(2), out_columns=range(2))
READOUT = Readout(outputs=2, classes=2, **ONE)
POOL = Pool(height=2, width=2, groups=2, lanes=1, timesteps=1)

# What the induction needs to know of the queues inside, and of the parts that a scanner is on.
INVARIANTS = {
    "fifo": "ring", "credit_counter": "credits", "neuron_pipeline": "steps", "lif": "room", "scanner": "parts_in_flight",
}  # fmt: skip


def whole(**stages):
    """Builder of an accelerator."""
    first, last = list(stages.values())[0], list(stages.values())[-1]
    return lambda: accelerator(
        bit(), bit(), Stream(first.input_bits), Stream(last.output_bits), vector(len(stages) * ACTIVITY_BITS),
        vector(trace_bits(stages)), stages=stages,
    )  # fmt: skip


def streams(name: str, build, depth: int, *faults: Fault, invariants: str = "", **more) -> Proof:
    """A proof of the stream rules alone; invariants: properties/ that the induction needs besides."""
    return Proof(f"{name}, streams", CLAIMS, f"stream {invariants}", build, depth, faults, **more)


def all_streams(name: str, depth: int, reach: int, fault: Fault, **stages) -> Proof:
    """A proof of the stream rules of all streams in an accelerator."""
    return Proof(
        f"accelerator {name}, all streams", f"of every stream between and inside the stages: {CLAIMS}", "accelerator",
        whole(**stages), depth, (fault,), {}, INVARIANTS, reach,
    )  # fmt: skip


CHANGING_EVENT = Fault(
    "an event changes while it waits",
    "encode_ready = ((!encoding) || (dst_ready && last_lane));", "encode_ready = ((!encoding) || last_lane);",
)  # fmt: skip
WAITING_RESULT = Fault("valid waits for ready", "finished <= 1'b1;", "finished <= dst_ready;", "ready")
# Of the neurons at the end of a stage.
WAITING_SPIKES = Fault(
    "valid waits for ready", "assign dst_valid = spiking_valid;", "assign dst_valid = spiking_valid && dst_ready;", "ready"
)


def counted(function, parameters, depth: int, reach: int, *faults: Fault) -> Proof:
    """A proof of the stream rules and of the activity counters of a stage."""
    has_events = isinstance(parameters, SparseConv | SparseFc)
    queues = INVARIANTS if has_events or isinstance(parameters, DenseStage) else {}
    frames = f", {parameters.frames} frames" if isinstance(parameters, DenseStage) and parameters.frames > 1 else ""
    return Proof(
        f"{function.__name__}{frames}, streams and counters",
        f"{CLAIMS}; each cycle counts once, as busy or as waiting" + ", each busy one as event or silent pixel" * has_events,
        "stream", stage(function, parameters), depth, faults,
        {"EVENTS": has_events}, queues | {"activity": "activity"}, reach,
    )  # fmt: skip


MAC_STEP = "assign step = (dst_ready || (!occupied[4]));"

PROOFS: tuple[Proof, ...] = (
    streams(
        "lif",
        lambda: lif(
            bit(), bit(), Stream(12), Stream(4), lanes=2, timesteps=2, rows=1, columns=2, passes=1, neuron=neuron(2, 2)
        ), 10,
        Fault("the queue moves while its output waits", "assign pop = (dst_ready && has_words);", "assign pop = has_words;"),
        Fault("a beat is taken that the queue may not hold", "has_room <= (beats_inside != 5);", "has_room <= 1;"),
        WAITING_SPIKES, invariants="room", inside=INVARIANTS,
    ),
    streams(
        "mac_array", lambda: mac_array(
            bit(), bit(), Stream(4), Stream(6), lanes=1, columns=2, repeat=2, inputs=4, input_bits=1, input_signed=False,
            current_bits=3, bias=table("b.hex", 3, 2), weights=table("w.hex", 8, 2),
        ), 9,
        Fault("the pipeline moves while its output waits", MAC_STEP, "assign step = 1;"),
        Fault("the pipeline waits for ready", MAC_STEP, "assign step = dst_ready;", "ready"),
    ),
    counted(
        pool, POOL, 10, 12,
        Fault(
            "a beat is taken while the output waits",
            "assign step = (src_valid && (dst_ready || (!valid)));", "assign step = src_valid;",
        ),
        Fault("an output is dropped", "else if (dst_ready) begin", "else begin"),
        Fault("a wait for input is not counted", "assign stall_in = (!src_valid);", "assign stall_in = (!src_valid && valid);"),
        Fault(
            "valid waits for ready", "assign complete = (step && column_ends && row_ends);",
            "assign complete = (step && column_ends && row_ends && dst_ready);", "ready",
        ),
    ),
    counted(
        readout, READOUT, 9, 13,
        Fault(
            "counting goes on while the result waits",
            "assign step = (holding && (!voted_all) && (!closing) && (!(finished && (!dst_ready))));",
            "assign step = (holding && (!voted_all) && (!closing));",
        ),
        Fault("a result is dropped", "if (dst_ready) begin", "if (1) begin"),
        WAITING_RESULT,
    ),
    counted(
        dense_core, DENSE, 17, 17,
        Fault("windows change while they wait", "assign advance = (dst_ready || (!valids[0]));", "assign advance = 1;"),
        Fault("a busy cycle is counted as a wait", "assign stall_in = (!windows_valid);", "assign stall_in = (!windows_ready);"),
        WAITING_SPIKES,
    ),
    counted(
        dense_core, FRAMES, 20, 26,
        Fault("a busy cycle is not counted", "assign busy = (windows_valid && windows_ready);", "assign busy = 0;"),
        WAITING_SPIKES,
    ),
    counted(
        dense_fc, DENSE_FC, 20, 26,
        Fault("a busy cycle is counted as a wait", "assign stall_in = (!words_valid);", "assign stall_in = (!words_ready);"),
        WAITING_SPIKES,
    ),
    counted(
        sparse_conv, CONV, 16, 28,
        CHANGING_EVENT,
        Fault("a silent pixel is counted as an event", "assign has_event = (add && (mask != 0));", "assign has_event = add;"),
        WAITING_SPIKES,
    ),
    counted(
        sparse_fc, FC, 16, 30,
        Fault("an event is counted twice", "assign is_silent = (add && (mask == 0));", "assign is_silent = add;"),
        Fault("the load of the first biases is counted as busy", ".busy(add)", ".busy(shift)"),
        WAITING_SPIKES,
    ),
    # Streams wait late behind a dense core, so its accelerator has the fault that needs no wait.
    all_streams(
        "with a dense core", 9, 16, WAITING_RESULT,
        conv1=DENSE, conv2=CONV_2X2, pool1=POOL, fc1=FC, readout=READOUT,
    ),
    all_streams(
        "of spikes", 14, 26, CHANGING_EVENT, conv1=CONV, readout=READOUT,
    ),
)  # fmt: skip
