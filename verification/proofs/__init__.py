"""The proofs: which block, at which small parameters, by which properties, and which faults they must find."""

from verification.proof import Proof

from . import accumulation, bus, fetching, memories, pipelines, queue, scanning, stages, streams, windows

PROOFS: tuple[Proof, ...] = (
    *accumulation.PROOFS,
    *bus.PROOFS,
    *fetching.PROOFS,
    *memories.PROOFS,
    *pipelines.PROOFS,
    *queue.PROOFS,
    *scanning.PROOFS,
    *stages.PROOFS,
    *streams.PROOFS,
    *windows.PROOFS,
)
