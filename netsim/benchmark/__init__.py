"""How fast netsim is, against rivals that run beside it: `python -m netsim.benchmark`.

Wall-clock figures of one machine say little about another, so everything is a ratio of CPU times, measured in the
same process: against a bare SimPy model of the same queue, against a SimPy process per request with the same
semantics, and against what NumPy alone needs to draw and sort the same numbers. How large it gets takes longer:
`python -m netsim.benchmark --large`, some twenty minutes.
"""
