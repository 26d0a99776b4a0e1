"""The driver alone; tests/rtl/test_axi_shell.py runs it against the core."""

import ast
from pathlib import Path

import numpy as np
import pytest

from duospike.cosim.axi import pynq_driver
from duospike.cosim.axi.loadable import load_file
from duospike.cosim.axi.pynq_driver import Accelerator, DriverError
from duospike.cosim.axi.shell import shell_of
from duospike.cosim.axi.shell_folder import description
from duospike.cosim.simulation.network_run import input_beats
from duospike.reference import golden
from tests.benches import pynq_rules
from tests.benches.shell_bench import loadable_core, random_images
from tests.benches.small_networks import small_network, small_stages

NETWORKS = [
    ("2C3-FC3", (1, 3, 4), {}),
    ("2C3-FC3", (3, 4, 3), {"image_signed": True}),
    ("2C3-FC3", (2, 3, 3), {"image_bits": 11, "timesteps": 6}),
    ("2C3-FC3", (5, 3, 3), {"timesteps": 8, "coding": "rate", "image_bits": 3}),
    ("2C3-FC3", (5, 3, 4), {"timesteps": 6, "coding": "events", "image_bits": 1}),
    ("FC3", (3, 2, 4), {"timesteps": 4, "coding": "rate"}),
    ("2C3-FC3", (3, 3, 4), {"timesteps": 4, "coding": "frames", "image_bits": 5, "image_signed": True}),
    ("2C3-FC3", (1, 3, 3), {"image_bits": 1}),
    ("FC3", (2, 3, 4), {}),
    ("FC3", (2, 3, 4), {"timesteps": 6, "coding": "frames"}),
]


class Registers:
    """Registers of a core that is not there."""

    def __init__(self, registers):
        self.values = {register["offset"]: register.get("value", 0) for register in registers.values()}
        self.written = []

    def read(self, offset):
        return self.values[offset]

    def write(self, offset, value):
        self.written.append((offset, value))


def driver_of(network):
    stages = small_stages(network)
    content = description(network, stages, shell_of(network, stages))
    registers = Registers(content["registers"])
    return Accelerator(content, registers, None), registers, stages


@pytest.mark.parametrize("architecture, shape, settings", NETWORKS)
def test_packets_hold_the_beats_that_the_accelerator_takes(architecture, shape, settings):
    network = small_network(architecture, shape, **settings)
    core, _, stages = driver_of(network)
    images = random_images(3, network.image_shape, network.pixel_range, 2)
    size = core.network["data_bits"] // 8
    beats = [int.from_bytes(beat.tobytes(), "little") for beat in core.encode(images).reshape(-1, size)]
    assert beats == list(input_beats(network, stages, images))
    assert len(beats) == 3 * core.registers["IMAGE_BEATS"]["value"]


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 1, 3, 5), int), "images of shape"),
        (np.zeros((1, 3, 4), int), "images of shape"),
        (np.zeros((0, 1, 3, 4), int), "one or more"),
        (np.zeros((1, 1, 3, 4)), "float64"),
        (np.full((1, 1, 3, 4), 256), "pixels of 256 to 256; allowed: 0 to 255"),
        (np.full((1, 1, 3, 4), -1), "allowed: 0 to 255"),
    ],
)
def test_images_that_the_core_cannot_take_are_refused(images, message):
    core, _, _ = driver_of(small_network("2C3-FC3", (1, 3, 4)))
    with pytest.raises(ValueError, match=message):
        core.encode(images)


@pytest.mark.parametrize("name", ["ID", "VERSION", "HASH_0", "HASH_3", "IMAGE_BEATS", "RESULT_WORDS"])
def test_another_core_is_refused(name):
    core, registers, _ = driver_of(small_network("2C3-FC3", (1, 3, 4)))
    registers.values[core.registers[name]["offset"]] ^= 1
    with pytest.raises(DriverError, match=f"register {name} reads"):
        core.check()


