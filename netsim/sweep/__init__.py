"""Runs by the thousand: one scenario, varied, under many seeds.

    axes       what is varied: `path=a,b,c`
    paths      where in a scenario a value stands, and the scenario with another one there
    grid       every combination: the variants, each checked before anything runs
    plan       variants, seeds, and with whom each variant is compared
    task       one run of one variant, as text in and text out
    here, processes, worker, cluster    who does the tasks: this process, others, those of a Dask cluster
    pool       the requests of many runs together: what adds up of each
    store      finished runs, a small file each, so that none is ever run again
    conduct    hands out what is not finished, and keeps what comes back
    sweep      what a notebook holds: all runs, and what they say together
    estimates  means with intervals, paired differences, quantiles
    claims     the scenario's checks over all runs
    tables, summary, terminal, figure, curves, plots, folder    what is said of it all, and where it is written
    compare    the differences between two runs or two sweeps

Common random numbers come by themselves: chance has names (`netsim.draws`), so under one seed every variant
sees the same arrivals and service times, and the difference between two variants is taken seed by seed.
"""
