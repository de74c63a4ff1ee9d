"""Test the HTTP API as a program uses it: its description, pages, ETags, errors, streams and tokens."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import re
import subprocess
import sys
from datetime import date
from typing import get_args

import httpx
import jsonschema
import pytest
from msgspec.structs import replace
from openapi_spec_validator import OpenAPIV31SpecValidator

from agents.board.api import ROUTES, openapi
from agents.board.pages.rendering import BROADCASTER
from monitor.feeds.polling.feed_state import HEALTH_ORDER, Health
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.notify.replies.feedback import VERDICTS
from monitor.records import EVENT_STATUSES, KINDS, MEDIA, Event, Granularity, When, decode
from monitor.records import encode as encoded
from tests.agents.board.boards import board, browser
from tests.agents.board.test_pages import hostile, story
from tests.monitor.archive.samples import event

DESCRIPTION = json.loads(openapi())


def schema_of(path: str, method: str, status: int) -> dict:
    answer = DESCRIPTION["paths"][path][method]["responses"][str(status)]
    if "$ref" in answer:
        answer = DESCRIPTION["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    (content,) = (value for name, value in answer["content"].items() if name.endswith("json"))
    return {**content["schema"], "components": DESCRIPTION["components"]}


def test_the_description_is_valid_openapi_and_has_every_route():
    OpenAPIV31SpecValidator(DESCRIPTION).validate()
    described = {(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods}
    served = {(route.path, route.method.lower()) for route in ROUTES if route.path.startswith("/api/v1/")}
    assert described == served


async def test_every_answer_is_as_described(tmp_path):
    bodies = {"markSeen": {"by": "Ada"}, "silence": {"for": "1h", "reason": "r"}, "giveFeedback": {"verdict": "wrong"}}
    async with board(tmp_path, *story(), hostile()) as place, browser(place) as client:
        called = 0
        for path, methods in DESCRIPTION["paths"].items():
            for method, operation in methods.items():
                address = path.replace("{event_id}", "held")
                body = bodies.get(operation["operationId"])
                answer = await client.request(method.upper(), address, json=body)
                assert answer.is_success, (address, answer.text)
                assert str(answer.status_code) in operation["responses"]
                jsonschema.validate(answer.json(), schema_of(path, method, answer.status_code))
                called += 1
        assert called == len(ROUTES) - 1


def test_what_is_enumerated_is_what_there_is():
    schemas = DESCRIPTION["components"]["schemas"]
    for name, known in (
        ("Status", EVENT_STATUSES), ("Kind", KINDS), ("Medium", MEDIA), ("Granularity", get_args(Granularity)),
        ("Health", get_args(Health)), ("Verdict", VERDICTS),
    ):  # fmt: skip
        assert set(schemas[name]["enum"]) == set(known), name
    assert set(HEALTH_ORDER) == set(get_args(Health))


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A Python client of this API, as openapi-python-client writes it from the description."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_bytes(openapi())
    (folder / "config.yaml").write_text("post_hooks: []\n")
    done = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning",
            "--path", folder / "openapi.json", "--config", folder / "config.yaml",
            "--output-path", folder / "made_client",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module("made_client")
    sys.path.remove(str(folder))


def operation(generated, tag: str, name: str):
    """A call of the generated client, by the operation's id."""
    snake = re.sub("([A-Z])", r"_\1", name).lower()
    return importlib.import_module(f"{generated.__name__}.api.{tag}.{snake}").asyncio_detailed


