"""Run the real worker so that one article or one message kills it: `python -m tests.chaos.deadly worker ...`."""

from __future__ import annotations

import os
import signal
from typing import Any

import agents.worker
from agents.cli import main
from monitor.detect import Detector
from monitor.notify.delivery import composing
from monitor.notify.messages.compose import Message
from monitor.records import Article, Mention

#: Messages about this leader kill.
LEADER = os.environ.get("DEADLY_LEADER")


class DeadlyDetector(Detector):
    def detect(self, article: Article) -> tuple[Mention, ...]:
        if article.id == "kill":  # as a machine without memory does
            os.kill(os.getpid(), signal.SIGKILL)
        return tuple(super().detect(article))


compose = composing.compose


def deadly_compose(*arguments: Any, **more: Any) -> Message:
    message = compose(*arguments, **more)
    if message.event is not None and LEADER in {each.leader for each in message.event.participants}:
        os.kill(os.getpid(), signal.SIGKILL)
    return message


composing.compose = deadly_compose
agents.worker.Detector = DeadlyDetector  # type: ignore[misc]
main()
