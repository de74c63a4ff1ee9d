"""Start the long-lived tasks of a process so that none ends unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

#: The key under which the loop's exception handler finds the name of a job that ended.
JOB = "job"


class JobEndedError(RuntimeError):
    """A job that should run for ever returned."""


def start_job(coroutine: Coroutine[Any, Any, T], name: str, *, forever: bool = True) -> asyncio.Task[T]:
    """Start a task whose failure is an error of the process.

    An exception of the task, and its plain end where it should run `forever`, go to the event loop's exception handler
    with the job's name under `JOB`. The handler of `agents.process.running` ends the process; the loop's own only logs.
    A task that is cancelled is nobody's concern.
    """
    task = asyncio.create_task(coroutine, name=name)

    def ended(task: asyncio.Task[T]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is None and forever:
            error = JobEndedError(f"{name} should run for ever and returned")
        if error is not None:
            context = {"message": f"the job {name} ended", "exception": error, "task": task, JOB: name}
            task.get_loop().call_exception_handler(context)

    task.add_done_callback(ended)
    return task
