"""Random faults in blocks: planted, run under the tests, and what survives compared with the original."""