def test_the_hash_follows_what_the_network_computes_and_nothing_else():
    def constants(**settings):
        core, _, _ = driver_of(small_network("2C3-FC3", (1, 3, 4), **settings))
        return [register["value"] for name, register in core.registers.items() if name.startswith("HASH")]

    assert constants() == constants() != constants(seed=5)
    assert constants() != constants(reset="zero")


def test_commands_and_bits():
    core, registers, _ = driver_of(small_network("2C3-FC3", (1, 3, 4)))
    core.start()
    core.stop()
    core.reset()
    core.clear_errors()
    assert registers.written == [(0x20, 1), (0x20, 2), (0x20, 4), (0x24, 15)]
    registers.values[0x24], registers.values[0x28] = 0b1001, 0b10
    assert core.errors() == ["SHORT_IMAGE", "BAD_COMMAND"]
    assert core.state() == {"RUNNING": False, "BUSY": True}


def test_the_driver_keeps_the_rules_of_pynq():
    network = small_network("2C3-FC3", (1, 3, 4))
    core, registers, stages = driver_of(network)
    images = random_images(5, network.image_shape, network.pixel_range, 2)
    trace = golden.run(network, images)
    words = np.column_stack([trace.predicted, trace.scores]).astype("<u4")
    results = {packet.tobytes(): row.tobytes() for packet, row in zip(core.encode(images), words, strict=True)}
    content = description(network, stages, shell_of(network, stages))
    ip = pynq_rules.Registers(registers.values)
    core = Accelerator(content, ip, pynq_rules.Dma(results), pynq_rules.allocate)
    classes, scores = core.infer(images)
    assert np.array_equal(classes, trace.predicted) and np.array_equal(scores, trace.scores)
    core.reset()
    core.clear_errors()
    assert ip.written == [(0x20, 1), (0x20, 4), (0x24, 15)]


def test_the_rules_of_pynq_are_noticed():
    dma = pynq_rules.Dma({}, max_size=8)
    with pytest.raises(AssertionError, match="no buffer of allocate"):
        dma.sendchannel.transfer(np.zeros(4, np.uint8))
    with pytest.raises(ValueError, match="exceeds the maximum"):
        dma.sendchannel.transfer(pynq_rules.allocate((9,), np.uint8))
    dma.sendchannel.transfer(pynq_rules.allocate((4,), np.uint8))
    with pytest.raises(RuntimeError, match="not idle"):
        dma.sendchannel.transfer(pynq_rules.allocate((4,), np.uint8))
    with pytest.raises(ValueError, match="int or bytes"):
        pynq_rules.Registers({}).write(0, np.uint32(1))


def loadable_driver(network, lanes=None):
    stages, core = loadable_core(network, lanes)
    content = description(network, stages, shell_of(network, stages, core), core)
    return Accelerator(content, Registers(content["registers"]), None), load_file(network, core)


def test_files_that_are_not_for_this_core_are_refused_before_anything_is_written(tmp_path):
    network = small_network("2C3-FC3", (1, 3, 4))
    core, file = loadable_driver(network)
    _, other = loadable_driver(network, lanes=1)
    wrong = {
        "not a file of": [b"", b"DUOW", file[:-1], b"X" + file[1:]],
        "for another core": [other],
        "damaged": [file[:-4], file + bytes(4), file[:-1] + bytes([file[-1] ^ 1]), file[:24] + b"0123" + file[28:]],
    }
    for message, contents in wrong.items():
        for content in contents:
            (tmp_path / "weights.bin").write_bytes(content)
            with pytest.raises(ValueError, match=message):
                core.load(tmp_path / "weights.bin")
    assert core._ip.written == []
    in_roms, _, _ = driver_of(network)
    with pytest.raises(ValueError, match="network in ROMs"):
        in_roms.load(file)


def test_the_driver_needs_numpy_alone():
    """It goes to the board as one file."""
    tree = ast.parse(Path(pynq_driver.__file__).read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert modules == {"json", "pathlib", "zlib", "numpy"}
