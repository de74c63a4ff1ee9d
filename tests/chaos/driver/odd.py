"""Make records that decode but have extreme values in each field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

#: The first and the last time that there is, and a whole number that fits into no column.
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC).isoformat(), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).isoformat()
HUGE = 10**18
_LONG = "x" * 300_000
_NOBODY = {"leader": "nobody", "name": "Nobody\u202e\u0000"}
_EVENT = {"event_id": "odd", "revision": 1, "participants": [], "kind": "call", "medium": "phone", "status": "held"}
_PENDING = {"event": _EVENT, "tell": "first", "reason": "first", "since": FIRST, "due": FIRST}


class Odd(NamedTuple):
    """One record; `topic` is a name in TopicNames."""

    topic: str
    value: bytes | None
    key: bytes | None = b"odd"
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int | None = None
    partition: int | None = None


def _json(**values: Any) -> bytes:
    return json.dumps(values).encode()


def bytes_of_every_kind(good: bytes) -> Iterator[bytes | None]:
    """What is no record, or only just one; `good` is one that is."""
    yield b'{"a":' * 100_000
    yield b"[" * 100_000 + b"]" * 100_000
    yield good[:-1] + b',"n":NaN}'
    yield good[:-1] + b',"n":1e999,"n":-Infinity}'
    yield good[:-1] + b',"schema":1,"schema":99}'
    yield good[:-1] + b',"x":"\\ud800"}'
    yield good[:-1] + b',"x":"\xed\xa0\x80"}'
    yield good[:-1] + b',"schema":' + b"9" * 5000 + b"}"
    yield good[:-1] + b',"schema":-1}'
    yield good[:-1] + b',"schema":"1"}'
    yield b"\xef\xbb\xbf" + good
    yield good + good
    yield good.decode().encode("utf-16")
    yield None


def odd_records() -> Iterator[Odd]:
    """Yield them for every topic."""
    for moment in (FIRST, LAST):
        yield Odd("articles", _json(id="", title="", published=moment, seen=moment, revision=-HUGE))
        yield Odd("articles", _json(id=f"odd-{moment}", title="Putin and Xi met on Wednesday", published=moment))
        yield Odd("articles", _json(id=_LONG, title=_LONG, seen=moment, language=_LONG, revision=HUGE, tags=[_LONG]))
        when = {"start": moment[:10], "end": FIRST[:10]}
        for people in ([], [_NOBODY], [_NOBODY] * 2000, [{"leader": "a+b", "name": ""}, {"leader": "", "name": _LONG}]):
            source = {"article_id": "odd", "title": _LONG, "published": moment, "seen": moment, "revision": HUGE}
            mention = {
                "article_id": "odd", "participants": people, "kind": "call", "medium": "phone", "status": "held",
                "when": when, "confidence": 1e308, "statuses": {"held": -1e308},
                "evidence": [{"field": "title", "start": -HUGE, "end": HUGE, "text": ""}],
            }  # fmt: skip
            yield Odd("mentions", _json(**mention, source=source))
            yield Odd("mentions", _json(**mention))
            yield Odd("mentions", _json(**mention, withdraws="older", source=source))
            event = {
                **_EVENT, "participants": people, "when": when, "first_seen": moment, "last_seen": moment,
                "publishers": -HUGE, "reports": HUGE, "confidence": 1e308, "brief": _LONG, "redirects": ["odd", ""],
                "facts": {"": {"value": [[[]]], "sources": [HUGE]}}, "place": {"name": "", "country": "??"},
            }  # fmt: skip
            yield Odd("events", _json(**{**event, "event_id": f"odd-{moment}-{len(people)}", "revision": HUGE}))
            yield Odd("events", _json(**{**event, "event_id": "", "merged_into": "", "closed": True}))
        yield Odd("silences", _json(note="silence", id="odd", match={"leaders": [""]}, until=moment, reason=_LONG))
        yield Odd("silences", _json(note="silence", id="", match={"pairs": [["nobody"]]}, until=moment, reason=""))
        yield Odd("silences", _json(note="retry", id="odd", at=moment, receiver="nobody", event_id="odd"))
        yield Odd("acks", _json(event_id="another", by="\u0000" * 99, at=moment, verdict="wrong"))
        yield Odd("feedback", _json(event_id="", verdict="wrong", by=_LONG, at=moment, revision=HUGE), key=b"\xff")
        for receiver in ("desk", "nobody", ""):
            record = {"receiver": receiver, "event_id": f"odd-{moment}"}
            for number, more in enumerate(
                (
                    {},
                    {"told": _EVENT, "told_at": moment, "remind_at": moment, "reminders": HUGE},
                    {"failed": _PENDING, "failed_at": moment},
                    {"next": _EVENT},
                    {"pending": {**_PENDING, "due": LAST, "attempts": HUGE, "begun": False}},
                    {"pending": {**_PENDING, "event": {**_EVENT, "event_id": "other"}, "sent_as": "x", "members": []}},
                    {"pending": {**_PENDING, "batch": "x", "sent_as": "x", "members": ["nobody|nothing"] * 999}},
                )
            ):
                key = f"{receiver}|odd-{moment}-{number}".encode()
                yield Odd("deliveries", _json(**{**record, "event_id": f"odd-{moment}-{number}"}, **more), key)
        letter = {"id": "odd", "stage": "", "topic": "nowhere", "partition": -1, "offset": HUGE, "at": moment}
        yield Odd("dead_letters", _json(**letter, reason="", error=_LONG, value="eHh4", packed="zstd"))
    yield Odd("attempts", _json(topic="", partition=HUGE, open=True, suspects={str(HUGE): HUGE}), key=b":0")
    for number, more in enumerate(
        (
            {"url": "file:///etc/passwd"},
            {"url": ""},
            {"url": "http://[::1"},
            {"url": "http://127.0.0.1:99999/"},
            {"url": "http://127.0.0.1:1/", "interval_s": -HUGE, "timeout_s": -1.0, "weight": -1e308},
            {"url": "http://127.0.0.1:1/", "interval_s": HUGE, "interval_min_s": HUGE, "interval_max_s": -1},
            {"url": "http://127.0.0.1:1/", "timeout_s": 1e308, "max_body": -1, "hint_max_s": HUGE},
            {
                "url": "http://127.0.0.1:1/",
                "guid_strip_regex": "(",
                "headers": {"a\r\nb": "\r\n"},
                "timezone": "No/Where",
            },
            {"url": "http://127.0.0.1:1/", "ports": [HUGE], "proxy": "http://[", "user_agent": "\r\n"},
            {"url": "http://" + "a" * 300 + ".example/" + _LONG, "host_group": _LONG},
            {"url": "http://127.0.0.1:1/", "cookie": {"file": "/nowhere"}, "full_text": "a[", "alert_after": -HUGE},
        )
    ):
        name = f"odd{number}"
        yield Odd("feeds", _json(id=name, **more), key=f"odd.example {name}".encode())
        state = {"feed": name, "url": more["url"], "next_due": 1e308, "last_attempt": -1e308, "polls": -HUGE}
        odd_state = {"rate_short": 1e308, "rate_at": 1e308, "error_count": HUGE, "skip_hours": [99], "skip_days": [-7]}
        yield Odd("feed_state", _json(**state, **odd_state), key=f"odd.example {name}".encode())
        yield Odd("feed_state", _json(feed=name, week=HUGE, packed="AAAA"), key=f"odd.example {name} {HUGE}".encode())
    for topic in (
        "articles",
        "mentions",
        "events",
        "silences",
        "acks",
        "deliveries",
        "assembly",
        "feeds",
        "feed_state",
    ):
        yield Odd(topic, b"{}", key=b"\xff\xfe not text", headers=tuple(("n" * 900, b"v" * 900) for _ in range(900)))
        yield Odd(topic, b"{}", key=b"k" * 200_000, timestamp=2**62)
        yield Odd(topic, b"{}", timestamp=0)
        yield Odd(topic, None, key=b"\xff\xfe deleted")
