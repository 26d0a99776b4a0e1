"""Proofs of what the pool and the read-out compute."""

from duospike.rtl.pool import Pool, pool
from duospike.rtl.readout import Readout, readout
from verification.proof import Fault, Proof, stage


def pooling(height: int, width: int, groups: int, depth: int, *faults: Fault) -> Proof:
    return Proof(
        f"pool, {height} x {width}, groups {groups}",
        "an output is the OR of its four inputs; an odd last row or column is dropped",
        "pool", stage(pool, Pool(height=height, width=width, groups=groups, lanes=1, timesteps=2)), depth, faults,
        {"HEIGHT": height, "WIDTH": width, "GROUPS": groups}, {"ram": "ram"}, 2 + height * width * groups,
    )  # fmt: skip


def counting(outputs: int, lanes: int, timesteps: int, classes: int, depth: int, *faults: Fault) -> Proof:
    return Proof(
        f"readout, {outputs} neurons, {classes} classes, lanes {lanes}",
        "each count is that of the spikes of the class; the class is the smallest with the highest count; an image has an answer",
        "readout", stage(readout, Readout(outputs=outputs, lanes=lanes, timesteps=timesteps, passes=1, classes=classes)), depth,
        faults,
        {"OUTPUTS": outputs, "LANES": lanes, "TIMESTEPS": timesteps, "CLASSES": classes}, {}, depth + 4 + outputs,
    )  # fmt: skip


PROOFS: tuple[Proof, ...] = (
    pooling(
        2, 4, 1, 10,
        Fault("the row above is left out", "pooled <= (pair | above);", "pooled <= pair;"),
        Fault("the pair above is fetched too late", "(take && (!column[0]))", "(take && column[0])"),
    ),
    pooling(
        3, 3, 2, 10,
        Fault("each row gives outputs", "(take && column[0] && row[0]);", "(take && column[0]);"),
        Fault("a pair of one group is that of another", "(pair_addr == 1) ?", "(pair_addr == 0) ?"),
    ),
    counting(
        6, 4, 2, 3, 11,
        Fault("the last of equal classes wins", "(tally > best)", "(tally >= best)"),
        Fault("the best of the frame before counts", "((counted_class == 0) || (tally > best))", "(tally > best)"),
        Fault("lanes without a neuron are counted", "((lane == 3) || (neuron == 5))", "(lane == 3)"),
        Fault("the next image is counted before the last class is compared", "(!voted_all) && (!closing) && ", ""),
    ),
    counting(
        2, 1, 1, 2, 7,
        Fault("the last of equal classes wins", "(tally > best)", "(tally >= best)"),
    ),
)  # fmt: skip
