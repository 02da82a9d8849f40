"""The compiled engine's tables of words: what a flight may wait for or do, what stations do, what the loop asks for."""

from __future__ import annotations

# What a flight waits for (a moment), or does next (a step).
(
    ARRIVAL, WAKE, RETRY, LOOKED_UP, SYN_ARRIVES, SYN_ANSWERED, SYN_REFUSED, SYN_AGAIN, CONNECT_GAVE_UP,
    REQUEST_ARRIVES, SERVED, LEFT_QUEUE, ANSWERED, GAVE_UP, LOOKUP_GAVE_UP,
) = range(15)  # fmt: skip
(
    TRY_BEGINS, RESOLVE, NEXT_SYN, LOOK, GO_ON, SILENCE, TURNED_AWAY, EXCHANGE, SEND, FIND_CLOSED, HEAR_BACK,
    HEAR_NOTHING, TRY_ENDS, KILLED, WAITS,
) = range(15, 30)  # fmt: skip

# What happens to a packet at a station, or on its way to one.
REFUSES, SILENT, DELIVERS, PASSES, CHOOSES, BALANCES, REMEMBERS = range(7)

# What the loop asks for.
(
    DONE, ASK_SOURCE, ASK_STATION, ASK_EDGE, ASK_PINNED, ASK_CHOICE, ASK_WAY, ASK_POWER, ASK_OPENED, ASK_CLOSED,
    MORE_FLIGHTS, MORE_TABLE, MORE_IDLE, MORE_PINS, MORE_AGENDA, MORE_STARTS,
) = range(16)  # fmt: skip
