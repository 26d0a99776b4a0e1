"""The runner of the proofs, on queues of a few words: what does not hold is reported, and so is what proves nothing."""

import json
import os
from dataclasses import replace
from functools import partial

import pytest

from duospike.rtl.errors import DesignError
from duospike.rtl.fifo import fifo
from duospike.rtl.memory import ram
from duospike.rtl.stream import Stream
from verification import placement, prove, solve
from verification.proof import Fault, Misuse, Proof, bit, vector
from verification.proofs import PROOFS

RING = "assert(tail == ((head + level) & 3)); assert(has_room == (level != 4) && has_words == (level != 0));"
HOLDS = f"{RING} assert(level <= DEPTH); cover(dst_valid && src_ready);"


def queue(depth=4):
    return fifo(bit(), bit(), Stream(2), Stream(2), depth=depth)


@pytest.fixture
def proof_of(tmp_path, monkeypatch):
    """Builder of a proof of a queue of four words by properties that are checked in each cycle."""
    monkeypatch.setattr(placement, "PROPERTIES", tmp_path)

    def build(properties, *faults, **more):
        (tmp_path / "small.sv").write_text(f"always @(*) if (known) begin {properties} end")
        return Proof("small", "it holds", "small", queue, 6, faults, {"DEPTH": 4}, **more)

    return build


def failures(proof):
    return prove.prove(proof).failures


def test_a_true_proof_holds_and_finds_its_faults(proof_of):
    waits = Fault("valid waits for ready", "dst_valid = has_words;", "dst_valid = has_words && dst_ready;", "ready")
    result = prove.prove(proof_of(HOLDS, Fault("the level is not reset", "level <= 0;", "level <= 7;"), waits))
    assert result.failures == []
    assert (result.block, result.covers) == ("fifo", 1)
    assert result.parameters == ["depth = 4"]
    assert result.faults == ["the level is not reset", "valid waits for ready"]


@pytest.mark.parametrize(
    ("properties", "failed"),
    [
        (f"{HOLDS} assert(level != 2);", ["base fails", "induction fails"]),
        (f"{RING} assert(level != 6);", ["induction fails"]),
        (f"{HOLDS} cover(level == 5);", ["cover fails"]),
    ],
    ids=["false", "true, but not by induction", "a cover that is never reached"],
)
def test_what_fails_is_named(proof_of, properties, failed):
    assert failures(proof_of(properties)) == failed


