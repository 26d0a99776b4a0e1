"""MyHDL: from an elaborated block to Verilog and VHDL, and its simulation.

All that the project uses of MyHDL's internals is in this room, and internals.LOCK guards it: threads of a process take turns.
"""
