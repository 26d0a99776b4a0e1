// The scores are those of each class's neurons, and the class is the smallest with the highest score.
localparam COUNT_SPIKES = 0, FIRST_SPIKE = 1, POTENTIALS = 2; // kinds of SCORE
localparam POPULATION = OUTPUTS / CLASSES;
localparam COUNT = $bits(best);
localparam HIGHEST = SCORE == COUNT_SPIKES ? POPULATION * TIMESTEPS : SCORE == FIRST_SPIKE ? TIMESTEPS : 2**(COUNT-1) - 1;
localparam CLASS = $bits(winner);
reg [LANES*FIELD-1:0] beat;
reg [7:0] at_lane, at_neuron, at_class, at_member;
reg [7:0] gives; // a neuron: its spikes, what is left from its first one, or its potential
// The neuron of the step before, which is merged in this cycle, and where the merging is.
reg adding;
reg [7:0] added_class, added_member, added_gives;
wire [7:0] sum_class = adding ? added_class : at_class;
wire [7:0] sum_member = adding ? added_member : at_member;
reg [7:0] sum; // of the current class
reg [7:0] chosen_score;
reg [7:0] images, answers;
(* anyconst *) wire [7:0] chosen;
// Classes of the image that are compared, and those that are counted.
wire [7:0] compared = counted ? counted_class : finished ? CLASSES : sum_class;
wire [7:0] complete = compared + counted;
integer t, c;

always @(*) assume(chosen < CLASSES);

always @(*) begin
    gives = SCORE == POTENTIALS ? beat[at_lane * FIELD +: FIELD] : 0;
    if (SCORE != POTENTIALS) begin
        for (t = TIMESTEPS - 1; t >= 0; t = t - 1) begin
            if (beat[at_lane * FIELD + t]) gives = SCORE == COUNT_SPIKES ? gives + 1 : TIMESTEPS - t;
        end
    end
end

// The score of a class with one more neuron.
function [7:0] merged;
    input [7:0] one, other;
    merged = SCORE == COUNT_SPIKES ? one + other : SCORE == FIRST_SPIKE && one > other ? one : other;
endfunction

// A score as a number that is compared without a sign.
function [7:0] rank;
    input [COUNT-1:0] one;
    rank = SCORE == POTENTIALS ? one ^ (1 << COUNT - 1) : one;
endfunction

always @(posedge clk) begin
    if (rst) begin
        at_neuron <= 0;
        at_class <= 0;
        at_member <= 0;
    end
    else if (step) begin
        at_neuron <= at_neuron == OUTPUTS - 1 ? 0 : at_neuron + 1;
        at_member <= at_member == POPULATION - 1 ? 0 : at_member + 1;
        if (at_member == POPULATION - 1) at_class <= at_class == CLASSES - 1 ? 0 : at_class + 1;
        added_class <= at_class;
        added_member <= at_member;
        added_gives <= gives;
    end
    adding <= !rst && step;
    if (rst) begin
        sum <= 0;
    end
    else if (adding) begin
        sum <= added_member == POPULATION - 1 ? 0 : merged(sum, added_gives);
        if (added_member == POPULATION - 1 && added_class == chosen) chosen_score <= merged(sum, added_gives);
    end
    if (src_valid && src_ready) begin
        beat <= src_data;
        at_lane <= 0;
    end
    else if (step) begin
        at_lane <= at_lane + 1;
    end
    images <= rst ? 0 : images + (step && at_neuron == OUTPUTS - 1);
    answers <= rst ? 0 : answers + (dst_valid && dst_ready);
end

always @(*) if (known) begin
    assert(pass_index == 0); // an image has one pass
    assert(at_neuron < OUTPUTS && at_class < CLASSES && at_member < POPULATION);
    assert(at_neuron == at_class * POPULATION + at_member);
    assert(neuron == at_neuron && class_index == at_class && member == at_member);
    assert(!src_ready || !holding || (step && (at_lane == LANES - 1 || at_neuron == OUTPUTS - 1)));
    if (holding) begin
        assert(at_lane < LANES && lane == at_lane && at_lane == at_neuron % LANES);
        assert(word == beat >> (at_lane * FIELD));
    end
    else begin
        assert(at_neuron % LANES == 0);
    end
    assert(voting == adding);
    if (adding) begin
        assert(given == added_gives && (SCORE == POTENTIALS || added_gives <= TIMESTEPS) && voted_class == added_class && added_class < CLASSES && added_member < POPULATION);
        assert((SCORE == POTENTIALS || voted_first == (added_member == 0)) && voted_last == (added_member == POPULATION - 1));
        assert(at_member == (voted_last ? 0 : added_member + 1));
        assert(at_class == (!voted_last ? added_class : added_class == CLASSES - 1 ? 0 : added_class + 1));
    end
    assert(voted_all == (adding && at_neuron == 0) && !(adding && (closing || finished)));
    if (SCORE == COUNT_SPIKES) assert(sum <= sum_member * TIMESTEPS);
    if (SCORE == FIRST_SPIKE) assert(sum <= TIMESTEPS && (sum_member != 0 || sum == 0));
    assert(sum_member == 0 || (scores[sum_class*COUNT +: COUNT] == sum && score == sum));
    if (complete > chosen) assert(scores[chosen*COUNT +: COUNT] == chosen_score && (SCORE == POTENTIALS || chosen_score <= HIGHEST));
    // A class is compared in the cycle after its last neuron is merged.
    if (counted) begin
        assert(sum_member == 0 && sum_class == (counted_class == CLASSES - 1 ? 0 : counted_class + 1));
        assert($unsigned(score) == scores[counted_class*COUNT +: COUNT] && !finished);
    end
    assert(closing == (counted && counted_class == CLASSES - 1));
    // The best so far.
    if (compared != 0) begin
        assert(winner < compared && $unsigned(best) == scores[winner*COUNT +: COUNT]);
        for (c = 0; c < CLASSES; c = c + 1) begin
            if (c < compared) begin
                assert(rank(scores[c*COUNT +: COUNT]) <= rank(best));
                assert(rank(scores[c*COUNT +: COUNT]) != rank(best) || winner <= c);
            end
        end
    end
    // Each image has its answer, in the third cycle after its last neuron.
    if (closing || finished) assert(at_neuron == 0);
    assert(images == answers + (voted_all || closing || finished));
    if (dst_valid) begin
        assert(dst_data[CLASS + chosen*COUNT +: COUNT] == chosen_score);
        for (c = 0; c < CLASSES; c = c + 1) begin
            assert(rank(dst_data[CLASS + c*COUNT +: COUNT]) <= rank(dst_data[CLASS + dst_data[CLASS-1:0]*COUNT +: COUNT]));
            if (c < dst_data[CLASS-1:0]) begin
                assert(dst_data[CLASS + c*COUNT +: COUNT] != dst_data[CLASS + dst_data[CLASS-1:0]*COUNT +: COUNT]);
            end
        end
    end
    cover(dst_waits && dst_valid && dst_ready && winner == CLASSES - 1 && $unsigned(best) == HIGHEST);
    cover(dst_valid && dst_ready && scores[0 +: COUNT] == scores[COUNT +: COUNT] && best != 0);
end
