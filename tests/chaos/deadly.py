"""`python -m tests.chaos.deadly worker ...`: the real worker, with a detector that one article kills it through."""

from __future__ import annotations

import os
import signal

import agents.worker
from agents.cli import main
from monitor.detect import Detector
from monitor.records import Article, Mention


class DeadlyDetector(Detector):
    def detect(self, article: Article) -> tuple[Mention, ...]:
        if article.id == "kill":  # as a machine without memory does
            os.kill(os.getpid(), signal.SIGKILL)
        return tuple(super().detect(article))


agents.worker.Detector = DeadlyDetector  # type: ignore[misc]
main()
