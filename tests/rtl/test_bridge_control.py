"""The control of the bridge against the table of requests in plain Python, with a bus and a core as slow as they like."""

import random
from copy import copy

import pytest
from myhdl import Signal, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.axi_stream import AxiStream
from duospike.rtl.bridge_control import bridge_control
from tests.benches.stream_bench import tick

TIMEOUT, ADDRESS_BITS = 40, 12
HELLO, READ, WRITE, SEND, SEND_LAST, TAKE = range(6)
OK, OTHER_VERSION, BAD_REQUEST, BAD_ACCESS, NOTHING = range(5)


class Request:
    """A request, and how its surroundings behave: which accesses fail, after how many words the core takes none, its result."""

    def __init__(self, kind, words=(), number=0, version=1, unused=0, fails=None, stuck=None, result=None):
        self.kind, self.words, self.number, self.version, self.unused = kind, list(words), number, version, unused
        self.fails, self.stuck, self.result = fails, stuck, result

    @property
    def head(self):
        return 0xD0 | self.version | self.number << 8 | self.kind << 16 | self.unused << 20 | len(self.words) << 24


def expected(request, values):
    """(status, payload, accesses, words to the core). values: what the bus reads, one for each access."""
    kind, words = request.kind, request.words
    if request.version != 1:
        return OTHER_VERSION, [], [], []
    lengths = {HELLO: [0], TAKE: [0], READ: [2], WRITE: range(1, 256), SEND: range(1, 256), SEND_LAST: range(1, 256)}
    if len(words) not in lengths.get(kind, ()):
        return BAD_REQUEST, [], [], []
    if kind in (SEND, SEND_LAST):
        taken = words[: request.stuck]
        given = [(word, kind == SEND_LAST and i == len(words) - 1) for i, word in enumerate(taken)]
        return (NOTHING if request.stuck is not None else OK), [len(taken)], [], given
    if kind == TAKE:
        return (OK, request.result, [], []) if request.result else (NOTHING, [], [], [])
    if kind == HELLO:
        return OK, [], [], []
    if words[0] >= 2**ADDRESS_BITS or len(words) == 1 or (kind == READ and not 0 < words[1] < 256):
        return BAD_REQUEST, [], [], []
    count = words[1] if kind == READ else len(words) - 1
    wanted = [(False, (words[0] + 4 * i) % 2**ADDRESS_BITS, None) for i in range(count)]
    if kind == WRITE:
        wanted = [(True, words[0], word) for word in words[1:]]
    if request.fails is not None and request.fails < count:
        return BAD_ACCESS, [], wanted[: request.fails + 1], []
    return OK, (values[:count] if kind == READ else []), wanted, []


def run(place, requests, seed=0):
    """What the bridge did for each request: (head of the answer, payload, accesses, words to the core, values, cycles since the
    request or the last word that moved), and restarts."""
    rng = random.Random(seed)
    clk, rst, head, complete, busy = Signal(bool(0)), Signal(bool(1)), Signal(intbv(0)[32:]), Signal(bool(0)), Signal(bool(0))
    read, read_addr, word = Signal(bool(0)), Signal(intbv(0)[8:]), Signal(intbv(0)[32:])
    asks, writes, done, failed, load, ending, restart, empty = [Signal(bool(0)) for _ in range(8)]
    address, value, unused = Signal(intbv(0)[ADDRESS_BITS:]), Signal(intbv(0)[32:]), Signal(intbv(0)[2:])
    write, write_addr, write_data = Signal(bool(0)), Signal(intbv(0)[8:]), Signal(intbv(0)[32:])
    answer, start, replying, results = Signal(intbv(0)[32:]), Signal(bool(0)), Signal(bool(0)), AxiStream(32)
    dut = place(
        bridge_control, clk=clk, rst=rst, head=head, complete=complete, busy=busy, read=read, read_addr=read_addr, word=word,
        asks=asks, writes=writes, address=address, done=done, value=value, failed=failed, load=load, unused=unused, ending=ending,
        restart=restart, empty=empty, results=results, write=write, write_addr=write_addr, write_data=write_data, answer=answer,
        start=start, replying=replying, timeout=TIMEOUT,
    )  # fmt: skip
    left, log, failures, memory, restarts = list(requests), [], [], {}, [0]
    accesses, given, values, result = [], [], [], []

    def bus():
        while True:
            yield clk.posedge
            done.next, failed.next, value.next = False, rng.random() < 0.5, rng.getrandbits(32)
            if asks and not rst:
                accesses.append((bool(writes), int(address), int(word) if writes else None))
                for _ in range(rng.choice([0, 1, 5])):
                    yield clk.posedge
                values.append(rng.getrandbits(32))
                fails = request.fails is not None and len(accesses) == request.fails + 1
                done.next, failed.next, value.next = True, fails, values[-1]
                yield clk.posedge
                done.next = False

    def core():
        while True:
            yield clk.posedge
            if load:
                given.append((int(word), bool(ending)))
                assert unused == (request.unused if ending else 0)
            empty.next = rng.random() < 0.5 and (not log_open() or request.stuck is None or len(given) < request.stuck)
            if results.tvalid and results.tready:
                result.pop(0)
            if not results.tvalid or results.tready:
                results.tvalid.next = offered = bool(result) and rng.random() < 0.5
                results.tdata.next = result[0] if offered else rng.getrandbits(32)
                results.tlast.next = len(result) == 1 if offered else rng.random() < 0.5

    def log_open():
        return len(log) < len(requests) - len(left)

    def host():
        nonlocal request
        still = 0
        while True:
            yield clk.posedge
            still = 0 if load else still + 1
            if read:
                word.next = request.words[int(read_addr)] if int(read_addr) < len(request.words) else 0
            if write:
                memory[int(write_addr)] = int(write_data)
            restarts[0] += bool(restart)
            complete.next = False
            if start:
                size = int(answer) >> 24
                log.append((int(answer), [memory[i] for i in range(size)], list(accesses), list(given), list(values), still))
                replying.next = True
                for _ in range(rng.choice([1, 2, 6])):
                    yield clk.posedge
                replying.next = False
            elif left and not busy and not rst and not complete and not log_open() and rng.random() < 0.3:
                request = left.pop(0)
                for each in (accesses, given, values):
                    each.clear()
                result[:] = request.result or []
                head.next, complete.next, still = request.head, True, 0

    request = requests[0]
    limit = 300 * len(requests) + 500 + 40 * sum(len(request.words) for request in requests)
    simulate(dut.instance, bus(), core(), host(), tick(clk, rst, lambda: len(log) == len(requests), failures, limit))
    assert not failures, failures[0]
    return log, restarts[0]


