"""Run the real worker with a detector that fails on some articles: `python -m tests.e2e.poisoned worker ...`."""

from __future__ import annotations

import agents.worker
from agents.cli import main
from monitor.detect import Detector
from monitor.records import Article, Mention


class PoisonedDetector(Detector):
    def detect(self, article: Article) -> tuple[Mention, ...]:
        if article.id == "crash":
            raise ZeroDivisionError("a bug of ours")
        while article.id == "hang":
            pass
        return tuple(super().detect(article))


agents.worker.Detector = PoisonedDetector  # type: ignore[misc]
agents.worker.CPU_LIMIT = 0.5  # type: ignore[attr-defined]
main()
