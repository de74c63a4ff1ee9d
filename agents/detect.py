"""The detect stage: turns articles into mentions, with the detector of `monitor.detect`.

Handling an article twice sends the same mentions twice; assembly ignores the repetition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agents.stream.guard import TopicRecord, cpu_limit
from agents.stream.outbox import Outbox
from monitor import metrics, tracing
from monitor.assemble import with_withdrawals
from monitor.records import Article, Mention, encode

#: Seconds after which detection is stopped. The longest real article takes some milliseconds.
CPU_LIMIT = 5.0


class DetectStage:
    """Sends the mentions that `detect` finds in an article to the topic of mentions."""

    def __init__(
        self,
        detect: Callable[[Article], Sequence[Mention]],
        outbox: Outbox,
        mentions_topic: str,
        cpu_seconds: float = CPU_LIMIT,
    ) -> None:
        self._detect = detect
        self._outbox = outbox
        self._topic = mentions_topic
        self._cpu_seconds = cpu_seconds

    async def handle(self, article: Article, /, incoming: TopicRecord) -> None:
        """Detect the mentions of an article; return when all of them are on the broker.

        Raises StageTimeoutError (not retryable) when detection takes longer than `cpu_seconds`, and BrokerError.
        """
        with cpu_limit(self._cpu_seconds):
            found = self._detect(article)
            told = with_withdrawals(article, found)
        tracing.note(article=article.id, mentions=len(found))
        await asyncio.gather(*(self._outbox.send(self._topic, m.key.encode(), encode(m)) for m in told))
        for mention in found:
            _count(mention)


def _count(mention: Mention) -> None:
    metrics.mentions.labels(mention.kind, mention.status, mention.language).inc()
    metrics.mention_confidence.observe(mention.confidence)
    said = {witness.name: witness for witness in mention.witnesses}
    reader, rules = said.get("reader"), said.get("rules")
    for_reader, for_rules = reader is not None and reader.status != "none", rules is None or rules.status != "none"
    # A mention without witnesses was found by the rules, without asking the reader.
    metrics.mentions_decided.labels("both" if for_reader and for_rules else "reader" if for_reader else "rules").inc()
    if reader is not None:
        metrics.reader_score.observe(reader.confidence)
