"""Test the broker's tokens: reused while valid, renewed before they expire, and refusals that say why."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import pytest

from monitor.bearer_tokens import FileTokens, GrantedTokens
from monitor.errors import BrokerError
from tests.feedserver import FeedServer, Reply, Request


async def test_a_granted_token_is_kept_until_most_of_its_life_is_over() -> None:
    now, given = 0.0, iter(["one", "two"])

    def grant(request: Request) -> Reply:
        assert parse_qs(request.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["kafka"]}
        return Reply(200, f'{{"access_token": "{next(given)}", "token_type": "Bearer", "expires_in": 100}}'.encode())

    async with FeedServer() as server:
        tokens = GrantedTokens(server.on("/token", grant), "desk", "secret", "kafka", now=lambda: now)
        assert [await tokens.token(), await tokens.token()] == ["one", "one"]
        now = 79.0
        assert await tokens.token() == "one"
        now = 80.0
        assert await tokens.token() == "two"
        assert server.requests[0].header("authorization") == "Basic ZGVzazpzZWNyZXQ="


@pytest.mark.parametrize(
    ("answer", "said"),
    [(Reply(401), "401"), (Reply(200, b"<html>"), "malformed"), (Reply(200, b"{}"), "access_token")],
    ids=["refused", "no-json", "no-token"],
)
async def test_a_server_that_grants_nothing_is_said_without_the_secret(answer: Reply, said: str) -> None:
    async with FeedServer() as server:
        tokens = GrantedTokens(server.on("/token", answer), "desk", "the-secret")
        with pytest.raises(BrokerError, match=said) as caught:
            await tokens.token()
    assert "the-secret" not in str(caught.value)
    assert caught.value.reason == "no_token"


async def test_a_file_is_read_each_time_and_its_absence_is_said(tmp_path: Path) -> None:
    tokens = FileTokens(tmp_path / "token")
    with pytest.raises(BrokerError, match="No such file"):
        await tokens.token()
    (tmp_path / "token").write_text("\n")
    with pytest.raises(BrokerError, match="is empty"):
        await tokens.token()
    for text in ("one", "two"):
        (tmp_path / "token").write_text(f"{text}\n")
        assert await tokens.token() == text
