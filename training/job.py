"""Trains one of several models in a separate process.

This is not in `__main__`, because a spawned process does not import a package's `__main__`
(https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.detect.reader.encoder import score, session_of
from monitor.records import KINDS, MEDIA
from training.examples import STATUSES, Example
from training.export import write
from training.fit import train
from training.vocabulary import Base, Floats

NAMES = (STATUSES, MEDIA, KINDS)


class Job(NamedTuple):
    """One model to train: its examples, the examples to judge afterwards, and the path of its file."""

    name: str
    train: list[Example]
    asked: list[Example]
    base: Base
    table: Floats
    path: Path


def run(job: Job) -> NDArray[np.float32]:
    """Train one model, write its file, and score the held-out pairs with that file (not with the network)."""
    network = train(job.train, job.base.weights, job.table, lambda line: say(f"{job.name}: {line}"))
    write({name: value.numpy() for name, value in network.state_dict().items()}, len(network.layers), job.path)
    session = session_of(job.path)
    found = [score(session, one.rows) for one in job.asked]
    return np.array(found, np.float32).reshape(len(job.asked), sum(map(len, NAMES)))


def say(line: str) -> None:
    """Print a line at once, with the time."""
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)
