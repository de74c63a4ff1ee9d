"""Follow an article from its feed to the alert, as an OpenTelemetry trace. Off until `start` is called.

A trace begins with the poll that brought an article. It goes on in the headers of the topics' records, under the name
that W3C gave it (https://www.w3.org/TR/trace-context/#traceparent-header), and in the delivery log, since messages are
sent long after their event was handled. docs/operations.md shows what a trace looks like.

OpenTelemetry is an extra, and is imported by `start` alone. While tracing is off every function here returns at its
first line; measured by tests/bench/tracing.py.
"""

# ruff: noqa: PLC0415 - OpenTelemetry is an extra, and takes a fifth of a second to load
from __future__ import annotations

import threading
from collections.abc import Iterable, MutableMapping
from contextvars import Token
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from monitor import __version__
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Span, SpanKind, Tracer

#: The headers of a record.
Headers: TypeAlias = Iterable[tuple[str, bytes | None]]
#: What a step may note of itself.
Fact: TypeAlias = str | int | float

TRACEPARENT = "traceparent"
_FIX = "install summitry[tracing], or leave `tracing.endpoint` out"
#: Seconds that one request to the collector may take, and that a process waits at its end for the last of them.
_EXPORT_S, _FLUSH_S = 5.0, 2.0


class TraceStep(Protocol):
    """One span, as a context manager: what is done inside of it belongs to it."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _where: object, /) -> None:
        """End, as failed when an error was raised."""

    def forget(self) -> None:
        """Keep no record of it: nothing came of it."""


class _NoStep:
    """The step that stands for all steps while tracing is off."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def forget(self) -> None: ...


_NO_STEP = _NoStep()


class _Telemetry:
    """What `start` sets up, and the parts of OpenTelemetry that the functions below use."""

    def __init__(self, role: str, share: float) -> None:
        from opentelemetry import context, trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self.context, self.trace = context, trace
        self.propagator = TraceContextTextMapPropagator()
        about = Resource.create({"service.name": f"summitry-{role}", "service.version": __version__})
        # `stop` ends it: what the library itself does at the end of a process may wait for a collector for long.
        self.provider: TracerProvider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)), resource=about, shutdown_on_exit=False
        )
        self.tracer: Tracer = self.provider.get_tracer("summitry", __version__)

    def parent(self, traceparent: str) -> Context:
        """Give the context of a step elsewhere; without one, or with one that can't be read, a trace begins."""
        return self.propagator.extract({TRACEPARENT: traceparent}, context=self.context.Context())


class _TakenStep:
    def __init__(self, tracing: _Telemetry, span: Span) -> None:
        self._tracing, self._span, self._kept = tracing, span, True
        self._token: Token[Context] | None = None

    def __enter__(self) -> Self:
        self._token = self._tracing.context.attach(self._tracing.trace.set_span_in_context(self._span))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _where: object, /) -> None:
        if self._token is not None:
            self._tracing.context.detach(self._token)
        if kind is not None:
            # Not the error's text: it is in the log, and who sees traces need not be who sees logs.
            _fail(self._tracing, self._span, str(getattr(error, "reason", kind.__name__)))
        if self._kept:
            self._span.end()

    def forget(self) -> None:
        self._kept = False  # a span that never ends is never exported


_tracing: _Telemetry | None = None


def start(role: str, *, endpoint: str = "", share: float = 1.0, processor: SpanProcessor | None = None) -> None:
    """Take traces from now on in this process, which plays `role`, until `stop`.

    Spans go to the collector at `endpoint` by OTLP over HTTP, in a thread of its own, or to `processor`, which tests
    give. `share` of the traces that begin here are taken; whoever follows a trace does as its beginning decided. Raises
    ConfigError when OpenTelemetry is not installed.
    """
    global _tracing  # noqa: PLW0603  # a process takes traces or does not, as it logs or does not
    try:
        tracing = _Telemetry(role, share)
        processor = processor or _collector(endpoint)
    except ImportError as error:
        raise ConfigError("configuration", "tracing.endpoint", "OpenTelemetry is not installed", _FIX) from error
    tracing.provider.add_span_processor(processor)
    _tracing = tracing


def stop() -> None:
    """Send what is left, within two seconds, and take no more traces."""
    global _tracing  # noqa: PLW0603  # as above
    if _tracing is not None:
        # The library's own time limits do not hold while a collector does not answer.
        last = threading.Thread(target=_tracing.provider.shutdown, daemon=True)
        _tracing = None
        last.start()
        last.join(_FLUSH_S)


def step(name: str, parent: str | None = None, links: Iterable[str] = (), **facts: Fact) -> TraceStep:
    """Make a step of the trace whose `traceparent` is `parent`, of the current one without it.

    An empty `parent` begins a trace. `links` are the traces of others that the step serves, too.
    """
    tracing = _tracing
    if tracing is None:
        return _NO_STEP
    kinds = tracing.trace.SpanKind
    kind: SpanKind = kinds.CONSUMER if "topic" in facts else kinds.CLIENT if "receiver" in facts else kinds.INTERNAL
    others = [tracing.trace.get_current_span(tracing.parent(link)).get_span_context() for link in links]
    span = tracing.tracer.start_span(
        name,
        context=None if parent is None else tracing.parent(parent),
        kind=kind,
        attributes=_named(facts),
        links=[tracing.trace.Link(other) for other in others if other.is_valid],
    )
    return _TakenStep(tracing, span)


def note(**facts: Fact) -> None:
    """Write down facts of the current step."""
    if _tracing is not None:
        _tracing.trace.get_current_span().set_attributes(_named(facts))


def mark(moment: str, **facts: Fact) -> None:
    """Write down that the current step has got so far."""
    if _tracing is not None:
        _tracing.trace.get_current_span().add_event(moment, _named(facts))


def failed(reason: str) -> None:
    """Write down that the current step failed, for one of the reasons that metrics have."""
    if _tracing is not None:
        _fail(_tracing, _tracing.trace.get_current_span(), reason)


def here() -> str:
    """Return the `traceparent` of the current step, '' outside of one."""
    if _tracing is None:
        return ""
    carrier: dict[str, str] = {}
    _tracing.propagator.inject(carrier)
    return carrier.get(TRACEPARENT, "")


def headers() -> list[tuple[str, bytes]] | None:
    """Return the headers with which a record carries the current trace on, None for none."""
    if _tracing is None or not (traceparent := here()):
        return None
    return [(TRACEPARENT, traceparent.encode())]


def carried(headers: Headers) -> str:
    """Return the `traceparent` of a record's headers, '' where there is none."""
    if _tracing is None:
        return ""
    return next((value.decode("latin-1") for name, value in headers if name == TRACEPARENT and value), "")


def with_trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the current step to a line of the log, as a processor of structlog, where its trace is taken."""
    if _tracing is not None:
        context = _tracing.trace.get_current_span().get_span_context()
        if context.is_valid and context.trace_flags.sampled:
            event["trace_id"], event["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return event


def _collector(endpoint: str) -> SpanProcessor:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_S))


def _fail(tracing: _Telemetry, span: Span, reason: str) -> None:
    span.set_status(tracing.trace.Status(tracing.trace.StatusCode.ERROR, reason))


def _named(facts: dict[str, Fact]) -> dict[str, Fact]:
    return {f"summitry.{name}": value for name, value in facts.items()}
