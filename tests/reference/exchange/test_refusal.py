"""Refusals of an import: one line for each reason, equal ones together, each with what can be done."""

import pytest
import snntorch
from torch import nn

from duospike.reference.errors import InputError, ManyReasons
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.refusal import CHANGE, HARDWARE, by_option, gathered, not_in_hardware, placed, refuse
from duospike.reference.exchange.source import Interface


def test_equal_reasons_are_one_line_in_the_order_of_the_first():
    reasons = [
        placed("0 Conv2d", not_in_hardware("stride 2x2; allowed: 1x1")),
        "1 Leaky: in training mode; call eval() first",
        placed("3 Conv2d", not_in_hardware("stride 2x2; allowed: 1x1")),
        by_option("the graph's input has shape (1, 2, 2)", "--input"),
        # The same words, but something else to do about it.
        by_option("4 Leaky: in training mode; call eval() first", "--eval"),
        placed("0 Conv2d", not_in_hardware("stride 2x2; allowed: 1x1")),
    ]
    assert gathered(reasons) == [
        f"0 Conv2d, 3 Conv2d: stride 2x2; allowed: 1x1 [{HARDWARE}]",
        f"1 Leaky: in training mode; call eval() first [{CHANGE}]",
        "the graph's input has shape (1, 2, 2) [option --input]",
        "4 Leaky: in training mode; call eval() first [option --eval]",
    ]


def test_nothing_one_reason_and_many():
    refuse([])
    with pytest.raises(InputError, match=r"^import refused: 0 Conv2d: odd \[change the network\]$"):
        refuse(["0 Conv2d: odd"])
    with pytest.raises(ManyReasons) as refusal:
        refuse(["a: x", "b: x", "a: y"])
    assert refusal.value.title == "import refused for 2 reasons:"
    assert refusal.value.reasons == (f"(1) a, b: x [{CHANGE}]", f"(2) a: y [{CHANGE}]")


class Conv2d(nn.Conv2d):
    """A user's own class of torch's name."""


def leaky(**more):
    return snntorch.Leaky(beta=0.9, **more)


def test_a_first_network_of_a_newcomer():
    """Float weights, beta 0.9, strides, ReLU and an own class: as many lines as things to do."""
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=2), leaky(), nn.Conv2d(4, 4, 3, stride=2, padding=2), leaky(inhibition=True),
        Conv2d(4, 4, 3, padding=1), leaky(), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 49, 10), leaky(),
    ).eval()  # fmt: skip
    with pytest.raises(ManyReasons) as refusal:
        exact_network(from_torch(net, Interface((1, 28, 28), 5, 3)))
    lines = [line.split(" ", 1)[1] for line in refusal.value.reasons]
    allowed = "allowed: Conv2d, Linear, BatchNorm1d"
    for line, (start, remedy) in zip(
        lines,
        [
            ("0 Conv2d, 2 Conv2d: padding 2x2; allowed: from 0x0 to 1x1", HARDWARE),
            ("3 Leaky: inhibition; allowed: none", HARDWARE),
            (f"4 Conv2d: {__name__}.Conv2d is unknown; {allowed}", HARDWARE),
            (f"6 ReLU: torch.nn.ReLU is unknown; {allowed}", HARDWARE),
            ("8 Linear: 10 neurons do not divide into 3 classes", "option --classes"),
            ("layer conv1 (0 Conv2d), layer conv2 (2 Conv2d), layer fc1 (8 Linear): beta", "option --quantize BITS"),
        ],
        strict=True,
    ):
        assert line.startswith(start) and line.endswith(f" [{remedy}]"), line
