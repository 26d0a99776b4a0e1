import numpy as np
import pytest

from duospike.reference.errors import InputError
from duospike.reference.modelfile import load_model, save_model
from duospike.reference.network import Conv, CurrentPool, Linear, Network, Neuron, Pool

NEURON = Neuron("subtract", 5, 5)
POOLS = [Pool(f"pool{number}") for number in range(1, 13)]


def zeros(*shape):
    return np.zeros(shape, dtype=np.int64)


def conv(name="conv1", outputs=2, channels=1, kernel=3, **changes):
    values = {"weights": zeros(outputs, channels, kernel, kernel), "bias": zeros(outputs), "theta": zeros(outputs)}
    return Conv(name=name, **(values | {"neuron": NEURON, "weight_bits": 4} | changes))


def linear(name="fc1", outputs=4, inputs=50, **changes):
    values = {"weights": zeros(outputs, inputs), "bias": zeros(outputs), "theta": zeros(outputs)}
    return Linear(name=name, weight_bits=4, neuron=NEURON, **(values | changes))


def network(*layers, **changes):
    values = {"input_shape": (1, 5, 5), "image_bits": 8, "image_signed": False, "timesteps": 2, "classes": 2}
    return Network(layers=layers or (conv(), linear()), **(values | changes))


def test_shapes_chain():
    made = network(conv(), Pool("pool1"), conv("conv2", 3, 2, 1), linear(inputs=27), input_shape=(1, 7, 6), classes=4)
    assert made.shapes == ((1, 7, 6), (2, 7, 6), (2, 3, 3), (3, 3, 3), (4, 1, 1))


