"""Spans sent by OTLP over HTTP, with what OpenTelemetry's own variables say (the extra `otel`)."""

import logging
from collections.abc import Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pixelmend.core.telemetry import Logger
from pixelmend.core.traces import Attributes, FinishedSpan
from pixelmend.core.version import VERSION

LAST_SPANS_TIMEOUT_MS = 2_000
_W3C = TraceContextTextMapPropagator()


class OtlpTraces:
    """Spans wait in a bounded queue for a thread of their own; what does not fit is lost."""

    def __init__(self, environment: Mapping[str, str], instance: str, log: Logger) -> None:
        # Its own lines repeat with every batch, and name the collector's address; ours comes once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        about = {
            "service.name": environment.get("OTEL_SERVICE_NAME") or "pixelmend",
            "service.version": VERSION,
        }
        if instance:
            about["service.instance.id"] = instance
        self._provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_SaidOnce(OTLPSpanExporter(), log)))
        self._tracer = self._provider.get_tracer("pixelmend", VERSION)

    def begin_request(self, name: str, traceparent: str | None, tracestate: str | None) -> "_RequestSpan":
        parent = _context(traceparent, tracestate)
        return _RequestSpan(self._tracer.start_span(name, parent, SpanKind.SERVER))

    def add(self, span: FinishedSpan, traceparent: str | None) -> None:
        self._add(span, _context(traceparent))

    def close(self) -> None:
        self._provider.force_flush(LAST_SPANS_TIMEOUT_MS)
        self._provider.shutdown()

    def _add(self, span: FinishedSpan, parent: Context) -> None:
        made = self._tracer.start_span(
            span.name, parent, attributes=dict(span.attributes), start_time=_ns(span.start_s)
        )
        if span.error is not None:
            made.set_status(Status(StatusCode.ERROR, span.error))
        for child in span.children:
            self._add(child, set_span_in_context(made, parent))
        made.end(_ns(span.end_s))


class _RequestSpan:
    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, set_span_in_context(self._span))
        return carrier.get("traceparent", "")

    def end(self, name: str, attributes: Attributes, *, failed: bool) -> None:
        self._span.update_name(name)
        self._span.set_attributes(dict(attributes))
        if failed:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class _SaidOnce(SpanExporter):
    """Logs that spans cannot be sent when that begins, and not with every batch."""

    def __init__(self, exporter: SpanExporter, log: Logger) -> None:
        self._exporter = exporter
        self._log = log
        self._fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
            reason = "the collector does not take them"
        except Exception as error:
            result, reason = SpanExportResult.FAILURE, type(error).__name__
        fails = result is not SpanExportResult.SUCCESS
        if fails and not self._fails:
            self._log.warning("traces cannot be sent", reason=reason)
        self._fails = fails
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _context(traceparent: str | None, tracestate: str | None = None) -> Context:
    """Empty for what is no traceparent, which may be anything."""
    carrier = {"traceparent": traceparent or "", "tracestate": tracestate or ""}
    return _W3C.extract(carrier, Context())


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
