"""Runs of all commands on a small network, for the report."""

import hashlib
import json

import numpy as np

from duospike.cosim.design.provenance import design_provenance
from duospike.cosim.design.sizing import choose_sizing
from duospike.reference.modelfile import save_model
from duospike.scripts.main import main
from tests.benches.small_networks import small_network

COMMANDS = {
    "cosim": ["--images", "3"], "cycles": ["--images", "3"], "energy": ["--images", "3"], "evaluate": [],
    "explore": ["--images", "2", "--budget", "lanes=6"],
}  # fmt: skip


def write_runs(folder, network=None, commands=COMMANDS):
    """Run commands on images of a file, each to a folder of its name; returns these folders by name."""
    network = network or small_network()
    save_model(network, folder / "model.safetensors")
    rng, (low, high) = np.random.default_rng(5), network.pixel_range
    np.save(folder / "images.npy", rng.integers(low, high + 1, (3, *network.image_shape)))
    for command in commands:
        words = [command, str(folder / "model.safetensors"), "--data", str(folder / "images.npy"), "--out", str(folder / command)]
        assert main([*words, *COMMANDS[command]]) == 0
    return {command: folder / command for command in commands}


def write_all(folder, network):
    """The runs of COMMANDS, and what synth, with --pnr, and convert would write, which take longer."""
    runs = write_runs(folder, network)
    synth = write_timing(write_areas(folder / "synth", network), network)
    return runs | {"synth": synth, "convert": write_manifest(folder / "convert", network)}


def write_manifest(folder, network):
    """manifest.json as convert writes it, beside two files."""
    folder.mkdir()
    files = {"accelerator.v": b"module accelerator;\nendmodule\n", "accelerator.f": b"accelerator.v\n"}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = {"language": "verilog", **design_provenance(network, choose_sizing(network)), "files": hashes}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def write_areas(folder, network):
    """areas.json as synth writes it, with made-up numbers: Yosys takes minutes."""
    kinds = ("lut", "ff", "carry", "mux", "dsp", "lut_ram", "block_ram")
    areas = [dict(zip(kinds, (100 + 7 * i, 50 + i, i, 0, 9 * (i == 0), 0, 0.5 * i), strict=True)) for i in range(2)]
    report = {
        "yosys": "Yosys 0.0", "family": "xcup", "multipliers": "dsp", "top": "accelerator",
        "units": {kind: kind.upper() for kind in kinds},
        "total": {kind: sum(area[kind] for area in areas) for kind in kinds},
        "stages": [{"name": f"conv{i + 1}", "module": f"conv_{i}", **area} for i, area in enumerate(areas)],
        "modules": [
            {"name": f"conv_{i}", "block": "conv", "instances": 1, "stages": [f"conv{i + 1}"], **area, "cells": {"LUT6": 1}}
            for i, area in enumerate(areas)
        ],
    }  # fmt: skip
    folder.mkdir()
    (folder / "areas.json").write_text(json.dumps(design_provenance(network, choose_sizing(network)) | report))
    return folder


def write_timing(folder, network):
    """timing.json as synth --pnr writes it, with made-up numbers: placement takes minutes."""
    spots = [
        {"stage": name, "block": "lif", "instance": f"{name}.fire_neurons", "signal": "membrane[1]"} for name in ("conv1", "fc1")
    ]
    report = {
        "yosys": "Yosys 0.0", "multipliers": "dsp", "device": "LFE5U-85F", "package": "CABGA756", "speed": 7, "seed": 3,
        "target_mhz": 90, "nextpnr": "nextpnr 0.0",
        "utilization": {"TRELLIS_COMB": {"used": 771, "available": 83640}, "DP16KD": {"used": 13, "available": 208}},
        "fmax_mhz": 87.25,
        "critical_path": {
            "delay": 11.461, "logic": 4.5, "routing": 6.961, "start": spots[1], "end": spots[0],
            "through": [{"stage": "conv1", "block": "lif", "instance": "conv1.fire_neurons", "delay": 11.461, "nets": 9}],
        },
        "slowest_ends": [
            {**spots[0], "delay": 11.461}, {**spots[0], "instance": "conv1", "delay": 9.5}, {**spots[1], "delay": 8.25}
        ],
        "images": {"images": 4, "interval": 130.5, "dynamic": 41.0, "images_per_second": 668582.4, "static": 17.0},
    }  # fmt: skip
    (folder / "timing.json").write_text(json.dumps(design_provenance(network, choose_sizing(network)) | report))
    return folder
