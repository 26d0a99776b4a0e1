// The counts are those of the spikes of each class's neurons, and the class is the smallest with the highest count.
localparam POPULATION = OUTPUTS / CLASSES;
localparam COUNT = $bits(best);
localparam CLASS = $bits(winner);
reg [LANES*TIMESTEPS-1:0] beat;
reg [7:0] at_lane, at_neuron, at_class, at_member;
reg [7:0] spikes;
// The neuron of the step before, whose votes are added in this cycle, and where the adding is.
reg adding;
reg [7:0] added_class, added_member, added_spikes;
wire [7:0] sum_class = adding ? added_class : at_class;
wire [7:0] sum_member = adding ? added_member : at_member;
reg [7:0] sum; // of the current class
reg [7:0] chosen_votes;
reg [7:0] images, answers;
(* anyconst *) wire [7:0] chosen;
// Classes of the image that are compared, and those that are counted.
wire [7:0] compared = counted ? counted_class : finished ? CLASSES : sum_class;
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
    end
    else if (step) begin
        at_neuron <= at_neuron == OUTPUTS - 1 ? 0 : at_neuron + 1;
        at_member <= at_member == POPULATION - 1 ? 0 : at_member + 1;
        if (at_member == POPULATION - 1) at_class <= at_class == CLASSES - 1 ? 0 : at_class + 1;
        added_class <= at_class;
        added_member <= at_member;
        added_spikes <= spikes;
    end
    adding <= !rst && step;
    if (rst) begin
        sum <= 0;
    end
    else if (adding) begin
        sum <= added_member == POPULATION - 1 ? 0 : sum + added_spikes;
        if (added_member == POPULATION - 1 && added_class == chosen) chosen_votes <= sum + added_spikes;
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
    assert(voting == adding);
    if (adding) begin
        assert(votes == added_spikes && votes <= TIMESTEPS && voted_class == added_class && added_class < CLASSES && added_member < POPULATION);
        assert(voted_first == (added_member == 0) && !voted_later && voted_last == (added_member == POPULATION - 1));
        assert(at_member == (voted_last ? 0 : added_member + 1));
        assert(at_class == (!voted_last ? added_class : added_class == CLASSES - 1 ? 0 : added_class + 1));
    end
    assert(voted_all == (adding && at_neuron == 0) && !(adding && (closing || finished)));
    assert(sum <= sum_member * TIMESTEPS);
    assert(sum_member == 0 || (tallies[sum_class] == sum && tally == sum));
    if (complete > chosen) assert(tallies[chosen] == chosen_votes && chosen_votes <= POPULATION * TIMESTEPS);
    // A class is compared in the cycle after its last votes are added.
    if (counted) begin
        assert(sum_member == 0 && sum_class == (counted_class == CLASSES - 1 ? 0 : counted_class + 1));
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
    // Each image has its answer, in the third cycle after its last neuron.
    if (closing || finished) assert(at_neuron == 0);
    assert(images == answers + (voted_all || closing || finished));
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
