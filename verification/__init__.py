"""Proofs of the blocks, faults planted in their netlists, and the page that sums up what is checked; not installed."""
