"""The states of the bridge's control: the one table behind bridge_control() and bridge_answer()."""

IDLE, FETCH, DECIDE, ASK, GIVE, COLLECT, REPLY, REPLYING = range(8)
"""Waits for a request; reads a word of it; looks at the word; waits for the bus; waits for the image stream; waits for a
result; begins the answer; waits until it is sent."""
STATE_BITS = 3
