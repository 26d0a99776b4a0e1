"""A lint of the part of Python that MyHDL 0.11.52 converts rightly: it finds the constructs of which it makes wrong HDL, often
silently, in the generators of blocks and in the elaboration around them.

It reads the source alone and runs nothing. Types come from assignments and calls in the file. Where they are known, an expression
passes if both HDLs are proven right for all values of its operands; where they are not, rules on the form of the code apply.
"""

from .check import blocks_of, check_file, check_source
from .rule import Finding, Rule
from .rules import RULES, table

__all__ = ["RULES", "Finding", "Rule", "blocks_of", "check_file", "check_source", "table"]
