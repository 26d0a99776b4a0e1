"""Post-training quantization: a source as integers that are not exact, chosen by what they do to calibration images."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch

from duospike.reference.errors import InputError
from duospike.reference.golden import fire, layer_currents
from duospike.reference.golden import pool as pool_spikes
from duospike.reference.network import LEAK_SHIFTS, WEIGHT_BITS, Conv, Layer, Linear, Network, Neuron, Pool
from duospike.reference.training.settings import named_leaks
from duospike.reference.widths import prove_widths

from .exact import input_scale, integer_layer, leak_of, network_of
from .floats import first_maps, per_output, pooled, real_currents, real_spikes, sums
from .refusal import by_option, refuse
from .source import Source, SourceLayer

CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
"""Shares of the largest weight that may become the largest integer."""

MIN_STEP = 1e-30


def quantized_network(source: Source, bits: int, images: np.ndarray, beta: Fraction | None = None) -> Network:
    """The source with weights of `bits` bits, rounded layer by layer.

    images: calibration images, integers [N, C, H, W], or events [N, T, C, H, W]; no labels are needed.
    beta: the leak of all layers in its stead, m/2^k, needed where a layer's own is no such fraction.

    Each layer gets the step that brings its currents on those images closest to the source's, output by output, larger
    weights being clipped; its inputs are the spikes of the layers quantized before it. The bias corrects the mean
    error that is left in the currents, then bias and threshold are rounded.

    InputError: with all reasons, what no rounding can change; bits out of range; no images.
    """
    if bits not in WEIGHT_BITS:
        raise InputError(f"--quantize {bits}; allowed: {WEIGHT_BITS.start} to {WEIGHT_BITS.stop - 1}")
    neurons, reasons = _neurons(source, beta)
    refuse([*source.reasons, *reasons])
    if not len(images):
        raise InputError("no calibration images; needs 1 or more")
    with torch.no_grad():
        network = network_of(source, _layers(source, bits, images, neurons))
    prove_widths(network)
    return network


def _neurons(source: Source, beta: Fraction | None) -> tuple[dict[str, Neuron], list[str]]:
    """The integer neuron of each layer, or why there is none."""
    neurons, reasons = {}, []
    for layer in source.layers:
        if isinstance(layer, SourceLayer):
            neuron = leak_of(layer.reset, layer.beta if beta is None else beta)
            if neuron is None:
                wrong = float(layer.beta if beta is None else beta)
                why = (
                    f"{layer.title}: beta {wrong:.6g} is not m/2^k with k up to {LEAK_SHIFTS.stop - 1}; name the one to take "
                    f"with --beta{named_leaks(wrong)}"
                )
                reasons.append(by_option(why, "--beta m/2^k"))
            else:
                neurons[layer.name] = neuron
    return neurons, reasons


def _layers(source: Source, bits: int, images: np.ndarray, neurons: dict[str, Neuron]) -> list[Layer]:
    real = first_maps(source, images)
    whole = real.clone()
    layers: list[Layer] = []
    for layer in source.layers:
        if isinstance(layer, Pool):
            layers.append(layer)
            real, whole = pooled(real), pool_spikes(whole.byte()).double()
            continue
        wanted = real_currents(source, layer, real)
        converted = quantized_layer(layer, bits, neurons[layer.name], wanted, whole, float(input_scale(source, layer)))
        layers.append(converted)
        real = real_spikes(layer, wanted, source.interface.timesteps)
        whole = fire(converted, layer_currents(converted, whole), source.interface.timesteps).double()
    return layers


def quantized_layer(
    layer: SourceLayer, bits: int, neuron: Neuron, wanted: torch.Tensor, inputs: torch.Tensor, scale: float
) -> Conv | Linear:
    """One layer in integers. wanted: the source's currents [T, N, O, H, W]. inputs: integers [T, N, C, H, W], 1 worth `scale`."""
    limit = 2 ** (bits - 1) - 1
    weights = layer.weights * layer.gain.reshape(-1, *[1] * (layer.weights.ndim - 1)) * scale
    largest = np.maximum(np.abs(weights).reshape(layer.outputs, -1).max(1), MIN_STEP)
    offset = per_output(layer.offset)
    best = np.full(layer.outputs, np.inf)
    chosen, step, shift = np.zeros(weights.shape), np.ones(layer.outputs), np.zeros(layer.outputs)
    for clip in CLIPS:
        steps = largest * clip / limit
        whole = np.clip(np.rint(weights / steps.reshape(-1, *[1] * (weights.ndim - 1))), -limit, limit)
        off = wanted - offset - sums(whole, inputs) * per_output(steps)
        error, mean = off.var((0, 1, 3, 4), correction=0).numpy(), off.mean((0, 1, 3, 4)).numpy()
        better = error < best
        chosen[better], step[better], shift[better], best[better] = whole[better], steps[better], mean[better], error[better]
    # A whole number is at a whole threshold or above it where it is above the one before.
    bias, theta = np.rint((layer.offset + shift) / step), np.rint(layer.threshold / step) - layer.inclusive
    return integer_layer(layer, list(chosen), _whole(layer, "bias", bias), _whole(layer, "threshold", theta), neuron)


def _whole(layer: SourceLayer, what: str, values: np.ndarray) -> list[int]:
    worst = values[np.abs(values).argmax()]
    if abs(worst) >= 2**31:
        raise InputError(
            f"{layer.title}: the {what} is {worst:.3g} steps of its weights, which are too small; allowed: below 2^31"
        )
    return [int(value) for value in values]
