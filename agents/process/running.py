"""Run a long-running process of the service: set up logs, signals and a watchdog, and make sure that it ends.

A process ends with code 0 after SIGTERM or SIGINT, with 2 for a mistake in its configuration, and with 75 when it
should be restarted. In any case it ends within STOP_TIMEOUT seconds; a thread makes sure of that, since tasks of Faust
and its libraries may never end.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import structlog

from agents.process.health import Watchdog
from agents.process.logs import set_up_logs
from agents.process.parent import PARENT, RESTARTS, bind
from agents.stream.guard import EX_TEMPFAIL
from monitor import __version__, metrics, tracing
from monitor.config import Config
from monitor.errors import ConfigError, SummitryError
from monitor.jobs import JOB
from monitor.record_batches import require_codecs

logger = structlog.get_logger()

#: The most seconds from a signal or a failure to the end of the process.
STOP_TIMEOUT = 8.0
#: After this many more seconds faulthandler ends the process, in case C code keeps Python's threads from running.
_BELOW_PYTHON = 1.5

Main = Callable[[asyncio.Event], Awaitable[None]]
LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def run_service(role: str, config: Config, main: Main, loop_factory: LoopFactory | None = None) -> NoReturn:
    """Run `main` until it returns, a signal arrives or a job fails, then end the process.

    `main` gets an event that is set when it should stop. Jobs are tasks that `monitor.jobs.start_job` started.
    `loop_factory` makes the event loop; None means asyncio's own. Raises ConfigError, which the caller shows the user.
    """
    if (parent := os.environ.get(PARENT)) and not bind(int(parent)):
        sys.exit(EX_TEMPFAIL)
    set_up_logs(config.log, role)
    take_traces(config, role)
    require_codecs()
    metrics.build_info.labels(__version__, role).set(1)
    metrics.config_last_reload_successful.set(1)
    metrics.start_at_zero()
    metrics.child_restarts.labels(role).inc(int(os.environ.get(RESTARTS, "0")))
    watchdog = Watchdog(below_python=True)
    watchdog.start()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        code = runner.run(_until_stopped(main, watchdog))
        leave(code)


def take_traces(config: Config, role: str) -> None:
    """Switch tracing on if a collector is configured. Raises ConfigError when OpenTelemetry is not installed."""
    if config.tracing.endpoint:
        tracing.start(role, endpoint=config.tracing.endpoint, share=config.tracing.share)


def leave(code: int) -> NoReturn:
    """End the process at once, without waiting for threads of libraries, after flushing output and traces."""
    tracing.stop()
    logger.info("stopped", exit_code=code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _until_stopped(main: Main, watchdog: Watchdog) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(main(stop))
    failed = False

    def ask_to_stop() -> None:
        if not stop.is_set():
            stop.set()
            logger.info("stopping")
            end_within(STOP_TIMEOUT)

    def on_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal failed
        if JOB not in context:
            loop.default_exception_handler(context)
        elif not failed and not stop.is_set():
            failed = True
            _log_failure(context[JOB], context["exception"])
            end_within(STOP_TIMEOUT)
            running.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop)
    loop.set_exception_handler(on_error)
    beating = asyncio.create_task(watchdog.beat(), name="heartbeat")
    try:
        await running
    except ConfigError:
        raise
    except asyncio.CancelledError:
        if not failed:
            raise
    except Exception as error:  # noqa: BLE001  # any error that ends the process is logged with its reason
        _log_failure("main", error)
        failed = True
    finally:
        end_within(STOP_TIMEOUT)
        beating.cancel()
    return 0 if stop.is_set() and not failed else EX_TEMPFAIL


def _log_failure(job: str, error: BaseException) -> None:
    """Log why the process ends; an unexpected error with its traceback."""
    reason = getattr(error, "reason", "crash")
    foreseen = isinstance(error, SummitryError)
    logger.critical(
        "failed", job=job, error=str(error) or type(error).__name__, reason=reason, exc_info=None if foreseen else error
    )


def end_within(seconds: float) -> None:
    """End the process (code 75) after `seconds`, from a thread, in case the event loop hangs."""
    timer = threading.Timer(seconds, _end_hard, [seconds])
    timer.daemon = True
    timer.start()
    faulthandler.dump_traceback_later(seconds + _BELOW_PYTHON, exit=True)


def _end_hard(after: float) -> None:
    logger.critical("does_not_stop", after=after)
    for thread, frame in sys._current_frames().items():  # noqa: SLF001  # the documented way to see what hangs
        logger.error("hanging", thread=thread, stack="".join(traceback.format_stack(frame)[-3:]))
    os._exit(EX_TEMPFAIL)
