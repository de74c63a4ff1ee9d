"""Start long-lived asyncio tasks so that none of them can end unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

#: The key of the exception handler's context under which the name of the ended job stands.
JOB = "job"


class JobEndedError(RuntimeError):
    """A job that should run for ever returned."""


def start_job(coroutine: Coroutine[Any, Any, T], name: str, *, forever: bool = True) -> asyncio.Task[T]:
    """Start a task, and report its failure to the event loop's exception handler.

    The handler is called when the task raises, and also when it returns although it should run `forever`. The context
    that it gets has the job's name under `JOB`. The handler of `agents.process.running` ends the process; asyncio's
    default handler only logs. A cancelled task is not reported.
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
