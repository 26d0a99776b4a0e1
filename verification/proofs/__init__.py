"""The proofs: which block, at which small parameters, by which properties, and which faults they must find."""

from verification.proof import Proof

from . import accumulation, bus, fetching, fifo, images, memories, pipelines, scanning, stages, streams, windows

PROOFS: tuple[Proof, ...] = (
    *accumulation.PROOFS,
    *bus.PROOFS,
    *fetching.PROOFS,
    *fifo.PROOFS,
    *images.PROOFS,
    *memories.PROOFS,
    *pipelines.PROOFS,
    *scanning.PROOFS,
    *stages.PROOFS,
    *streams.PROOFS,
    *windows.PROOFS,
)
