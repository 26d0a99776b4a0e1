"""Recipes: presets over the settings of a training run."""

from __future__ import annotations

from typing import Any

DUOSPIKE, PAPER = "duospike", "paper"
RECIPES: dict[str, dict[str, Any]] = {
    DUOSPIKE: {},
    PAPER: {
        "timesteps": 2,
        "beta": "5/32",
        "threshold": 0.5,
        "reset": "subtract",
        "epochs": 225,
        "batch_size": 512,
        "learning_rate": 0.005,
        "batch_norm": "before_pool",
        "weight_scale": "tensor",
        "scale_gradient": True,
        "bias_bits": 4,
        "surrogate": "fast_sigmoid",
        "loss": "count_mse",
        "optimizer": "adam",
        "weight_decay": 0.0,
        "schedule": "constant",
        "restart_optimizer": True,
        "dropout": 0.102,
        "initial_weights": "torch",
        "pixels": "centred",
        "keep": "best_test",
    },
}
"""What each recipe sets; keys that a file has itself override it.

paper: Aliyev, Lopez and Adegbija (DATE 2025) as their published training code has it, for direct coding. Three things differ:
beta is 5/32 in place of 0.15, batch norm's statistics are over all timesteps together, and its gains stay above 0.
"""


def filled(table: dict[str, Any]) -> dict[str, Any]:
    """A table of settings with what its recipe adds; an unknown recipe adds nothing."""
    recipe = table.get("recipe", DUOSPIKE)
    return (RECIPES.get(recipe, {}) if isinstance(recipe, str) else {}) | table
