"""Post-training quantization: a source as integers that are not exact, chosen by what they do to calibration images."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import torch
from torch.nn import functional

from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import input_scale, integer_layer, network_of, pixel_range, range_after
from duospike.reference.exchange.floats import first_maps, real_currents, real_spikes
from duospike.reference.exchange.grid import find_grid
from duospike.reference.exchange.leaks import near_leaks
from duospike.reference.exchange.refusal import by_option, refuse
from duospike.reference.exchange.source import Source, SourceLayer
from duospike.reference.golden import fire, layer_currents
from duospike.reference.golden import pool as pool_spikes
from duospike.reference.network import WEIGHT_BITS, Conv, Layer, Linear, Network, Neuron, Pool
from duospike.reference.widths import Range, layer_widths

from .matching import match_spikes, matching_samples
from .rounding import Samples, errors, round_weights

BATCH = 20
MAX_SAMPLES = 2**15
"""Places of a layer's maps, over all images and timesteps, by which its weights are rounded."""

CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
"""Shares of the largest weight that may become the largest integer."""

MIN_STEP, MAX_THRESHOLD = 1e-30, 2**22
"""Of an output; the threshold and the bias in steps of its weights."""


def quantized_network(source: Source, bits: int, images: np.ndarray, leaks: Mapping[str, Fraction] | None = None) -> Network:
    """The source with weights of `bits` bits, rounded layer by layer.

    images: calibration images, integers [N, C, H, W], or events [N, T, C, H, W]; no labels are needed.
    leaks: m/2^k of layers by their names, in place of the source's. Other layers have their own, or one near it (`near_leaks`).

    The inputs of a layer are the spikes of the layers quantized before it, its aim are the potentials of the source. Weights,
    step and bias of an output are those that bring its own closest to these (`round_weights`). Then bias and threshold are
    moved to where it spikes most like the source (`match_spikes`).

    InputError: with all reasons, what no rounding can change; bits out of range; no images.
    """
    if bits not in WEIGHT_BITS:
        raise InputError(f"--quantize {bits}; allowed: {WEIGHT_BITS.start} to {WEIGHT_BITS.stop - 1}")
    neurons, reasons = _neurons(source, leaks or {})
    refuse([*source.reasons, *reasons])
    if not len(images):
        raise InputError("no calibration images; needs 1 or more")
    with torch.no_grad():
        return network_of(source, _layers(source, bits, images, neurons))


def _neurons(source: Source, leaks: Mapping[str, Fraction]) -> tuple[dict[str, list[Neuron]], list[str]]:
    """The integer neurons that each layer may have, best first, or why there is none."""
    neurons, reasons = {}, []
    for layer in source.weighted:
        betas = (leaks[layer.name],) if layer.name in leaks else layer.betas
        wrong = [beta for beta in betas if not 0 <= beta <= 1]
        if layer.integers_below is None and (source.interface.timesteps == 1 or not wrong):
            neurons[layer.name] = near_leaks(layer.reset, betas, source.interface.timesteps)
        elif layer.integers_below is not None:
            reasons.append(f"{layer.title}: prepared, with integers already; import it without --quantize")
        else:
            reasons.append(by_option(f"{layer.title}: beta {float(wrong[0]):.6g}; allowed: 0 to 1", "--beta m/2^k"))
    return neurons, reasons


def _layers(source: Source, bits: int, images: np.ndarray, neurons: dict[str, list[Neuron]]) -> list[Layer]:
    real = whole = first_maps(source, images)
    inputs = pixel_range(source)
    layers: list[Layer] = []
    for layer in source.layers:
        before, inputs = inputs, range_after(layer)
        if isinstance(layer, Pool):
            layers.append(layer)
            real, whole = pool_spikes(layer, real), pool_spikes(layer, whole)
            continue
        neuron = neurons[layer.name][0]
        samples, real = _sampled(source, layer, neuron, real, whole)
        converted = _rounded(source, layer, bits, neuron, samples)
        if source.is_read(layer):
            layer_widths(converted, before, source.interface.timesteps)
            layers.append(converted)
            break
        converted = _matched(converted, neurons[layer.name], before, *matching_samples(converted, whole, real))
        layers.append(converted)
        timesteps = source.interface.timesteps
        whole = torch.cat([fire(converted, layer_currents(converted, maps), timesteps) for maps in whole.split(BATCH, 1)], 1)
    return layers


