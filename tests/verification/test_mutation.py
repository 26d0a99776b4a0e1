"""Faults in netlists: they are planted as asked, found to differ from the original or proven to equal it, and killed by tests."""

import json
import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from myhdl import Signal, always, always_comb, block, intbv

from duospike.cosim.conversion.convert import convert
from duospike.cosim.errors import CosimError
from duospike.rtl.fifo import fifo
from duospike.rtl.lif import Lif, lif
from duospike.rtl.memory import Table
from duospike.rtl.stream import Stream
from verification import mutate
from verification.mutation import campaign
from verification.mutation.campaign import Result, Survivor, run_campaign, score
from verification.mutation.equivalence import (
    OPEN,
    PROVEN,
    build_miter,
    changes_a_clock,
    demand_equal,
    equivalence,
    prove,
    ternary,
)
from verification.mutation.killing import Run, run_all, with_tests
from verification.mutation.mutants import NETLIST, Mutation, plant
from verification.proof import bit
from verification.system_yosys import run_yosys

ROOT = Path(__file__).parents[2]

QUEUE_TEST = "rtl/test_fifo.py::test_throughput[icarus-3-1]"
VALID = "assign dst_valid = has_words;"


@block
def gate(clk, rst, src, dst):
    """Passes words on; would close if a counter that goes round 0, 1, 2 were at 3."""
    count, closed = Signal(intbv(0)[2:]), Signal(bool(0))

    @always_comb
    def close():
        closed.next = count == 3

    @always_comb
    def pass_on():
        dst.valid.next = src.valid and not closed
        dst.data.next = src.data
        src.ready.next = dst.ready and not closed

    @always(clk.posedge)
    def go_round():
        if rst or count == 2:
            count.next = 0
        else:
            count.next = count + 1

    return close, pass_on, go_round


def gate_modules():
    return convert(gate(bit(), bit(), Stream(2), Stream(2)))


def queue_modules():
    return convert(fifo(bit(), bit(), Stream(9), Stream(9), depth=3))


def lif_modules():
    neuron = Lif(
        reset="subtract", multiplier=1, shift=1, current_bits=3, potential_bits=4, theta_bits=3, theta=Table("theta.hex", 3, (2,))
    )
    return convert(lif(bit(), bit(), Stream(6), Stream(2), lanes=1, timesteps=2, rows=1, columns=1, passes=1, neuron=neuron))


def fault_at(netlist, wire, port, mode):
    """The mutant with a fault at a wire of the netlist."""
    for mutant in netlist.mutants:
        mutation = mutant.mutation
        if (mutation.wire, mutation.port, mutation.mode) == (wire, port, mode):
            return mutant
    raise AssertionError(f"no {mode} at {port} of {wire}")


def listed_at(netlist, folder, wire, port, mode):
    """The fault at a wire of the netlist that plant() has left in `folder`, whichever it planted."""
    run_yosys([f"read_rtlil {NETLIST}", f"mutate -list 3000 -module {netlist.module.name} -o all.txt"], folder)
    faults = [Mutation.parse(line) for line in (folder / "all.txt").read_text().splitlines()]
    return next(fault for fault in faults if (fault.wire, fault.port, fault.mode) == (wire, port, mode))


def test_a_line_of_the_list_is_read():
    fault = "mutate -mode cnot0 -module top -cell $add$t.v:9$1 -port A -portbit 2 -ctrlbit 0"
    line = f"{fault} -wire sum -wirebit 5 -src t.v:1.2 -src u.v:5.6"
    mutation = Mutation.parse(line)
    assert mutation == Mutation(line, "cnot0", "$add$t.v:9$1", "A", 2, "sum[5]", ("t.v:1.2", "u.v:5.6"))
    assert mutation.key == fault
    assert Mutation.parse("mutate -mode inv -module top -cell c -port Y -portbit 0").wire == ""


def test_faults_follow_the_seed(tmp_path):
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    first, again, other = (plant(queue_modules(), 20, seed, folder) for seed, folder in zip((1, 1, 2), folders, strict=True))
    assert first == again
    assert first.module == other.module and first.mutants != other.mutants
    assert len({first.module.text, *(mutant.text for mutant in first.mutants)}) == 21


