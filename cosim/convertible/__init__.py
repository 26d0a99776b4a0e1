"""A lint of the part of Python that MyHDL 0.11.52 converts rightly: it finds the constructs of which it makes wrong HDL, often
without a word, in the generators of blocks and in the elaboration around them.

It reads the source alone and runs nothing. Types come from the assignments of the block itself; where they do not say enough
a rule keeps silent. Functions that a generator calls are not followed.
"""

from .check import blocks_of, check_file, check_source
from .rule import Finding, Rule
from .rules import RULES, table

__all__ = ["RULES", "Finding", "Rule", "blocks_of", "check_file", "check_source", "table"]
