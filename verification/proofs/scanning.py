"""Proofs of the blocks that walk over rows: row buffer, scanner and image window."""

from ..proof import Proof

PROOFS: tuple[Proof, ...] = ()
