"""Connect to Kafka: settings, clients that wait for a broker, and the functions that read topics."""

from __future__ import annotations

from monitor.kafka.broker_settings import BrokerSettings
from monitor.kafka.clients import MAX_RECORD_BYTES, admin_client, consumer, producer, wait_for_broker
from monitor.kafka.topic_reading import (
    Keep,
    follow,
    follow_compacted,
    keep_all,
    partitions_of,
    read_at,
    read_compacted,
    read_to_end,
)

__all__ = [
    "MAX_RECORD_BYTES",
    "BrokerSettings",
    "Keep",
    "admin_client",
    "consumer",
    "follow",
    "follow_compacted",
    "keep_all",
    "partitions_of",
    "producer",
    "read_at",
    "read_compacted",
    "read_to_end",
    "wait_for_broker",
]
