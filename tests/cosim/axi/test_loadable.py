"""Networks as words for a core of their shape, and the refusal of all others."""

import json
import zlib
from dataclasses import replace

import numpy as np
import pytest

from duospike.cosim.axi.loadable import CoreError, core_hash, load_file, network_words, read_core
from duospike.cosim.axi.register_pages import json_text
from duospike.cosim.axi.shell import shell_of
from duospike.cosim.axi.shell_folder import description
from duospike.cosim.design.plan import stage_widths
from duospike.cosim.errors import CosimError
from duospike.reference.network import Neuron
from duospike.reference.widths import prove_widths
from duospike.rtl.accelerator import parameter_tables
from duospike.rtl.registers import hash_words
from tests.benches.shell_bench import loadable_core
from tests.benches.small_networks import small_network, small_stages

ARCHITECTURES = [
    ("3C3-5C3-MP2-FC6", (1, 6, 7), {}),
    ("4C5-3C1-FC6-FC4", (3, 5, 4), {"image_signed": True, "classes": 2, "weight_bits": 3}),
    ("3C3-FC6", (2, 4, 3), {"timesteps": 8, "coding": "rate"}),
    ("3C3-FC6", (2, 4, 3), {"leaks": True, "neuron": Neuron("none", 16, 4), "readout": "last_membrane", "classes": 6}),
    ("FC7-FC6", (2, 4, 3), {"timesteps": 6, "coding": "frames"}),
]  # fmt: skip


