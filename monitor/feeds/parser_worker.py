"""The process in which hostile documents are read: `... -m monitor.feeds.parser_worker CPU_SECONDS MEMORY HEAP MODEL`.

It reads requests from standard input, each a length (four bytes, big-endian), MessagePack, and the document itself; it
writes replies to standard output, each a length and MessagePack. It limits itself: address space and heap (in bytes)
by RLIMIT_AS and RLIMIT_DATA, processor time of each document by an interval timer whose signal ends the process, which
no code that hangs in a C library can prevent. MODEL is the descriptor of the language model's file, which all workers
of a pool share. It ends when its input ends.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from monitor import langmodel
from monitor.errors import FeedError
from monitor.feeds.document import ParsedFeed
from monitor.feeds.parse import parse

#: The poller's event loop goes first where processors are short.
_NICENESS = 5
LENGTH = struct.Struct(">I")
#: The signal of the processor time limit; its default action ends the process.
CPU_SIGNAL = signal.SIGPROF
#: A process that keeps more than this many bytes after a document is not used again: Python's heap seldom shrinks.
_SPENT = 40 << 20


class Request(msgspec.Struct, array_like=True, frozen=True):
    """A task, the size in bytes of the document that follows, and the task's keyword arguments."""

    task: str
    size: int
    options: dict[str, Any]


class Reply(msgspec.Struct, array_like=True, frozen=True):
    """Either the result in the task's own form, or a FeedError's reason and message.

    `spent` says that the process has become too large, or its heap is in pieces: the next document needs a new one.
    """

    result: msgspec.Raw = msgspec.Raw(b"\xc0")
    reason: str = ""
    message: str = ""
    retryable: bool = True
    spent: bool = False


class Extracted(msgspec.Struct, frozen=True, kw_only=True):
    """What the full-text task found on a page."""

    text: str = ""
    title: str = ""
    canonical: str = ""
    language: str = ""


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Feed addresses that a web page names: by `<link rel=alternate>`, and by plain links that look like feeds."""

    alternate: tuple[str, ...] = ()
    anchors: tuple[str, ...] = ()


def work(request: Request, body: bytes) -> ParsedFeed | Extracted | Links:
    """Do one task. Raises FeedError."""
    if request.task == "parse":
        # Articles are plain text: the HTML would double what goes through the pipe and lies in the poller's memory.
        return parse(body, with_html=False, **request.options)
    if request.task == "extract":
        from monitor.feeds.fulltext import extract  # noqa: PLC0415  # heavy, and an extra that may be missing

        return extract(body, **request.options)
    if request.task == "links":
        from monitor.feeds.discover import page_links  # noqa: PLC0415  # seldom needed

        return page_links(body, **request.options)
    raise FeedError(f"no such task: {request.task}", reason="parse_failed", retryable=False)


def serve(source: BinaryIO, sink: BinaryIO, cpu_seconds: float) -> None:
    """Answer requests until `source` ends."""
    decoder = msgspec.msgpack.Decoder(Request)
    encoder = msgspec.msgpack.Encoder()
    while len(head := source.read(LENGTH.size)) == LENGTH.size:
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        request = decoder.decode(source.read(LENGTH.unpack(head)[0]))
        reply = _answer(encoder, request, source.read(request.size))
        frame = encoder.encode(reply)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sink.write(LENGTH.pack(len(frame)))
        sink.write(frame)
        sink.flush()
        if reply.spent:
            return


def _answer(encoder: msgspec.msgpack.Encoder, request: Request, body: bytes) -> Reply:
    try:
        result = msgspec.Raw(encoder.encode(work(request, body)))
    except FeedError as error:
        return Reply(reason=error.reason, message=str(error)[:500], retryable=error.retryable, spent=_spent())
    except MemoryError:
        text = "the document needs more memory than a parser may use"
        return Reply(reason="parse_memory", message=text, spent=True)
    return Reply(result=result, spent=_spent())


def _spent() -> bool:
    """By /proc/self/statm, without what is shared with others; where there is none, a process lasts its documents."""
    try:
        _, resident, shared, *_ = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        return False
    return (int(resident) - int(shared)) * resource.getpagesize() > _SPENT


def main() -> None:
    """Limit this process, then serve standard input."""
    cpu_seconds, memory, heap, model = float(sys.argv[1]), *map(int, sys.argv[2:5])
    os.nice(_NICENESS)
    # The language model's numpy would reserve address space for a thread of each processor.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_DATA, (heap, heap))
    langmodel.share(model)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends our input
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library that prints must not break the protocol
    serve(sys.stdin.buffer, sink, cpu_seconds)


if __name__ == "__main__":
    main()
