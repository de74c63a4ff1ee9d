"""Watch the topic of articles, and send a notice when no articles arrive for a while, and when they arrive again.

Every worker watches; only the one that owns the first partition of the events sends notices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from babel.dates import format_timedelta

from monitor.clock import Clock
from monitor.config import HeartbeatSettings
from monitor.errors import BrokerError
from monitor.kafka import BrokerSettings, consumer, partitions_of
from monitor.notify.delivery.notifier import Notifier
from monitor.notify.messages.compose import Message, notice
from monitor.notify.messages.wording import Wording, fill
from monitor.notify.policy.article_flow import ArticleFlow, FlowNotice, observed

logger = structlog.get_logger()

_LONGEST_PAUSE = 10.0


async def watch(
    settings: HeartbeatSettings,
    broker: BrokerSettings,
    topic: str,
    notifier: Notifier,
    *,
    words: Mapping[str, Wording],
    clock: Clock,
    speaks: Callable[[], bool],
) -> None:
    """Watch for ever. `speaks()` tells whether this worker sends the notices."""
    pause = min(_LONGEST_PAUSE, settings.after.total_seconds() / 10)
    flow: ArticleFlow | None = None
    while True:
        try:
            async with consumer(broker) as client:
                partitions = [TopicPartition(topic, number) for number in await partitions_of(client, topic)]
                while True:
                    end, now = sum((await client.end_offsets(partitions)).values()), clock()
                    since = flow.grew_at if flow else now
                    flow, news = observed(flow or ArticleFlow(end, now), end, settings.after, now)
                    if news and speaks():
                        for name in settings.receivers:
                            notifier.tell(_notice(words[name], name, news, now, now - since))
                    await asyncio.sleep(pause)
        except (BrokerError, KafkaError) as error:
            logger.warning("heartbeat_not_watched", error=str(error))
        await asyncio.sleep(pause)


def _notice(words: Wording, receiver: str, news: FlowNotice, now: datetime, length: timedelta) -> Message:
    """Return the notice that articles have stopped, or arrive again, `length` after the last one."""
    identity = f"msg_heartbeat_{news}_{receiver}_{int(now.timestamp())}"
    title = words.silent if news == "silent" else words.back
    text = fill(words.silent_for, length=format_timedelta(length, threshold=2, locale=words.locale))
    return notice(words, receiver, identity, title=title, text=text, at=now)
