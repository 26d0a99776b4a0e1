"""Post-training quantization: weights, biases and thresholds of a source as integers, and what that costs."""
