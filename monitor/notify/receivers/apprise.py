"""Everything else: Teams, Discord, Telegram, ntfy and a hundred more, through the apprise library.

https://github.com/caronc/apprise. It says yes or no and nothing else, so nothing can be edited or looked up: updates
that deserve it are messages of their own. It is not asynchronous, so it runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from monitor.config import AppriseReceiver
from monitor.errors import ConfigError
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message
from monitor.notify.messages.plain import plain_text
from monitor.notify.receivers.base import UNKNOWN, Lookup, Traits, UncertainError

# apprise logs addresses, which hold tokens.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


class Apprise:
    """Sends to one apprise URL."""

    def __init__(self, config: AppriseReceiver) -> None:
        try:
            import apprise  # noqa: PLC0415 - an optional package
        except ImportError as error:
            fix = "pip install 'summitry[apprise]'"
            raise ConfigError("receivers", "type: apprise", "the apprise package is not installed", fix) from error
        self.traits = Traits(edits=False, timeout=config.timeout.total_seconds())
        self._apprise = apprise.Apprise()
        self._format = apprise.NotifyFormat.TEXT
        if not self._apprise.add(config.url.reveal()):
            fix = "see https://github.com/caronc/apprise/wiki for the form of each service's URL"
            raise ConfigError("receivers", "url", "apprise does not know this URL", fix)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="apprise")

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Send the message once."""
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(self._thread, self._notify, message):
            raise UncertainError("apprise says that it could not send it", reason="refused")
        return head or {}

    def _notify(self, message: Message) -> bool:
        text = plain_text(message, titled=False)
        return bool(self._apprise.notify(body=text, title=message.title, body_format=self._format))

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Say that nobody can know."""
        return UNKNOWN

    async def close(self) -> None:
        """Let the thread go; a call that hangs is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)
