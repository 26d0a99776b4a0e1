// The counts are those of the spikes of each class's neurons, and the class is the smallest with the highest count.
localparam POPULATION = OUTPUTS / CLASSES;
localparam COUNT = $bits(best);
localparam CLASS = $bits(winner);
reg [LANES*TIMESTEPS-1:0] beat;
reg [7:0] at_lane, at_neuron, at_class, at_member;
reg [7:0] spikes;
reg [7:0] votes; // of the class at hand
reg [7:0] chosen_votes;
reg [7:0] images, answers;
(* anyconst *) wire [7:0] chosen;
// Classes of the image that are compared, and those that are counted.
wire [7:0] compared = counted ? counted_class : finished ? CLASSES : at_class;
wire [7:0] complete = compared + counted;
integer t, c;

always @(*) assume(chosen < CLASSES);

always @(*) begin
    spikes = 0;
    for (t = 0; t < TIMESTEPS; t = t + 1) spikes = spikes + beat[at_lane * TIMESTEPS + t];
end

always @(posedge clk) begin
    if (rst) begin
        at_neuron <= 0;
        at_class <= 0;
        at_member <= 0;
        votes <= 0;
    end
    else if (step) begin
        at_neuron <= at_neuron == OUTPUTS - 1 ? 0 : at_neuron + 1;
        at_member <= at_member == POPULATION - 1 ? 0 : at_member + 1;
        votes <= at_member == POPULATION - 1 ? 0 : votes + spikes;
        if (at_member == POPULATION - 1) begin
            at_class <= at_class == CLASSES - 1 ? 0 : at_class + 1;
            if (at_class == chosen) chosen_votes <= votes + spikes;
        end
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
        assert(word == beat >> (at_lane * TIMESTEPS));
    end
    else begin
        assert(at_neuron % LANES == 0);
    end
    assert(votes <= at_member * TIMESTEPS);
    assert(at_member == 0 || (tallies[at_class] == votes && tally == votes));
    if (complete > chosen) assert(tallies[chosen] == chosen_votes && chosen_votes <= POPULATION * TIMESTEPS);
    // A class is compared in the cycle after its last neuron.
    if (counted) begin
        assert(at_member == 0 && at_class == (counted_class == CLASSES - 1 ? 0 : counted_class + 1));
        assert(tally == tallies[counted_class] && !finished);
    end
    assert(closing == (counted && counted_class == CLASSES - 1));
    // The best so far.
    if (compared != 0) begin
        assert(winner < compared && best == tallies[winner]);
        for (c = 0; c < CLASSES; c = c + 1) begin
            if (c < compared) assert(tallies[c] < best || (tallies[c] == best && winner <= c));
        end
    end
    // Each image has its answer, in the second cycle after its last neuron.
    if (closing || finished) assert(at_neuron == 0);
    assert(images == answers + (closing || finished));
    if (dst_valid) begin
        assert(dst_data[CLASS + chosen*COUNT +: COUNT] == chosen_votes);
        for (c = 0; c < CLASSES; c = c + 1) begin
            assert(dst_data[CLASS + c*COUNT +: COUNT] <= dst_data[CLASS + dst_data[CLASS-1:0]*COUNT +: COUNT]);
            if (c < dst_data[CLASS-1:0]) begin
                assert(dst_data[CLASS + c*COUNT +: COUNT] != dst_data[CLASS + dst_data[CLASS-1:0]*COUNT +: COUNT]);
            end
        end
    end
    cover(dst_waits && dst_valid && dst_ready && winner == CLASSES - 1 && best == POPULATION * TIMESTEPS);
    cover(dst_valid && dst_ready && tallies[0] == tallies[1] && best != 0);
end
