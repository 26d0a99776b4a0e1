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


SCORES = {"count": 0, "first_spike": 1, "last_membrane": 2, "max_membrane": 2}
POTENTIAL_BITS = 3


def reading(score: str, outputs: int, lanes: int, timesteps: int, classes: int, depth: int, *faults: Fault) -> Proof:
    parameters = Readout(
        outputs=outputs, lanes=lanes, timesteps=timesteps, passes=1, classes=classes, score=score, potential_bits=POTENTIAL_BITS
    )
    of_neurons = {"count": "its spikes", "first_spike": "what is left from its first spike"}.get(score, "its potential")
    return Proof(
        f"readout, {score}, {outputs} neurons, {classes} classes, lanes {lanes}",
        f"a score is made of its neurons, of each {of_neurons}; the class is the smallest with the highest score; an image has "
        "an answer",
        "readout", stage(readout, parameters), depth, faults,
        {
            "OUTPUTS": outputs, "LANES": lanes, "TIMESTEPS": timesteps, "CLASSES": classes, "SCORE": SCORES[score],
            "FIELD": parameters.field_bits,
        },
        {}, depth + 4 + outputs,
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
    reading(
        "count", 6, 4, 2, 3, 11,
        Fault("the last of equal classes wins", "(score > best)", "(score >= best)"),
        Fault("the best of the frame before counts", "((counted_class == 0) || (score > best))", "(score > best)"),
        Fault("lanes without a neuron are counted", "((lane == 3) || (neuron == 5))", "(lane == 3)"),
        Fault("the next image is counted before the last class is compared", "(!voted_all) && (!closing) && ", ""),
    ),
    reading(
        "count", 2, 1, 1, 2, 7,
        Fault("the last of equal classes wins", "(score > best)", "(score >= best)"),
    ),
    reading(
        "first_spike", 4, 3, 2, 2, 9,
        Fault("the last spike counts", "if (field[((2 - 1) - t)]) begin", "if (field[t]) begin"),
        Fault("the latest neuron of a class counts", "if ((given > total)) begin", "if ((given < total)) begin"),
    ),
    reading(
        "last_membrane", 3, 2, 1, 3, 9,
        Fault("scores have no sign", "(score > best)", "($unsigned(score) > $unsigned(best))"),
    ),
    reading(
        "max_membrane", 3, 2, 1, 3, 9,
        Fault(
            "a potential is cut off at zero",
            "total = given;\n        if (voted", "total = given < 0 ? 0 : given;\n        if (voted",
        ),
    ),
)  # fmt: skip
