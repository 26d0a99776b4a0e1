"""The read-out: the score of each class, and the class."""

from dataclasses import dataclass

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .activity import activity
from .checks import MEMBRANE_READOUTS, READOUTS, check_choice, check_number, check_ports
from .class_scores import class_scores
from .errors import DesignError
from .neuron_score import neuron_score
from .stage import Stage
from .stream import counter, groups_of, index_bits, signed


@dataclass(frozen=True, kw_only=True)
class Readout(Stage):
    """Parameters of the read-out: neuron n of `outputs` belongs to class n // (outputs // classes).

    passes: how often all neurons come for an image, each time with the spikes of `timesteps`, `lanes` neurons in a beat.
    score: of a class, one of READOUTS: its spikes; how many timesteps are left when its first neuron spikes, that one included;
    the potential of its one neuron, the last or the largest. potential_bits: signed width of a potential, where these come in
    place of spikes.
    """

    kind = "readout"

    outputs: int
    passes: int
    classes: int
    score: str = "count"
    potential_bits: int = 1

    def __post_init__(self):
        check_number("readout", 1, outputs=self.outputs, timesteps=self.timesteps, passes=self.passes)
        check_number("readout", 1, self.outputs, lanes=self.lanes, classes=self.classes)
        check_number("readout", 1, potential_bits=self.potential_bits)
        check_choice("readout", READOUTS, score=self.score)
        if self.outputs % self.classes:
            raise DesignError(f"readout: classes {self.classes}; allowed: divisors of {self.outputs}, the number of outputs")
        if self.reads_membranes and self.outputs != self.classes:
            raise DesignError(f"readout: classes {self.classes}; allowed: {self.outputs}, one for each output with {self.score}")

    @property
    def reads_membranes(self) -> bool:
        """Whether potentials come in place of spikes; scores are signed then."""
        return self.score in MEMBRANE_READOUTS

    @property
    def field_bits(self) -> int:
        """Width of what comes of a neuron in a beat."""
        return self.potential_bits if self.reads_membranes else self.timesteps

    @property
    def score_bits(self) -> int:
        """Width of a score: signed of a potential; else all neurons of the class spike at every timestep."""
        if self.reads_membranes:
            return self.potential_bits
        neurons = self.outputs // self.classes if self.score == "count" else 1
        return index_bits(neurons * self.timesteps * self.passes + 1)

    @property
    def most_given(self) -> int:
        """The most that a neuron gives in a pass where spikes come: all of them, or the first one at the first timestep."""
        return self.timesteps * (self.passes if self.score == "first_spike" else 1)

    @property
    def class_bits(self) -> int:
        return index_bits(self.classes)

    @property
    def input_bits(self) -> int:
        return self.lanes * self.field_bits

    @property
    def input_beats(self) -> int:
        return groups_of(self.outputs, self.lanes)

    @property
    def output_beats(self) -> int:
        """Its result, which comes in the last pass alone."""
        return 1

    @property
    def output_bits(self) -> int:
        return self.class_bits + self.classes * self.score_bits


@block
def readout(clk, rst, src, dst, counts, *, stage):
    """Forms the score of each class over its neurons and all timesteps; the answer is the smallest class with the highest score.

    Ports:
        src     sink    spike stream of the last layer, or its potentials, lanes fields of stage.potential_bits
        dst     source  one beat an image, after its last pass: the class in the lowest class_bits, then the score of each
                        class, class 0 first
        counts  out     activity counters: busy in each cycle in which it takes a neuron

    Timing: one neuron a cycle, and two cycles more an image, in which its last score is formed and its last class is compared.
    """
    check_ports("readout", stage, src, dst)
    lanes, classes, field_bits, score_bits = stage.lanes, stage.classes, stage.field_bits, stage.score_bits
    outputs = stage.outputs
    population = outputs // classes
    final_lane, final_neuron, final_member, final_class = lanes - 1, outputs - 1, population - 1, classes - 1
    final_pass = stage.passes - 1

    holding, finished = Signal(bool(0)), Signal(bool(0))
    step, last_lane, last_neuron = [Signal(bool(0)) for _ in range(3)]
    word = Signal(intbv(0)[lanes * field_bits :])
    field = Signal(intbv(0)[field_bits:])
    lane, neuron, member, class_index = counter(lanes), counter(outputs), counter(population), counter(classes)
    pass_index = counter(stage.passes)
    # What a neuron gives, in the cycle after its step.
    voting, voted_first, voted_later, voted_last, voted_all = [Signal(bool(0)) for _ in range(5)]
    voted_class = counter(classes)
    given = signed(score_bits) if stage.reads_membranes else counter(stage.most_given + 1)
    # A class whose score is complete, compared in the cycle after that.
    counted, closing = Signal(bool(0)), Signal(bool(0))
    counted_class = counter(classes)
    score, best = [signed(score_bits) if stage.reads_membranes else Signal(intbv(0)[score_bits:]) for _ in range(2)]
    winner = Signal(intbv(0)[stage.class_bits :])
    scores = Signal(intbv(0)[classes * score_bits :])
    result = ConcatSignal(scores, winner)
    stall_in, stall_out, never = [Signal(bool(0)) for _ in range(3)]

    count_activity = activity(clk, rst, step, stall_in, stall_out, never, never, counts)
    of_pass = (rst, last_neuron) if stage.score == "first_spike" and stage.passes > 1 else ()
    look_at_neuron = neuron_score(
        clk, step, field, given, *of_pass, score=stage.score, timesteps=stage.timesteps, passes=stage.passes
    )
    merge_scores = class_scores(
        clk, voting, voted_class, given, score, scores, None if stage.reads_membranes else voted_first,
        None if stage.score == "last_membrane" else voted_later, rule=stage.score, classes=classes,
    )  # fmt: skip

    @always_comb
    def find_step():
        step.next = holding and not voted_all and not closing and not (finished and not dst.ready)
        last_neuron.next = neuron == final_neuron
        last_lane.next = lane == final_lane or neuron == final_neuron
        field.next = word[field_bits:]

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
            word.next = word >> field_bits
            lane.next = lane + 1

    @always(clk.posedge)
    def count_neurons():
        if rst:
            neuron.next = 0
            member.next = 0
            class_index.next = 0
            pass_index.next = 0
            voting.next = False
            voted_all.next = False
        else:
            voting.next = step
            voted_all.next = step and last_neuron and pass_index == final_pass
            if step:
                voted_class.next = class_index
                voted_last.next = member == final_member
                neuron.next = 0 if last_neuron else neuron + 1
                if last_neuron:
                    pass_index.next = 0 if pass_index == final_pass else pass_index + 1
                member.next = 0 if member == final_member else member + 1
                if member == final_member:
                    class_index.next = 0 if class_index == final_class else class_index + 1

    if not stage.reads_membranes:

        @always(clk.posedge)
        def mark_first():
            if step:
                voted_first.next = member == 0

    if stage.score != "last_membrane":

        @always(clk.posedge)
        def mark_later():
            if step:
                voted_later.next = pass_index != 0

    @always(clk.posedge)
    def end_class():
        if rst:
            counted.next = False
            closing.next = False
        else:
            counted.next = voting and voted_last
            closing.next = voted_all
            if voting:
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
            if counted and (counted_class == 0 or score > best):
                best.next = score
                winner.next = counted_class

    return instances()
