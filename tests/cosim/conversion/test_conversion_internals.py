"""Threads and processes that use MyHDL at once, and MyHDL left as it was."""

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from myhdl import Signal, StopSimulation, _bin, _block, _instance, _misc, _util, always, block, delay, instance, intbv

from duospike.cosim.conversion import elaboration, internals
from duospike.cosim.conversion.convert import convert
from duospike.cosim.conversion.simulation import simulate
from duospike.cosim.design.build import build_stage, convert_stages
from tests.benches.small_networks import small_network, small_stages

STAGES = [("conv1", "verilog"), ("conv2", "vhdl"), ("fc1", "verilog")]


def converted(number):
    """The modules of one of STAGES, built and converted."""
    name, language = STAGES[number % len(STAGES)]
    return convert(build_stage(small_stages(small_network("3C3-2C5-FC4", (1, 4, 5), classes=2))[name]), language=language)


@pytest.fixture(scope="module")
def alone():
    """What one thread makes of each of STAGES."""
    return [converted(number) for number in range(len(STAGES))]


def replaced_functions():
    """What the conversion replaces in MyHDL."""
    return [*(user.inspect for user in (_block, _instance, _util, _misc)), _util._dedent, _block.block_decorator.__call__]


def test_six_threads_convert_as_one_does(alone):
    before, start = replaced_functions(), threading.Barrier(6)

    def work(number):
        start.wait()
        return converted(number)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(6))) == alone * 2
    assert replaced_functions() == before


def test_four_processes_convert_as_one_does(alone):
    """They are forked while threads convert, which would otherwise leave each of them a changed MyHDL, or a locked lock."""
    with ThreadPoolExecutor(2) as threads:
        busy = threads.map(converted, range(4))
        with ProcessPoolExecutor(4, multiprocessing.get_context("fork")) as processes:
            assert list(processes.map(converted, range(6))) == alone * 2
        assert list(busy) == [*alone, alone[0]]


@block
def inner(clk, q):
    @always(clk.posedge)
    def count():
        q.next = q + 1

    return count


@block
def outer(clk, q):
    """A block of a user's own, with one inside."""
    child = inner(clk, q)
    return child


def test_blocks_that_another_thread_calls_are_whole():
    """A thread without the lock, while this one elaborates one level at a time."""
    found = []

    def work():
        made = outer(Signal(bool(0)), Signal(intbv(0)[4:]))
        found.append((len(made.subs), made.subs[0].subs, made.subs[0].symdict["q"] is made.subs[0].args[1]))

    with elaboration.one_level():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        here = outer(Signal(bool(0)), Signal(intbv(0)[4:]))
    assert here.subs[0].subs == []
    ((count, generators, is_named),) = found
    assert count == 1 and generators and is_named


def test_simulations_take_turns_with_conversions(alone):
    def counted(cycles):
        clk, q = Signal(bool(0)), Signal(intbv(0, min=0, max=1000))

        @instance
        def drive():
            for _ in range(cycles):
                yield delay(1)
                clk.next = 1
                yield delay(1)
                clk.next = 0
            shown.append(int(q))
            raise StopSimulation

        shown = []
        simulate(outer(clk, q), drive)
        return shown

    with ThreadPoolExecutor(4) as pool:
        conversions = [pool.submit(converted, number) for number in range(3)]
        assert list(pool.map(counted, (5, 70, 300))) == [[5], [70], [300]]
        assert [done.result() for done in conversions] == alone


def test_a_conversion_that_fails_leaves_the_lock_and_myhdl_free(monkeypatch):
    before = replaced_functions()
    monkeypatch.setattr("duospike.cosim.conversion.convert.module_name", lambda block, arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        convert(build_stage(small_stages(small_network())["conv2"]))
    assert replaced_functions() == before

    def lock_is_free():
        if internals.LOCK.acquire(timeout=1):
            internals.LOCK.release()
            return True
        return False

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lock_is_free).result()


WIDE = [sign * (2**bits + near) for bits in (63, 64, 1000) for near in (-1, 0, 1) for sign in (1, -1)]


def test_texts_of_bits_are_those_of_myhdl():
    assert _bin._int2bitstring.__module__ == "myhdl._bin"
    for number in [*range(-70, 70), *WIDE]:
        assert elaboration.bit_string(number) == _bin._int2bitstring(number)


@pytest.mark.parametrize("language", ["verilog", pytest.param("vhdl", marks=pytest.mark.slow)])
def test_the_same_bytes_with_texts_of_bits_of_myhdls_own(language, monkeypatch):
    stages = small_stages(small_network("2C3-3C3-FC6", (9, 4, 5)))
    quick = [(module.name, module.text) for module in convert_stages(stages, language)]
    called = []
    own = _bin._int2bitstring
    monkeypatch.setattr(elaboration, "bit_string", lambda number: called.append(number) or own(number))
    assert [(module.name, module.text) for module in convert_stages(stages, language)] == quick and max(called) > 2**100
