// What the neuron holds between its stages, for the properties of the block around it.
wire signed [15:0] charged_potential = charged, charged_threshold = kept_theta;
