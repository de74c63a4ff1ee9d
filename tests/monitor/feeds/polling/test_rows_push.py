"""Test the behaviour table of docs/polling.md, rows 60 and 61: WebSub, with a real hub on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import httpx
import pytest
from aiohttp import web

from monitor.feeds.polling.held_feeds import HeldFeed
from monitor.feeds.polling.websub import signed
from tests.feedserver import FeedServer, Reply, Request, conditional, rss
from tests.monitor.feeds.world import DAY, HOUR, World


class Hub:
    """A feed server that is also a hub, and the poller's callback, both reachable over HTTP."""

    def __init__(self, server: FeedServer) -> None:
        self.server = server
        self.document = rss("one story", channel=self.links())
        self.forms: list[dict[str, str]] = []
        self.status = 202
        server.on("/feed.xml", conditional(lambda: self.document))
        server.on("/hub", self._subscribe)

    def links(self) -> str:
        names = 'xmlns:atom="http://www.w3.org/2005/Atom"'
        return (
            f'<atom:link {names} rel="hub" href="{self.server.url("/hub")}"/>'
            f'<atom:link {names} rel="self" href="{self.server.url("/feed.xml")}"/>'
        )

    def _subscribe(self, request: Request) -> Reply:
        self.forms.append({name: values[0] for name, values in parse_qs(request.body.decode()).items()})
        return Reply(self.status)

    async def ask_back(self, **changes: str) -> httpx.Response:
        form = self.forms[-1]
        query = {"hub.mode": "subscribe", "hub.topic": form["hub.topic"], "hub.challenge": "c-1",
                 "hub.lease_seconds": "864000", **changes}  # fmt: skip
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            return await client.get(form["hub.callback"], params=query)

    async def send(self, body: bytes, method: str = "sha256", secret: str | None = None) -> int:
        form = self.forms[-1]
        digest = hmac.new((secret or form["hub.secret"]).encode(), body, getattr(hashlib, method)).hexdigest()
        headers = {"Content-Type": "application/rss+xml", "X-Hub-Signature": f"{method}={digest}"}
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            return (await client.post(form["hub.callback"], content=body, headers=headers)).status_code


@pytest.fixture
def hub(server: FeedServer) -> Hub:
    return Hub(server)


@pytest.fixture
async def world(server: FeedServer) -> AsyncIterator[World]:
    port = await _free_port()
    made = World(server, callback=f"http://127.0.0.1:{port}/websub")
    assert made.poller._push is not None
    application = web.Application()
    application.router.add_routes(made.poller._push.routes(made.poller.deliver))
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield made
    await runner.cleanup()
    await made.fetcher.aclose()


async def _free_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def done(world: World) -> None:
    """Let background work of the poller end."""
    while world.poller._pushing:
        await asyncio.gather(*world.poller._pushing)


async def subscribed(world: World, hub: Hub) -> None:
    world.add(websub=True)
    await world.poll()
    await done(world)
    assert (await hub.ask_back()).text == "c-1"


async def test_row_60_a_delivery_with_a_right_signature_is_read(world: World, hub: Hub) -> None:
    await subscribed(world, hub)
    for n, method in enumerate(("sha1", "sha256", "sha384", "sha512")):
        assert await hub.send(rss(f"push{n} by {method}"), method) == 202
        await done(world)
    assert world.titles == ["one story", "push0 by sha1", "push1 by sha256", "push2 by sha384", "push3 by sha512"]
    assert [article.backfill for article in world.store.articles] == [True, False, False, False, False]
    assert len(hub.server.hits("/feed.xml")) == 1


async def test_row_60_wrong_and_missing_signatures_are_taken_and_dropped(world: World, hub: Hub) -> None:
    await subscribed(world, hub)
    body = rss("forged story")
    assert await hub.send(body, secret="guess") == 202
    assert await hub.send(body, "md5") == 202
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        assert (await client.post(hub.forms[-1]["hub.callback"], content=body)).status_code == 202
    await done(world)
    assert world.titles == ["one story"]


@pytest.mark.parametrize("signature", ["", "sha256", "sha256=", "sha256=zz", "SHA256=\u0130", "=x", "new=1"])
def test_row_60_a_malformed_signature_is_just_wrong(signature: str) -> None:
    assert not signed("secret", signature, b"body")


async def test_row_60_unknown_addresses_and_topics_are_not_found(world: World, hub: Hub) -> None:
    await subscribed(world, hub)
    callback = hub.forms[-1]["hub.callback"]
    assert (await hub.ask_back(**{"hub.topic": "http://other.example/feed"})).status_code == 404
    assert (await hub.ask_back(**{"hub.mode": "unsubscribe"})).status_code == 404
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        for path in ("/websub/guess", "/websub/"):
            base = callback.partition("/websub/")[0]
            assert (await client.post(base + path, content=b"x")).status_code == 404
            assert (await client.get(base + path)).status_code == 404
    assert len(callback.rpartition("/")[2]) >= 43
    assert 32 <= len(hub.forms[-1]["hub.secret"]) < 200


async def test_row_60_a_delivery_before_the_subscription_is_confirmed_is_not_found(world: World, hub: Hub) -> None:
    world.add(websub=True)
    await world.poll()
    await done(world)
    assert await hub.send(rss("early story")) == 404
    assert world.titles == ["one story"]


