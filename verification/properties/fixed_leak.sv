// All neurons have one multiplier.
assign multiplier_now = MULTIPLIER;
assign charged_multiplier = MULTIPLIER;
