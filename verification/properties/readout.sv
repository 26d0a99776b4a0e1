// The scores are those of each class's neurons over all passes, and the class is the smallest with the highest score.
localparam COUNT_SPIKES = 0, FIRST_SPIKE = 1, LAST = 2, LARGEST = 3; // kinds of SCORE
localparam POTENTIALS = SCORE == LAST || SCORE == LARGEST;
localparam POPULATION = OUTPUTS / CLASSES;
localparam COUNT = $bits(best);
localparam STEPS = PASSES * TIMESTEPS;
localparam HIGHEST = SCORE == COUNT_SPIKES ? POPULATION * STEPS : SCORE == FIRST_SPIKE ? STEPS : 2**(COUNT-1) - 1;
localparam CLASS = $bits(winner);
reg [LANES*FIELD-1:0] beat;
reg [7:0] at_lane, at_pass, at_neuron, at_class, at_member;
wire [7:0] later = (PASSES - 1 - at_pass) * TIMESTEPS; // timesteps of the passes that are left
reg [7:0] gives; // a neuron: its spikes, what is left from its first one, or its potential
// The neuron of the step before, which is merged in this cycle, and where the merging is.
reg adding;
reg [7:0] added_pass, added_class, added_member, added_gives;
wire [7:0] sum_pass = adding ? added_pass : at_pass;
wire [7:0] sum_class = adding ? added_class : at_class;
wire [7:0] sum_member = adding ? added_member : at_member;
reg [7:0] counted_pass;
reg [7:0] chosen_score; // of one class, any, as far as its neurons have come
reg [7:0] images, answers;
(* anyconst *) wire [7:0] chosen;
// All neurons of an image are merged, and none of the next; those of the chosen class that are.
wire is_whole = (counted && counted_pass == PASSES - 1 && counted_class == CLASSES - 1) || finished;
wire [7:0] of_pass = sum_class > chosen ? POPULATION : sum_class == chosen ? sum_member : 0;
wire [7:0] chosen_neurons = is_whole ? PASSES * POPULATION : sum_pass * POPULATION + of_pass;
// Classes that are compared in this pass.
wire [7:0] compared = counted ? counted_class : finished ? CLASSES : sum_class;
integer t, c;

always @(*) assume(chosen < CLASSES);

always @(*) begin
    gives = POTENTIALS ? beat[at_lane * FIELD +: FIELD] : 0;
    if (!POTENTIALS) begin
        for (t = TIMESTEPS - 1; t >= 0; t = t - 1) begin
            if (beat[at_lane * FIELD + t]) gives = SCORE == COUNT_SPIKES ? gives + 1 : later + TIMESTEPS - t;
        end
    end
end

// A score as a number that is compared without a sign.
function [7:0] rank;
    input [COUNT-1:0] one;
    rank = POTENTIALS ? one ^ (1 << COUNT - 1) : one;
endfunction

// The score of a class with one more neuron.
function [7:0] merged;
    input [7:0] one, other;
    merged = SCORE == COUNT_SPIKES ? one + other : SCORE != LAST && rank(one) > rank(other) ? one : other;
endfunction

always @(posedge clk) begin
    if (rst) begin
        at_pass <= 0;
        at_neuron <= 0;
        at_class <= 0;
        at_member <= 0;
    end
    else if (step) begin
        if (at_neuron == OUTPUTS - 1) at_pass <= at_pass == PASSES - 1 ? 0 : at_pass + 1;
        at_neuron <= at_neuron == OUTPUTS - 1 ? 0 : at_neuron + 1;
        at_member <= at_member == POPULATION - 1 ? 0 : at_member + 1;
        if (at_member == POPULATION - 1) at_class <= at_class == CLASSES - 1 ? 0 : at_class + 1;
        added_pass <= at_pass;
        added_class <= at_class;
        added_member <= at_member;
        added_gives <= gives;
    end
    adding <= !rst && step;
    if (adding) counted_pass <= added_pass;
    if (adding && added_class == chosen) begin
        chosen_score <= added_pass == 0 && added_member == 0 ? added_gives : merged(chosen_score, added_gives);
    end
    if (src_valid && src_ready) begin
        beat <= src_data;
        at_lane <= 0;
    end
    else if (step) begin
        at_lane <= at_lane + 1;
    end
    images <= rst ? 0 : images + (step && at_neuron == OUTPUTS - 1 && at_pass == PASSES - 1);
    answers <= rst ? 0 : answers + (dst_valid && dst_ready);
end

always @(*) if (known) begin
    assert(at_pass < PASSES && at_neuron < OUTPUTS && at_class < CLASSES && at_member < POPULATION);
    assert(pass_index == at_pass && (SCORE != FIRST_SPIKE || PASSES == 1 || look_at_neuron_left == later));
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
        assert(added_pass < PASSES && added_class < CLASSES && added_member < POPULATION);
        assert(given == added_gives && (POTENTIALS || added_gives <= (SCORE == COUNT_SPIKES ? TIMESTEPS : STEPS)));
        assert(voted_class == added_class && voted_last == (added_member == POPULATION - 1));
        assert((POTENTIALS || voted_first == (added_member == 0)) && (SCORE == LAST || voted_later == (added_pass != 0)));
        assert(at_member == (voted_last ? 0 : added_member + 1));
        assert(at_class == (!voted_last ? added_class : added_class == CLASSES - 1 ? 0 : added_class + 1));
        assert(at_pass == (at_neuron != 0 ? added_pass : added_pass == PASSES - 1 ? 0 : added_pass + 1));
    end
    assert(voted_all == (adding && at_neuron == 0 && at_pass == 0) && !(adding && (closing || finished)));
    assert(sum_member == 0 || $unsigned(score) == scores[sum_class*COUNT +: COUNT]);
    if (chosen_neurons != 0) begin
        assert(scores[chosen*COUNT +: COUNT] == chosen_score);
        if (SCORE == COUNT_SPIKES) assert(chosen_score <= chosen_neurons * TIMESTEPS);
        if (SCORE == FIRST_SPIKE) assert(chosen_score <= STEPS);
    end
    // A class is compared in the cycle after its last neuron is merged.
    if (counted) begin
        assert(sum_member == 0 && sum_class == (counted_class == CLASSES - 1 ? 0 : counted_class + 1));
        assert($unsigned(score) == scores[counted_class*COUNT +: COUNT] && !finished);
        assert(counted_pass < PASSES && sum_pass == (sum_class != 0 ? counted_pass : counted_pass == PASSES - 1 ? 0 : counted_pass + 1));
    end
    assert(closing == (counted && counted_class == CLASSES - 1 && counted_pass == PASSES - 1));
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
    if (closing || finished) assert(at_neuron == 0 && at_pass == 0);
    assert(images == answers + (voted_all || closing || finished));
    if (dst_valid) begin
        assert(dst_data[CLASS + chosen*COUNT +: COUNT] == $unsigned(chosen_score[COUNT-1:0]));
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