async def test_row_60_a_delivery_that_is_too_large_is_refused(world: World, hub: Hub) -> None:
    await subscribed(world, hub)
    assert await hub.send(bytes(5 << 20)) == 413


async def test_row_60_a_hub_in_the_own_network_is_refused(world: World, hub: Hub) -> None:
    hub.document = rss("one story", channel=hub.links()).replace(b"127.0.0.1", b"169.254.169.254")
    world.add(websub=True)
    await world.poll()
    await done(world)
    assert hub.forms == []


async def test_row_61_push_is_off_unless_the_feed_wants_it(world: World, hub: Hub) -> None:
    world.add()
    await world.poll()
    await done(world)
    assert hub.forms == []


async def test_row_61_the_lease_is_renewed_at_its_half(world: World, hub: Hub) -> None:
    await subscribed(world, hub)
    first = hub.forms[-1]
    assert (first["hub.mode"], first["hub.topic"]) == ("subscribe", hub.server.url("/feed.xml"))
    assert first["hub.lease_seconds"] == "864000"
    await world.poll(after=4.9 * DAY)
    await done(world)
    assert len(hub.forms) == 1
    await world.poll(after=1 * DAY)
    await done(world)
    assert len(hub.forms) == 2
    assert hub.forms[1] == first, "the same subscription, so that nothing is missed between"
    assert await hub.send(rss("late story")) == 202, "the old lease holds until the new one is confirmed"
    assert (await hub.ask_back()).status_code == 200
    assert world.poller._push.active_until("a") == world.now + 10 * DAY  # type: ignore[union-attr]


async def test_row_61_polling_goes_on_more_slowly_while_push_works(world: World, hub: Hub) -> None:
    await subscribed(world, hub)
    for _ in range(3):
        await world.poll(after=HOUR)
    usual = world.wait()
    assert usual <= 4.5 * HOUR, "a push that has brought nothing yet is not trusted"
    await hub.send(rss("pushed story", "one story", channel=hub.links()))
    await done(world)
    assert world.state().push_healthy
    assert world.wait() >= min(12 * 5 * 60, DAY)
    assert "hub" in world.state().due_reason
    # A poll finds what the hub did not bring: back to the usual pace.
    hub.document = rss("missed story", "pushed story", "one story", channel=hub.links())
    await world.poll_when_due()
    assert not world.state().push_healthy
    assert world.wait() <= 4.5 * HOUR
    assert sorted(world.titles) == ["missed story", "one story", "pushed story"]


async def test_row_61_a_lease_that_ran_out_means_polling_again(world: World, hub: Hub) -> None:
    await subscribed(world, hub)
    await hub.send(rss("pushed story", channel=hub.links()))
    await done(world)
    hub.status = 500
    await world.poll(after=11 * DAY)
    await done(world)
    assert world.state().push_until == 0
    assert world.wait() <= 4.5 * HOUR
    assert await hub.send(rss("too late")) == 404


async def test_row_61_a_denied_subscription_is_asked_for_again_after_a_week(world: World, hub: Hub) -> None:
    world.add(websub=True)
    await world.poll()
    await done(world)
    assert (await hub.ask_back(**{"hub.mode": "denied", "hub.reason": "not today"})).status_code == 200
    await world.poll(after=6 * DAY)
    await done(world)
    assert len(hub.forms) == 1
    await world.poll(after=1.1 * DAY)
    await done(world)
    assert len(hub.forms) == 2


async def test_row_61_a_restarted_poller_subscribes_anew_even_on_304(world: World, hub: Hub) -> None:
    await subscribed(world, hub)
    feed = world.poller.held["a"].feed
    await world.poller.release([0])
    assert await hub.send(rss("lost story")) == 404, "this poller has given the feed away"
    world.poller.own([HeldFeed(0, feed, world.store.states["a"], world.store.segments["a"])])
    await world.poll(after=HOUR)
    await done(world)
    assert world.state().last_status == 304
    assert len(hub.forms) == 2
    assert hub.forms[1]["hub.callback"] != hub.forms[0]["hub.callback"]


async def test_of_several_hubs_one_with_https_is_asked(world: World, hub: Hub) -> None:
    https = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="hub" href="https://hub.example/"/>'
    hub.server.on("/feed.xml", Reply(200, rss("one story", channel=hub.links() + https)))
    world.add()
    assert (await world.poll()).hub == "https://hub.example/"
    links = '<http://hub.example/a>; rel="hub", <https://hub.example/b>; rel=hub, <https://hub.example/c>; rel=hub'
    hub.server.on("/feed.xml", Reply(200, rss("other story", channel=hub.links()), {"Link": links}))
    assert (await world.poll(after=HOUR)).hub == "https://hub.example/b"


async def test_a_link_header_names_the_hub_first(world: World, hub: Hub) -> None:
    links = f'<{hub.server.url("/hub")}>; rel="hub", <http://topic.example/feed>; rel="self x"'
    hub.server.on("/feed.xml", Reply(200, rss("one story"), {"Link": links}))
    world.add(websub=True)
    await world.poll()
    await done(world)
    assert hub.forms[0]["hub.topic"] == "http://topic.example/feed"
