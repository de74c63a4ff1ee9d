"""The checks of `summitry doctor`. Each returns a finding: what was checked, what is wrong, and how to fix it."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from aiokafka.errors import KafkaError
from packaging.requirements import Requirement

from agents.process.config_names import with_ids
from agents.stream.rights import Part
from agents.stream.topic_check import missing_rights
from agents.stream.topics import declare
from monitor import __version__
from monitor.config import Config
from monitor.detect import Detector
from monitor.errors import SummitryError
from monitor.feeds.subscriptions.catalogue import load_feeds
from monitor.kafka import BrokerSettings, admin_client, wait_for_broker
from monitor.record_batches import require_codecs
from monitor.watchlist import Watchlist, load_or_bundled

State = Literal["fine", "warning", "wrong"]
#: Seconds to wait for the broker's answer.
_BROKER_PATIENCE_S = 5.0
_COLLECTOR_PATIENCE_S = 3.0
_LITTLE_SPACE = 1 << 30
_PROCESSES: tuple[Part, ...] = ("poller", "worker", "board")
#: What adjtimex(2) returns while the clock is not synchronised.
_TIME_ERROR = 5


@dataclass(frozen=True)
class Finding:
    """The result of one check: its state, what was found, and what to do if it is not fine."""

    check: str
    state: State
    detail: str
    fix: str = ""


def check_versions() -> Finding:
    """Compare the installed packages with the versions that the project requires."""
    wanted = [Requirement(text) for text in requires("summitry") or ()]
    off = []
    for one in wanted:
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            if not one.specifier.contains(version(one.name), prereleases=True):
                off.append(f"{one.name} {version(one.name)} is not {one.specifier}")
        except PackageNotFoundError:
            off.append(f"{one.name} is missing")
    said = f"summitry {__version__}, Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if off:
        return Finding("versions", "wrong", f"{said}; {'; '.join(off)}", "install from requirements/run.txt")
    return Finding("versions", "fine", said)


def check_codecs() -> Finding:
    """Check that records with each of Kafka's compression codecs can be read."""
    try:
        require_codecs()
    except SummitryError as error:
        return Finding("codecs", "wrong", str(error), "install from requirements/run.txt")
    return Finding("codecs", "fine", "gzip, snappy, lz4 and zstd records can be read")


def check_clock() -> Finding:
    """Check whether the system's clock is synchronised, by Linux's adjtimex(2)."""
    try:
        state = ctypes.CDLL(None, use_errno=True).ntp_adjtime(ctypes.create_string_buffer(256))
    except (OSError, AttributeError):
        return Finding("clock", "warning", "can't be checked on this system", "make sure that NTP runs")
    if state == _TIME_ERROR or state < 0:
        return Finding("clock", "warning", "not synchronised", "run an NTP client: the clocks of workers must agree")
    return Finding("clock", "fine", "synchronised")


def check_space() -> Finding:
    """Check the free disk space for temporary files and the board's archive."""
    places = {Path(tempfile.gettempdir()), Path.cwd()}
    free = {place: shutil.disk_usage(place).free for place in places}
    said = ", ".join(f"{room / (1 << 30):.1f} GiB free at {place}" for place, room in sorted(free.items()))
    if min(free.values()) < _LITTLE_SPACE:
        return Finding("disk", "warning", said, "free some space: less than 1 GiB is left")
    return Finding("disk", "fine", said)


def check_names(config: Config, day: date) -> Iterator[Finding]:
    """Check the watchlist, the names in routes and silences, and the lists of feeds; yield a finding for each."""
    try:
        people = load_or_bundled(config.watchlist)
    except SummitryError as error:
        yield Finding("watchlist", "wrong", str(error), "correct the file; `summitry watchlist check` shows more")
        return
    yield Finding("watchlist", "fine", f"{len(people.leaders)} leaders, {len(people.serving(day))} in office today")
    try:
        with_ids(config, people, day)
        yield Finding("routes", "fine", f"{len(config.all_routes())} routes, {len(config.silences)} silences")
    except SummitryError as error:
        yield Finding("routes", "wrong", str(error), "correct the name in the configuration")
    try:
        yield Finding("feeds", "fine", f"{len(load_feeds(config.feeds))} feeds")
    except SummitryError as error:
        yield Finding("feeds", "wrong", str(error), "correct the list of feeds")
    yield check_detector(people)


