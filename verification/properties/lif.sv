// Two timesteps of one lane: the spikes of a beat are computed as it comes in, and kept until it goes out.
localparam CURRENT = $bits(src_data) / 2;
localparam SUBTRACT = 0, SUBTRACT_DELAYED = 1, ZERO = 2, NONE = 3;
// Multipliers of the beat that comes and of the one in the first stage: from fixed_leak.sv or own_leaks.sv.
wire [7:0] multiplier_now, charged_multiplier;
(* hierconn *) wire [GROUPS*THETA-1:0] \theta_rom.contents ;
wire [GROUPS*THETA-1:0] theta_words = \theta_rom.contents ;
(* hierconn *) wire [$clog2(COLUMNS)-1:0] \walk.column ;
(* hierconn *) wire [$clog2(GROUPS)-1:0] \walk.group_index ;
(* hierconn *) wire [2*DEPTH-1:0] \queue_spikes.in_order ;
wire [2*DEPTH-1:0] queued = \queue_spikes.in_order ;
reg [7:0] at_column, at_group;
wire taken = src_valid && src_ready;
wire left = dst_valid && dst_ready;
wire signed [THETA-1:0] theta_now = theta_words[at_group*THETA +: THETA];
wire signed [CURRENT-1:0] a0 = src_data[CURRENT-1:0];
wire signed [CURRENT-1:0] a1 = src_data[2*CURRENT-1:CURRENT];

