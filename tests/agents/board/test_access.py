"""Test who may use the board: hosts, proxies, passwords, tokens, and protection against forged forms."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from agents.board import access
from agents.board.access import Access, Limiter, password_line, read_passwords, read_tokens
from monitor.config import BoardSettings, Match
from monitor.errors import ConfigError
from monitor.notify import Ack, Feedback, Silence
from tests.agents.board.boards import board, browser, form_token
from tests.monitor.archive.samples import NOW, event, source

PASSWORD = "correct horse"


@pytest.fixture
def passwords(tmp_path):
    file = tmp_path / "passwords"
    file.write_text(f"# readers\n{password_line('ada', PASSWORD)}\n")
    return file


async def test_another_name_for_this_machine_is_no_way_in(tmp_path):
    async with board(tmp_path, event("a"), url="https://board.example") as place, browser(place) as reader:
        for host, status in (
            ("127.0.0.1", 200),
            ("localhost:9650", 200),
            ("board.example", 200),
            ("evil.example", 421),
        ):
            assert (await reader.get("/", headers={"Host": host})).status_code == status, host
            assert (await reader.get("/api/v1/events", headers={"Host": host})).status_code == status, host


async def test_a_proxy_names_the_reader(tmp_path):
    async with board(tmp_path, event("a"), user_header="X-User") as place, browser(place) as reader:
        assert (await reader.get("/")).status_code == 401
        assert (await reader.get("/api/v1/events")).status_code == 401
        assert (await reader.get("/events.atom")).status_code == 401
        page = await reader.get("/events/a", headers={"X-User": "Ada"})
        assert page.status_code == 200
        token = {"csrf": form_token(page), "by": "Somebody else"}
        done = await reader.post("/events/a/seen", data=token, headers={"X-User": "Ada"})
        assert done.status_code == 200
        assert "Seen by <bdi>Ada</bdi>" in done.text


async def test_only_a_trusted_proxy_is_believed(tmp_path):
    other = ("10.0.0.0/8",)
    async with (
        board(tmp_path, event("a"), user_header="X-User", trusted_proxies=other) as place,
        browser(place) as reader,
    ):
        assert (await reader.get("/", headers={"X-User": "Ada"})).status_code == 401


async def test_a_password_opens_the_board(tmp_path, passwords, monkeypatch):
    monkeypatch.setattr(access, "WRONG_PAUSE", 0.0)
    async with board(tmp_path, event("a"), passwords=passwords) as place, browser(place) as reader:
        asked = await reader.get("/events/a?done=x")
        assert str(asked.url).startswith(f"{place.base}/login?next=/events/a")
        assert (await reader.get("/api/v1/events")).status_code == 401
        assert (await reader.get("/export/csv")).url.path == "/login"

        async def log_in(name: str, password: str, **more: str) -> httpx.Response:
            form = {"name": name, "password": password, "csrf": form_token(asked), "next": "/events/a", **more}
            return await reader.post("/login", data=form)

        assert (await log_in("ada", "wrong")).status_code == 403
        assert (await log_in("nobody", PASSWORD)).status_code == 403
        assert (await log_in("ada", PASSWORD, csrf="forged")).status_code == 403
        inside = await log_in("ada", PASSWORD)
        assert inside.url.path == "/events/a"
        assert "Log out <bdi>ada</bdi>" in inside.text
        assert (await reader.get("/api/v1/events")).status_code == 200
        done = await reader.post("/logout", data={"csrf": form_token(inside)})
        assert done.url.path == "/login"
        assert (await reader.get("/api/v1/events")).status_code == 401


async def test_a_session_can_not_be_made_up_and_ends_with_the_password(tmp_path, passwords):
    gate = Access.of(BoardSettings(passwords=passwords), b"s" * 32)
    session = gate.new_session("ada")
    async with board(tmp_path, event("a"), passwords=passwords) as place, browser(place) as reader:
        for cookie, status in (
            (session, 200),
            (session[:-1] + "0", 401),
            (session.replace("616461", "616462"), 401),
            ("x.y", 401),
        ):
            answer = await reader.get("/api/v1/events", headers={"Cookie": f"{access.SESSION_COOKIE}={cookie}"})
            assert answer.status_code == status or (cookie.endswith("0") and session.endswith("0"))
    passwords.write_text(password_line("ada", "another"))
    async with board(tmp_path / "again", event("a"), passwords=passwords) as place, browser(place) as reader:
        answer = await reader.get("/api/v1/events", headers={"Cookie": f"{access.SESSION_COOKIE}={session}"})
        assert answer.status_code == 401


@pytest.mark.parametrize(
    "next_", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
async def test_a_login_leads_nowhere_else(tmp_path, passwords, next_):
    async with board(tmp_path, event("a"), passwords=passwords) as place, browser(place) as reader:
        page = await reader.get("/login", params={"next": next_})
        assert 'name="next" value="/"' in page.text
        form = {"name": "ada", "password": PASSWORD, "csrf": form_token(page), "next": next_}
        answer = await reader.post("/login", data=form, follow_redirects=False)
        assert answer.headers["Location"] == "/"


async def test_a_form_from_elsewhere_does_nothing(tmp_path):
    async with board(tmp_path, event("a")) as place, browser(place) as reader:
        token = form_token(await reader.get("/events/a"))
        for headers, data in (
            ({}, {}),
            ({}, {"csrf": "0" * 64}),
            ({"Origin": "https://evil.example"}, {"csrf": token}),
            ({"Sec-Fetch-Site": "cross-site"}, {"csrf": token}),
            ({"Cookie": ""}, {"csrf": token}),
        ):
            async with browser(place) as stranger:
                if headers != {"Cookie": ""}:
                    stranger.cookies = reader.cookies
                answer = await stranger.post("/events/a/seen", data={"by": "Eve", **data}, headers=headers)
                assert answer.status_code == 403, headers
        assert place.outbox.sent == []
        assert (await reader.post("/events/a/seen", data={"by": "Ada", "csrf": token})).status_code == 200


async def test_seen_silence_and_wrong_are_records_on_the_topics(tmp_path):
    async with board(tmp_path, event("a", sources=(source(1), source(2)))) as place, browser(place) as reader:
        token = {"csrf": form_token(await reader.get("/events/a")), "by": "Ada"}
        seen = await reader.post("/events/a/seen", data=token)
        assert "Marked as seen" in seen.text
        assert "Seen by <bdi>Ada</bdi>" in seen.text
        quiet = await reader.post("/events/a/silence", data={**token, "for": "4h", "reason": "covered live"})
        assert "covered live" in quiet.text
        await reader.post("/events/a/feedback", data={**token, "verdict": "wrong", "comment": "it was a letter"})
        other = await reader.post(
            "/events/a/feedback", data={**token, "verdict": "not_this_event", "article_id": "article-2"}
        )
        assert "it was a letter" in other.text
        (ack,) = place.outbox.values("summitry.acks")
        assert msgspec.json.decode(ack, type=Ack) == Ack(event_id="a", by="Ada", at=NOW)
        (note,) = place.outbox.values("summitry.silences")
        silence = msgspec.json.decode(note, type=Silence)
        assert silence.match == Match(pairs=("vladimir-putin+xi-jinping",), kinds=("call",))
        assert (silence.until - NOW).total_seconds() == 4 * 3600
        wrong, misplaced = (
            msgspec.json.decode(each, type=Feedback) for each in place.outbox.values("summitry.feedback")
        )
        assert (wrong.verdict, wrong.comment, wrong.revision) == ("wrong", "it was a letter", 1)
        assert (misplaced.verdict, misplaced.article_id) == ("not_this_event", "article-2")
        assert (await reader.post("/events/a/silence", data={**token, "for": "soon"})).status_code == 400
        assert (await reader.post("/events/zzz/seen", data=token)).status_code == 404


@pytest.mark.parametrize("text", ["ada", "ada:plain", ":$argon2id$x"])
def test_a_bad_password_file_is_named(tmp_path, text):
    (tmp_path / "file").write_text(text)
    with pytest.raises(ConfigError, match="line 1"):
        read_passwords(tmp_path / "file")


@pytest.mark.parametrize(
    "text",
    ["tokens: 5", "tokens: [{name: a, sha256: short}]", f"tokens: [{{name: a, sha256: {'0' * 64}, scopes: [all]}}]"],
)
def test_a_bad_token_file_is_named(tmp_path, text):
    (tmp_path / "file").write_text(text)
    with pytest.raises(ConfigError, match=r"board\.tokens"):
        read_tokens(tmp_path / "file")


def test_the_limiter_lets_a_burst_pass_and_then_its_rate():
    limiter = Limiter(10)
    assert [limiter.wait("a", 0.0) for _ in range(20)] == [0.0] * 20
    assert limiter.wait("a", 0.0) == pytest.approx(0.1)
    assert limiter.wait("b", 0.0) == 0.0
    assert limiter.wait("a", 0.1) == 0.0
    assert Limiter(0).wait("a", 0.0) == 0.0