@pytest.mark.slow
async def test_a_generated_client_calls_every_route(tmp_path, generated):
    models = importlib.import_module("made_client.models")
    bodies = {
        "markSeen": models.MarkSeenBody(by="Ada"), "silence": models.SilenceBody(for_="1h", reason="covered live"),
        "giveFeedback": models.GiveFeedbackBody(verdict=models.Verdict.WRONG),
    }  # fmt: skip
    when = When(start=date(2026, 1, 29), end=date(2026, 2, 4), granularity="reported")
    async with (
        board(tmp_path, *story(), hostile(), event("reported", "macron xi", when=when)) as place,
        generated.Client(base_url=place.base, raise_on_unexpected_status=True) as client,
    ):
        place.keep("summitry.feeds", "a b", Subscription(id="b", url="https://b.example/feed", outlet="B"))
        for path, methods in DESCRIPTION["paths"].items():
            for method, described in methods.items():
                given = {"event_id": "held"} if "{event_id}" in path else {}
                if body := bodies.get(described["operationId"]):
                    given["body"] = body
                call = operation(generated, described["tags"][0], described["operationId"])
                answer = await call(client=client, **given)
                assert answer.status_code == (201 if method == "post" else 200), (path, answer.content)
                assert answer.parsed is not None
                assert not isinstance(answer.parsed, models.Problem), answer.content
        list_events = operation(generated, "events", "listEvents")
        page = (await list_events(client=client, leader=["Макрон"], limit=2)).parsed
        assert {each.event_id for each in page.items} == {"reported", "plan"}
        rest = (await list_events(client=client, leader=["Макрон"], limit=2, after=page.next_)).parsed
        assert [each.event_id for each in rest.items] == ["missed", "older"]
        assert rest.next_ is None
        plans = (await list_events(client=client, status=[models.Status.PLANNED])).parsed
        assert [each.when.start for each in plans.items] == [date(2026, 2, 10)]
        problem = (await list_events(client=client, limit=0)).parsed
        assert (problem.status, problem.parameter) == (400, "limit")


async def test_items_are_event_lines(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as client:
        (item,) = (await client.get("/api/v1/events?status=planned")).json()["items"]
        assert decode(Event, json.dumps(item)) == story()[1]
        assert item["url"] == f"{place.base}/events/plan"
        assert item["headline"]


async def test_pages_are_turned_by_a_cursor(tmp_path):
    async with board(tmp_path, *(event(f"e{n}", days_ago=n) for n in range(7))) as place, browser(place) as client:
        seen, address = [], "/api/v1/events?limit=3&leader=xi-jinping"
        while address:
            page = (await client.get(address)).json()
            seen += [item["event_id"] for item in page["items"]]
            address = page["next_url"]
        assert seen == [f"e{n}" for n in range(7)]


async def test_who_has_it_is_not_sent_it_again(tmp_path):
    async with board(tmp_path, event("a")) as place, browser(place) as client:
        for path in (
            "/api/v1/events?q=putin",
            "/api/v1/events/a",
            "/api/v1/events/a/history",
            "/api/v1/stats",
            "/events.atom",
            "/planned.ics",
        ):
            first = await client.get(path)
            again = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b""), path
        await place.bring(event("b"))
        etag = (await client.get("/api/v1/events", headers={"If-None-Match": first.headers["ETag"]})).headers["ETag"]
        assert (await client.get("/api/v1/events", headers={"If-None-Match": etag})).status_code == 304


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        ("/api/v1/events?status=done", 400, "status"),
        ("/api/v1/events?limit=0", 400, "limit"),
        ("/api/v1/events?limit=%F0%9D%9F%97", 400, "limit"),
        ("/api/v1/events?after=%00", 400, "after"),
        ("/api/v1/events?statuses=held", 400, "statuses"),
        ("/api/v1/events/nothing", 404, None),
        ("/api/v1/nothing", 404, None),
    ],
)
async def test_errors_are_problem_objects(tmp_path, path, status, parameter):
    async with board(tmp_path, event("a")) as place, browser(place) as client:
        answer = await client.get(path)
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        problem = answer.json()
        assert (problem["status"], problem.get("parameter")) == (status, parameter)
        assert problem["detail"]


async def test_a_method_that_is_not_there_is_a_problem_too(tmp_path):
    async with board(tmp_path, event("a")) as place, browser(place) as client:
        answer = await client.delete("/api/v1/events/a")
        assert (answer.status_code, answer.json()["status"]) == (405, 405)


