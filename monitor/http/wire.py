"""HTTP/1.1 as nearly all of it looks: addresses, requests and answers without the libraries that know all of it.

What is not plain is left to httpx and h11. Of what is plain they make the same, in many times the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import httpx

#: Names and values of headers, as bytes.
Headers = list[tuple[bytes, bytes]]

_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#: Lower-case http(s) addresses of names or IPv4 addresses, of characters that stay as they are, without `.` and `..`.
_ADDRESS = re.compile(
    rf"(https?)://((?:[a-z0-9_-]+\.)*+[a-z][a-z0-9-]*|{_OCTET}(?:\.{_OCTET}){{3}})(?::([1-9][0-9]{{0,4}}))?"
    r"((?![^?]*/\.)/[A-Za-z0-9._~!$&'()*+,;=:@/-]*(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?)"
)
_PORTS = {"http": 80, "https": 443}

# RFC 9112, sections 4 and 5, without what is allowed but unusual: no status 1xx, nothing but printable ASCII, at most
# one space before a value and none after it. Each line is tried once, and what a loop has taken it keeps (`*+`): who
# sends 60,000 spaces must not have them tried in all ways.
_STATUS = re.compile(rb"HTTP/1\.[01] ([2-5][0-9]{2})(?: [ -~]*+)?+(?=\r\n)")
_FIELD = re.compile(rb"\r\n([!#$%&'*+.^_`|~0-9A-Za-z-]++): ?((?:[!-~][ -~]*+)?+)(?=\r\n)")
_FIELDS = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++: [!-~][ -~]*+\r\n)*+")
_TARGET = re.compile(rb"[!-~]+")
_LENGTH = re.compile(rb"[0-9]{1,12}")
#: Answers that have no body whatever they say (RFC 9110, section 6.4.1), as those to HEAD.
_BODILESS = frozenset({b"204", b"304"})


class Place(NamedTuple):
    """Where a request goes.

    `host` is the name as it is looked up: IDNA-encoded, without the brackets of IPv6. `authority` is for the Host
    header; it has the port where that is not the scheme's own. `target` is path and query.
    """

    scheme: str
    host: str
    port: int
    authority: bytes
    target: bytes


class Head(NamedTuple):
    """The head of an answer, the bytes after it, and the length of the body that begins there."""

    status: int
    headers: Headers
    rest: bytes
    length: int


def place(url: str) -> Place:
    """Where an address leads. Raises httpx.InvalidURL."""
    return plain_place(url) or place_of(httpx.URL(url))


def place_of(url: httpx.URL) -> Place:
    """Where an address that httpx has read leads."""
    port = url.port or _PORTS.get(url.scheme, 80)
    return Place(url.scheme, url.raw_host.decode("ascii"), port, url.netloc, url.raw_path)


def plain_place(url: str) -> Place | None:
    """Where a plain address leads, None for httpx to make sense of."""
    match = _ADDRESS.fullmatch(url)
    if match is None:
        return None
    scheme, host, text, target = match.groups()
    usual = _PORTS[scheme]
    port = int(text) if text else usual
    if port > 65535:
        return None
    authority = host if port == usual else f"{host}:{port}"
    return Place(scheme, host, port, authority.encode("ascii"), target.encode("ascii"))


def plain_request(method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """A request as it goes over the wire, b"" where h11 has to say whether that may be."""
    fields = [b"%b: %b\r\n" % header for header in headers]
    text = b"".join(fields)
    # A line feed within a value would begin a header that nobody meant.
    if text.count(b"\n") != len(fields) or b" \r\n" in text:
        return b""
    if not _FIELDS.fullmatch(text) or not _TARGET.fullmatch(target):
        return b""
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method.encode("ascii"), target, text, body)


def plain_head(data: bytes) -> Head | None:
    """The head of an answer as nearly all servers send it; None for h11 to make sense of.

    Plain is a whole head of printable ASCII with CRLF, without transfer coding, that says how long the body is where
    there may be one.
    """
    status, end = _STATUS.match(data), data.find(b"\r\n\r\n")
    if status is None or end < 0:
        return None
    text = data[status.end() : end + 2]
    found = _FIELD.split(text)  # what is between the headers, which must be nothing, a name, a value, and so on
    if any(found[:-1:3]) or found[-1] != b"\r\n" or b" \r\n" in text:
        return None
    headers: Headers = list(zip(found[1::3], found[2::3], strict=True))
    lengths = [value for name, value in headers if len(name) == 14 and name.lower() == b"content-length"]
    coded = any(len(name) == 17 and name.lower() == b"transfer-encoding" for name, _ in headers)
    if coded or len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
        return None
    if status[1] in _BODILESS:
        length = 0
    elif lengths:
        length = int(lengths[0])
    else:
        return None
    return Head(int(status[1]), headers, data[end + 4 :], length)
