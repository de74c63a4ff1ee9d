"""Turn articles into mentions: the thin shell around detection.

Handling an article twice sends the same mentions twice, which assembly takes in once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agents.stream.guard import Incoming, cpu_limit
from agents.stream.outbox import Outbox
from monitor import metrics, tracing
from monitor.assemble import with_withdrawals
from monitor.records import Article, Mention, encode

#: Detection of the longest sane article takes some milliseconds; one that takes this long (seconds) is hostile.
CPU_LIMIT = 5.0


class DetectStage:
    """Sends what `detect` finds in an article to the topic of mentions."""

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

    async def handle(self, article: Article, /, incoming: Incoming) -> None:
        """Detect, and return when all mentions are on the broker.

        Raises StageTimeoutError (not retryable) when detection computes for too long, BrokerError.
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
    # A mention without witnesses is the rules' alone: the reader was not asked.
    metrics.mentions_decided.labels("both" if for_reader and for_rules else "reader" if for_reader else "rules").inc()
    if reader is not None:
        metrics.reader_score.observe(reader.confidence)
