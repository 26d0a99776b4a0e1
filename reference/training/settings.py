"""The TOML file that describes a training run."""

from __future__ import annotations

import re
from dataclasses import MISSING, asdict, dataclass, fields
from fractions import Fraction
from pathlib import Path

from duospike.reference.architecture import parse
from duospike.reference.coding import CODINGS, TIMED_CODINGS
from duospike.reference.data.datasets import OWN, PUBLISHED, Published
from duospike.reference.data.event_frames import BINNING_KEYS, Binning, FrameFormat, downscaled
from duospike.reference.data.pixels import CENTRED, CLAMPED, COLOURS, DIGITS, PIXELS, UNSIGNED, worth_of
from duospike.reference.errors import InputError, brief, did_you_mean
from duospike.reference.files import read_toml
from duospike.reference.network import LEAK_SHIFTS, RESETS, TIMESTEPS, WEIGHT_BITS, Neuron
from duospike.reference.neurons import SURROGATES

from .recipes import DUOSPIKE, RECIPES, filled
from .scales import SCALES

FLOAT, EXACT = "float", "exact"
TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a text in quotes"),
    "int": ((int,), "a whole number without quotes"),
    "float": ((int, float), "a number without quotes"),
    "int | str": ((int, str), "a whole number without quotes, or {}"),
    "bool": ((bool,), "true or false"),
}
"""For the type of each setting the types of its value in TOML, and what a message calls them."""
WORDS = {"weight_bits": repr(FLOAT), "bias_bits": repr(EXACT)}
"""What a setting of numbers may be besides them."""
CHOICES: dict[str, tuple[str, ...]] = {
    "recipe": tuple(RECIPES),
    "batch_norm": ("all", "before_pool", "none"),
    "weight_scale": SCALES,
    "surrogate": tuple(SURROGATES),
    "loss": ("cross_entropy", "count_mse"),
    "optimizer": ("adamw", "adam"),
    "schedule": ("cosine", "constant"),
    "initial_weights": ("kaiming", "torch"),
    "pixels": PIXELS,
    "keep": ("last", "best_test"),
}
"""For settings that are one of some words, these words."""
NAMED_BITS = 8
"""Bits of the fractions that a message names in place of a leak that is none."""


class SettingError(InputError):
    """A setting of a value that cannot be, alone or beside the others. setting: its name."""

    def __init__(self, setting: str, message: str):
        self.setting = setting
        super().__init__(message)


