"""One model of several, trained in a process of its own.

A module apart from `__main__`, since a spawned process does not import that of a package
(https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from monitor.records import KINDS, MEDIA
from training.examples import STATUSES, Example
from training.export import write
from training.fit import train
from training.vocabulary import Base, Floats

NAMES = (STATUSES, MEDIA, KINDS)


class Job(NamedTuple):
    """One model to train: what on, what it is asked of afterwards, and where its file goes."""

    name: str
    train: list[Example]
    asked: list[Example]
    base: Base
    table: Floats
    path: Path


def run(job: Job) -> NDArray[np.float32]:
    """Train one model, write its file, and ask that file, not the network, of the pairs that were kept from it."""
    network = train(job.train, job.base.weights, job.table, lambda line: say(f"{job.name}: {line}"))
    write({name: value.numpy() for name, value in network.state_dict().items()}, len(network.layers), job.path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(job.path), options, providers=["CPUExecutionProvider"])
    found = [session.run(["scores"], {"ids": np.array([one.rows], np.int32)})[0][0] for one in job.asked]
    return np.array(found, np.float32).reshape(len(job.asked), sum(map(len, NAMES)))


def say(line: str) -> None:
    """Print at once, with the time."""
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)
