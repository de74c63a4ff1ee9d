"""Test that each process works with TLS, logins and exactly the rights that are documented for it."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from agents.cli import cli
from agents.process.diagnosis import check_broker
from agents.stream.rights import PARTS, AccessRight, Part, commands, rights_of
from agents.stream.topic_check import check_topics, missing_rights
from agents.stream.topics import TopicNames, create
from monitor.config import Config, load_config
from monitor.errors import BrokerError
from monitor.kafka import BrokerSettings, producer, wait_for_broker
from tests.e2e.harness import Entry, until, world
from tests.feedserver import FeedServer, Reply, Request
from tests.kafka.access import add, entries_of, remove
from tests.kafka.secured import SecuredKafka

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(600)]

CALL = "Russian President Vladimir Putin and Chinese President Xi Jinping held a video call on Wednesday"
#: Seconds for each step of a story: logins cost time, and a broker that logs each of its judgements, too.
_PATIENCE = 120.0
#: What a story brings only when a person clicks, or when topics are given more partitions.
_ON_OCCASION = {
    ".acks": {"WRITE", "ALTER"},
    ".silences": {"WRITE", "ALTER"},
    ".feedback": {"WRITE", "ALTER"},
    ".articles": {"ALTER"},
    ".attempts": {"ALTER"},
    ".dead-letters": {"ALTER"},
}


@pytest.fixture(scope="module")
def secured(request: pytest.FixtureRequest) -> Iterator[SecuredKafka]:
    if request.config.getoption("--broker") != "kafka":
        pytest.skip("only Apache Kafka has logins and access lists")
    broker = SecuredKafka("topics", "poller", "stranger")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
async def issuer(secured: SecuredKafka) -> AsyncIterator[FeedServer]:
    """An authorization server that knows one client."""

    def grant(request: Request) -> Reply:
        if (request.method, request.header("authorization")) != ("POST", "Basic d29ya2VyOnRlbGwtbm9ib2R5"):
            return Reply(401)
        assert b"grant_type=client_credentials" in request.body
        granted = {"access_token": secured.token("worker"), "token_type": "Bearer", "expires_in": 3600}
        return Reply(200, json.dumps(granted).encode(), {"Content-Type": "application/json"})

    async with FeedServer() as server:
        server.on("/token", grant)
        yield server


def written(folder: Path, name: str, prefix: str, broker: dict[str, Any]) -> Path:
    path, feeds = folder / f"{name}.yaml", folder / "feeds.opml"
    feeds.write_text('<opml version="2.0"><body><outline type="rss" xmlUrl="http://127.0.0.1:9/feed"/></body></opml>')
    settings = {"broker": broker, "topics": {"prefix": prefix, "partitions": 2}, "feeds": [str(feeds)]}
    path.write_text(yaml.safe_dump(settings))
    return path


def granted(config: Path, *parts: str) -> dict[str, list[Any]]:
    """The entries of each part, as `summitry topics rights` prints them as commands."""
    done = CliRunner().invoke(cli, ["topics", "rights", "--user", "{part}", "--config", str(config), *parts])
    assert done.exit_code == 0, done.output
    found: dict[str, list[Any]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("# "):
            found[line[2:]] = []
        else:
            found[next(reversed(found))] += entries_of(line)
    return found


def entries_for(part: Part, config: Config, user: str = "stranger") -> list[Any]:
    """The entries of a part's rights, in their order."""
    return [entry for line in commands(rights_of(part, config), user, "k:9092") for entry in entries_of(line)]


