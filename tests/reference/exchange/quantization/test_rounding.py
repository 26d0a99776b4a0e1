"""Rounding by its effect on currents: against all whole numbers of tiny layers, and against rounding to the nearest."""

import itertools

import numpy as np
import pytest

from duospike.reference.exchange.quantization.rounding import Samples, round_weights


def random_layer(seed, outputs, inputs, samples=400):
    """Real weights with biases [O, I + 1], and inputs that depend on each other, as the spikes of neighbours do."""
    generator = np.random.default_rng(seed)
    common = generator.random((samples, 2)) @ generator.random((2, inputs))
    inputs = (common + generator.random((samples, inputs)) > 1.3).astype(np.float64)
    return generator.normal(size=(outputs, inputs.shape[1] + 1)), inputs


def with_one(inputs):
    return np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)


def rounded(weights, inputs, bits):
    samples = Samples.none(len(weights), inputs.shape[1])
    for start in range(0, len(inputs), 150):
        part = inputs[start : start + 150]
        samples.add(part, np.ones(len(part)), with_one(part) @ weights.T)
    gram, real = samples.fit(weights)
    assert np.allclose(real, weights)
    largest = np.abs(weights[:, :-1]).max(1)
    return round_weights(real, gram, [largest * clip / (2 ** (bits - 1) - 1) for clip in (1, 0.8, 0.6)], bits)


def current_errors(weights, whole, step, inputs):
    return ((with_one(inputs) @ (weights - whole * step[:, None]).T) ** 2).mean(0)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("seed", range(3))
def test_currents_are_closer_than_after_rounding_to_the_nearest(seed, bits):
    weights, inputs = random_layer(seed, outputs=12, inputs=20)
    whole, step = rounded(weights, inputs, bits)
    limit = 2 ** (bits - 1) - 1
    assert np.array_equal(whole, np.rint(whole)) and np.abs(whole[:, :-1]).max() <= limit
    nearest = np.rint(weights / step[:, None])
    nearest[:, :-1] = nearest[:, :-1].clip(-limit, limit)
    found, before = (current_errors(weights, each, step, inputs) for each in (whole, nearest))
    assert (found <= before * 1.01).all() and found.sum() < 0.9 * before.sum()


def test_tiny_layers_are_rounded_nearly_as_well_as_can_be():
    """Of all whole numbers of 2 bits and all biases none is better for most outputs, and none much better for any."""
    weights, inputs = random_layer(7, outputs=40, inputs=5)
    whole, step = rounded(weights, inputs, 2)
    candidates = np.array(list(itertools.product([-1, 0, 1], repeat=5)))
    found = current_errors(weights, whole, step, inputs)
    best = np.full(40, np.inf)
    for output in range(40):
        products = inputs @ (weights[output, :-1, None] - candidates.T * step[output]) + weights[output, -1]
        biases = np.rint(products.mean(0) / step[output]) * step[output]
        best[output] = ((products - biases) ** 2).mean(0).min()
    assert (found >= best - 1e-9).all()
    assert (found <= best * 1.01).mean() > 0.7 and found.sum() < 1.1 * best.sum()


def test_weights_make_up_for_inputs_that_are_not_the_sources():
    """An input that never spikes any more: one that spikes with it takes over its weight."""
    inputs = (np.random.default_rng(0).random((500, 3)) < 0.4).astype(np.float64)
    inputs[:, 1] = inputs[:, 0]
    weights = np.array([[1.0, 0.5, -0.5, 0.25]])
    samples = Samples.none(1, 3)
    samples.add(inputs * [1, 0, 1], np.ones(500), with_one(inputs) @ weights.T)
    _, real = samples.fit(weights)
    assert np.allclose(real, [[1.5, 0.5, -0.5, 0.25]], atol=0.06)
