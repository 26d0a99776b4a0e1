"""The scores of all classes."""

from myhdl import Signal, always, block, instances, intbv

from .checks import MEMBRANE_READOUTS, READOUTS, check_choice, check_number, check_signed, check_width
from .stream import index_bits, pack, signed


@block
def class_scores(clk, adds, class_index, given, score, scores, first=None, later=None, *, rule, classes):
    """Merges what neurons give to the score of their class: the sum, the largest, or the last of all.

    It is a part of its readout's module.

    Ports:
        adds         in   1       take `given` at this edge
        class_index  in   index   its class
        given        in           see neuron_score()
        score        out  width   of that class with it, one cycle later; signed for potentials
        scores       out          of all classes: `classes` fields of len(score) bits
        first        in   1       it is the first of its class in this pass; None for potentials, of which a class has one
        later        in   1       it is not of the first pass; None with last_membrane

    Parameters:
        rule: one of READOUTS; the scores are sums with count, the last with last_membrane, else the largest
        classes: number of classes

    Timing: latency 1. The neurons of a class come one after the other.
    """
    check_choice("class_scores", READOUTS, rule=rule)
    check_number("class_scores", 1, classes=classes)
    check_width("class_scores", index_bits(classes), class_index=class_index)
    check_width("class_scores", classes * len(score), scores=scores)
    is_signed = rule in MEMBRANE_READOUTS
    (check_signed if is_signed else check_width)("class_scores", len(score), score=score)
    (check_signed if is_signed else check_width)("class_scores", len(given), given=given)
    low, high = score.min, score.max
    kept = [signed(len(score)) if is_signed else Signal(intbv(0)[len(score) :]) for _ in range(classes)]
    score_fields = pack(kept, scores)

    if rule == "count":

        @always(clk.posedge)
        def add_votes():
            total = intbv(0, min=low, max=high)
            if adds:
                total[:] = 0
                if not first:
                    total[:] = score
                elif later:
                    total[:] = kept[class_index]
                total[:] = total + given
                score.next = total
                kept[class_index].next = total

    elif rule == "first_spike":

        @always(clk.posedge)
        def take_earliest():
            total = intbv(0, min=low, max=high)
            if adds:
                total[:] = 0
                if not first:
                    total[:] = score
                elif later:
                    total[:] = kept[class_index]
                if given > total:
                    total[:] = given
                score.next = total
                kept[class_index].next = total

    elif rule == "max_membrane":

        @always(clk.posedge)
        def take_largest():
            total = intbv(0, min=low, max=high)
            if adds:
                total[:] = given
                if later:
                    total[:] = kept[class_index]
                    if given > total:
                        total[:] = given
                score.next = total
                kept[class_index].next = total

    else:

        @always(clk.posedge)
        def take_last():
            if adds:
                score.next = given
                kept[class_index].next = given

    return instances()
