"""Every metric of the system, in one place. Names, labels and buckets are documented in docs/metrics.md.

All metrics are in `REGISTRY`, not in the library's global one. The values of labels come from bounded sets: never a
URL, a title or an article's id. `start_at_zero` writes the known label sets with 0, so that rates and absent() alerts
work at once (https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics).
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
_AGE = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 10800.0, 43200.0, 86400.0, 604800.0)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(name, text, labels, namespace="summitry", registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(name, text, labels, namespace="summitry", registry=REGISTRY)


def _histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, text, labels, namespace="summitry", registry=REGISTRY, buckets=buckets)


# Poller
feed_polls = _counter("feed_polls", "Polls of feeds, by how they ended.", "outcome")
feed_poll_duration = _histogram("feed_poll_duration_seconds", "Seconds from request to published articles.", _FAST)
feed_last_success = _gauge("feed_last_success_timestamp_seconds", "Time of the last successful poll.", "feed")
feeds_by_state = _gauge("feeds", "Feeds this poller owns, by health state.", "state")
feed_parse_modes = _counter("feed_parses", "Parsed documents, by format and whether they were well formed.", "mode")
feed_oddities = _counter("feed_oddities", "Defects in answers of feeds that were tolerated, by kind.", "kind")
articles = _counter("articles", "Entries seen in feeds, by result.", "result")
entries_left_out = _counter("entries_left_out", "Entries of feeds that were not published, by reason.", "reason")
last_article = _gauge("last_article_timestamp_seconds", "When a feed last brought a new or changed entry.")
important_feed_ok = _gauge("important_feed_ok", "1 while a feed that is marked as important is healthy.", "feed")
article_age = _histogram("article_age_seconds", "Seconds from an entry's published time to its first poll.", _AGE)

# Stages
stage_events = _counter("stage_events", "Records handled by a stage, by outcome.", "stage", "outcome")
stage_duration = _histogram("stage_duration_seconds", "Seconds a stage took for one record.", _FAST, "stage")
pipeline_latency = _histogram("pipeline_latency_seconds", "Seconds from polling an article to its alert.", _SLOW)
dead_letters = _counter("dead_letters", "Records written to the dead letters, by stage and reason.", "stage", "reason")
consumer_lag_messages = _gauge("consumer_lag_messages", "Records not handled yet.", "topic")
consumer_lag_seconds = _gauge("consumer_lag_seconds", "Age of the last record handled while others wait.", "topic")
event_loop_lag = _histogram("event_loop_lag_seconds", "Seconds by which the event loop wakes a timer late.", _FAST)

# Detection and assembly
mentions = _counter("mentions", "Mentions detected.", "kind", "status", "language")
mentions_decided = _counter("mentions_decided", "Mentions detected, by who found them: rules, reader or both.", "by")
mention_confidence = _histogram("mention_confidence", "Confidence of detected mentions.", _SHARES)
reader_score = _histogram("reader_score", "The learned reader's probability of a contact, for each mention.", _SHARES)
events_open = _gauge("events_open", "Events that new mentions can still join.")
events = _counter("events", "New events, by the kind and status they were first seen with.", "kind", "status")
event_revisions = _counter("event_revisions", "Revisions of events.")
reports_merged = _counter("reports_merged", "Articles that carried the text of a report already known.")
contact_last = _gauge("contact_last_timestamp_seconds", "Last held contact of a pair of leaders.", "pair")

# Notification
notifications = _counter("notifications", "Messages delivered.", "receiver")
notifications_failed = _counter("notifications_failed", "Attempts to deliver that failed.", "receiver", "reason")
notifications_suppressed = _counter("notifications_suppressed", "Events not told to a receiver, by reason.", "reason")
notifications_pending = _gauge("notifications_pending", "Messages that wait to be sent.", "receiver")
notification_latency = _histogram("notification_latency_seconds", "Seconds one attempt took.", _FAST, "receiver")

# Process
build_info = _gauge("build_info", "Always 1; the labels give the version and the role.", "version", "role")
config_last_reload_successful = _gauge("config_last_reload_successful", "1 when the last (re)load succeeded.")
child_restarts = _counter("child_restarts", "Restarts of processes by the supervisor.", "role")

STAGES = ("detect", "assemble", "notify")
DECIDED_BY = ("both", "rules", "reader")
OUTCOMES = ("ok", "retried", "dead_letter")


def start_at_zero() -> None:
    """Write every known label set of the stage metrics with 0."""
    for stage in STAGES:
        for outcome in OUTCOMES:
            stage_events.labels(stage, outcome)
        stage_duration.labels(stage)
        for reason in ("undecodable", "newer_schema", "timeout", "error"):
            dead_letters.labels(stage, reason)
    for by in DECIDED_BY:
        mentions_decided.labels(by)
    for result in ("new", "changed", "duplicate", "dropped"):
        articles.labels(result)