def check_detector(people: Watchlist) -> Finding:
    """Check that the data files of detection and the learned reader's model can be loaded."""
    try:
        Detector(people)
    except SummitryError as error:
        return Finding("detection", "wrong", str(error), "install the package again")
    return Finding("detection", "fine", "languages, places and the reader's model are complete")


def check_tracing(config: Config) -> Iterator[Finding]:
    """Check that the configured collector of traces can be reached; yield nothing when none is configured."""
    endpoint = config.tracing.endpoint
    if not endpoint:
        return
    if find_spec("opentelemetry") is None:
        yield Finding("tracing", "wrong", "OpenTelemetry is not installed", "install summitry[tracing]")
        return
    place = urlsplit(endpoint)
    try:
        port = place.port or (443 if place.scheme == "https" else 80)
        with socket.create_connection((place.hostname or "", port), _COLLECTOR_PATIENCE_S):
            yield Finding("tracing", "fine", f"the collector at {endpoint} accepts connections")
    except (OSError, ValueError) as error:
        fix = "start it, or correct tracing.endpoint; the service works without it"
        yield Finding("tracing", "warning", f"no collector at {endpoint}: {error}", fix)


async def check_broker(config: Config, broker: BrokerSettings) -> list[Finding]:
    """Check that the broker answers, that this user has the rights, and that the topics are as declared."""
    try:
        await wait_for_broker(broker, _BROKER_PATIENCE_S)
    except SummitryError as error:
        return [Finding("broker", "wrong", str(error), "start it, or correct broker.url and broker.security")]
    found = [Finding("broker", "fine", f"{broker} answers")]
    try:
        there = await _partitions(broker)
    except (KafkaError, OSError) as error:
        return [*found, Finding("topics", "wrong", f"can't be listed: {error}", "give this user the right to describe")]
    found += [await _check_rights(config, broker)]
    declared = declare(config.topics)
    missing = [topic.name for topic in declared if topic.name not in there]
    if missing:
        found.append(Finding("topics", "wrong", f"missing: {', '.join(missing)}", "run `summitry topics create`"))
    other = [t for t in declared if t.name in there and there[t.name] != t.partitions]
    if other:
        said = ", ".join(f"{t.name} has {there[t.name]} partitions, not {t.partitions}" for t in other)
        found.append(Finding("topics", "wrong", said, "set topics.partitions to the present number"))
    if not missing and not other:
        found.append(Finding("topics", "fine", f"{len(declared)} topics as declared"))
    return found


async def _check_rights(config: Config, broker: BrokerSettings) -> Finding:
    """Check for which processes this user has the rights. If each process has its own user, one is enough."""
    try:
        lacks = {part: await missing_rights(broker, config, part) for part in _PROCESSES}
    except SummitryError as error:
        return Finding("rights", "wrong", str(error), "give this user the right to describe")
    able = [part for part, rights in lacks.items() if not rights]
    if len(able) == len(lacks):
        return Finding("rights", "fine", f"enough for {', '.join(able)}")
    told = "; ".join(f"no {part}: {', '.join(map(str, rights))}" for part, rights in lacks.items() if rights)
    said = f"enough for {', '.join(able) or 'no process'}; {told}"
    fix = "`summitry topics rights` has the commands; with a user for each process, one is enough"
    return Finding("rights", "warning" if able else "wrong", said, fix)


async def _partitions(broker: BrokerSettings) -> Mapping[str, int]:
    async with admin_client(broker) as admin:
        return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}


def check_machine() -> Iterator[Finding]:
    """Run the checks that need neither configuration nor broker; yield a finding for each."""
    yield check_versions()
    yield check_codecs()
    yield check_clock()
    yield check_space()
    if sys.platform == "linux" and os.geteuid() == 0:
        yield Finding("user", "warning", "running as root", "run the service as its own user")
