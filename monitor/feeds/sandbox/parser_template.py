"""What parser processes are copies of: `... -m monitor.feeds.sandbox.parser_template CPU_SECONDS MEMORY HEAP`.

Importing what a parser needs takes half a second of processor time, and one parser lives for a thousand documents, so
it is done once, here, in a process that never sees a document and runs one thread. It limits itself, and with it its
copies: address space and heap (in bytes) by RLIMIT_AS and RLIMIT_DATA, niceness, no core files. What it has imported
its copies share, and the file of the language model, which the first one that needs it unpacks.

Its standard input is a socket from which it reads commands (`COMMAND`: what to do, process id); to each it answers with
one number (`ANSWER`). FORK comes with a socket for the new process, and is answered with its process id. END waits a
moment for the end of a process, or does not (KILL), kills it, and is answered with its exit code: negative is the
signal. It ends when its input ends, as do its copies when theirs do.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import struct
import sys
import tempfile
import time
from typing import BinaryIO, cast

from monitor.feeds.sandbox.parser_worker import serve
from monitor.language import model_file

COMMAND, ANSWER = struct.Struct(">BI"), struct.Struct(">i")
FORK, END, KILL = range(3)
#: The poller's event loop goes first where processors are short.
_NICENESS = 5
#: Seconds in which a process whose connection has ended must have ended as well.
_PATIENCE_S, _GLANCE_S = 1.0, 0.005
_LARGEST = 8
_BUFFER = 64 * 1024


def main() -> None:
    """Limit this process, prepare what parsers need, then obey standard input."""
    cpu_seconds, memory, heap = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.nice(_NICENESS)
    # The language model's numpy would reserve address space for a thread of each processor.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # A worker may raise its own heap for a document that a subscription allows to be larger, by this much.
    resource.setrlimit(resource.RLIMIT_DATA, (heap, _LARGEST * heap))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends our input
    with tempfile.TemporaryFile() as model, socket.socket(fileno=0) as control:
        model_file.share(model.fileno())
        _prepare()
        while True:
            # A command is so short that it comes as a whole.
            command, sockets, *_ = socket.recv_fds(control, COMMAND.size, 1)
            if len(command) < COMMAND.size:
                return
            what, pid = COMMAND.unpack(command)
            number = _copied(sockets[0], cpu_seconds) if what == FORK else _ended(pid, _PATIENCE_S * (what == END))
            control.sendall(ANSWER.pack(number))


def _prepare() -> None:
    """Import what most parsers come to need sooner or later."""
    from monitor.feeds.formats.xml import feedparser_driver  # noqa: F401, PLC0415
    from monitor.language import identify  # noqa: F401, PLC0415  # the poller, which imports this module, needs neither

    gc.collect()
    gc.freeze()  # else the first collection in each copy would make all of it the copy's own


def _copied(descriptor: int, cpu_seconds: float) -> int:
    """The id of a new process that is a parser at this socket. In that process it never returns."""
    pid = os.fork()
    if pid:
        os.close(descriptor)
        return pid
    code = 1
    try:
        os.dup2(descriptor, 0)  # where commands came in
        os.close(descriptor)
        with socket.socket(fileno=0) as connection:
            source, sink = connection.makefile("rb", _BUFFER), connection.makefile("wb", _BUFFER)
            serve(cast("BinaryIO", source), cast("BinaryIO", sink), cpu_seconds)
        code = 0
    finally:
        os._exit(code)  # what is the template's to do at its end is not done in a copy


def _ended(pid: int, patience_s: float) -> int:
    """The exit code of a copy, which is killed when it does not end within its time."""
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
        return 0  # a copy of another template, which was lost; it ends when its connection does
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