async def run(*words: str) -> str:
    """Run the program as a process; gives its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agents", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_the_story_passes_with_the_least_rights_by_each_way_to_log_in(
    secured: SecuredKafka, issuer: FeedServer, prefix: str, tmp_path: Path
) -> None:
    config = written(tmp_path, "topics", prefix, secured.scram("topics"))
    superuser = BrokerSettings.from_url(secured.url)
    entries = granted(config)
    assert set(entries) == set(PARTS)
    for each in entries.values():
        await add(superuser, each)
    assert "topics created" in await run("topics", "create", "--feeds", "--config", str(config))
    logins = {
        "poller": secured.scram("poller"),
        "worker": secured.bearer(token_url=issuer.url("/token"), username="worker", password="tell-nobody"),
        "board": secured.mutual("board"),
    }
    async with world(secured.url, prefix, tmp_path, ["alpha"], logins=logins, patience=_PATIENCE) as now:
        await now.service.start("board")
        async with producer(superuser) as out:
            await out.send_and_wait(now.service.names.articles, b"no article")
            await out.send_and_wait(now.service.names.feeds, b"no feed", key=b"a b", partition=0)
        now.newsroom.print("alpha", Entry("a1", CALL))
        (first, *_) = await until("the alert", lambda: now.desk.of("vladimir-putin", "xi-jinping"), _PATIENCE)

        async def shown() -> bool:
            return first["event"]["event_id"] in (await now.service.page("board", "/api/v1/events")).text

        await until("the board has the event", shown, _PATIENCE)
        for role in ("poller", "worker"):
            await until(f"the {role} is ready", partial(now.service.ready, role), _PATIENCE)
        letters = now.service.names.dead_letters

        def writers() -> bool:
            judged = secured.judgements()
            return {one.user for one in judged if one.name == letters and one.operation == "WRITE"} == {
                "poller",
                "worker",
            }

        await until("poller and worker have each set a record aside", writers, _PATIENCE)
    judged = secured.judgements()
    assert not [one for one in judged if one.user in PARTS and one.verdict == "Denied"]
    for part in PARTS:
        used = {(one.kind, one.name, one.operation) for one in judged if one.user == part}
        idle = {
            right
            for right in rights_of(part, load_config(config, {}))
            if (right.kind, right.name, right.operation) not in used
        }
        rare = {right for right in idle if right.operation in _ON_OCCASION.get(right.name.removeprefix(prefix), ())}
        assert idle == rare, f"{part} does without"


async def test_each_right_that_is_missing_is_named(secured: SecuredKafka, prefix: str, tmp_path: Path) -> None:
    """One right after the other is withdrawn from a user who may be everything; each is named, and nothing else."""
    config = load_config(written(tmp_path, "stranger", prefix, secured.scram("stranger")), {})
    superuser, stranger = BrokerSettings.from_url(secured.url), BrokerSettings.from_config(config.broker)
    await create(superuser, config.topics)
    parts: tuple[Part, ...] = ("poller", "worker", "board")
    for part in parts:
        rights = rights_of(part, config)
        entries = entries_for(part, config)
        assert len(entries) == len(rights)
        await settled(lambda one=part: missing_rights(stranger, config, one), set(rights))
        await add(superuser, entries)
        await settled(lambda one=part: missing_rights(stranger, config, one), set())
        for right, entry in zip(rights, entries, strict=True):
            await remove(superuser, [entry])
            await settled(lambda one=part: missing_rights(stranger, config, one), {right})
            await add(superuser, [entry])
        await remove(superuser, entries)


async def test_start_and_doctor_say_what_is_missing(secured: SecuredKafka, prefix: str, tmp_path: Path) -> None:
    file = written(tmp_path, "stranger", prefix, secured.scram("stranger"))
    config = load_config(file, {})
    superuser, stranger = BrokerSettings.from_url(secured.url), BrokerSettings.from_config(config.broker)
    with pytest.raises(BrokerError, match="lacks CREATE"):
        await create(stranger, config.topics)
    await create(superuser, config.topics)
    entries = entries_for("poller", config)
    await add(superuser, entries[:-1])
    await settled(lambda: missing_rights(stranger, config, "poller"), {rights_of("poller", config)[-1]})
    names = TopicNames(prefix)
    with pytest.raises(
        BrokerError, match=rf"user stranger .* can't be a poller, it lacks READ on topic {prefix}\.feeds"
    ):
        await check_topics(stranger, config, "poller")
    await add(superuser, entries[-1:])
    await settled(lambda: missing_rights(stranger, config, "poller"), set())
    assert set(await check_topics(stranger, config, "poller")) == {
        names.feeds, names.feed_state, names.articles, names.dead_letters,
    }  # fmt: skip
    found = {one.check: one for one in await check_broker(config, stranger)}
    assert found["rights"].state == "warning"
    assert found["rights"].detail.startswith("enough for poller; no worker: READ on group ")
    assert "summitry topics rights" in found["rights"].fix
    await remove(superuser, entries)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"password": "wrong"}, "the login fails: .*credentials"),
        ({"ca_file": None}, "TLS fails: .*CERTIFICATE"),
    ],
    ids=["password", "authority"],
)
async def test_a_login_that_fails_says_why(
    secured: SecuredKafka, prefix: str, tmp_path: Path, spoil: dict[str, Any], said: str
) -> None:
    section = secured.scram("stranger")
    section["security"] = {key: value for key, value in (section["security"] | spoil).items() if value}
    config = load_config(written(tmp_path, "spoilt", prefix, section), {})
    told: list[str] = []
    waiting = asyncio.create_task(
        wait_for_broker(BrokerSettings.from_config(config.broker), _PATIENCE, waiting=told.append)
    )
    await until(f"it is said: {said}", lambda: any(re.search(said, one) for one in told), _PATIENCE)
    waiting.cancel()


async def test_a_token_is_read_again_at_each_login(secured: SecuredKafka, prefix: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(secured.token("worker", life=-600))
    config = load_config(written(tmp_path, "bearer", prefix, secured.bearer(token_file=str(file))), {})
    broker = BrokerSettings.from_config(config.broker)
    with pytest.raises(BrokerError):
        await wait_for_broker(broker, 2)
    file.write_text(secured.token("worker"))
    await wait_for_broker(broker, 20)


async def settled(ask: Callable[[], Awaitable[Iterable[AccessRight]]], wanted: set[AccessRight]) -> None:
    """Access lists reach the broker's authorizer a moment after they are taken."""
    last: set[AccessRight] = set()

    async def same() -> bool:
        nonlocal last
        last = set(await ask())
        return last == wanted

    try:
        await until("the access lists hold", same, _PATIENCE)
    except AssertionError:
        assert last == wanted
