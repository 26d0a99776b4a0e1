// What the stages of two timesteps of one lane hold, for the properties of the block around it.
wire charging_spike = history_charging_spikes[1][0];
wire [1:0] firing_spikes_0 = history_patterns[0];
wire [1:0] firing_spikes_1 = history_patterns[1];
wire signed [15:0] charging_current = charging_currents[1], firing_current = firing_currents[1];
wire signed [15:0] leaked_0 = neurons_0_leaked, firing_theta_0 = neurons_0_carried_theta;
