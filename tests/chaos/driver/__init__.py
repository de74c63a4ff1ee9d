"""The chaos driver: draws faults from a seed, runs the service under them, and compares what came out with a model.

    make chaos                      ten minutes with a random seed
    make chaos SEED=7 MINUTES=60    an hour with this one

A run that fails prints its steps, and tries to do without some of them (`shrink`) until few are left.
"""
