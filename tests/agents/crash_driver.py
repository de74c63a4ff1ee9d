"""Run one process of the crash matrix: for each case it forks a child that is killed at a step, and then its successor.

    python -m tests.agents.crash_driver BROKER PREFIX CONFIG CASES

CASES is a JSON file. Forking from a process that has everything imported and no event loop makes a case cheap. A line
of the output is one case with how its two children ended.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from agents.notify import KafkaDeadLetters, KafkaDeliveryLog
from agents.stream.guard import Guard
from agents.stream.outbox import KafkaOutbox
from agents.stream.topics import TopicNames
from monitor.clock import real_clock
from monitor.config import Config, Route, load_config
from monitor.kafka import BrokerSettings, producer
from monitor.notify import Notifier, NotifierSetup, Policy, build
from monitor.notify.messages.wording import wording
from tests.monitor.notify.samples import BEIJING, event

_PATIENCE = 60


class Child:
    """One life of the process: reads the log, takes the events, sends, and maybe dies."""

    def __init__(self, broker: BrokerSettings, names: TopicNames, config: Config, case: dict[str, Any], *, dies: bool):
        self._broker, self._names, self._config, self._case, self._dies = broker, names, config, case, dies
        self._armed = dies and case["message"] == 1

    async def _checkpoint(self, step: str) -> None:
        if self._armed and step == self._case["step"]:
            os.kill(os.getpid(), signal.SIGKILL)

    async def live(self) -> None:
        name, event_id = self._case["receiver"], self._case["event_id"]
        receiver = build(self._config.receivers[name], self._broker)
        receiver.traits = replace(receiver.traits, settle=min(receiver.traits.settle, 0.1))
        rules = replace(
            Policy.of(self._config), routes=(Route(name="all", receivers=(name,)),), update_wait=timedelta(0)
        )
        async with producer(self._broker, linger_ms=0) as client:
            outbox = KafkaOutbox(client)
            guard = Guard("notify", outbox, self._names.dead_letters)
            log = KafkaDeliveryLog(self._broker, self._names.deliveries, outbox, guard)
            setup = NotifierSetup(
                policy=rules, receivers={name: receiver}, log=log, words={name: wording()},
                retries=(timedelta(seconds=0.1),) * 50, dead_letters=KafkaDeadLetters(outbox, self._names, real_clock),
                checkpoint=self._checkpoint,
            )  # fmt: skip
            notifier = Notifier(setup)
            notifier.start()
            await notifier.assign(0, [record for record in await log.load(0) if record.event_id == event_id])
            now = real_clock()
            facts = {"event_id": event_id, "when": None, "first_seen": now, "last_seen": now}
            await notifier.accept(event(1, **facts))
            if self._dies:
                await self._told(notifier, 1)
                self._armed = True
            await notifier.accept(event(2, place=BEIJING, **facts))
            await self._told(notifier, 2)
            await notifier.stop()

    @staticmethod
    async def _told(notifier: Notifier, revision: int) -> None:
        def told() -> bool:
            return all(d.pending is None and d.told and d.told.revision >= revision for d in notifier.deliveries())

        while not told():  # noqa: ASYNC110 - the engine has no word for it
            await asyncio.sleep(0.01)


def forked(child_of: Child, stdout: str) -> int:
    """The exit status of a process that lives this life; minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        signal.alarm(_PATIENCE)
        os.dup2(os.open(stdout, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 1)
        status = 1
        try:
            asyncio.run(child_of.live())
            status = 0
        finally:
            sys.stdout.flush()
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(ended)


def main(broker_url: str, prefix: str, config_file: str, cases_file: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    broker, names = BrokerSettings.from_url(broker_url), TopicNames(prefix)
    config = load_config(Path(config_file), {})
    for case in json.loads(Path(cases_file).read_text()):
        first, second = (Child(broker, names, config, case, dies=dies) for dies in (True, False))
        ends = {"died": forked(first, case["stdout"]), "successor": forked(second, case["stdout"])}
        sys.stdout.write(json.dumps({"event_id": case["event_id"], **ends}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