def check(requests, log):
    for request, (head, payload, accesses, given, values, still) in zip(requests, log, strict=True):
        status, words, wanted, to_core = expected(request, values)
        assert head == 0xD1 | request.number << 8 | status << 16 | len(words) << 24, (request.kind, hex(head))
        assert (payload, accesses, given) == (words, wanted, to_core)
        if status == NOTHING:
            # Until it waits: a cycle for the request, two for the word that nobody takes, or the third after one was taken.
            before = 2 if request.kind == TAKE else 4 if not given else 3
            assert still == TIMEOUT + before, (request.kind, len(given), still)


REQUESTS = [
    Request(HELLO, number=9),
    Request(READ, [0x20, 3], number=10),
    Request(READ, [0x20, 3], number=11, fails=1),
    Request(WRITE, [0x24, 7, 2**32 - 1], number=12),
    Request(WRITE, [0x24, 7, 8], number=13, fails=0),
    Request(SEND, [1, 2], number=14, unused=3),
    Request(SEND_LAST, [3, 4, 5], number=15, unused=1),
    Request(SEND_LAST, [3, 4, 5], number=16, stuck=2),
    Request(TAKE, number=17, result=[1, 2**31, 3]),
    Request(TAKE, number=18),
    Request(READ, [0x20, 1], number=255),
]
REFUSED = [
    Request(HELLO, [1]), Request(READ, [4]), Request(READ, [4, 1, 1]), Request(READ, [4, 0]), Request(READ, [4, 256]),
    Request(READ, [2**12, 1]), Request(WRITE), Request(WRITE, [4]), Request(SEND), Request(SEND_LAST), Request(TAKE, [1]),
    Request(6), Request(15, [1]), Request(READ, [4, 1], version=2), Request(HELLO, version=0),
]  # fmt: skip


def test_each_request_is_carried_out(place):
    log, restarts = run(place, REQUESTS)
    check(REQUESTS, log)
    assert restarts == 1


@pytest.mark.slow
def test_what_cannot_be_is_refused_and_does_nothing(place):
    for i, request in enumerate(REFUSED):
        request.number = i
    requests = [one for request in REFUSED for one in (request, Request(READ, [4, 1], number=100 + request.number))]
    log, _ = run(place, requests)
    check(requests, log)
    assert all(accesses == given == [] for _, _, accesses, given, _, _ in log[::2])


@pytest.mark.slow
def test_a_repetition_is_answered_and_not_carried_out(place):
    again = [copy(request) for request in REQUESTS]
    for request in again:
        request.result = None
    requests = [one for pair in zip(REQUESTS, again, strict=True) for one in pair]
    log, restarts = run(place, requests)
    assert restarts == 2
    check(REQUESTS, log[::2])
    for first, second in zip(log[::2], log[1::2], strict=True):
        assert second[:2] == first[:2]
        assert second[2] == second[3] == [], "it was carried out again"
    # One of another version has no number that counts.
    requests = [Request(READ, [4, 1], number=5), Request(READ, [8, 1], number=5, version=3), Request(READ, [12, 1], number=5)]
    log, _ = run(place, requests)
    check(requests, log)


@pytest.mark.slow
def test_random_requests(place):
    rng = random.Random(6)
    # The longest, then any.
    requests = [Request(kind, [8, *range(254)], kind) for kind in (WRITE, SEND_LAST)] + [Request(READ, [0x104, 255], 7)]
    # The last register that an address can name, and beyond it from the first again.
    requests += [Request(READ, [2**ADDRESS_BITS - 4, count], 10 + count) for count in (1, 3)]
    for number in range(60):
        kind = rng.choice([READ, WRITE, SEND, SEND_LAST, TAKE])
        words = [rng.getrandbits(32) for _ in range(rng.randint(1, 6))]
        stuck = rng.choice([None, None, rng.randrange(len(words))])
        if kind in (READ, WRITE):
            words = [4 * rng.randrange(2**9), rng.randint(1, 9)] if kind == READ else [4 * rng.randrange(2**9), *words]
        requests.append(
            Request(
                kind, [] if kind == TAKE else words, number, unused=rng.randrange(4), fails=rng.choice([None, None, 0, 2]),
                stuck=stuck if kind in (SEND, SEND_LAST) else None, result=rng.choice([None, words]) if kind == TAKE else None,
            )
        )  # fmt: skip
    log, _ = run(place, requests, seed=1)
    check(requests, log)
