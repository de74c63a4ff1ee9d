"""Test `config`, `receivers`, `deliveries` and `silence`, the heartbeat, and acknowledging over HTTP."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import yaml
from click.testing import CliRunner, Result
from msgspec.structs import replace

from agents.cli import cli, main
from agents.notify import NotifyStage
from agents.notify.silent_feeds import watch
from agents.process.web import make_web, serving
from agents.stream.outbox import KafkaOutbox, MemoryOutbox
from agents.stream.topics import TopicNames, create
from monitor.clock import real_clock
from monitor.config import HeartbeatSettings, TopicSettings, load_config
from monitor.config.secret import redacted
from monitor.errors import ConfigError, SummitryError, UnknownIdError
from monitor.kafka import BrokerSettings, producer, read_compacted
from monitor.notify import Ack, AckLinks, Delivery, MemoryLog, Pending
from monitor.notify.messages.wording import wording
from monitor.notify.receivers.fake import FakeReceiver
from monitor.records import decode, encode
from tests.monitor.notify.samples import NOW, engine, event
from tests.receivers.slack import CHANNEL, TOKEN, Slack


def call(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def write(tmp_path):
    def write(**sections) -> str:
        file = tmp_path / "summitry.yaml"
        file.write_text(yaml.safe_dump(sections))
        return str(file)

    return write


# --- config ---------------------------------------------------------------------------------------------------------


def test_config_check_says_what_is_configured(write):
    route = {"name": "pair", "receivers": ["screen"], "match": {"pairs": ["vladimir-putin+xi-jinping"]}}
    result = call("config", "check", write(receivers={"screen": {"type": "console"}}, routes=[route]))
    assert result.exit_code == 0
    assert "receivers screen (console)" in result.output
    assert "routes pair" in result.output


def test_config_check_knows_the_leaders(write):
    route = {"name": "pair", "receivers": ["console"], "match": {"leaders": ["xi-jinpin"]}}
    with pytest.raises(ConfigError, match="did you mean xi-jinping"):
        call("config", "check", write(routes=[route]))
    route["match"] = {"leaders": ["putin", "普京"], "pairs": ["Xi+Modi"], "countries": ["UK", "Germany"]}
    assert call("config", "check", write(routes=[route])).exit_code == 0


def test_a_mistake_is_one_line_on_standard_error_and_exit_code_2(write, capsys, monkeypatch):
    file = write(poller={"concurency": 5})
    monkeypatch.setattr("sys.argv", ["summitry", "config", "check", file])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        f"summitry: {file}:2: poller.concurency: unknown key 'concurency'; did you mean 'concurrency'?\n"
    )


def test_config_check_reads_the_lists_of_feeds(write):
    with pytest.raises(SummitryError, match="nowhere"):
        call("config", "check", write(feeds=["bundled", "nowhere.yaml"]))


def test_config_show_masks_secrets_and_has_the_defaults(write):
    result = call("config", "show", write(receivers={"d": {"type": "slack", "channel": CHANNEL, "token": TOKEN}}))
    assert TOKEN not in result.output
    assert yaml.safe_load(result.output)["topics"]["prefix"] == "summitry"


def test_config_show_masks_logins_inside_addresses():
    assert (
        redacted("url: https://ben:feedpw@feeds.example/a@b?c=d@e") == "url: https://********@feeds.example/a@b?c=d@e"
    )


@pytest.mark.parametrize("address", ["https://ben:feedpw@feeds.example/rss", "ftp://ben:feedpw@feeds.example/rss"])
def test_an_error_line_never_shows_the_password_of_an_address(address, write, capsys, monkeypatch):
    file = write(feeds=[address])
    monkeypatch.setattr("sys.argv", ["summitry", "config", "check", file])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr()
    assert "feeds.example" in printed.err
    assert "feedpw" not in printed.err


# --- receivers ------------------------------------------------------------------------------------------------------


def test_receivers_list_names_those_that_no_route_reaches(write):
    receivers = {"a": {"type": "console"}, "b": {"type": "console"}}
    result = call(
        "receivers", "list", "--config", write(receivers=receivers, routes=[{"name": "r", "receivers": ["a"]}])
    )
    assert re.search(r"^a +console +r$", result.output, re.MULTILINE)
    assert "no route names it" in result.output


def test_receivers_list_gives_json_lines(write):
    config = write(receivers={"a": {"type": "console"}}, routes=[{"name": "r", "receivers": ["a"]}])
    result = call("receivers", "list", "--config", config, "--format", "json")
    assert json.loads(result.output) == {"name": "a", "type": "console", "routes": ["r"]}


async def test_receivers_test_sends_a_sample(write):
    async with Slack() as slack:
        desk = {"type": "slack", "channel": CHANNEL, "token": TOKEN, "api_url": slack.api_url}
        arguments = ("receivers", "test", "desk", "--config", write(receivers={"desk": desk}))
        result = await asyncio.to_thread(call, *arguments)
        assert result.exit_code == 0
        assert "desk took the message" in result.output
        assert "nobody spoke to anybody" in slack.heads()[0].visible()


def test_receivers_schema_is_a_json_schema():
    assert json.loads(call("receivers", "schema").output)["title"] == "Summitry alert"


def test_a_receiver_that_is_not_there():
    with pytest.raises(UnknownIdError, match="did you mean 'console'"):
        call("receivers", "test", "consol")


# --- on a broker ----------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(broker, prefix):
    found = BrokerSettings.from_url(broker)
    asyncio.run(create(found, TopicSettings(prefix=prefix, partitions=1)))
    return found


async def _put(settings: BrokerSettings, topic: str, *records: Delivery) -> None:
    async with producer(settings, linger_ms=0) as client:
        for record in records:
            await KafkaOutbox(client).send(topic, record.key.encode(), encode(record), partition=0)


@pytest.mark.broker
def test_deliveries_are_listed_and_tried_again(settings, broker, prefix, write):
    names, config = TopicNames(prefix), write(topics={"prefix": prefix, "partitions": 1})
    message = Pending(
        event=event(2), tell="first", reason="first", since=NOW, due=NOW, attempts=10, error="server: HTTP 503"
    )
    told = Delivery(receiver="desk", event_id="told", told=event(1, event_id="told"), told_at=NOW)
    failed = Delivery(receiver="hook", event_id="ev-1", failed=message, failed_at=NOW)
    asyncio.run(_put(settings, names.deliveries, told, failed))
    options = ("--config", config, "--broker", broker)
    listed = call("deliveries", "list", *options).stdout.splitlines()
    assert len(listed) == 2
    assert "2 deliveries" in call("deliveries", "list", *options).stderr
    (line,) = call("deliveries", "list", *options, "--state", "failed").stdout.splitlines()
    assert "failed" in line
    assert "vladimir-putin+xi-jinping" in line
    assert "server: HTTP 503" in line
    (row,) = call("deliveries", "list", *options, "--receiver", "desk", "--format", "json").stdout.splitlines()
    assert decode(Delivery, row) == told

    with pytest.raises(UnknownIdError, match="no such message was given up"):
        call("deliveries", "retry", *options, "--receiver", "desk")
    assert "asked the workers to send 1 message again" in call("deliveries", "retry", *options, "--all").output
    assert call("deliveries", "retry", *options).exit_code == 2

    async def worker() -> list[str]:
        """A worker with this receiver takes the wish from the topic and sends the message."""
        hook = FakeReceiver()
        stage = NotifyStage(load_config(Path(config), {}), settings, names, MemoryOutbox(), real_clock)
        stage.notifier = engine({"hook": hook}, MemoryLog(), clock=real_clock)
        async with stage.running():
            stage.assign([0])
            async with asyncio.timeout(30):
                while not hook.messages:  # noqa: ASYNC110 - the engine has no word for it
                    await asyncio.sleep(0.05)
        return hook.tells()

    assert asyncio.run(worker()) == ["first"]


@pytest.mark.broker
@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("who", "match"),
    [
        (("--with", "Путин,xi"), "pairs=vladimir-putin+xi-jinping"),
        (("--with", "putin", "--with", "France"), "leaders=vladimir-putin countries=FR"),
        (("--with", "UK"), "countries=GB"),
    ],
)
def test_a_silence_names_leaders_and_states_as_other_commands_do(broker, prefix, write, who, match):
    options = ("--config", write(topics={"prefix": prefix, "partitions": 1}), "--broker", broker)
    assert call("silence", "add", *options, *who, "--for", "1h30m", "--reason", "covered live").exit_code == 0
    assert match in call("silence", "list", *options).output
    many = call("silence", "add", *options, "--with", "putin,xi,macron", "--for", "4h", "--reason", "r")
    assert "--with takes one leader, two leaders, or a leader and a state" in many.output


@pytest.mark.broker
def test_silences_are_added_listed_and_ended(settings, broker, prefix, write):
    options = ("--config", write(topics={"prefix": prefix, "partitions": 1}), "--broker", broker)
    added = call("silence", "add", *options, "--leader", "xi-jinping", "--for", "4h", "--reason", "covered live")
    identity = added.output.split()[0]
    listed = call("silence", "list", *options).output
    assert identity in listed
    assert "leaders=xi-jinping" in listed
    assert "covered live" in listed
    assert call("silence", "expire", *options, identity).exit_code == 0
    assert call("silence", "list", *options).output == ""
    with pytest.raises(UnknownIdError, match="no silence"):
        call("silence", "expire", *options, identity)
    assert "an option that selects events" in call("silence", "add", *options, "--for", "4h", "--reason", "r").output
    for wrong, problem in (
        (("--leader", "xi-jinpin"), "did you mean"),
        (("--pair", "vladimir-putin+nobody"), "nobody"),
        (("--country", "Nowhere"), "Nowhere"),
    ):
        with pytest.raises(SummitryError, match=problem):
            call("silence", "add", *options, *wrong, "--for", "4h", "--reason", "r")
    assert call("silence", "list", *options).output == ""
    assert (
        "is not a duration" in call("silence", "add", *options, "--kind", "call", "--for", "x", "--reason", "r").output
    )


@pytest.mark.broker
def test_the_heartbeat_tells_that_articles_stopped_and_came_back(settings, prefix):
    names = TopicNames(prefix)

    async def main() -> list[str]:
        desk = FakeReceiver()
        notifier = engine({"desk": desk}, clock=real_clock)
        notifier.start()
        beating = HeartbeatSettings(receivers=("desk",), after=timedelta(seconds=0.5))
        watching = asyncio.create_task(
            watch(
                beating, settings, names.articles, notifier,
                words={"desk": wording()}, clock=real_clock, speaks=lambda: True,
            )
        )  # fmt: skip
        async with asyncio.timeout(30), producer(settings, linger_ms=0) as client:
            while not desk.messages:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await client.send_and_wait(names.articles, b"{}")
            while len(desk.messages) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await notifier.stop()
        return [message.headline for message in desk.messages[:2]]

    assert asyncio.run(main()) == ["No article has come in", "Articles are coming in again"]


@pytest.mark.broker
def test_a_link_in_the_message_acknowledges_over_http(settings, prefix, write):
    names = TopicNames(prefix)
    acknowledge = {"url": "http://127.0.0.1", "secret": "0123456789abcdef"}
    config = load_config(Path(write(topics={"prefix": prefix}, alerts={"acknowledge": acknowledge})), {})

    async def main() -> Ack:
        async with producer(settings, linger_ms=0) as client:
            stage = NotifyStage(config, settings, names, KafkaOutbox(client), real_clock)
            link = AckLinks(config.alerts.acknowledge).link("ev-1", real_clock())
            async with serving(make_web([], stage.routes()), "127.0.0.1", 0) as port, httpx.AsyncClient() as browser:
                base = f"http://127.0.0.1:{port}"
                page = await browser.get(f"{base}/ack?{urlsplit(link).query}")
                assert page.status_code == 200
                assert await read_compacted(settings, names.acks) == {}, "looking at a link changes nothing"
                forged = await browser.get(f"{base}/ack?{urlsplit(link).query}0")
                assert forged.status_code == 403
                assert "<form" not in forged.text
                fields = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
                refused = await browser.post(f"{base}/ack", data={**fields, "event": "other", "by": "Eve"})
                assert refused.status_code == 403
                done = await browser.post(f"{base}/ack", data={**fields, "by": "Ada"})
                assert "Seen by Ada" in done.text
            await stage.notifier.stop()
        (value,) = (await read_compacted(settings, names.acks)).values()
        return decode(Ack, value)

    ack = asyncio.run(main())
    assert (ack.event_id, ack.by) == ("ev-1", "Ada")
    assert replace(ack, at=NOW) == Ack(event_id="ev-1", by="Ada", at=NOW)


def test_config_check_names_a_language_that_is_not_there(write):
    with pytest.raises(ConfigError, match=r"detection\.languages: there is no language 'tlh' here; known: ar, .*en"):
        call("config", "check", write(detection={"languages": ["tlh"]}))
    assert call("config", "check", write(detection={"languages": ["en"]})).exit_code == 0