// The neuron's equation: the potential of the second timestep.
function signed [15:0] second;
    input signed [15:0] v0, a, theta;
    input [7:0] multiplier;
    reg s0;
    reg signed [15:0] v;
    begin
        s0 = v0 > theta;
        v = v0;
        if (KIND == SUBTRACT && s0) v = v - theta;
        if (KIND == ZERO && s0) v = 0;
        second = ((v * $signed({8'b0, multiplier})) >>> SHIFT) - (KIND == SUBTRACT_DELAYED && s0 ? theta : 0) + a;
    end
endfunction
wire signed [15:0] v1 = second(a0, a1, theta_now, multiplier_now);
wire [1:0] fires = {v1 > theta_now, a0 > theta_now};

// Beats inside, and the spikes of each, those of the oldest in the lowest bits.
reg [7:0] count;
reg [2*DEPTH-1:0] expected;
wire [2*DEPTH-1:0] remaining = left ? expected >> 2 : expected;
wire [7:0] place = count - left;
// Beats taken one cycle ago, two and so on.
reg [LATENCY-1:0] took;
// The successor has let the pipeline wait since its queue was empty.
reg held_up;

always @(posedge clk) begin
    if (rst) begin
        at_column <= 0;
        at_group <= 0;
    end
    else if (taken) begin
        at_column <= at_column == COLUMNS - 1 ? 0 : at_column + 1;
        if (at_column == COLUMNS - 1) at_group <= at_group == GROUPS - 1 ? 0 : at_group + 1;
    end
    count <= rst ? 0 : count + taken - left;
    expected <= remaining;
    if (taken) expected[2*place +: 2] <= fires;
    took <= rst ? 0 : {took[LATENCY-2:0], taken};
    held_up <= !rst && dst_valid && (!dst_ready || held_up);
end

// The stages of the pipeline: which hold a beat, and what they hold.
(* hierconn *) wire [1:0] \pipeline.in_charging ;
(* hierconn *) wire [1:0] \pipeline.in_firing ;
wire [1:0] charging = \pipeline.in_charging ;
wire [1:0] firing = \pipeline.in_firing ;
(* hierconn *) wire \pipeline.charging_spike ;
(* hierconn *) wire [1:0] \pipeline.firing_spikes_0 ;
(* hierconn *) wire [1:0] \pipeline.firing_spikes_1 ;
wire [1:0] spikes_0 = \pipeline.firing_spikes_0 ;
wire [1:0] spikes_1 = \pipeline.firing_spikes_1 ;
(* hierconn *) wire signed [15:0] \pipeline.charging_current ;
(* hierconn *) wire signed [15:0] \pipeline.firing_current ;
(* hierconn *) wire signed [15:0] \pipeline.leaked_0 ;
(* hierconn *) wire signed [15:0] \pipeline.firing_theta_0 ;
(* hierconn *) wire signed [15:0] \pipeline.neurons_0.charged_potential ;
(* hierconn *) wire signed [15:0] \pipeline.neurons_0.charged_threshold ;
(* hierconn *) wire signed [15:0] \pipeline.neurons_1.charged_potential ;
(* hierconn *) wire signed [15:0] \pipeline.neurons_1.charged_threshold ;
wire signed [15:0] charged_0 = \pipeline.neurons_0.charged_potential ;
wire signed [15:0] charged_theta_0 = \pipeline.neurons_0.charged_threshold ;
wire signed [15:0] charged_1 = \pipeline.neurons_1.charged_potential ;
wire signed [15:0] charged_theta_1 = \pipeline.neurons_1.charged_threshold ;

// Places of the beats in the pipeline, behind those in the queue.
wire [7:0] at_firing_1 = level;
wire [7:0] at_charging_1 = at_firing_1 + firing[1];
wire [7:0] at_firing_0 = at_charging_1 + charging[1];
wire [7:0] at_charging_0 = at_firing_0 + firing[0];
// What becomes of the potentials on their way.
wire signed [15:0] after_charging_0 = second(charged_0, \pipeline.charging_current , charged_theta_0, charged_multiplier);
wire signed [15:0] pending_theta = KIND == SUBTRACT_DELAYED && spikes_0[0] ? \pipeline.firing_theta_0 : 0;
wire signed [15:0] after_firing_0 = \pipeline.leaked_0 - pending_theta + \pipeline.firing_current ;
integer i;

always @(*) if (known) begin
    assert(at_column < COLUMNS && at_group < GROUPS);
    assert(\walk.column == at_column && \walk.group_index == at_group);
    assert(thetas == theta_words[at_group*THETA +: THETA]);
    // None is lost or made up, and as many are taken as the queue may hold.
    assert(count == at_charging_0 + charging[0] && beats_inside == count);
    assert(src_ready == (count != DEPTH));
    assert(dst_valid == (level != 0));
    // Each has the spikes of the neuron's equation.
    if (dst_valid) assert(dst_data == expected[1:0]);
    for (i = 0; i < DEPTH; i = i + 1) begin
        if (i < level) assert(queued[2*i +: 2] == expected[2*i +: 2]);
    end
    if (firing[1]) assert(spikes_1 == expected[2*at_firing_1 +: 2]);
    if (charging[1]) begin
        assert({charged_1 > charged_theta_1, \pipeline.charging_spike } == expected[2*at_charging_1 +: 2]);
    end
    if (firing[0]) assert({after_firing_0 > \pipeline.firing_theta_0 , spikes_0[0]} == expected[2*at_firing_0 +: 2]);
    if (charging[0]) begin
        assert({after_charging_0 > charged_theta_0, charged_0 > charged_theta_0} == expected[2*at_charging_0 +: 2]);
    end
    // The pipeline never stands still; where nothing waits, a beat is taken in each cycle and comes out LATENCY later.
    assert(charging[0] == took[0] && firing[0] == took[1] && charging[1] == took[2] && firing[1] == took[3]);
    if (took[LATENCY-1]) assert(dst_valid);
    if (!held_up) assert(src_ready && dst_valid == took[LATENCY-1]);
    cover(dst_waits && dst_valid && dst_ready && dst_data == 1 && count == DEPTH);
    cover(dst_valid && dst_data == 2 && took == 2**LATENCY - 1 && !held_up);
    cover(dst_valid && dst_data == 3);
end