def test_more_faults_than_there_are_places(tmp_path):
    with pytest.raises(CosimError, match=r"gate_\w+: 5000 faults asked for, \d+ found"):
        plant(gate_modules(), 5000, 1, tmp_path)


@pytest.mark.parametrize("modules", [gate_modules, queue_modules, pytest.param(lif_modules, marks=pytest.mark.slow)])
def test_a_netlist_is_proven_equal_to_itself(tmp_path, modules):
    """The LIF has a ROM, which stays outside."""
    assert equivalence(plant(modules(), 1, 1, tmp_path), None, tmp_path) == PROVEN


@pytest.mark.parametrize(
    ("wire", "port", "mode", "verdict"),
    [
        ("closed[0]", "Y", "const0", PROVEN),
        ("closed[0]", "Y", "const1", "different in cycle 1"),
        ("closed[0]", "Y", "inv", "different in cycle 1"),
        ("rst[0]", "A", "const0", PROVEN),
    ],
)
def test_only_what_a_user_sees_is_a_difference(tmp_path, wire, port, mode, verdict):
    """Wherever the counter begins, it is not at 3 one cycle later: even reset is not needed."""
    netlist = plant(gate_modules(), 60, 1, tmp_path)
    assert equivalence(netlist, fault_at(netlist, wire, port, mode).mutation, tmp_path) == verdict


def verdict_on_registers(netlist, fault, folder):
    """The proof that all registers stay equal."""
    if changes_a_clock(fault):
        return OPEN
    design, pairs = build_miter(netlist, fault, folder)
    demand_equal(design["modules"]["miter"], pairs)
    return prove(design, folder, 60)


@pytest.mark.slow
def test_a_queue_that_is_never_full_needs_no_ready(tmp_path):
    """The neurons put nothing into their queue for which it has no place, so that its ready may be stuck at 1."""
    netlist = plant(lif_modules(), 1, 1, tmp_path)
    fault = listed_at(netlist, tmp_path, "fired_ready[0]", "Q", "const1")
    assert verdict_on_registers(netlist, fault, tmp_path) == PROVEN


@pytest.mark.parametrize(
    ("wire", "mode"),
    [("head[0]", "inv"), ("level[1]", "const0"), ("src_ready[0]", "const1"), ("dst_valid[0]", "const1")],
    ids=str,
)
def test_registers_that_differ_are_not_equal(tmp_path, wire, mode):
    netlist = plant(queue_modules(), 1, 1, tmp_path)
    assert verdict_on_registers(netlist, listed_at(netlist, tmp_path, wire, "Q", mode), tmp_path) != PROVEN


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_equal_registers_mean_an_equal_queue(tmp_path):
    """Of many faults, those in the values after reset among them: none whose difference shows is proven."""
    netlist = plant(queue_modules(), 300, 1, tmp_path)
    proven = [mutant for mutant in netlist.mutants if verdict_on_registers(netlist, mutant.mutation, tmp_path) == PROVEN]
    assert 0 < len(proven) < 30
    assert {equivalence(netlist, mutant.mutation, tmp_path) for mutant in proven} == {PROVEN}


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("$_BUF_", lambda a, b, s: a), ("$_NOT_", lambda a, b, s: not a), ("$_AND_", lambda a, b, s: a and b),
        ("$_OR_", lambda a, b, s: a or b), ("$_XOR_", lambda a, b, s: a != b), ("$_XNOR_", lambda a, b, s: a == b),
        ("$_MUX_", lambda a, b, s: b if s else a),
    ],
)  # fmt: skip
def test_a_gate_gives_what_all_its_cases_give(kind, function):
    """A None is either bit, by itself; two inputs that are both unknown are so apart from each other."""
    for values in product([False, True, None], repeat=3):
        cases = {function(*case) for case in product(*([value] if value is not None else [False, True] for value in values))}
        assert ternary(kind, *values) == (cases.pop() if len(cases) == 1 else None)


def in_a_session(function, *arguments):
    """Call a function in a fresh process, where pytest can begin a session of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def of_the_queue(tests):
    return [test for test in tests if test.nodeid.endswith(QUEUE_TEST)]


def always_valid(text):
    """The text of a queue's netlist that is valid while it is empty, too."""
    assert text.count(VALID) == 1
    return text.replace(VALID, "assign dst_valid = 1'b1;")


