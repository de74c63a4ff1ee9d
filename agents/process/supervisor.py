"""Keep the whole service running on one machine (`summitry up`), as a supervisor and its child processes.

    supervisor ── embedded broker (unless another one is named)
               ├─ poller
               ├─ worker
               └─ board

A child that ends is restarted after a pause, which grows with each failure; the reason of its end is logged. The
embedded broker keeps everything in memory, so when it ends, the topics are created again and all children restarted.
Children die with the supervisor. When the supervisor stops, all processes end within ten seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from agents.process.embedded import EmbeddedBroker
from agents.process.parent import PARENT, RESTARTS
from monitor.errors import ConfigError

logger = structlog.get_logger()

#: After a child has run for this many seconds, the pause before its next restart is the first one again.
WELL_AFTER = 60.0
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
#: Children end by themselves within `agents.process.running.STOP_TIMEOUT`; after this many seconds they are killed.
STOP_TIMEOUT = 9.0
#: The exit codes for a mistake in the configuration, where a restart does not help, and for a requested restart.
MISTAKE, AGAIN = 2, 75


@dataclass
class ChildProcess:
    """One child process, with the number of its restarts and failures."""

    role: str
    command: Sequence[str]
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    failures: int = 0

    async def start(self, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        """Start the process, in its own session, so that Ctrl-C reaches only the supervisor."""
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={**environment, PARENT: str(os.getpid()), RESTARTS: str(self.restarts)},
        )
        return self.process

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


def reason_of(code: int) -> str:
    """Return a description of an exit code."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    known = {
        AGAIN: "requested a restart (75), see its log above",
        MISTAKE: "a mistake in the configuration (2)",
        1: "it hung and was ended (1)",
    }
    return known.get(code, f"exit code {code}")


class Supervisor:
    """Keeps broker and children running until it is cancelled.

    `prepare(url)` prepares a broker: topics, feeds. `commands(url)` returns the command line of each child by its role.
    `mend(url)` is called before a child that requested a restart; it creates what may be missing, such as a topic that
    was deleted.
    """

    def __init__(
        self,
        prepare: Callable[[str], Awaitable[None]],
        commands: Callable[[str], Mapping[str, Sequence[str]]],
        *,
        broker_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        pauses: Sequence[float] = PAUSES,
        mend: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._prepare, self._commands, self._mend = prepare, commands, mend
        self._url = broker_url
        self._environment = dict(os.environ if environment is None else environment)
        self._pauses = pauses
        self.children: dict[str, ChildProcess] = {}
        self.broker: EmbeddedBroker | None = None

    async def run(self) -> None:
        """Run until cancelled, then stop everything.

        Raises the errors of `prepare`, BrokerError when the embedded broker can't be started, and ConfigError when a
        child finds a mistake in the configuration.
        """
        while True:
            url = self._url
            if url is None:
                self.broker = EmbeddedBroker()
                url = await self.broker.start()
            try:
                await self._prepare(url)
                await self._family(url)
            finally:
                await self._stop_children()
                if self.broker is not None:
                    await self.broker.stop()

    async def _family(self, url: str) -> None:
        """Keep the children running until the embedded broker ends."""
        for role, command in self._commands(url).items():
            known = self.children.get(role)
            self.children[role] = ChildProcess(role, command, restarts=known.restarts + 1 if known else 0)
        jobs = [asyncio.create_task(self._keep(child, url), name=child.role) for child in self.children.values()]
        jobs.append(asyncio.create_task(self._watch_broker(), name="broker"))
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def _keep(self, child: ChildProcess, url: str) -> None:
        while True:
            began = time.monotonic()
            process = await child.start(self._environment)
            code = await process.wait()
            if code == MISTAKE:
                raise ConfigError(child.role, "", "found a mistake in the configuration, see above")
            if time.monotonic() - began > WELL_AFTER:
                child.failures = 0
            pause = self._pauses[min(child.failures, len(self._pauses) - 1)]
            child.failures += 1
            child.restarts += 1
            logger.warning("child_ended", child=child.role, reason=reason_of(code), restart_in=pause)
            await asyncio.sleep(pause)
            if code == AGAIN and self._mend:
                await self._mend(url)

    async def _watch_broker(self) -> None:
        if self.broker is None:
            await asyncio.Event().wait()
            return
        await self.broker.wait()
        logger.error("embedded_broker_ended", effect="its topics are lost; all processes are restarted")

    async def _stop_children(self) -> None:
        processes = [child.process for child in self.children.values() if child.process is not None]
        for child in self.children.values():
            child.signal(signal.SIGTERM)
        waits = [asyncio.create_task(process.wait()) for process in processes]
        if waits:
            await asyncio.wait(waits, timeout=STOP_TIMEOUT)
        for child in self.children.values():
            child.signal(signal.SIGKILL)
        await asyncio.gather(*waits)


def python(*arguments: str) -> list[str]:
    """Return the command line of `summitry ARGUMENTS` with this Python interpreter."""
    return [sys.executable, "-m", "agents", *arguments]