def test_a_solver_that_reaches_its_limit_decides_nothing(proof_of, monkeypatch):
    """That is no failing check, and a fault is not found by it."""
    monkeypatch.setattr(prove, "holds", partial(solve.holds, seconds=0.01))
    assert failures(proof_of(HOLDS, Fault("the level is not reset", "level <= 0;", "level <= 7;"))) == [
        *(f"{mode} is undecided: z3 was not done in 0.01 s" for mode in ("base", "induction", "cover")),
        "whether the fault 'the level is not reset' is found: base is undecided: z3 was not done in 0.01 s",
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Unexpected response from solver: unknown", "unknown"),
        ("Unexpected response from solver: timeout", "timeout"),
        ("Unexpected EOF response from solver.", "ended early"),
    ],
)
def test_a_solver_that_gives_up_decides_nothing(tmp_path, monkeypatch, said, why):
    (tmp_path / "yosys-smtbmc").write_text(f"#!/bin/sh\necho '##   0:00:00  {said}'\nexit 1\n")
    (tmp_path / "yosys-smtbmc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(solve.Undecided, match=rf"^base is undecided: z3 gives up \({why}\)$"):
        solve.holds("base", 3, tmp_path)


def test_the_stream_rules_need_no_property(proof_of):
    """The word at the head changes while it waits."""
    changes = Fault("the head changes", "dst_data = mem[head];", "dst_data = mem[head] ^ src_data;")
    assert failures(proof_of(RING + "assert(level <= DEPTH);", changes)) == []


def test_faults_that_say_nothing_are_reported(proof_of):
    faults = [
        Fault("nothing", "assign push", "assign  push"),
        Fault("nothing for ready", "assign push", "assign  push", "ready"),
        Fault("no place", "assign shove", ""),
        Fault("many places", "<= 0;", "<= 1;"),
    ]
    assert failures(proof_of(HOLDS, *faults)) == [
        "the fault 'nothing' is not found",
        "the fault 'nothing for ready' is not found",
        "the fault 'no place' has 0 places; allowed: 1 in each module of one block",
        "the fault 'many places' has 3 places; allowed: 1 in each module of one block",
    ]


def test_parameters_that_must_fail(proof_of):
    """A queue of one word breaks what is said of four; a queue of four does not, which is reported."""
    wrong, right = Misuse("one word", lambda: queue(1), {}), Misuse("four words", queue, {})
    assert failures(proof_of(HOLDS + "assert(src_ready || level > 1);", misuses=(wrong, right))) == [
        "the fault 'four words' is not found"
    ]


@pytest.mark.slow
def test_what_must_fail_is_refused_by_the_block(proof_of):
    """A rule that refuses nothing, and one without which the parameters are built, and found to be wrong."""
    proof = proof_of(HOLDS)
    accepted = Misuse("four words", queue, {}, "duospike.rtl.accumulator.row_padding")
    assert failures(replace(proof, misuses=(accepted,))) == ["small: the misuse 'four words' is not refused"]
    narrow = next(proof for proof in PROOFS if proof.name == "accumulator, 1 x 1, groups 1, kernel 3 x 3")
    (misuse,) = narrow.misuses
    with pytest.raises(DesignError, match="accumulator: padding 3; allowed: 4 or more"):
        misuse.build()
    assert "padding = 3" in prove.converted(replace(narrow, build=misuse.build), misuse)[-1].parameters


COLLISION = """
reg [1:0] stored, written; reg was_read = 0, collided = 0;
always @(posedge clk) begin
    was_read <= read; collided <= write && write_addr == read_addr; stored <= mem[read_addr]; written <= write_data;
end
always @(*) if (known && was_read) begin
    if (!collided) assert(q == stored);
    cover(collided && q != stored && q != written);
    %s
end
"""


@pytest.mark.parametrize(
    ("more", "failed"),
    [("", []), ("if (collided) assert(q == stored || q == written);", ["base fails", "induction fails", "cover fails"])],
    ids=["another word", "never another word"],
)
def test_a_word_that_is_read_while_it_is_written_is_any_word(proof_of, tmp_path, more, failed):
    (tmp_path / "collision.sv").write_text(COLLISION % more)
    build = lambda: ram(bit(), bit(), vector(2), vector(2), bit(), vector(2), vector(2), depth=4)  # noqa: E731
    inverted = Fault("q is inverted", "q <= mem[read_addr];", "q <= ~mem[read_addr];")
    assert failures(replace(proof_of("", inverted), build=build, properties="collision")) == failed


def run(monkeypatch, *arguments, proofs):
    monkeypatch.setattr(prove, "PROOFS", proofs)
    monkeypatch.setattr("sys.argv", ["prove", *map(str, arguments)])
    return prove.main()


def test_results_go_to_a_file_and_a_failure_to_the_exit_status(proof_of, tmp_path, monkeypatch, capsys):
    file = tmp_path / "proofs.json"
    assert run(monkeypatch, "small", "--out", file, proofs=(proof_of("assert(level == 0);"),)) == 1
    record = json.loads(file.read_text())
    assert set(record["solvers"]) == {"yosys", "z3"}
    assert [(proof["name"], proof["claims"], proof["depth"]) for proof in record["proofs"]] == [("small", "it holds", 6)]
    assert record["proofs"][0]["failures"] == ["base fails", "induction fails"]
    assert "0 of 1 proofs hold" in capsys.readouterr().out


def test_an_unknown_name_is_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, "nothing", proofs=())
    assert "no proof nothing" in capsys.readouterr().err
