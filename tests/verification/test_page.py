"""The page on verification: what its tables say of given results, and what it refuses."""

import json
import re
import time
import tomllib
from collections import Counter

import pytest

from benchmarks.figures.page import page_with
from benchmarks.figures.record import Measurement, comment
from duospike.cosim.errors import CosimError
from verification import page
from verification.mutate import TARGETS
from verification.mutation.equivalence import OPEN, PROVEN
from verification.mutation.mutants import Mutation

KEY = "mutate -mode inv -module pool_1 -cell c -port Y -portbit 0"
EXPLAINED = [{"fault": KEY, "why": "because"}]


def survivor(verdict):
    return {"mutation": {"command": f"{KEY} -wire a|b -wirebit 3 -src pool_1.v:1.2"}, "verdict": verdict}


def block(name, killed, *verdicts):
    """What a campaign says of a block."""
    return {
        "block": name, "module": f"{name}_1", "tests": 2, "planted": killed + len(verdicts), "killed": killed,
        "equivalent": verdicts.count(PROVEN), "survivors": [survivor(verdict) for verdict in verdicts],
    }  # fmt: skip


def campaign(*blocks):
    return {"versions": {"yosys": "0.1"}, "seed": 1, "seconds": 60, "blocks": blocks}


def proof(name, *failures):
    return {
        "name": f"{name}, small", "block": name, "claims": "it holds", "depth": 5, "covers": 1, "faults": ["bad"],
        "failures": failures,
    }  # fmt: skip


COLLECTED = page.Collected(
    [
        page.SimulatedTest("test_pool.py", "test_any_map", Counter(myhdl=2, icarus=2)),
        page.SimulatedTest("test_pool.py", "test_more", Counter(icarus=3)),
    ],
    {"pool": ["ecp5", "xcup"]},
)
PROOFS = {"solvers": {"z3": "4"}, "proofs": [proof("pool"), proof("ram", "base fails")]}


def test_all_that_checks_a_block_is_in_its_row():
    files = {"pool": ["pool"], "memory": ["rom", "ram"], "encoder": ["encoder"]}
    mutation = campaign(block("pool", 3, PROVEN, OPEN), block("pool", 5))
    rows = page.summary_table(files, COLLECTED, PROOFS, mutation).splitlines()[2:]
    assert rows == [
        "| `pool` | 2 | 5 |  | 1 hold | ecp5, xcup | 88.9% |",
        "| `memory` |  |  |  | 0 hold, 1 fail |  |  |",
        "| `encoder` |  |  |  |  |  |  |",
    ]


def test_tables_of_tests_proofs_and_mutants(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 1012.4)
    measurement = Measurement("tests", {"tests": "12345678"}, start=1000)
    text = page.page(COLLECTED, PROOFS, campaign(block("pool", 3, PROVEN, OPEN)), EXPLAINED, measurement)
    assert "<!-- figures tests: 12 s; tests 12345678 -->" in text and "<!-- figures mutation: sources not recorded -->" in text
    assert "| `test_pool.py` | `test_any_map` | 2 | 2 |  |" in text
    assert "| ram, small | it holds | 5 | 1 | 1 | base fails |" in text
    assert "* **pool, small**: bad" in text
    assert "| `pool_1` | 2 | 5 | 3 | 1 | 1 | 75.0% |" in text and "| **all** |  | 5 | 3 | 1 | 1 | 75.0% |" in text
    assert r"| `pool_1` | `inv` at bit 0 of `Y`, cell `c`, wire `a\|b[3]` | not decided | because |" in text


def test_a_survivor_needs_an_explanation_and_an_explanation_a_survivor():
    with pytest.raises(CosimError, match=f"survivors.toml: no explanation of {KEY}"):
        page.survivor_table(campaign(block("pool", 3, "different in cycle 3")), [])
    with pytest.raises(CosimError, match=f"survivors.toml: no such survivor: {KEY}"):
        page.survivor_table(campaign(block("pool", 3, PROVEN)), EXPLAINED)
    assert page.survivor_table(campaign(block("pool", 3, PROVEN)), []) == "None."


def test_every_block_of_the_rtl_has_a_row():
    found = page.blocks()
    assert found["fc_accumulator"] == ["fc_accumulator"] and found["sparse_fc"] == ["sparse_fc"]
    assert set(found["memory"]) >= {"rom", "ram"}
    assert not found.keys() & {"errors"} and "lif" not in found["sparse_fc"]


def test_blocks_that_are_mutated_and_those_of_explanations_exist():
    found = {name for names in page.blocks().values() for name in names}
    assert not TARGETS.keys() - found
    for entry in tomllib.loads(page.SURVIVORS.read_text())["survivor"]:
        [block] = re.findall(r" -module (\w+)_[0-9a-f]{8} ", entry["fault"])
        assert block in TARGETS and Mutation.parse(entry["fault"]).key == entry["fault"]


def test_runs_are_counted_by_simulator():
    class Item:
        def __init__(self, file, name, **params):
            self.path, self.originalname = page.ROOT / file, name
            self.callspec = type("Callspec", (), {"params": params})

    items = [
        Item("test_a.py", "test_b", place="icarus"), Item("test_a.py", "test_b", place="ghdl"),
        Item("test_a.py", "test_b", place="icarus"), Item("test_a.py", "test_c", place=(0, 1)),
        Item("test_a.py", "test_d", simulator="ghdl"),
    ]  # fmt: skip
    assert page.simulated_tests(items) == [
        page.SimulatedTest("test_a.py", "test_b", Counter(icarus=2, ghdl=1)),
        page.SimulatedTest("test_a.py", "test_d", Counter(ghdl=1)),
    ]


def test_the_page_holds_the_kept_results():
    """All but what depends on today's tests; each of the survivors is explained."""
    proofs, mutation = json.loads(page.PROOFS.read_text()), json.loads(page.MUTATION.read_text())
    written = page_with("<!-- verification: begin -->").read_text()
    assert f"{comment('proofs', proofs.get('measured'))}\n\n{page.proof_tables(proofs)}" in written
    assert f"{comment('mutation', mutation.get('measured'))}\n\n{page.mutation_table(mutation)}" in written
    assert page.survivor_table(mutation, tomllib.loads(page.SURVIVORS.read_text())["survivor"]) in written
    assert mutation["seed"] == 1 and sum(block["planted"] for block in mutation["blocks"]) >= 300
