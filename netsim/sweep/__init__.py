"""Runs by the thousand: one scenario, varied, under many seeds.

    paths      where in a scenario a value stands, and the scenario with another one there
    axes       what is varied: `path=a,b,c`
    grid       every combination: the variants, each checked before anything runs
    task       one run of one variant, as text in and text out
    here, processes, cluster     who does the tasks: this process, others, those of a Dask cluster
    store      finished runs, a small file each, so that none is ever run again
    estimates  means with intervals, paired differences, quantiles
    tables, report, figure, folder     what is said of it all
    compare    the differences between two runs or two sweeps

Common random numbers come by themselves: chance has names (`netsim.draws`), so under one seed every variant
sees the same arrivals and service times, and the difference between two variants is taken seed by seed.
"""
