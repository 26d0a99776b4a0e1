"""The read-out: class counts of the output population, and the class."""

from dataclasses import dataclass

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .activity import activity
from .checks import check_number, check_ports
from .errors import DesignError
from .stage import Stage
from .stream import counter, groups_of, index_bits


@dataclass(frozen=True, kw_only=True)
class Readout(Stage):
    """Parameters of the read-out: neuron n of `outputs` votes for class n // (outputs // classes).

    passes: how often all neurons come for an image, each time with the spikes of `timesteps`, `lanes` neurons in a beat.
    """

    kind = "readout"

    outputs: int
    passes: int
    classes: int

    def __post_init__(self):
        check_number("readout", 1, outputs=self.outputs, timesteps=self.timesteps, passes=self.passes)
        check_number("readout", 1, self.outputs, lanes=self.lanes, classes=self.classes)
        if self.outputs % self.classes:
            raise DesignError(f"readout: classes {self.classes}; allowed: divisors of {self.outputs}, the number of outputs")

    @property
    def count_bits(self) -> int:
        """Width of a class count: all neurons of the class spike at every timestep."""
        return index_bits(self.outputs // self.classes * self.timesteps * self.passes + 1)

    @property
    def class_bits(self) -> int:
        return index_bits(self.classes)

    @property
    def input_bits(self) -> int:
        return self.lanes * self.timesteps

    @property
    def input_beats(self) -> int:
        return groups_of(self.outputs, self.lanes)

    @property
    def output_beats(self) -> int:
        """Its result, which comes in the last pass alone."""
        return 1

    @property
    def output_bits(self) -> int:
        return self.class_bits + self.classes * self.count_bits


@block
def readout(clk, rst, src, dst, counts, *, stage):
    """Counts the spikes of each class over neurons and timesteps; the answer is the smallest class with the highest count.

    Ports:
        src     sink    spike stream of the last layer
        dst     source  one beat an image, after its last pass: the class in the lowest class_bits, then the count of each
                        class, class 0 first
        counts  out     activity counters: busy in each cycle in which it counts a neuron

    Timing: one neuron a cycle, and two cycles more an image, in which its last votes are added and its last class is compared.
    """
    check_ports("readout", stage, src, dst)
    lanes, timesteps, classes = stage.lanes, stage.timesteps, stage.classes
    outputs = stage.outputs
    population = outputs // classes
    final_lane, final_neuron, final_member, final_class = lanes - 1, outputs - 1, population - 1, classes - 1
    final_pass = stage.passes - 1

    holding, finished = Signal(bool(0)), Signal(bool(0))
    step, last_lane = Signal(bool(0)), Signal(bool(0))
    word = Signal(intbv(0)[lanes * timesteps :])
    lane, neuron, member, class_index = counter(lanes), counter(outputs), counter(population), counter(classes)
    pass_index = counter(stage.passes)
    # The votes of a neuron, added up in the cycle after its step.
    voting, voted_first, voted_later, voted_last, voted_all = [Signal(bool(0)) for _ in range(5)]
    votes, voted_class = counter(timesteps + 1), counter(classes)
    # A class that has been counted, compared in the cycle after that.
    counted, closing = Signal(bool(0)), Signal(bool(0))
    counted_class = counter(classes)
    tally = Signal(intbv(0)[stage.count_bits :])
    best = Signal(intbv(0)[stage.count_bits :])
    winner = Signal(intbv(0)[stage.class_bits :])
    tallies = [Signal(intbv(0)[stage.count_bits :]) for _ in range(classes)]
    result = ConcatSignal(*reversed(tallies), winner)
    stall_in, stall_out, never = [Signal(bool(0)) for _ in range(3)]

    count_activity = activity(clk, rst, step, stall_in, stall_out, never, never, counts)

    @always_comb
    def find_step():
        step.next = holding and not voted_all and not closing and not (finished and not dst.ready)
        last_lane.next = lane == final_lane or neuron == final_neuron

    @always_comb
    def handshake():
        src.ready.next = not holding or (step and last_lane)
        dst.valid.next = finished
        dst.data.next = result

    @always_comb
    def classify_cycle():
        stall_in.next = not holding
        stall_out.next = holding and (voted_all or closing or (finished and not dst.ready))
        never.next = False

    @always(clk.posedge)
    def load_beat():
        if rst:
            holding.next = False
        elif not holding or (step and last_lane):
            holding.next = src.valid
            word.next = src.data
            lane.next = 0
        elif step:
            word.next = word >> timesteps
            lane.next = lane + 1

    @always(clk.posedge)
    def count_votes():
        spikes = intbv(0, min=0, max=timesteps + 1)
        if rst:
            neuron.next = 0
            member.next = 0
            class_index.next = 0
            pass_index.next = 0
            voting.next = False
            voted_all.next = False
        else:
            voting.next = step
            voted_all.next = step and neuron == final_neuron and pass_index == final_pass
            if step:
                spikes[:] = 0
                for t in range(timesteps):
                    if word[t]:
                        spikes[:] = spikes + 1
                votes.next = spikes
                voted_class.next = class_index
                voted_first.next = member == 0
                voted_later.next = pass_index != 0
                voted_last.next = member == final_member
                neuron.next = 0 if neuron == final_neuron else neuron + 1
                if neuron == final_neuron:
                    pass_index.next = 0 if pass_index == final_pass else pass_index + 1
                member.next = 0 if member == final_member else member + 1
                if member == final_member:
                    class_index.next = 0 if class_index == final_class else class_index + 1

    @always(clk.posedge)
    def add_votes():
        total = intbv(0)[stage.count_bits :]
        if rst:
            counted.next = False
            closing.next = False
        else:
            counted.next = voting and voted_last
            closing.next = voted_all
            if voting:
                total[:] = 0
                if not voted_first:
                    total[:] = tally
                elif voted_later:
                    total[:] = tallies[voted_class]
                total[:] = total + votes
                tally.next = total
                tallies[voted_class].next = total
                counted_class.next = voted_class

    @always(clk.posedge)
    def choose_winner():
        if rst:
            finished.next = False
        else:
            if dst.ready:
                finished.next = False
            if closing:
                finished.next = True
            if counted and (counted_class == 0 or tally > best):
                best.next = tally
                winner.next = counted_class

    return instances()
