"""Collect traces in tests: in memory, or as a collector that answers queries as Jaeger does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from monitor import tracing
from tests.feedserver import FeedServer, Reply, Request


@contextmanager
def taken(share: float = 1.0) -> Iterator[InMemorySpanExporter]:
    """Take the traces of this process into memory."""
    memory = InMemorySpanExporter()
    tracing.start("test", share=share, processor=SimpleSpanProcessor(memory))
    try:
        yield memory
    finally:
        tracing.stop()


class Collector:
    """A collector that keeps what processes send by OTLP, and gives it in the form of Jaeger's API."""

    def __init__(self, server: FeedServer) -> None:
        self.endpoint = server.on("/v1/traces", self._take)
        self._spans: list[tuple[str, Span]] = []

    def _take(self, request: Request) -> Reply:
        for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans:
            service = _value(next(one for one in resource.resource.attributes if one.key == "service.name"))
            self._spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
        return Reply(200, headers={"Content-Type": "application/x-protobuf"})

    def traces(self) -> list[dict[str, Any]]:
        """What Jaeger's `/api/traces` has under `data`: traces with their spans, oldest first."""
        found: dict[str, dict[str, Any]] = {}
        for service, span in sorted(self._spans, key=lambda each: each[1].start_time_unix_nano):
            identity = span.trace_id.hex()
            trace = found.setdefault(identity, {"traceID": identity, "spans": [], "processes": {}})
            trace["processes"][service] = {"serviceName": service}
            trace["spans"].append(_told(service, span))
        return list(found.values())


def _told(service: str, span: Span) -> dict[str, Any]:
    trace, parent = span.trace_id.hex(), span.parent_span_id.hex()
    return {
        "traceID": trace,
        "spanID": span.span_id.hex(),
        "operationName": span.name,
        "references": [{"refType": "CHILD_OF", "traceID": trace, "spanID": parent}] if parent else [],
        "startTime": span.start_time_unix_nano // 1000,
        "duration": (span.end_time_unix_nano - span.start_time_unix_nano) // 1000,
        "tags": [{"key": each.key, "value": _value(each)} for each in span.attributes],
        "logs": [{"timestamp": each.time_unix_nano // 1000, "fields": [each.name]} for each in span.events],
        "processID": service,
    }


def _value(pair: KeyValue) -> Any:
    return getattr(pair.value, pair.value.WhichOneof("value") or "string_value")