def test_shapes_of_windows():
    """Sizes as torch gives them: floor((size + 2 * padding - kernel) / stride) + 1."""
    first = conv(kernel=5, stride=(2, 3), padding=(1, 2))
    second = conv("conv2", 3, 2, 4, current_pool=CurrentPool("sum", (2, 1)))
    layers = (first, Pool("pool1", "or", (3, 3), (1, 2), (1, 1)), second, Pool("pool2", "sum", (2, 3)), linear(inputs=3))
    made = network(*layers, input_shape=(1, 18, 26), classes=4)
    assert made.shapes == ((1, 18, 26), (2, 8, 9), (2, 8, 5), (3, 3, 4), (3, 1, 1), (4, 1, 1))
    assert made.input_ranges == ((0, 255), (0, 1), (0, 1), (0, 1), (0, 6))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Neuron("hard", 1, 1), "neuron reset 'hard' is unknown; allowed: subtract"),
        (lambda: Neuron("zero", 3, 1), "leak multiplier 3 is outside 0..2"),
        (lambda: Neuron("zero", 1, 17), "leak shift 17 is outside 0..16"),
        (lambda: conv(bias=np.zeros(2)), "layer conv1: bias must be integers, got float64"),
        (lambda: conv(bias=zeros(3)), r"layer conv1: bias has shape \(3,\), needs \(2,\)"),
        (lambda: conv(weights=np.full((2, 1, 3, 3), -8)), r"layer conv1: weight -8 at \(0, 0, 0, 0\) is outside -7..7"),
        (lambda: conv(weights=np.full((2, 1, 3, 3), -(2**63))), "layer conv1: weight -9223372036854775808 at"),
        (lambda: conv(theta=np.full(2, 2**64 - 1, dtype=np.uint64)), "layer conv1: theta reaches 18446744073709551615"),
        (lambda: conv(kernel=8), "layer conv1: weights of shape .*; needs .* with 1 to 7 rows and columns"),
        (lambda: conv(stride=(0, 1)), r"layer conv1: stride \(0, 1\); allowed: rows and columns, two integers from 1 up"),
        (lambda: conv(stride=2), "layer conv1: stride 2; allowed: rows and columns"),
        (lambda: conv(padding=(0, 2)), "layer conv1: padding 0x2; allowed: up to 1x1 for a kernel of 3x3"),
        (lambda: conv(kernel=4, padding=(2, 1)), "layer conv1: padding 2x1; allowed: up to 1x1 for a kernel of 4x4"),
        (lambda: conv(current_pool=CurrentPool("or", (2, 2))), "layer conv1: current pool 'or' is unknown; allowed: max, sum"),
        (lambda: conv(current_pool=CurrentPool("max", (2, 0))), r"layer conv1: current pool \(2, 0\); allowed: rows and columns"),
        (
            lambda: network(conv(current_pool=CurrentPool("max", (6, 1))), linear()),
            "conv1: current pool 6x1 is larger than .* 5x5",
        ),
        (
            lambda: network(conv(kernel=6, padding=(0, 0)), linear()),
            "layer conv1: kernel 6x6 is larger than its input map of 5x5",
        ),
        (
            lambda: conv(neuron=Neuron("zero", (1, 1, 1), 0)),
            "layer conv1: 3 leak multipliers; needs one, or one for",
        ),
        (lambda: Neuron("zero", (1, 3), 1), "leak multiplier 3 is outside 0..2"),
        (lambda: Pool("pool1", "max"), "layer pool1: pooling 'max' is unknown; allowed: or, sum"),
        (lambda: Pool("pool1", "or", (2, 2), (1, 1), (1, 2)), "layer pool1: padding 1x2; allowed: up to 1x1 for a window of 2x2"),
        (
            lambda: Pool("pool1", "sum", (2, 2), (1, 1)),
            "layer pool1: sums of windows 2x2 with stride 1x1 and padding 0x0; allowed: win",
        ),
        (
            lambda: network(conv(), Pool("pool1", "or", (6, 1)), linear()),
            "layer pool1: window 6x1 is larger than its input map of 5x5",
        ),
        (
            lambda: network(conv(), Pool("pool1", "sum"), Pool("pool2"), linear()),
            "layer pool2: a pool of sums of spikes; allowed: a la",
        ),
        (lambda: network(readout="last"), "read-out 'last' is unknown; allowed: count, first_spike, last_membrane, max_membrane"),
        (
            lambda: network(readout="max_membrane"),
            "layer fc1: 4 neurons for 2 classes; allowed: one for each with the read-out max",
        ),
        (lambda: linear(weights=zeros(4)), "layer fc1: weights of shape"),
        (lambda: network(conv(channels=2), linear()), "layer conv1: weights take 2 channels, its input has 1"),
        (lambda: network(conv(), linear(inputs=49)), r"layer fc1: weights take 49 inputs, its input \(2, 5, 5\) has 50"),
        (
            lambda: network(Pool("pool1"), linear()),
            "layer pool1: a pool takes no pixels; the first layer must be a convolution or",
        ),
        (lambda: network(conv()), "the last layer must be fully connected"),
        (lambda: network(conv(), conv(channels=2), linear()), "layer name 'conv1' is used twice"),
        (lambda: network(conv("fc7"), linear()), "layer name 'fc7'; allowed: conv and a number, after its kind"),
        (lambda: network(conv(), Pool("conv2"), linear()), "layer name 'conv2'; allowed: pool and a number, after its kind"),
        (lambda: network(conv(), linear(), Pool("pool1"), linear("fc2")), "layer pool1: only fully connected layers may follow"),
        (lambda: network(conv("endmodule"), linear()), "layer name 'endmodule'; allowed: conv, pool or fc and a number"),
        (lambda: network(classes=3), "layer fc1: 4 neurons do not divide into 3 classes"),
        (
            lambda: network(conv(outputs=1), *POOLS, linear(inputs=1), input_shape=(1, 2**12, 2**12 + 1)),
            "input: map of 1x4096x4097, 16781312 values; allowed: up to 16777216",
        ),
        (
            lambda: network(conv(outputs=2), *POOLS, linear(inputs=2), input_shape=(1, 2**12, 2**12)),
            "layer conv1: map of 2x4096x4096, 33554432 values; allowed: up to 16777216",
        ),
        (
            lambda: network(conv(), Pool("pool1", "or", (2**40, 1), (1, 1), (2**39, 0)), linear(inputs=60)),
            "layer pool1: map of 2x1099511627781x5, 10995116277810 values; allowed: up to 16777216",
        ),
        (lambda: network(timesteps=1025), "1025 timesteps; allowed: 1 to 1024"),
        (lambda: network(image_bits=17), "image of 17 bits; allowed: 1 to 16"),
        (lambda: network(image_bits=8.0), "image of 8.0 bits; allowed: 1 to 16"),
        (lambda: network(timesteps=2.0), "2.0 timesteps; allowed: 1 to 1024"),
        (lambda: network(classes=2.0), "4 neurons do not divide into 2.0 classes"),
        (lambda: network(classes=True), "4 neurons do not divide into True classes"),
        (lambda: network(classes="2"), "4 neurons do not divide into '2' classes"),
        (lambda: network(image_signed=1), "image_signed 1; allowed: True or False"),
        (lambda: network(coding_seed=0.5), "coding seed 0.5; allowed: 0 to"),
        (lambda: network(input_shape=(1, 5.0, 5)), r"input shape \(1, 5.0, 5\); needs three positive sizes"),
        (lambda: network(input_shape="155"), "input shape '155'; needs three positive sizes"),
        (lambda: conv(weight_bits=4.0), "layer conv1: weights of 4.0 bits; allowed: 2 to 8"),
        (lambda: Neuron("zero", 0.5, 1), "leak multiplier 0.5 is outside 0..2"),
        (lambda: Neuron("zero", (1, 0.5), 1), "leak multiplier 0.5 is outside 0..2"),
        (lambda: Neuron("zero", 1, 1.0), "leak shift 1.0 is outside 0..16"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_whole_numbers_of_other_types_are_ints(tmp_path):
    """As a program computes them that makes a network: of numpy, and shapes in lists."""
    leak = Neuron("zero", np.array([1, 2]).tolist(), np.int16(1))
    layers = conv(neuron=leak, weight_bits=np.uint8(4)), linear()
    made = network(*layers, input_shape=[1, np.int64(5), 5], timesteps=np.int64(2), classes=np.int32(2), image_bits=np.uint8(8))
    save_model(made, tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    assert again.shapes == made.shapes and again.layers[0].neuron == made.layers[0].neuron == Neuron("zero", (1, 2), 1)
    assert made.image_shape == (1, 5, 5) and type(made.timesteps) is int


@pytest.mark.parametrize("bits, signed, expected", [(8, False, (0, 255)), (8, True, (-128, 127)), (1, False, (0, 1))])
def test_pixel_range(bits, signed, expected):
    made = network(image_bits=bits, image_signed=signed)
    assert made.pixel_range == expected
    edges = np.array(expected)[:, None, None, None] * np.ones((1, 1, 5, 5), dtype=np.int64)
    assert made.check_images(edges).dtype == np.int64
    for wrong in (edges + 1, edges - 1):
        with pytest.raises(InputError, match="pixels from"):
            made.check_images(wrong)
