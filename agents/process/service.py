"""What every long-running process of the service has in common: logs, signals, health, and an orderly end.

A process ends with code 0 when it was asked to (SIGTERM, SIGINT), and with 75 when it should be started again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from agents.process.health import Heartbeat
from agents.process.logs import set_up_logs
from agents.process.parent import PARENT, RESTARTS, bind
from agents.stream.guard import EX_TEMPFAIL
from monitor import __version__, metrics
from monitor.config import Config
from monitor.errors import ConfigError, SummitryError

logger = structlog.get_logger()

#: Seconds from the signal to the end of the process, whatever still hangs then.
STOP_TIMEOUT = 8.0

Main = Callable[[asyncio.Event], Awaitable[None]]
LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def run_service(role: str, config: Config, main: Main, loop_factory: LoopFactory | None = None) -> NoReturn:
    """Run `main` until it returns or a signal comes, then leave the process.

    `main` gets an event that is set when it should stop. `loop_factory` makes the event loop, asyncio's own when it is
    None. A ConfigError is left to the caller, as one line to the user.
    """
    if (parent := os.environ.get(PARENT)) and not bind(int(parent)):
        sys.exit(EX_TEMPFAIL)
    set_up_logs(config.log, role)
    metrics.build_info.labels(__version__, role).set(1)
    metrics.config_last_reload_successful.set(1)
    metrics.start_at_zero()
    metrics.child_restarts.labels(role).inc(int(os.environ.get(RESTARTS, "0")))
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        code = runner.run(_until_stopped(main))
    # Threads of libraries must not keep the process: what matters is flushed.
    logger.info("stopped", exit_code=code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _until_stopped(main: Main) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        if stop.is_set():
            return
        stop.set()
        logger.info("stopping")
        timer = threading.Timer(STOP_TIMEOUT, _end_hard)
        timer.daemon = True
        timer.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop)
    heartbeat = asyncio.create_task(Heartbeat().run(), name="heartbeat")
    try:
        await main(stop)
    except ConfigError:
        raise
    except SummitryError as error:
        logger.critical("failed", error=str(error), reason=error.reason)
        return EX_TEMPFAIL
    except Exception:
        logger.exception("crashed")
        return EX_TEMPFAIL
    finally:
        heartbeat.cancel()
    return 0 if stop.is_set() else EX_TEMPFAIL


def _end_hard() -> None:
    logger.critical("does_not_stop", after=STOP_TIMEOUT)
    for thread, frame in sys._current_frames().items():  # noqa: SLF001  # the documented way to see what hangs
        logger.error("hanging", thread=thread, stack="".join(traceback.format_stack(frame)[-3:]))
    os._exit(EX_TEMPFAIL)