def _sampled(
    source: Source, layer: SourceLayer, neuron: Neuron, real: torch.Tensor, whole: torch.Tensor
) -> tuple[Samples, torch.Tensor]:
    """The layer's inputs and wanted currents, added up over timesteps as a potential without spikes is, and the source's spikes
    uint8 [T, N, O, H, W].

    A spike that comes a timestep late changes two currents, but hardly a potential. Fitted to single currents, the weights of
    such inputs shrink and the bias makes up for them, which adds up over a long run.

    real: inputs of the layer in the source [T, N, C, H, W]. whole: those of the layers before it in integers, of the same shape.
    """
    samples, spikes = Samples.none(layer.outputs, layer.weights[0].size), []
    generator = torch.Generator().manual_seed(0)
    for inputs, own in zip(whole.split(BATCH, 1), real.split(BATCH, 1), strict=True):
        spikes.append(real_spikes(layer, real_currents(source, layer, own.double()), source.interface.timesteps).byte())
        inputs = added_up(inputs.double(), neuron)
        currents = added_up(real_currents(source, layer, own.double(), pooled=False), neuron)
        places = currents[:, :, 0].flatten(0, 1).shape
        chosen = torch.randperm(math.prod(places), generator=generator)[: max(MAX_SAMPLES * inputs.shape[1] // whole.shape[1], 1)]
        at = torch.unravel_index(chosen, places)
        ones = added_up(torch.ones(len(inputs), 1, dtype=torch.double), neuron).expand(inputs.shape[:2]).flatten()[at[0]]
        samples.add(patches(layer, inputs, at).numpy(), ones.numpy(), currents.flatten(0, 1)[at[0], :, at[1], at[2]].numpy())
    return samples, torch.cat(spikes, 1)


def added_up(values: torch.Tensor, neuron: Neuron) -> torch.Tensor:
    """What a potential without spikes would be of currents [T, ...]: beta times that of the timestep before, and the current.

    beta: the mean where each output has its own. Of one that all timesteps share, T = 1, potentials are multiples.
    """
    beta = float(neuron.multipliers.mean()) / 2**neuron.shift
    potentials = values.clone()
    for t in range(1, len(values)):
        potentials[t] += beta * potentials[t - 1]
    return potentials


def _matched(
    layer: Conv | Linear, neurons: list[Neuron], inputs: Range, sums: torch.Tensor, wanted: torch.Tensor
) -> Conv | Linear:
    """The layer, matched to the wanted spikes, with the first of the neurons whose widths can be proven.

    InputError: none can; it says why the first cannot.
    """
    reasons = []
    for neuron in neurons:
        found = match_spikes(dataclasses.replace(layer, neuron=neuron), sums, wanted)
        try:
            layer_widths(found, inputs, len(wanted))
            return found
        except InputError as error:
            reasons.append(error)
    raise reasons[0]


def patches(layer: SourceLayer, maps: torch.Tensor, at: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """What the products of a layer's weights take at places of its output: maps [T, N, C, H, W] -> [places, inputs].

    at: for each place the map, counted over T and N, its row and its column, before the currents are pooled.
    """
    maps, (which, rows, columns) = maps.flatten(0, 1), at
    if layer.weights.ndim == 2:
        return maps.flatten(1)[which]
    (top, left), (down, across) = layer.padding, layer.stride
    windows = functional.pad(maps, [left, left, top, top])
    windows = windows.unfold(2, layer.weights.shape[2], down).unfold(3, layer.weights.shape[3], across)
    return windows[which, :, rows, columns].flatten(1)


def _rounded(source: Source, layer: SourceLayer, bits: int, neuron: Neuron, samples: Samples) -> Conv | Linear:
    """The layer in integers that bring its currents closest to the wanted ones."""
    weights = layer.weights.reshape(layer.outputs, -1) * layer.gain[:, None] * float(input_scale(source, layer))
    gram, real = samples.fit(np.column_stack([weights, layer.offset / layer.summed]))
    candidates = candidate_steps(layer, weights, 2 ** (bits - 1) - 1)
    if source.is_read(layer):
        whole, step = _rounded_alike(real, gram, candidates, bits)
    else:
        whole, step = round_weights(real, gram, candidates, bits)
    # A whole number is at a whole threshold or above it where it is above the one before.
    theta = np.rint(layer.threshold / step) - layer.inclusive
    bias, theta = ([int(value) for value in values] for values in (whole[:, -1], theta))
    return integer_layer(layer, list(whole[:, :-1].reshape(layer.weights.shape)), bias, theta, neuron)


def _rounded_alike(real: np.ndarray, gram: np.ndarray, candidates: list[np.ndarray], bits: int) -> tuple[np.ndarray, np.ndarray]:
    """round_weights with one step for all outputs, since their potentials are compared: the one of the least error in all."""
    found = [round_weights(real, gram, [np.full_like(steps, steps.max())], bits) for steps in candidates]
    return min(found, key=lambda one: float((errors(one[0], real / one[1][:, None], gram) * one[1] ** 2).sum()))


def candidate_steps(layer: SourceLayer, weights: np.ndarray, limit: int) -> list[np.ndarray]:
    """Steps [O] of which real weights [O, I] are up to `limit`.

    First that of the grid on which the source's weights lie, if they do; then those by which the largest weight, or a share of
    it, is `limit` steps, each moved to the nearest of which the threshold is a whole number. Weights that are nothing beside
    threshold and bias do not make the step as small.
    """
    smallest = (np.abs(layer.threshold) + np.abs(layer.offset)) / MAX_THRESHOLD + MIN_STEP
    largest = np.maximum(np.abs(weights).max(1), smallest * limit)
    own = largest / limit
    for output, values in enumerate(layer.weights.reshape(layer.outputs, -1)):
        grid = find_grid(values, None if layer.scale is None else layer.scale[output])
        steps = 0 if grid is None else np.abs(grid.steps).max()
        if 0 < steps <= limit:
            own[output] = largest[output] / steps
    return [own, *(dividing(layer.threshold, largest * clip / limit) for clip in CLIPS)]


def dividing(theta: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The nearest steps of which thresholds above 0 are whole numbers; others are left."""
    return np.where(theta > 0, theta / np.maximum(np.rint(theta / steps), 1), steps)
