"""Start parser processes, which are forks of one template process (`parser_template`), and exchange messages."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Sequence

from monitor.errors import HttpError
from monitor.feeds.sandbox.parser_template import ANSWER, COMMAND, END, FORK, KILL
from monitor.feeds.sandbox.parser_worker import LENGTH
from monitor.http.connection import CHUNK, Connection

#: The most bytes of one reply; more than a document within the limits can give.
_LARGEST_REPLY = 256 * 1024 * 1024
#: glibc returns freed blocks larger than this to the system at once. By default it raises the limit with each large
#: block (mallopt(3), M_MMAP_THRESHOLD), and the process would stay large.
_MMAP_THRESHOLD = 256 * 1024
#: Seconds in which the template must answer, including its own start.
PATIENCE_S = 20.0


class ForkServer:
    """Controls the template process, from which parsers are forked. It starts when it is first needed."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._turn = asyncio.Lock()

    async def copy(self) -> ParserProcess:
        """Fork a new parser and return it. Raises ConnectionError when the template does not answer."""
        ours, theirs = socket.socketpair()
        with theirs:
            _, connection = await asyncio.get_running_loop().create_connection(Connection, sock=ours)
            try:
                return ParserProcess(self, await self._command(FORK, 0, theirs.fileno()), connection)
            except BaseException:
                connection.abort()
                raise

    async def end(self, pid: int, *, kill: bool) -> int:
        """End a parser and return its exit code. Without `kill` it gets a second to end. Raises ConnectionError."""
        return await self._command(KILL if kill else END, pid)

    async def close(self) -> None:
        """End the template. Parsers end by themselves when their connections end."""
        async with self._turn:
            await self._lost()

    async def _command(self, what: int, pid: int, *descriptors: int) -> int:
        # Shielded: a cancelled caller must not leave its answer in the socket for the next caller.
        task = asyncio.ensure_future(self._exchange(COMMAND.pack(what, pid), *map(os.dup, descriptors)))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else asks then
        return await asyncio.shield(task)

    async def _exchange(self, command: bytes, *descriptors: int) -> int:
        async with self._turn:
            try:
                control = await self._started()
                socket.send_fds(control, [command], descriptors)
                async with asyncio.timeout(PATIENCE_S):
                    answer = await asyncio.get_running_loop().sock_recv(control, ANSWER.size)
            except OSError:  # which includes TimeoutError
                answer = b""
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            if len(answer) < ANSWER.size:
                await self._lost()
                raise ConnectionError("the parsers' template has ended")
        (number,) = ANSWER.unpack(answer)
        return int(number)

    async def _started(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair()
            self._control.setblocking(False)
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "monitor.feeds.sandbox.parser_template",
                    *self._arguments,
                    stdin=theirs.fileno(),
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    env={**os.environ, "MALLOC_MMAP_THRESHOLD_": str(_MMAP_THRESHOLD)},
                )
        return self._control

    async def _lost(self) -> None:
        control, self._control = self._control, None
        process, self._process = self._process, None
        if control is not None:
            control.close()
        if process is not None:
            try:
                async with asyncio.timeout(min(PATIENCE_S, 5)):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


class ParserProcess:
    """One parser process, and the connection to it."""

    def __init__(self, template: ForkServer, pid: int, connection: Connection) -> None:
        self._template, self._pid, self._connection = template, pid, connection

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._connection.ended

    async def exchange(self, request: bytes, body: bytes) -> bytearray:
        """Send a request and its document, and read the reply. Raises ConnectionError when the process has ended."""
        head = LENGTH.pack(len(request)) + request
        if len(body) <= CHUNK:
            self._connection.write(head + body)
        else:  # concatenating would copy a large document
            self._connection.write(head)
            self._connection.write(body)
        reply = bytearray()
        while len(reply) < LENGTH.size:
            reply += await self._more()
        (length,) = LENGTH.unpack_from(reply)
        if length > _LARGEST_REPLY:
            raise ConnectionError("the reply is too long")
        while len(reply) < LENGTH.size + length:
            reply += await self._more()
        del reply[: LENGTH.size]
        return reply

    async def end(self, *, kill: bool = True) -> int:
        """End the process and return its exit code. Without `kill` it gets a second to end. Raises ConnectionError."""
        self._connection.abort()  # a caller that still waits for a reply gets a ConnectionError
        return await self._template.end(self._pid, kill=kill)

    async def _more(self) -> bytes:
        try:
            data = await self._connection.read()
        except HttpError as error:
            raise ConnectionError(str(error)) from error
        if not data:
            raise ConnectionError("the parser has ended")
        return data
