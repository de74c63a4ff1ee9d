"""The main loop of a parser process: read a request with a document, parse it, write the reply, until the input ends.

A request is a length (four bytes, big-endian), a MessagePack message, and the document. A reply is a length and a
MessagePack message. `parser_template` has limited the memory. The processor time of a document is limited by an
interval timer, whose signal ends the process even while a C library hangs.
"""

from __future__ import annotations

import resource
import signal
import struct
from typing import Any, BinaryIO

import msgspec

from monitor.errors import FeedError
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.page.feed_links import PageLinks, page_links
from monitor.feeds.formats.page.main_text import PageText, extract
from monitor.feeds.formats.parse import MAX_DOCUMENT, parse

LENGTH = struct.Struct(">I")
#: The signal of the processor time limit; its default action ends the process.
CPU_SIGNAL = signal.SIGPROF
#: The pool parses only one document of more than this many bytes at a time, to save memory.
LARGE = 1024 * 1024
#: A process that still has more than this many bytes after a document is replaced, since Python's heap seldom shrinks.
_SPENT = 40 << 20


class Request(msgspec.Struct, array_like=True, frozen=True):
    """A task, the size in bytes of the document that follows, and the task's keyword arguments."""

    task: str
    size: int
    options: dict[str, Any]


class Reply(msgspec.Struct, array_like=True, frozen=True):
    """The result of the task, or the reason and message of a FeedError.

    `spent` means that the process has become too large and must be replaced.
    """

    result: msgspec.Raw = msgspec.Raw(b"\xc0")
    reason: str = ""
    message: str = ""
    retryable: bool = True
    spent: bool = False


def share_of(size: int) -> float:
    """Return the factor by which limits of time and memory are raised for a document of `size` bytes; mostly 1."""
    return max(1.0, size / MAX_DOCUMENT)


def work(request: Request, body: bytes) -> ParsedFeed | PageText | PageLinks:
    """Execute one task. Raises FeedError."""
    if request.task == "parse":
        # Articles are plain text. The HTML would only double the size of the reply and of the poller's memory.
        return parse(body, with_html=False, **request.options)
    if request.task == "extract":
        return extract(body, **request.options)
    if request.task == "links":
        return page_links(body, **request.options)
    raise FeedError(f"no such task: {request.task}", reason="parse_failed", retryable=False)


def serve(source: BinaryIO, sink: BinaryIO, cpu_seconds: float) -> None:
    """Answer requests until `source` ends."""
    decoder = msgspec.msgpack.Decoder(Request)
    encoder = msgspec.msgpack.Encoder()
    heap, most = resource.getrlimit(resource.RLIMIT_DATA)
    while len(head := source.read(LENGTH.size)) == LENGTH.size:
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        request = decoder.decode(source.read(LENGTH.unpack(head)[0]))
        if (share := share_of(request.size)) > 1:
            signal.setitimer(signal.ITIMER_PROF, cpu_seconds * share)
        resource.setrlimit(resource.RLIMIT_DATA, (min(int(heap * share), most), most))
        frame = encoder.encode(_answer(encoder, request, source.read(request.size)))
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_DATA, (heap, most))
        sink.write(LENGTH.pack(len(frame)))
        sink.write(frame)
        sink.flush()


def _answer(encoder: msgspec.msgpack.Encoder, request: Request, body: bytes) -> Reply:
    try:
        result = msgspec.Raw(encoder.encode(work(request, body)))
    except FeedError as error:
        text = str(error)[:500]
        return Reply(reason=error.reason, message=text, retryable=error.retryable, spent=_spent())
    except MemoryError:
        text = "the document needs more memory than a parser may use"
        return Reply(reason="parse_memory", message=text, spent=True)
    return Reply(result=result, spent=_spent())


def _spent() -> bool:
    """Tell whether this process has become too large, not counting shared memory; False on systems without /proc."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:  # noqa: PTH123  # pathlib would take half of the time
            _, resident, shared, *_ = file.read(200).split()
    except OSError:
        return False
    return (int(resident) - int(shared)) * resource.getpagesize() > _SPENT