def entries_of(words, core):
    """The entries of each memory by its name, put together again from the words."""
    found = {}
    for memory in core["memories"]:
        pieces = -(-memory["width"] // 32)
        taken = words[memory["first"] : memory["first"] + pieces * memory["depth"]].reshape(-1, pieces)
        found[memory["name"]] = [sum(int(word) << 32 * i for i, word in enumerate(row)) for row in taken]
    return found


@pytest.mark.parametrize("architecture, shape, settings", ARCHITECTURES)
def test_without_headroom_the_words_are_those_of_the_hex_files(architecture, shape, settings):
    network = small_network(architecture, shape, **settings)
    stages, core = loadable_core(network)
    words = network_words(network, core)
    assert words.dtype == np.uint32 and len(words) == core["words"]
    entries = entries_of(words, core)
    for table in parameter_tables(small_stages(network)):
        assert entries.pop(table.path.removesuffix(".hex")) == [int(line, 16) for line in table.hex_lines().split()]
    assert not entries
    ends = [memory["first"] + -(-memory["width"] // 32) * memory["depth"] for memory in core["memories"]]
    assert [memory["first"] for memory in core["memories"]] == [0, *ends[:-1]] and ends[-1] == core["words"]


def signed_fields(entry, width, bits):
    fields = [entry >> at & 2**bits - 1 for at in range(0, width, bits)]
    return [field - (field >> bits - 1 << bits) for field in fields]


def test_headroom_is_filled_with_signs():
    network = small_network("3C3-5C3-MP2-FC6", (1, 6, 7))
    _, core = loadable_core(network, lanes=2, headroom=5)
    entries = entries_of(network_words(network, core), core)
    memories = {memory["name"]: memory for memory in core["memories"]}
    for name, proven in prove_widths(network).items():
        layer = next(layer for layer in network.layers if layer.name == name)
        for what, bits in (("theta", proven.theta_bits + 5), ("bias", proven.current_bits + 5)):
            memory = memories[f"{name}_{what}"]
            assert memory["field_bits"] == bits
            fields = [signed_fields(entry, memory["width"], bits) for entry in entries[memory["name"]]]
            assert sum(fields, [])[: layer.outputs] == getattr(layer, what).tolist()
    # A window's weights come channel by channel within each tap.
    first = signed_fields(entries["conv1_weights"][0], memories["conv1_weights"]["width"], network.layers[0].weight_bits)
    assert first == network.layers[0].weights[:2].transpose(0, 2, 3, 1).reshape(-1).tolist()


OTHERS = {
    "input_shape": ({"shape": (1, 6, 8)}, "network: input_shape 1-6-8; allowed: 1-6-7, the core's"),
    "image_bits": ({"image_bits": 7}, "network: image_bits 7; allowed: 8, the core's"),
    "image_signed": ({"image_signed": True}, "network: image_signed True; allowed: False"),
    "timesteps": ({"timesteps": 3}, "network: timesteps 3; allowed: 2"),
    "coding": ({"coding": "rate"}, "network: coding rate; allowed: direct"),
    "classes": ({"classes": 2}, "network: classes 2; allowed: 3"),
    "layers": ({"architecture": "3C3-5C3-FC6"}, "network: layers conv1-conv2-fc1; allowed: conv1-conv2-pool1-fc1"),
    "outputs": ({"architecture": "3C3-4C3-MP2-FC6"}, "layer conv2: outputs 4; allowed: 5"),
    "kernel": ({"architecture": "3C3-5C5-MP2-FC6"}, "layer conv2: kernel 5; allowed: 3"),
    "reset": ({"reset": "zero"}, "layer conv1: reset zero; allowed: subtract"),
    "multiplier": ({"neuron": Neuron("subtract", 6, 5)}, "layer conv1: multiplier 6; allowed: 5"),
    "shift": ({"neuron": Neuron("subtract", 5, 6)}, "layer conv1: shift 6; allowed: 5"),
    "leaks": ({"leaks": True}, "layer conv1: multiplier "),
    "readout": ({"readout": "first_spike"}, "network: readout first_spike; allowed: None"),
    "weight_bits": ({"weight_bits": 5}, "layer conv1: weight_bits 5; allowed: up to 4"),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
def test_a_network_of_another_shape_is_refused(what):
    settings, message = OTHERS[what]
    _, core = loadable_core(small_network(), headroom=4)
    with pytest.raises(CosimError) as refused:
        network_words(small_network(**settings), core)
    assert str(refused.value).startswith(message) and "\n" not in str(refused.value)


def test_a_core_with_leaks_takes_any_of_its_shift():
    made = small_network(leaks=True)
    _, core = loadable_core(made, headroom=4)
    assert {layer["multiplier"] for name, layer in core["layers"].items() if name != "pool1"} == {"loaded"}
    names = [memory["name"] for memory in core["memories"]]
    assert [name for name in names if name.endswith("leak")] == ["conv1_leak", "conv2_leak", "fc1_leak"]
    for multiplier in (0, 7, 32):
        words = network_words(small_network(neuron=Neuron("subtract", multiplier, 5)), core)
        memory = next(memory for memory in core["memories"] if memory["name"] == "conv2_leak")
        (entry,) = entries_of(words, core)["conv2_leak"]
        fields = [entry >> at & 2 ** memory["field_bits"] - 1 for at in range(0, memory["width"], memory["field_bits"])]
        assert memory["field_bits"] == 6 and fields == [multiplier] * 5
    with pytest.raises(CosimError, match="layer conv1: shift 6; allowed: 5, the core's"):
        network_words(small_network(neuron=Neuron("subtract", 5, 6)), core)


def test_another_read_out_is_refused():
    _, core = loadable_core(small_network(readout="first_spike"))
    with pytest.raises(CosimError, match="network: readout count; allowed: first_spike, the core's"):
        network_words(small_network(), core)


def test_another_seed_of_the_coding_is_refused():
    made, other = [small_network("3C3-FC6", (2, 4, 3), timesteps=4, coding="rate", coding_seed=seed) for seed in (1, 2)]
    _, core = loadable_core(made)
    with pytest.raises(CosimError, match="network: coding_seed 2; allowed: 1, the core's"):
        network_words(other, core)


def with_layer(network, index, **arrays):
    layers = list(network.layers)
    layers[index] = replace(layers[index], **arrays)
    return replace(network, layers=tuple(layers))


def test_a_network_is_refused_for_each_width_that_is_one_bit_too_small():
    network = small_network()
    _, core = loadable_core(network)
    layer = network.layers[1]
    proven = stage_widths(network)["conv2"]
    wider = {
        "current_bits": with_layer(network, 1, bias=layer.bias + 2 ** (proven.current_bits - 1), theta=layer.theta),
        "theta_bits": with_layer(network, 1, theta=layer.theta + 2 ** (proven.theta_bits - 1)),
    }
    for key, other in wider.items():
        needed = getattr(stage_widths(other)["conv2"], key)
        assert needed > getattr(proven, key)
        with pytest.raises(CosimError) as refused:
            network_words(other, core)
        assert str(refused.value) == f"layer conv2: {key} {needed}; allowed: up to {getattr(proven, key)}, the core's"


def test_a_network_is_refused_for_a_potential_that_is_one_bit_too_small():
    """A slow leak lets the potential grow beyond the current; a core that lacks a bit of it, and of nothing else."""
    network = small_network(neuron=Neuron("subtract", 31, 5), timesteps=8)
    _, core = loadable_core(network)
    bits = core["layers"]["conv2"]["potential_bits"]
    assert bits > core["layers"]["conv2"]["current_bits"]
    core["layers"]["conv2"]["potential_bits"] -= 1
    with pytest.raises(CosimError) as refused:
        network_words(network, core)
    assert str(refused.value) == f"layer conv2: potential_bits {bits}; allowed: up to {bits - 1}, the core's"


def test_a_file_names_its_core_and_its_words():
    network = small_network()
    _, core = loadable_core(network)
    content = np.frombuffer(load_file(network, core), "<u4")
    assert content[0].tobytes() == b"DUOW" and content[5] == core["words"] == len(content) - 7
    assert b"".join(int(word).to_bytes(4, "big") for word in content[1:5]) == core_hash(core)[:16]
    assert content[6] == zlib.crc32(content[7:].tobytes())
    assert content[7:].tolist() == network_words(network, core).tolist()


def test_cores_of_one_shape_and_widths_have_one_hash_whatever_their_weights():
    network = small_network()
    other = with_layer(network, 1, weights=network.layers[1].weights[::-1], bias=network.layers[1].bias[::-1])
    core = core_hash(loadable_core(network, lanes=2)[1])
    assert core == core_hash(loadable_core(with_layer(other, 1, theta=network.layers[1].theta[::-1]), lanes=2)[1])
    assert len({core, core_hash(loadable_core(network, lanes=3)[1]), core_hash(loadable_core(network, 2, headroom=1)[1])}) == 3


def folder_of(network, folder, change=lambda content: None, hardware_follows=False):
    """A folder with the description of a core, changed; hardware_follows: its hash is renewed wherever it is."""
    stages, core = loadable_core(network)
    shell = shell_of(network, stages, core)
    content = json.loads(json_text(description(network, stages, shell, core)))
    change(content)
    (folder / "registers.json").write_text(json_text(content))
    if hardware_follows:
        shell = shell_of(network, stages, content["load"])
    (folder / "identity.hex").write_text(shell.identity.hex_lines())
    return core


def test_a_core_is_read_back(tmp_path):
    core = folder_of(small_network(), tmp_path)
    assert read_core(tmp_path) == core


def renewed(change):
    """A change after which the description's own hash is renewed, too."""

    def change_and_renew(content):
        change(content["load"])
        for i, word in enumerate(hash_words(core_hash(content["load"]))):
            content["registers"][f"HASH_{i}"]["value"] = word

    return change_and_renew


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda content: content.pop("load"), "no loadable core"),
        (lambda content: content["load"].update(words=1), "does not match the hash in identity.hex"),
        (renewed(lambda load: load["layers"]["fc1"].update(theta_bits=40)), "does not match the hash in identity.hex"),
        (renewed(lambda load: load["layers"]["fc1"].update(potential_bits=30)), "does not match the hash in identity.hex"),
        (lambda content: content.update(load=[]), "does not match the hash in identity.hex"),
    ],
)
def test_a_description_that_was_changed_is_refused(tmp_path, change, message):
    folder_of(small_network(), tmp_path, change)
    with pytest.raises(CosimError, match=message):
        read_core(tmp_path)


@pytest.mark.parametrize(
    "text, message",
    [
        (None, "not found; allowed: the folder of a core"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "no loadable core"),
        ('{"load": {}, "load": {}}', "twice in an object"),
    ],
)
def test_a_folder_without_a_description_is_refused(tmp_path, text, message):
    folder_of(small_network(), tmp_path)
    (tmp_path / "registers.json").unlink()
    if text is not None:
        (tmp_path / "registers.json").write_text(text)
    with pytest.raises(CosimError, match=message):
        read_core(tmp_path)


@pytest.mark.parametrize("content, message", [(None, "not found"), (b"1\n2\n", "does not match"), (b"x\n" * 9, "not as"),
                                              (b"\xff\n" * 9, "not as"), (b" " * 2**17, "131072 bytes; allowed")])  # fmt: skip
def test_a_folder_without_the_hash_of_its_hardware_is_refused(tmp_path, content, message):
    folder_of(small_network(), tmp_path)
    (tmp_path / "identity.hex").unlink()
    if content is not None:
        (tmp_path / "identity.hex").write_bytes(content)
    with pytest.raises(CosimError, match=message):
        read_core(tmp_path)


def places_of(value, path=()):
    """The paths of all values in JSON content, those of objects and lists too."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in items:
        yield from places_of(member, (*path, key))


def changed_values(value):
    """Other values for one, those among them that JSON or Python might take for the same."""
    if type(value) is bool:
        return [not value, int(value)]
    if type(value) is int:
        return [value + 1, value - 1, -value - 1, float(value), bool(value), str(value), 2**70]
    return [None, 7, "x", [], {}, [value], {"x": value}]


def with_value(content, path, value):
    """Content with another value at a place."""
    if not path:
        return value
    changed = dict(content) if isinstance(content, dict) else list(content)
    changed[path[0]] = with_value(content[path[0]], path[1:], value)
    return changed


OTHER_CORES = {("layers", "potential_bits"), ("sizing", "parts"), ("sizing", "timesteps"), ("sizing", "queue_depth")}
"""In what another core for the same network may differ whose memories are of the same sizes."""


def test_no_changed_field_of_a_description_gives_a_file():
    """Even where the hardware's own hash was renewed, unless the description is that of another core for the network."""
    network = small_network("2C3-3C3-MP2-FC6", (1, 6, 7))
    _, core = loadable_core(network, lanes=2)
    core = json.loads(json.dumps(core))
    tried, taken = 0, set()
    for path in places_of(core):
        value = core
        for key in path:
            value = value[key]
        for other in changed_values(value):
            changed = with_value(core, path, other)
            if json.dumps(changed) == json.dumps(core):
                continue
            tried += 1
            try:
                network_words(network, changed)
                taken.add((path[0], path[-1] if path[0] == "layers" else path[1]))
                assert type(other) is int, (path, other)
            except CosimError as refused:
                assert "\n" not in str(refused)
    assert tried > 500 and taken == OTHER_CORES


def test_entries_that_are_missing_or_too_many_are_refused():
    network = small_network()
    _, core = loadable_core(network)
    core = json.loads(json.dumps(core))
    for path in places_of(core):
        for add in (False, True):
            changed = json.loads(json.dumps(core))
            holder = changed
            for key in path[:-1] if not add else path:
                holder = holder[key]
            if add and isinstance(holder, dict):
                holder["more"] = 1
            elif add and isinstance(holder, list):
                holder.append(1)
            elif not add and path:
                del holder[path[-1]]
            else:
                continue
            with pytest.raises(CosimError):
                network_words(network, changed)


def test_a_core_that_only_claims_to_be_one_is_named_by_its_file(tmp_path):
    """Both hashes renewed: what remains is that its memories are not those of any core for the network."""
    network = small_network()
    folder_of(network, tmp_path, renewed(lambda load: load["memories"].reverse()), hardware_follows=True)
    with pytest.raises(CoreError, match="load: memories is not what the network, the widths and the sizing give"):
        load_file(network, read_core(tmp_path))
