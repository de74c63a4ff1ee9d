"""The template process, from which parsers are forked.

It is run as `python -m monitor.feeds.sandbox.parser_template CPU_SECONDS MEMORY HEAP` (memory and heap in bytes).
Importing the parsers and unpacking the language model takes seconds of processor time, so it is done once, in this
process, which never reads a document from outside. A fork shares what was loaded, and its time limit is left to its
documents. The template sets the limits that its forks inherit: RLIMIT_AS, RLIMIT_DATA, niceness, no core files.

Its standard input is a socket. It reads commands from it (`COMMAND`: what to do, process id) and answers each with one
number (`ANSWER`). FORK comes with a socket for the new process; the answer is the process id. END waits a second for a
process to end and then kills it, KILL kills it at once; the answer is its exit code, or the negative signal. The
template ends when its input ends, and so does each fork.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import struct
import sys
import time
from typing import BinaryIO, cast

from monitor.feeds.sandbox.parser_worker import serve

COMMAND, ANSWER = struct.Struct(">BI"), struct.Struct(">i")
FORK, END, KILL = range(3)
#: Parsers run at a lower priority than the poller's event loop.
_NICENESS = 5
#: Seconds that a process gets to end after its connection has ended, and the interval at which that is checked.
_PATIENCE_S, _GLANCE_S = 1.0, 0.005
_LARGEST = 8
#: It has a date, and a title whose language only the model can tell.
_SAMPLE = """\
<rss version="2.0"><channel><title>Exemple</title><item><title>Le président reçoit le chancelier à Évian</title>
<link>https://news.example/1</link><pubDate>Wed, 04 Feb 2026 18:00:00 GMT</pubDate></item></channel></rss>"""
_BUFFER = 64 * 1024


def main() -> None:
    """Load the parsers, limit this process and so its forks, then execute commands from standard input."""
    cpu_seconds, memory, heap = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.nice(_NICENESS)
    # Otherwise numpy, which the language model uses, reserves address space for one thread per processor.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C the parent ends our input
    with socket.socket(fileno=0) as control:
        _prepare()
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        # A worker may raise its heap up to this factor, for a large document that a subscription allows.
        resource.setrlimit(resource.RLIMIT_DATA, (heap, _LARGEST * heap))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        while True:
            # A command is short enough to arrive in one piece.
            command, sockets, *_ = socket.recv_fds(control, COMMAND.size, 1)
            if len(command) < COMMAND.size:
                return
            what, pid = COMMAND.unpack(command)
            number = _copied(sockets[0], cpu_seconds) if what == FORK else _ended(pid, _PATIENCE_S * (what == END))
            control.sendall(ANSWER.pack(number))


def _prepare() -> None:
    """Load the modules and data that most parsers need sooner or later, by parsing a small document."""
    from monitor.feeds.formats.parse import parse  # noqa: PLC0415  # the poller, which imports this module, needs none
    from monitor.feeds.formats.xml import feedparser_driver  # noqa: F401, PLC0415

    parse(_SAMPLE.encode())
    gc.collect()
    gc.freeze()  # otherwise the first garbage collection in a fork would write to, and so copy, all shared memory


def _copied(descriptor: int, cpu_seconds: float) -> int:
    """Fork a parser that serves this socket, and return its process id. Never returns in the new process."""
    pid = os.fork()
    if pid:
        os.close(descriptor)
        return pid
    code = 1
    try:
        os.dup2(descriptor, 0)  # replaces the template's socket of commands
        os.close(descriptor)
        with socket.socket(fileno=0) as connection:
            source, sink = connection.makefile("rb", _BUFFER), connection.makefile("wb", _BUFFER)
            serve(cast("BinaryIO", source), cast("BinaryIO", sink), cpu_seconds)
        code = 0
    finally:
        os._exit(code)  # skips the clean-up that only the template must do


def _ended(pid: int, patience_s: float) -> int:
    """Return the exit code of a fork; kill it if it does not end within `patience_s` seconds."""
    until = time.monotonic() + patience_s
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
        while not ended and time.monotonic() < until:
            time.sleep(_GLANCE_S)
            ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
    except ChildProcessError:
        return 0  # a fork of an earlier template, which died; the fork ends when its connection ends
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
