"""A local mail server with a few commands (RFC 5321, and AUTH PLAIN of RFC 4954), without encryption."""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64decode
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Self

from tests.receivers.server import Arrivals


class MailServer:
    """Keeps the mails it is sent, and the names and passwords of those who logged in.

    `refuse` is answered to the next RCPT commands; `hang_up` breaks after DATA.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.logins: list[tuple[str, str]] = []
        self.refuse: list[str] = []
        self.hang_up = False
        self.arrivals = Arrivals()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._talks:
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            await self._talk(reader, writer)
        except ConnectionError:
            pass  # the client went away, which is its right
        finally:
            self._talks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        writer.write(b"220 local ESMTP\r\n")
        while line := await reader.readline():
            command = line.decode().strip()
            verb = command.upper()
            if verb.startswith("DATA"):
                writer.write(b"354 go on\r\n")
                content = await reader.readuntil(b"\r\n.\r\n")
                mail = message_from_bytes(content.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."), policy=default)
                self.mails.append(mail)  # type: ignore[arg-type]
                self.recipients.append(recipients)
                self.arrivals.one()
                if self.hang_up:
                    self.hang_up = False
                    break
                writer.write(b"250 kept\r\n")
            elif verb.startswith("RCPT"):
                recipients.append(command.split(":", 1)[1].strip("<> "))
                writer.write((self.refuse.pop(0) if self.refuse else "250 fine").encode() + b"\r\n")
            elif verb.startswith("EHLO"):
                writer.write(b"250-local\r\n250 AUTH PLAIN\r\n")
            elif verb.startswith("AUTH PLAIN "):
                _, name, password = b64decode(command.split()[2]).decode().split("\0")
                self.logins.append((name, password))
                writer.write(b"235 known\r\n")
            elif verb.startswith("QUIT"):
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 local\r\n")
