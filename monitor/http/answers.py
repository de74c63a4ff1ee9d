"""Read HTTP/1.1 responses from a connection with llhttp, the parser of Node.js, through httptools.

llhttp is as lenient as browsers are. When it still refuses the head of a response, `mended` repairs the head and it is
parsed again, so that one bad header line does not make a feed unreadable.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from monitor.errors import HttpError
from monitor.http.connection import Connection
from monitor.http.outgoing import Headers

#: The most bytes of headers in a response.
MAX_HEAD = 100 * 1024
#: The most informational (1xx) responses before the real one (RFC 9110, 15.2).
_MAX_BEFORE = 5
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE = re.compile(rb"\r?\n")
_STATUS_LINE = re.compile(rb"\s*(?:HTTP(?:/[0-9.]+)?|ICY)\s+([1-5][0-9]{2})(?![0-9])[^\r\n\0]*", re.IGNORECASE)
#: A header: its name is a token, and its value has no control characters (RFC 9110, 5.1 and 5.5).
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*?)[ \t]*", re.DOTALL)
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENIENT = dict.fromkeys((
    "lenient_chunked_length", "lenient_keep_alive", "lenient_transfer_encoding", "lenient_version",
    "lenient_data_after_close", "lenient_optional_lf_after_cr", "lenient_optional_cr_before_lf",
    "lenient_optional_crlf_after_chunk", "lenient_spaces_after_chunk_size",
), True)  # fmt: skip


def mended(head: bytes) -> tuple[bytes, int]:
    """Repair the head of a response for llhttp. Returns it, and the number of lines that were removed or changed.

    Removed are lines without a colon, with an invalid name or with a NUL, and a Content-Length that is not a number or
    a repetition. Folded lines are joined; control characters in values become spaces. `head` is returned unchanged when
    it has no status line, or two different lengths: then nobody knows where the response ends.
    """
    first, *lines = _LINE.split(re.sub(rb"\r?\n[ \t]+", b" ", head.strip()))
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        return head, 0
    kept, lengths, odd = [b"HTTP/1.1 %b OK" % status[1]], set[bytes](), int(not first.startswith(b"HTTP/1."))
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None or b"\0" in line:
            odd += 1
            continue
        name, value = field[1], _CONTROLS.sub(b" ", field[2])
        if name.lower() == b"content-length":
            value = value.split(b",")[0].strip()
            if not value.isdigit() or lengths:
                odd += 1
                lengths |= {value} if value.isdigit() else set()
                continue
            lengths.add(value)
        kept.append(b"%b: %b" % (name, value))
    if len(lengths) > 1:
        return head, 0
    return b"\r\n".join((*kept, b"", b"")), odd


class HttpAnswer(httpx.AsyncByteStream):
    """One response. Call `await head()` first, then iterate over the body.

    `head` sets `status`, `headers` and `odd` (the number of header lines that were repaired). After the body, `cut`
    says whether it ended before its Content-Length or last chunk. Reading raises HttpError: `tls`, `reset`,
    `bad_response`, `headers_too_large`.
    """

    def __init__(self, connection: Connection, *, has_body: bool = True) -> None:
        self._connection, self._has_body = connection, has_body
        self.status = self.odd = 0
        self.headers: Headers = []
        self.cut = False
        self._rest: list[bytes] = []
        self._complete = self._started = self._unframed = False

    async def head(self) -> None:
        """Read the head, after skipping informational responses. Raises HttpError."""
        data = b""
        for _ in range(_MAX_BEFORE):
            end = _HEAD_END.search(data)
            while end is None:
                more = await self._connection.read()
                if not more:
                    what = "sent no HTTP" if data.strip() else "was closed without an answer"
                    raise HttpError(f"the connection {what}", reason="bad_response")
                searched = max(0, len(data) - 3)
                data += more
                end = _HEAD_END.search(data, searched)
                if (end.start() if end else len(data)) > MAX_HEAD:
                    raise HttpError(
                        f"the answer's headers are longer than {MAX_HEAD} bytes", reason="headers_too_large"
                    )
            head, data = data[: end.end()], data[end.end() :]
            self._read_head(head)
            if self.status >= 200:
                break
        else:
            raise HttpError("the server sends only informational (1xx) responses", reason="bad_response")
        if data and not self._complete:
            self._feed(data)

    def _begins_without_chunks(self, data: bytes) -> bool:
        """Tell whether a body that is labelled as chunked begins with a document instead of the size of a chunk."""
        return not self._started and data.lstrip()[:1] in {b"<", b"{", b"["} and self._is_chunked

    @property
    def _is_chunked(self) -> bool:
        return any(name.lower() == b"transfer-encoding" and b"chunked" in value.lower() for name, value in self.headers)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._has_body:
            for data in self._rest:
                yield data
            self._rest.clear()
            if self._complete:
                return
            data = await self._connection.read()
            if not data:
                # A body without length and chunks ends where the connection ends.
                has_length = any(name.lower() == b"content-length" for name, _ in self.headers)
                self.cut = not self._unframed and (has_length or self._is_chunked)
                return
            self._feed(data)

    async def aclose(self) -> None:
        """Close the connection."""
        self._connection.abort()

    def _read_head(self, head: bytes) -> None:
        try:
            self._parse(head)
        except HttpParserError:
            head, self.odd = mended(head)
            try:
                self._parse(head)
            except HttpParserError as error:
                raise HttpError(f"not HTTP: {error}"[:200], reason="bad_response") from error
        self.status = self._parser.get_status_code()

    def _parse(self, head: bytes) -> None:
        self.headers, self._complete = [], False
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(**_LENIENT)
        try:
            self._parser.feed_data(head)
        except HttpParserUpgrade as error:
            raise HttpError("the server changes the protocol", reason="bad_response") from error

    def _feed(self, data: bytes) -> None:
        if self._begins_without_chunks(data):
            self._unframed, self.odd = True, self.odd + 1
        self._started = True
        if self._unframed:  # the body ends where the connection ends
            self._rest.append(data)
            return
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as error:
            raise HttpError("the server changes the protocol", reason="bad_response") from error
        except HttpParserError as error:
            if not self._complete:  # bytes after the end of the body are ignored
                raise HttpError(f"not HTTP: {error}"[:200], reason="bad_response") from error

    # Called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add one header."""
        self.headers.append((name, value.strip(b" \t")))

    def on_body(self, data: bytes) -> None:
        """Add a piece of the body."""
        if not self._complete:
            self._rest.append(data)

    def on_message_complete(self) -> None:
        """Note the end of the response."""
        self._complete = True


class ProxiedAnswer:
    """A response that came through a proxy, read by httpx, with the interface of `HttpAnswer`."""

    odd, cut = 0, False

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status, self.headers = response.status_code, response.headers.raw

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._response.aiter_raw():
            yield data

    async def aclose(self) -> None:
        """Close the connection to the proxy."""
        await self._response.aclose()
