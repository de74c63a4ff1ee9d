"""Follow an article from its feed to the alert, as an OpenTelemetry trace. Off until `start` is called.

A trace begins with the poll that found an article. From stage to stage it is carried in the `traceparent` header of the
records (https://www.w3.org/TR/trace-context/#traceparent-header), and in the delivery log, since a message may be sent
long after its event was handled. docs/operations.md shows what a trace looks like.

OpenTelemetry is an optional dependency, imported by `start` only. While tracing is off, every function here returns at
its first line; tests/bench/tracing.py measures the cost.
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
#: The value of a span's attribute.
Fact: TypeAlias = str | int | float

TRACEPARENT = "traceparent"
_FIX = "install summitry[tracing], or leave `tracing.endpoint` out"
#: Seconds that one request to the collector may take, and that `stop` waits for the last request.
_EXPORT_S, _FLUSH_S = 5.0, 2.0


class TraceStep(Protocol):
    """One span, as a context manager: steps that are made inside the block become its children."""

    def __enter__(self) -> Self:
        """Make this span the current one."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _where: object, /) -> None:
        """End the span; mark it as failed when an error was raised."""

    def forget(self) -> None:
        """Do not export this span, for example of a poll that found nothing new."""


class _NoStep:
    """The step that does nothing, used while tracing is off."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def forget(self) -> None: ...


_NO_STEP = _NoStep()


class _Telemetry:
    """The OpenTelemetry objects that `start` makes and the functions below use."""

    def __init__(self, role: str, share: float) -> None:
        from opentelemetry import context, trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self.context, self.trace = context, trace
        self.propagator = TraceContextTextMapPropagator()
        about = Resource.create({"service.name": f"summitry-{role}", "service.version": __version__})
        # `stop` shuts it down: the library's own exit handler may wait long for a collector that does not answer.
        self.provider: TracerProvider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)), resource=about, shutdown_on_exit=False
        )
        self.tracer: Tracer = self.provider.get_tracer("summitry", __version__)

    def parent(self, traceparent: str) -> Context:
        """Return the context of the span that `traceparent` names; when it is empty or invalid, a new trace begins."""
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
            # Not the error's text: it is in the log, and people who may see traces need not be allowed to see logs.
            _fail(self._tracing, self._span, str(getattr(error, "reason", kind.__name__)))
        if self._kept:
            self._span.end()

    def forget(self) -> None:
        self._kept = False  # a span that never ends is never exported


_tracing: _Telemetry | None = None


def start(role: str, *, endpoint: str = "", share: float = 1.0, processor: SpanProcessor | None = None) -> None:
    """Switch tracing on in this process until `stop`. `role` is `poller`, `worker` or `board`.

    Spans are sent to the collector at `endpoint` by OTLP over HTTP, from a thread of their own; tests give a
    `processor` instead. `share`, from 0 to 1, is the part of the traces beginning here that are recorded; later stages
    follow the decision of the first. Raises ConfigError when OpenTelemetry is not installed.
    """
    global _tracing  # noqa: PLW0603  # tracing is on or off for a whole process, like logging
    try:
        tracing = _Telemetry(role, share)
        processor = processor or _collector(endpoint)
    except ImportError as error:
        raise ConfigError("configuration", "tracing.endpoint", "OpenTelemetry is not installed", _FIX) from error
    tracing.provider.add_span_processor(processor)
    _tracing = tracing


def stop() -> None:
    """Switch tracing off, after sending the remaining spans for at most two seconds."""
    global _tracing  # noqa: PLW0603  # as above
    if _tracing is not None:
        # A thread, because the library's own time limits do not hold when the collector does not answer.
        last = threading.Thread(target=_tracing.provider.shutdown, daemon=True)
        _tracing = None
        last.start()
        last.join(_FLUSH_S)


def step(name: str, parent: str | None = None, links: Iterable[str] = (), **facts: Fact) -> TraceStep:
    """Make a span called `name`, with `facts` as its attributes.

    `parent` is the `traceparent` of its parent: None means the current span, '' begins a new trace. `links` are the
    `traceparent`s of other spans that this one serves too, such as all events of a digest.
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
    """Add attributes to the current span."""
    if _tracing is not None:
        _tracing.trace.get_current_span().set_attributes(_named(facts))


def mark(moment: str, **facts: Fact) -> None:
    """Add a span event called `moment` to the current span."""
    if _tracing is not None:
        _tracing.trace.get_current_span().add_event(moment, _named(facts))


def failed(reason: str) -> None:
    """Mark the current span as failed; `reason` is one of those in the metrics."""
    if _tracing is not None:
        _fail(_tracing, _tracing.trace.get_current_span(), reason)


def here() -> str:
    """Return the `traceparent` of the current span, '' when there is none."""
    if _tracing is None:
        return ""
    carrier: dict[str, str] = {}
    _tracing.propagator.inject(carrier)
    return carrier.get(TRACEPARENT, "")


def headers() -> list[tuple[str, bytes]] | None:
    """Return the record headers that carry the current trace to the next stage; None when there is none."""
    if _tracing is None or not (traceparent := here()):
        return None
    return [(TRACEPARENT, traceparent.encode())]


def carried(headers: Headers) -> str:
    """Return the `traceparent` among a record's headers, '' when there is none."""
    if _tracing is None:
        return ""
    return next((value.decode("latin-1") for name, value in headers if name == TRACEPARENT and value), "")


def with_trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add `trace_id` and `span_id` to a log line when its trace is recorded. A processor of structlog."""
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
