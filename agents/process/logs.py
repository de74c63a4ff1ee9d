"""Set up logging: one structlog pipeline for our own events and the messages of libraries, to standard error.

Standard output is for alerts only. The format `json` writes one object a line; `console` is for people.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor

from monitor.config import Log
from monitor.tracing import with_trace

#: Libraries that log a lot of what we log ourselves, such as a broker that does not answer, and their least level.
_QUIET = {
    "agents.stream.app": logging.WARNING,  # Faust's services log under the name of our subclasses' module
    "aiokafka": logging.CRITICAL,
    "faust": logging.ERROR,
    "mode": logging.ERROR,
    "asyncio": logging.ERROR,
}
#: Libraries that log whole URLs and request bodies, which may contain secrets, so they never log at DEBUG level.
_NEVER_DEBUG = ("httpx", "httpcore", "slack_sdk", "apprise")

#: Tracebacks without the values of local variables, since some are secrets.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
)


#: Characters that are escaped, so that a text from outside can't move the terminal's cursor or fake a log line.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
#: The most characters of one value in a log line.
_LONGEST = 2000


def _harmless(_logger: object, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if isinstance(value, str) and name not in {"exception", "stack"}:
            short = value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
            event[name] = _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), short)
    return event


def set_up_logs(settings: Log, role: str, stream: TextIO | None = None) -> None:
    """Set up logging in this process as configured; each line has the `role` of the process."""
    out = stream or sys.stderr
    as_json = settings.format == "json" or (settings.format == "auto" and not out.isatty())
    level = logging.getLevelNamesMapping()[settings.level.upper()]

    def with_role(_logger: object, _method: str, event: EventDict) -> EventDict:
        event.setdefault("role", role)
        return event

    shared: list[Processor] = [
        with_role,
        structlog.contextvars.merge_contextvars,
        with_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _harmless,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[Processor] = (
        [_TRACEBACKS, structlog.processors.JSONRenderer(default=str)]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(logging.DEBUG if level <= logging.DEBUG else max(level, quiet))
    for name in _NEVER_DEBUG:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