def verdicts_on_queues(folder):
    """What a test of the queue says of the netlist, of one that is always valid, and of one whose simulation hangs."""
    netlist = plant(queue_modules(), 1, 1, folder)
    text = netlist.module.text
    faulty = always_valid(text)
    hanging = text.replace("endmodule", "reg again = 0; always @(again) again <= !again; initial again <= 1; endmodule")
    verdicts = []

    def work(tests):
        runs = [Run(of_the_queue(tests), {netlist.module.name: text}, limit) for text, limit in texts]
        verdicts.extend(sorted(run_all(runs, 1)))

    texts = ((text, 60), (faulty, 60), (hanging, 3))
    with_tests(["rtl/test_fifo.py"], work)
    return [(verdict.failed, verdict.why) for _, verdict in verdicts]


@pytest.mark.slow
def test_the_projects_tests_kill_what_they_see(tmp_path):
    right, faulty, hanging = in_a_session(verdicts_on_queues, tmp_path)
    assert right == ("", "")
    assert faulty[0] == f"tests/{QUEUE_TEST}" and "unknown bits on dst_data" in faulty[1]
    assert hanging == ("all", "no end")


def run_on_a_wrong_netlist():
    """A campaign whose netlist is wrong before a fault is in it."""

    def plant_in_wrong(*arguments):
        netlist = plant(*arguments)
        return replace(netlist, module=replace(netlist.module, text=always_valid(netlist.module.text)))

    campaign.plant = plant_in_wrong
    wanted = {"fifo": [QUEUE_TEST]}
    with_tests(["rtl/test_fifo.py"], lambda tests: run_campaign(wanted, 1, 1, of_the_queue(tests), 1))


@pytest.mark.slow
def test_without_faults_the_tests_must_pass():
    with pytest.raises(CosimError, match=r"the netlist of fifo_\w+ without a fault fails .*unknown bits"):
        in_a_session(run_on_a_wrong_netlist)


def result_of(killed, *verdicts):
    mutation = Mutation.parse("mutate -mode inv -module m -cell c -port Y -portbit 0")
    survivors = [Survivor(mutation, verdict) for verdict in verdicts]
    return Result("pool", "m", ("depth = 3",), 2, killed + len(verdicts), {"a": killed}, survivors, 1.5)


def test_only_what_is_proven_equal_does_not_count(capsys):
    results = [result_of(6, PROVEN, PROVEN), result_of(2, OPEN, "different in cycle 3", PROVEN)]
    assert score(results) == 8 / 10
    mutate.report(results, 9)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pool              13 planted,    8 killed,   3 equivalent:  80.0%"
    assert [line.partition(":")[0] for line in lines[2:]] == ["survives, not decided", "survives, different in cycle 3"]
    record = mutate.record(results, 1, 9)
    assert record["score"] == 0.8
    counts = [(block["killed"], block["equivalent"], len(block["survivors"])) for block in record["blocks"]]
    assert counts == [(6, 2, 2), (2, 1, 3)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "no block nothing; there are scanner, "),
        (["--jobs", "0"], "400 faults, 0 jobs; allowed: 1 or more of each"),
        (["--faults", "0", "--jobs", "1"], "0 faults, 1 jobs; allowed: 1 or more of each"),
    ],
)
def test_wrong_arguments_are_refused(monkeypatch, capsys, arguments, said):
    monkeypatch.setattr("sys.argv", ["mutate", *arguments])
    with pytest.raises(SystemExit):
        mutate.main()
    assert said in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_sixty_faults(tmp_path):
    """One run at a time, since the other tests run beside it."""
    file = tmp_path / "mutation.json"
    command = [sys.executable, "-m", "verification.mutate", "--faults", "60", "--seed", "2", "--jobs", "1", "--out", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads(file.read_text())
    assert sum(block["planted"] for block in record["blocks"]) == 60
    assert {block["block"] for block in record["blocks"]} == set(mutate.TARGETS)
    assert record["score"] >= mutate.REQUIRED
