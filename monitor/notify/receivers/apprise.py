"""Send through the apprise library (https://github.com/caronc/apprise): Teams, Discord, Telegram, ntfy and many more.

apprise only returns whether it has sent a message, so messages can't be edited or looked up; important updates are new
messages. It has no limits of time and size for a service's answer, so it runs in its own process, which is killed when
an attempt takes too long.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import cast

from monitor.config import AppriseReceiver
from monitor.errors import ConfigError, DeliveryError
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message
from monitor.notify.messages.plain import plain_text
from monitor.notify.receivers.base import UNKNOWN, Lookup, Traits, UncertainError

# apprise logs URLs, which contain tokens.
logging.getLogger("apprise").setLevel(logging.CRITICAL)

_PROGRAM = Path(__file__).with_name("apprise_process.py")
#: The limit of the process's address space in bytes; it needs about a fifth.
_MEMORY = 1 << 29
#: The process ends itself this many seconds after an attempt's time limit, in case its parent has died.
_GRACE = 5
#: Seconds that the process may take to start.
_WARM_UP = 20.0


class AppriseService:
    """Sends to one apprise URL."""

    def __init__(self, config: AppriseReceiver) -> None:
        try:
            import apprise  # noqa: PLC0415 - an optional package
        except ImportError as error:
            fix = "pip install 'summitry[apprise]'"
            raise ConfigError("receivers", "type: apprise", "the apprise package is not installed", fix) from error
        self.traits = Traits(edits=False, timeout=config.timeout.total_seconds(), warm_up=_WARM_UP)
        self._url = config.url.reveal()
        if not apprise.Apprise().add(self._url):
            fix = "see https://github.com/caronc/apprise/wiki for the form of each service's URL"
            raise ConfigError("receivers", "url", "apprise does not know this URL", fix)
        self._process: Process | None = None

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Send the message once."""
        try:
            stdin, stdout = await self._started()
            line = {"title": message.title, "body": plain_text(message, titled=False)}
            async with asyncio.timeout(self.traits.timeout):
                with contextlib.suppress(ConnectionError):  # the process has ended; reading its answer shows that
                    stdin.write(json.dumps(line).encode() + b"\n")
                    await stdin.drain()
                said = await stdout.readline()
        except TimeoutError as error:
            await self.close()
            raise UncertainError("no answer in time", reason="timeout") from error
        except BaseException:
            await self.close()
            raise
        if said == b"refused\n":
            raise UncertainError("apprise could not send the message", reason="refused")
        if said != b"sent\n":
            await self.close()
            raise UncertainError("the apprise process has ended")
        return head or {}

    async def _started(self) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
        """Return stdin and stdout of the process; start it if necessary. Raises DeliveryError."""
        if self._process is None:
            # -I keeps this folder out of sys.path, where our apprise.py would hide the library.
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", str(_PROGRAM), stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
            settings = {"url": self._url, "seconds": math.ceil(self.traits.timeout) + _GRACE, "memory": _MEMORY}
            stdin, stdout = _ends(self._process)
            stdin.write(json.dumps(settings).encode() + b"\n")
            async with asyncio.timeout(_WARM_UP):
                if await stdout.readline() != b"ready\n":
                    raise DeliveryError("the apprise process does not start", reason="error")
        return _ends(self._process)

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Return UNKNOWN: apprise can't be asked."""
        return UNKNOWN

    async def close(self) -> None:
        """Kill the process."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _ends(process: Process) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    return cast("asyncio.StreamWriter", process.stdin), cast("asyncio.StreamReader", process.stdout)
