"""Real weights as whole numbers, chosen by what the rounding does to a layer's currents on calibration images.

With a 1 added to the inputs x of an output and its bias to its weights w, its current is w x, so that the bias is rounded as one
more weight. Whole numbers q in steps s are off by (w - s q) G (w - s q) in the mean square, with G the mean of x x^T.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

DAMPING = 0.1
"""What is added to the mean square of each input, as a share of their mean, so that one that is seldom seen keeps its weight."""

SWEEPS = 4
"""How often `descend` may go over all numbers."""

BLOCK = 64
"""Numbers that `nearest_plane` rounds between two matrix products."""

MIN_DAMPING = 1e-30
NO_LIMIT = 2.0**40
"""Of the bias, whose own check comes later."""


@dataclass(eq=False)
class Samples:
    """Sums over samples of a layer's inputs x, at their end what the bias is multiplied with, and of the wanted currents.

    Where these are added up over timesteps, all three are. gram: x x^T [I + 1, I + 1]. cross: current times x [O, I + 1].
    """

    gram: np.ndarray
    cross: np.ndarray
    count: int = 0

    @classmethod
    def none(cls, outputs: int, inputs: int) -> Samples:
        return cls(np.zeros((inputs + 1, inputs + 1)), np.zeros((outputs, inputs + 1)))

    def add(self, inputs: np.ndarray, ones: np.ndarray, currents: np.ndarray) -> None:
        """inputs [samples, I], ones [samples]: of the bias, currents [samples, O]."""
        extended = np.column_stack([inputs, ones])
        self.gram += extended.T @ extended
        self.cross += currents.T @ extended
        self.count += len(inputs)

    def fit(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """G [I + 1, I + 1], damped, and the real weights [O, I + 1] near the source's that give the wanted currents best.

        They differ from the source's where these inputs are not the source's.
        """
        gram = self.gram / self.count
        damping = np.full(len(gram), DAMPING * np.diag(gram)[:-1].mean() + MIN_DAMPING)
        damping[-1] = MIN_DAMPING
        gram = gram + np.diag(damping)
        return gram, np.linalg.solve(gram, (self.cross / self.count + weights * damping).T).T


def round_weights(
    real: np.ndarray, gram: np.ndarray, candidates: Iterable[np.ndarray], bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers [O, I + 1] for real weights, and of the candidates the step of each output [O] with the smallest error.

    candidates: of steps [O]. All numbers but the last, the bias, fit into `bits` bits, with as many on either side of 0.
    """
    limits = np.full(real.shape[1], 2.0 ** (bits - 1) - 1)
    limits[-1] = NO_LIMIT
    order, factor = plane_factor(gram)
    best, whole, step = np.full(len(real), np.inf), np.zeros_like(real), np.ones(len(real))
    for steps in candidates:
        scaled = real / steps[:, None]
        rounded, planned = np.clip(np.rint(scaled), -limits, limits), np.empty_like(scaled)
        planned[:, order] = nearest_plane(scaled[:, order], limits[order], factor)
        closer = errors(planned, scaled, gram) < errors(rounded, scaled, gram)
        rounded[closer] = planned[closer]
        rounded = descend(rounded, scaled, limits, gram)
        error = errors(rounded, scaled, gram) * steps**2
        better = error < best
        best[better], whole[better], step[better] = error[better], rounded[better], steps[better]
    return whole, step


def errors(whole: np.ndarray, real: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """Mean square of what whole numbers change in the currents [O], in steps."""
    off = whole - real
    return ((off @ gram) * off).sum(1)


def plane_factor(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For `nearest_plane`: the order of the inputs, the strongest last, and the upper triangle R of G = R^T R, each row over its
    diagonal.
    """
    order = np.argsort(np.diag(gram), kind="stable")
    upper = np.linalg.cholesky(gram[np.ix_(order, order)]).T
    return order, upper / np.diag(upper)[:, None]


def nearest_plane(real: np.ndarray, limits: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Whole numbers [O, I], from the last to the first; the real numbers before one move to make up for its rounding.

    That is Babai's method, as which GPTQ is known (Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative
    Pre-trained Transformers", ICLR 2023), in blocks, so that most of it are matrix products.
    """
    whole, off = np.zeros_like(real), np.zeros_like(real)
    for end in range(real.shape[1], 0, -BLOCK):
        start = max(end - BLOCK, 0)
        moved = real[:, start:end] + off[:, end:] @ factor[start:end, end:].T
        for i in reversed(range(start, end)):
            wanted = moved[:, i - start] + off[:, i + 1 : end] @ factor[i, i + 1 : end]
            whole[:, i] = np.clip(np.rint(wanted), -limits[i], limits[i])
            off[:, i] = real[:, i] - whole[:, i]
    return whole


def descend(whole: np.ndarray, real: np.ndarray, limits: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """Whole numbers [O, I] with no larger errors: each in turn becomes the best while the others stay."""
    whole = whole.copy()
    slope = (whole - real) @ gram
    for _ in range(SWEEPS):
        changed = False
        for i in range(whole.shape[1]):
            change = np.clip(np.rint(whole[:, i] - slope[:, i] / gram[i, i]), -limits[i], limits[i]) - whole[:, i]
            moved = np.flatnonzero(change)
            if len(moved):
                slope[moved] += change[moved, None] * gram[i]
                whole[:, i] += change
                changed = True
        if not changed:
            break
    return whole
