"""The API as a program uses it: the description holds for every route, and pages, ETags, errors, streams, tokens."""

from __future__ import annotations

import asyncio
import hashlib
import json

import httpx
import jsonschema
import pytest
from msgspec.structs import replace
from openapi_spec_validator import OpenAPIV31SpecValidator

from agents.board.api import ROUTES, openapi
from agents.board.pages import HUB
from monitor.records import Event, decode
from monitor.records import encode as encoded
from tests.agents.board.desk import board, browser
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


async def test_a_client_made_from_the_description_calls_every_route(tmp_path):
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
            while not len(place.site[HUB]):  # noqa: ASYNC110
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
