"""The process in which hostile documents are read: `python -m monitor.feeds.parser_worker CPU_SECONDS MEMORY_BYTES`.

It reads requests from standard input and writes replies to standard output, each a length (four bytes, big-endian) and
MessagePack. It limits itself: address space by RLIMIT_AS, processor time of each document by an interval timer whose
signal ends the process, which no code that hangs in a C library can prevent. It ends when its input ends.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
from typing import BinaryIO

import msgspec

from monitor.errors import FeedError
from monitor.feeds.document import ParsedFeed
from monitor.feeds.parse import parse

#: The poller's event loop goes first where processors are short.
_NICENESS = 5
LENGTH = struct.Struct(">I")
#: The signal of the processor time limit; its default action ends the process.
CPU_SIGNAL = signal.SIGPROF


class Request(msgspec.Struct, array_like=True, frozen=True):
    """A task, the document, the task's keyword arguments, and for `parse` the digests of known entries."""

    task: str
    body: bytes
    options: dict[str, str]
    known: tuple[bytes, ...] = ()


class Reply(msgspec.Struct, array_like=True, frozen=True):
    """Either the result in the task's own form, or a FeedError's reason and message."""

    result: msgspec.Raw = msgspec.Raw(b"\xc0")
    reason: str = ""
    message: str = ""
    retryable: bool = True


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


def work(request: Request) -> ParsedFeed | Extracted | Links:
    """Do one task. Raises FeedError."""
    if request.task == "parse":
        return parse(request.body, known=request.known, **request.options)
    if request.task == "extract":
        from monitor.feeds.fulltext import extract  # noqa: PLC0415  # heavy, and an extra that may be missing

        return extract(request.body, **request.options)
    if request.task == "links":
        from monitor.feeds.discover import page_links  # noqa: PLC0415  # seldom needed

        return page_links(request.body, **request.options)
    raise FeedError(f"no such task: {request.task}", reason="parse_failed", retryable=False)


def serve(source: BinaryIO, sink: BinaryIO, cpu_seconds: float) -> None:
    """Answer requests until `source` ends."""
    decoder = msgspec.msgpack.Decoder(Request)
    encoder = msgspec.msgpack.Encoder()
    while len(head := source.read(LENGTH.size)) == LENGTH.size:
        out_of_memory = False
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        try:
            request = decoder.decode(source.read(LENGTH.unpack(head)[0]))
            reply = Reply(result=msgspec.Raw(encoder.encode(work(request))))
        except FeedError as error:
            reply = Reply(reason=error.reason, message=str(error)[:500], retryable=error.retryable)
        except MemoryError:
            out_of_memory = True
            reply = Reply(reason="parse_memory", message="the document needs more memory than a parser may use")
        signal.setitimer(signal.ITIMER_PROF, 0)
        frame = encoder.encode(reply)
        sink.write(LENGTH.pack(len(frame)) + frame)
        sink.flush()
        if out_of_memory:
            return  # a heap that was full once is in pieces: the next document gets a new process


def main() -> None:
    """Limit this process, then serve standard input."""
    cpu_seconds, memory = float(sys.argv[1]), int(sys.argv[2])
    os.nice(_NICENESS)
    # The language model's numpy would reserve address space for a thread of each processor.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends our input
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library that prints must not break the protocol
    serve(sys.stdin.buffer, sink, cpu_seconds)


if __name__ == "__main__":
    main()