class Stream:
    """Reads server-sent events."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, str, str]:
        found: dict[str, list[str]] = {}
        async with asyncio.timeout(10):
            async for line in self._lines:
                if not line and "event" in found:
                    break
                name, _, value = line.partition(": ")
                found.setdefault(name, []).append(value)
        return found["event"][0], "\n".join(found.get("data", [])), found.get("id", [""])[0]


async def test_changes_stream_to_whom_they_concern_and_go_on_where_they_broke_off(tmp_path):
    accept = {"Accept": "text/event-stream"}
    async with board(tmp_path, event("a")) as place, browser(place) as client:
        async with client.stream("GET", "/api/v1/events?country=FR", headers=accept) as response:
            assert response.headers["Content-Type"].startswith("text/event-stream")
            stream = Stream(response)
            while not len(place.site[BROADCASTER]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await place.bring(event("b"), event("c", "macron merz"))
            name, data, first = await stream.next()
            assert (name, json.loads(data)["event_id"]) == ("event", "c")
            assert (await stream.next())[:2] == ("gone", "b")
        await place.bring(event("d", "macron xi"))
        async with client.stream(
            "GET", "/api/v1/events?country=FR", headers={**accept, "Last-Event-ID": first}
        ) as response:
            name, data, _ = await Stream(response).next()
            assert (name, json.loads(data)["event_id"]) == ("event", "d")
        other = {**accept, "Last-Event-ID": "another-5"}
        async with client.stream("GET", "/api/v1/events", headers=other) as response:
            assert (await Stream(response).next())[0] == "reset"


async def test_tokens_have_scopes(tmp_path):
    tokens = tmp_path / "tokens.yaml"
    sums = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("reader-token", "actor-token")}
    tokens.write_text(
        f"tokens:\n- {{name: dashboard, sha256: {sums['reader-token']}}}\n"
        f"- {{name: bot, sha256: {sums['actor-token']}, scopes: [read, act]}}\n"
    )
    async with board(tmp_path, event("a"), tokens=tokens) as place, browser(place) as client:
        refused = await client.get("/api/v1/events")
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert (await client.get("/api/v1/events", headers={"Authorization": "Bearer nonsense"})).status_code == 401
        reader, actor = ({"Authorization": f"Bearer {name}"} for name in sums)
        assert (await client.get("/api/v1/events", headers=reader)).status_code == 200
        seen = "/api/v1/events/a/seen"
        assert (await client.post(seen, headers=reader, json={})).status_code == 403
        made = await client.post(seen, headers=actor, json={"by": "somebody else"})
        assert made.json()["by"] == "bot", "a token says who it is"
        assert (await client.get("/events.atom?token=reader-token")).status_code == 200
        assert "reader-token" not in (await client.get("/events.atom?token=reader-token")).text
        assert (await client.get("/events.atom?token=wrong")).status_code == 401


async def test_a_client_that_asks_too_often_is_told_when_to_come_back(tmp_path):
    async with board(tmp_path, event("a"), rate=2) as place, browser(place) as client:
        answers = await asyncio.gather(*(client.get("/api/v1/events") for _ in range(60)))
        limited = [answer for answer in answers if answer.status_code == 429]
        assert limited
        assert int(limited[0].headers["Retry-After"]) >= 1
        assert {answer.status_code for answer in answers} == {200, 429}


async def test_only_json_acts(tmp_path):
    async with board(tmp_path, event("a")) as place, browser(place) as client:
        assert (await client.post("/api/v1/events/a/seen", data={"by": "Eve"})).status_code == 415
        wrong = await client.post("/api/v1/events/a/feedback", json={"verdict": "perhaps"})
        assert wrong.status_code == 400
        assert (await client.post("/api/v1/events/a/silence", json={"for": "900d", "reason": "r"})).status_code == 400
        assert place.outbox.sent == []
        assert encoded(event("a"))


async def test_every_route_has_an_etag(tmp_path):
    gets = [path for path, methods in DESCRIPTION["paths"].items() if "get" in methods]
    assert len(gets) > 7
    async with board(tmp_path, *story()) as place, browser(place) as client:
        for path in gets:
            address = path.replace("{event_id}", "held")
            first = await client.get(address)
            again = await client.get(address, headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
            assert (again.status_code, again.content) == (304, b""), path
            assert again.headers["ETag"] == first.headers["ETag"]
            other = await client.get(address, headers={"If-None-Match": '"other"'})
            assert (other.status_code, other.content) == (200, first.content), path


async def test_a_page_that_is_turned_while_events_come_has_each_event_once(tmp_path):
    async with board(tmp_path, *(event(f"e{n}", days_ago=n + 1) for n in range(9))) as place, browser(place) as client:
        first = (await client.get("/api/v1/events?limit=3")).json()
        seen = [item["event_id"] for item in first["items"]]
        # New ones come, and one that was read already changes; both are before the cursor now.
        await place.bring(event("new"), replace(event("e1"), revision=2))
        address = first["next_url"]
        while address:
            page = (await client.get(address)).json()
            seen += [item["event_id"] for item in page["items"]]
            await place.bring(event(f"newer-{len(seen)}"))
            address = page["next_url"]
        assert seen == [f"e{n}" for n in range(9)]


async def test_every_mistake_is_a_problem_object(tmp_path):
    tokens = tmp_path / "tokens.yaml"
    reads = hashlib.sha256(b"reads").hexdigest()
    tokens.write_text(f"tokens:\n- {{name: reads, sha256: {reads}}}\n")
    known = {"Authorization": "Bearer reads"}
    async with board(tmp_path, event("a"), tokens=tokens, rate=3) as place, browser(place) as client:
        mistakes = [
            (401, await client.get("/api/v1/events")),
            (401, await client.get("/api/v1/events", headers={"Authorization": "Bearer wrong"})),
            (404, await client.get("/api/v1/nowhere", headers=known)),
            (404, await client.get("/api/v1/events/none/history", headers=known)),
            (403, await client.post("/api/v1/events/a/seen", headers=known, json={})),
            (405, await client.delete("/api/v1/events", headers=known)),
            (400, await client.get("/api/v1/feeds?health=%00&limit=x", headers=known)),
        ]
        many = await asyncio.gather(*(client.get("/api/v1/stats", headers=known) for _ in range(90)))
        mistakes.append((429, next(answer for answer in many if answer.status_code != 200)))
        for status, answer in mistakes:
            assert answer.status_code == status, answer.text
            assert answer.headers["Content-Type"].startswith("application/problem+json")
            problem = answer.json()
            assert problem["type"] == "about:blank"
            assert problem["status"] == status
            assert problem["title"]
            assert problem["detail"]
        assert "Allow" in mistakes[5][1].headers
        assert int(mistakes[-1][1].headers["Retry-After"]) >= 1


async def test_each_list_is_turned_by_a_cursor(tmp_path):
    events = [event(f"e{n}", who, n) for n, who in enumerate(("putin xi", "macron merz", "macron xi", "modi xi"))]
    async with board(tmp_path, *events, event("again", "putin xi", 9)) as place, browser(place) as client:
        for n in range(5):
            feed = Subscription(id=f"f{n}", url=f"https://f{n}.example/feed", outlet=f"Outlet {n % 2}")
            place.keep("summitry.feeds", f"a f{n}", feed)
        for path, size in (("pairs", 4), ("pairs?leader=Xi", 3), ("leaders", 5), ("feeds", 5), ("feeds?health=NEW", 5)):
            whole = (await client.get(f"/api/v1/{path}")).json()
            assert (len(whole["items"]), whole["next"], whole["next_url"]) == (size, None, None), path
            for limit in (1, 2, 3):
                found, address = [], f"/api/v1/{path}{'&' if '?' in path else '?'}limit={limit}"
                while address:
                    page = (await client.get(address)).json()
                    assert len(page["items"]) <= limit
                    found += page["items"]
                    address = page["next_url"]
                assert found == whole["items"], (path, limit)
            assert (await client.get(f"/api/v1/{path.partition('?')[0]}?after=WzFd")).json()["parameter"] == "after"
        assert (await client.get("/api/v1/feeds?health=DEAD")).json()["items"] == []
        assert (await client.get("/api/v1/feeds?health=ill")).json()["parameter"] == "health"


async def test_pairs_leaders_and_stats_have_the_filters_too(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as client:

        async def get(path: str) -> dict:
            return (await client.get(f"/api/v1/{path}")).json()

        assert [each["leaders"] for each in (await get("pairs?kind=meeting"))["items"]] == [
            ["emmanuel-macron", "friedrich-merz"]
        ]
        assert [each["leaders"] for each in (await get("pairs?leader=Putin"))["items"]] == [
            ["vladimir-putin", "xi-jinping"]
        ]
        assert (await get("pairs?leader=putin&kind=meeting"))["items"] == []
        assert {each["leader"] for each in (await get("leaders?status=planned"))["items"]} == {
            "emmanuel-macron",
            "xi-jinping",
        }
        assert (await get("stats?country=RU"))["events"]["status"] == {"held": 1}
        assert (await get("stats?country=Mars"))["status"] == 400
        assert (await get("feeds?country=FR"))["parameter"] == "country"