@dataclass(frozen=True)
class Settings:
    """A training run; every key of the file has its name here.

    architecture: as in architecture.parse; its last layer is a population that divides into `classes`.
    dataset: one of datasets.PUBLISHED. weight_bits: 2 to 8, or "float" for the same recipe without any rounding.
    timesteps: T. beta: leak as "m/2^k" written out, "5/32". threshold: firing threshold after batch norm.
    reset: of the neurons. seed: fixes initial weights, order and augmentation. learning_rate: peak of a cosine schedule.
    coding: direct; rate for spikes of the encoder, whose registers start from coding_seed; or events or frames, for a data set of
    recorded events. spike_penalty: what the share of neurons and timesteps with a spike adds to the loss. bins, bin_time,
    downscale: how recorded events become timesteps, as in Binning.

    recipe: one of RECIPES, a preset of what the file leaves out; of no effect here. batch_norm: behind which layers; the others
    have a trained bias, rounded to bias_bits first. weight_scale: of each output channel or of a layer's tensor; scale_gradient:
    whether the gradients are those in real numbers, through scales and through batch norm's deviation. surrogate: of the step,
    with its slope. loss: of votes. optimizer, weight_decay, schedule: of the learning rate; restart_optimizer: whether the
    optimizer forgets its moments before each epoch. dropout: of the first fully connected layer's currents, in training.
    initial_weights: torch's own or Kaiming's. pixels: as what a byte of an image goes in, one of PIXELS. keep: the last epoch's
    network, or that of the best accuracy on the test images. mirror_digits: whether images of digits are mirrored, too.
    All from coding on may be left out.
    """

    architecture: str
    dataset: str
    weight_bits: int | str
    timesteps: int
    beta: str
    threshold: float
    reset: str
    classes: int
    seed: int
    epochs: int
    batch_size: int
    learning_rate: float
    coding: str = "direct"
    coding_seed: int = 0
    spike_penalty: float = 0.0
    bins: str = "time"
    bin_time: int = 0
    downscale: int = 1
    recipe: str = DUOSPIKE
    batch_norm: str = "all"
    weight_scale: str = "channel"
    scale_gradient: bool = False
    bias_bits: int | str = EXACT
    surrogate: str = "arctan"
    surrogate_slope: float = 1.0
    loss: str = "cross_entropy"
    optimizer: str = "adamw"
    weight_decay: float = 1e-4
    schedule: str = "cosine"
    restart_optimizer: bool = False
    dropout: float = 0.0
    initial_weights: str = "kaiming"
    pixels: str = UNSIGNED
    keep: str = "last"
    mirror_digits: bool = False

    def __post_init__(self):
        parse(self.architecture)
        for name, words in CHOICES.items():
            _require(name, getattr(self, name), getattr(self, name) in words, " or ".join(words))
        _require("dataset", self.dataset, self.dataset in PUBLISHED, ", ".join(PUBLISHED))
        bits = self.weight_bits
        _require("weight_bits", bits, bits == FLOAT or bits in WEIGHT_BITS, f"{_span(WEIGHT_BITS)} or {FLOAT!r}")
        _require("timesteps", self.timesteps, self.timesteps in TIMESTEPS, _span(TIMESTEPS))
        _require("reset", self.reset, self.reset in RESETS, " or ".join(RESETS))
        _require("threshold", self.threshold, 0 < self.threshold < float("inf"), "a number above 0")
        _require("coding", self.coding, self.coding in CODINGS, " or ".join(CODINGS))
        _require("coding_seed", self.coding_seed, 0 <= self.coding_seed < 2**32, "0 to 2^32 - 1")
        _require("coding_seed", self.coding_seed, self.coding == "rate" or not self.coding_seed, f"0 with {self.coding} coding")
        _require("spike_penalty", self.spike_penalty, 0 <= self.spike_penalty < float("inf"), "a number from 0 up")
        _require("seed", self.seed, 0 <= self.seed < 2**32, "0 to 2^32 - 1")
        _require("learning_rate", self.learning_rate, 0 < self.learning_rate < 1, "a number above 0 and below 1")
        _require("surrogate_slope", self.surrogate_slope, 0 < self.surrogate_slope < float("inf"), "a number above 0")
        _require("weight_decay", self.weight_decay, 0 <= self.weight_decay < 1, "a number from 0 up and below 1")
        _require("dropout", self.dropout, 0 <= self.dropout < 1, "a number from 0 up and below 1")
        for name in ("classes", "epochs", "batch_size"):
            _require(name, getattr(self, name), 1 <= getattr(self, name) < 2**31, "1 to 2^31 - 1")
        _ = self.neuron
        self._check_together()

    def _check_together(self):
        """InputError: two settings that contradict each other."""
        bits = self.bias_bits
        _require("bias_bits", bits, bits == EXACT or bits in WEIGHT_BITS, f"{_span(WEIGHT_BITS)} or {EXACT!r}")
        has_bias = self.batch_norm != "all"
        _require("bias_bits", bits, has_bias or bits == EXACT, f"{EXACT!r} with batch norm behind all layers: none has a bias")
        full = sum(spec.kind == "fc" for spec in parse(self.architecture))
        hidden = full > 1 or not self.dropout
        _require("dropout", self.dropout, hidden, f"0 for {self.architecture}: no fully connected layer is before the last")
        pixels, coding, fit = self.pixels, self.coding, [UNSIGNED]
        fit += [CENTRED] * (coding == "direct") + [CLAMPED] * (coding == "rate" and self.dataset in COLOURS)
        is_grey = coding == "rate" and self.dataset not in COLOURS
        where = f"{coding} coding" + (f" and {self.dataset}, in grey" if is_grey else "")
        _require("pixels", pixels, pixels in fit, f"{' or '.join(map(repr, fit))} with {where}")
        mirrors = self.mirror_digits
        _require("mirror_digits", mirrors, not mirrors or self.dataset in DIGITS, f"false with {self.dataset}; it is for digits")

    def are(self, table: object) -> bool:
        """Whether a table holds these settings; what it lacks, as one of an earlier version may, has its default."""
        defaults = {field.name: field.default for field in fields(self) if field.default is not MISSING}
        return isinstance(table, dict) and defaults | table == asdict(self)

    @property
    def published(self) -> Published:
        """Its data set. InputError if that has another number of classes, or no images of the coding."""
        found = PUBLISHED[self.dataset]
        self._check_coding(found)
        fits = found.classes in (None, self.classes)
        _require("classes", self.classes, fits, f"{found.classes}, those of {self.dataset}")
        return found

    def _check_coding(self, found: Published):
        """InputError: the data set has other images than the coding takes, or a binning without recorded events."""
        fit = [coding for coding in CODINGS if found.name == OWN or (coding in TIMED_CODINGS) == found.events]
        what = "recorded events" if found.events else "one image for all timesteps"
        _require("coding", self.coding, self.coding in fit, f"{' or '.join(fit)}; {self.dataset} has {what}")
        for key in BINNING_KEYS:
            value = getattr(self, key)
            _require(key, value, found.events or value == getattr(Binning, key), f"with recorded events; {self.dataset} has none")
        _ = self.binning

    @property
    def image_bits(self) -> int:
        """Of a pixel: those of an event, or of the bytes that all data sets hold."""
        return 1 if self.coding == "events" else 8

    @property
    def pixel_worth(self) -> float:
        """What a whole number of the first layer's input is in the recipe's real numbers: a spike or a count is 1."""
        return worth_of(self.pixels) if self.coding == "direct" else 1.0

    @property
    def binning(self) -> Binning:
        return Binning(self.bins, self.bin_time, self.downscale)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Of an image, or of recorded events after the downscale: channels, height, width. InputError: only the files say so."""
        shape = self.published.shape
        if shape is None:
            raise InputError(f"dataset = {brief(self.dataset)}; allowed here: those of a known shape")
        return downscaled(shape, self.downscale)

    @property
    def frames(self) -> FrameFormat | None:
        """What recorded events become; None for images."""
        if not self.published.events:
            return None
        return FrameFormat(self.timesteps, self.input_shape, self.coding == "events", 2**self.image_bits - 1, self.binning)

    @property
    def neuron(self) -> Neuron:
        return parse_neuron(self.reset, self.beta)


def _require(name: str, value: object, holds: bool, allowed: str) -> None:
    if not holds:
        raise SettingError(name, f"{name} = {brief(value)}; allowed: {allowed}")


def _span(numbers: range) -> str:
    return f"{numbers.start} to {numbers.stop - 1}"


def parse_neuron(reset: str, beta: str) -> Neuron:
    """Neuron with a reset and beta written as a fraction over a power of two: "5/32" is multiplier 5, shift 5."""
    match = re.fullmatch(r"([0-9]{1,6})/([1-9][0-9]{0,5})", beta)
    if not match or int(match[2]).bit_count() != 1 or int(match[2]) > 2 ** (LEAK_SHIFTS.stop - 1):
        most = 2 ** (LEAK_SHIFTS.stop - 1)
        raise InputError(f"beta {brief(beta)}; needs m/2^k written out, such as 5/32, with 2^k up to {most}{named_leaks(beta)}")
    return Neuron(reset, int(match[1]), int(match[2]).bit_length() - 1)


def nearest_leaks(beta: object) -> list[str]:
    """For a message the fractions m/2^k nearest to a number, or to a text that is one: a short one and a longer one, or an exact
    one alone, each with its value. None for what is no number from 0 to 1.
    """
    try:
        wanted = -1.0 if isinstance(beta, bool) else float(beta)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return []
    if not 0 <= wanted <= 1:
        return []
    found: list[Fraction] = []
    for shift in range(NAMED_BITS + 1):
        candidate = Fraction(round(wanted * 2**shift), 2**shift)
        if not found or abs(candidate - Fraction(wanted)) < abs(found[-1] - Fraction(wanted)):
            found.append(candidate)
    kept = found[-1:] if found[-1] == wanted else found[-2:]
    return [f'"{one.numerator}/{one.denominator}" ({float(one):.4g})' for one in kept]


def named_leaks(beta: object) -> str:
    """nearest_leaks() for the end of a message; empty if there are none."""
    near = nearest_leaks(beta)
    return f" (nearest: {', '.join(near)})" if near else ""


def read_settings(path: Path | str) -> Settings:
    """Settings of a TOML file. InputError: not readable, not TOML, a key unknown, missing, or of the wrong type or value."""
    table = read_toml(path)
    try:
        return settings_from(table)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def settings_from(table: dict[str, object]) -> Settings:
    """Settings of a table with the keys of Settings, each of its type.

    Those that its recipe sets, and those with a default, may be missing.
    """
    types = {field.name: field.type for field in fields(Settings)}
    for key in table:
        _require("key", key, key in types, f"{', '.join(types)}{did_you_mean(key, types)}")
        _check_type(key, table[key], str(types[key]))
    whole = filled(table)
    for field in fields(Settings):
        if field.name not in whole and field.default is MISSING:
            raise InputError(f"key {field.name!r} is missing")
    try:
        return Settings(**whole)  # type: ignore[arg-type]
    except SettingError as error:
        if error.setting in table or error.setting not in whole:
            raise
        set_by = f"recipe = {brief(whole['recipe'])} sets it; a line {error.setting} = ... in the file overrides that"
        raise InputError(f"{error}; {set_by}") from None


def _check_type(key: str, value: object, wanted: str) -> None:
    allowed, named = TYPES[wanted]
    named = named.format(WORDS.get(key, ""))
    near = nearest_leaks(value) if key == "beta" else []
    if near:
        named = f"a fraction m/2^k in quotes, such as {' or '.join(near)}"
    _require(key, value, isinstance(value, allowed) and isinstance(value, bool) == (bool in allowed), named)
