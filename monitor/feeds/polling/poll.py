"""Poll a feed once: send the request, read the document, return the result. `poller` then publishes and stores it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin

import msgspec

from monitor import tracing
from monitor.errors import FeedError, HttpError
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.novelty.reconcile import Reconciled
from monitor.feeds.novelty.seen import Segments
from monitor.feeds.polling.feed_health import wants_whole_answer
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.fetch import FetchResult
from monitor.feeds.polling.schedule import PollAnswer
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.caching import freshness, retry_after
from monitor.http.link_header import link_header
from monitor.records import Article

#: A body with fewer bytes can't be a feed with an entry (rferl.org answered 200 with 11 bytes).
MIN_BODY = 64
#: A longer validator is not stored, since it would be sent with every request.
MAX_VALIDATOR = 2048
_STATUS_REASONS = {401: "unauthorized", 403: "forbidden", 404: "not_found", 410: "gone", 429: "throttled"}
#: A `body_hash` is this many hexadecimal digits of SHA-256, and eight of the body's length.
_SHA = 24
_MAY_ASK_TO_WAIT = frozenset({403, 429, 503})
_HTML = (b"<!doctype html", b"<html")
#: Signs, near the beginning of a web page, that it contains a feed document.
_DOCUMENT_WITHIN = (b"<rss", b"<feed", b"<rdf:rdf", b"&lt;?xml", b"&lt;rss", b"&lt;feed", b"<pre")
_NEAR = 20_000
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class DocumentReading:
    """A document, its new and changed entries, and the segments of all stories seen so far."""

    document: ParsedFeed
    entries: Reconciled
    segments: dict[int, bytes]


class FeedGetter(Protocol):
    """Fetches a feed; `monitor.feeds.polling.fetch.Fetcher` is the real one."""

    async def get(self, feed: Subscription, *, url: str = "", etag: str = "", last_modified: str = "") -> FetchResult:
        """Send one GET. Raises HttpError, or FeedError when robots.txt refuses."""


class ReadDocument(Protocol):
    """Reads a document; `monitor.feeds.polling.document_reader.DocumentReader` is the real one."""

    async def read(
        self, feed: Subscription, state: FeedState, segments: Segments, fetched: FetchResult, now: float
    ) -> DocumentReading:
        """Parse a document and compare it with what was seen. Raises FeedError when it is not a feed."""


@dataclass(frozen=True)
class PollResult:
    """The result of a poll: the answer for the schedule, and the document if it has changed."""

    answer: PollAnswer
    reading: DocumentReading | None = None

    @property
    def articles(self) -> tuple[Article, ...]:
        """The articles to publish."""
        return (*self.reading.entries.new, *self.reading.entries.changed) if self.reading else ()


async def poll(
    feed: Subscription, state: FeedState, segments: Segments, *, get: FeedGetter, read: ReadDocument, now: float
) -> PollResult:
    """Poll a feed once. Any problem with the feed is returned as a failed answer with its reason, never raised."""
    cached = not feed.ignore_http_cache and not wants_whole_answer(state, now)
    etag, modified = (state.etag, state.last_modified) if cached else ("", "")
    try:
        fetched = await get.get(feed, url=state.url, etag=etag, last_modified=modified)
    except (FeedError, HttpError) as error:
        return PollResult(
            PollAnswer(outcome="failed", reason=error.reason, text=str(error), conditional=bool(etag or modified))
        )
    tracing.mark("fetched", status=fetched.status, size=len(fetched.body))
    answer = answered(fetched, state, now)
    if answer.outcome != "changed":
        return PollResult(answer)
    try:
        return await _changed(feed, state, segments, fetched, answer, read=read, now=now)
    except (FeedError, HttpError) as error:
        return PollResult(failed(fetched, error.reason, str(error), now))


def answered(fetched: FetchResult, state: FeedState, now: float) -> PollAnswer:
    """Classify a response before its document is parsed: failed, not modified, unchanged, or maybe changed."""
    headers, status = fetched.headers, fetched.status
    if headers.get("cf-mitigated", "").strip().lower() == "challenge":
        return failed(fetched, "challenge", "Cloudflare answers with a challenge page for browsers", now)
    if status == 304 and not fetched.conditional:
        return failed(fetched, "unasked_304", "304 Not Modified, although no validators were sent", now)
    if status not in {200, 304}:
        reason = _STATUS_REASONS.get(status, "server_error" if status >= 500 else "http_status")
        return failed(fetched, reason, f"HTTP status {status}", now)
    digest = ""
    if status == 200:
        if len(fetched.body.strip()) < MIN_BODY:
            return failed(fetched, "empty_body", f"a body of {len(fetched.body)} bytes", now)
        if _is_page(fetched.body):
            return failed(fetched, "html", "a web page instead of a feed", now)
        digest = f"{hashlib.sha256(fetched.body).hexdigest()[:_SHA]}{len(fetched.body):08x}"
    etag, modified = _validator(headers.get("etag", "")), _validator(headers.get("last-modified", ""))
    # Some servers never change their ETag. A body of another length shows that.
    same_etag = bool(etag) and etag == state.etag and fetched.conditional and digest[_SHA:] == state.body_hash[_SHA:]
    same = digest == state.body_hash or same_etag
    return PollAnswer(
        outcome="not_modified" if status == 304 else "unchanged" if same else "changed",
        status=status,
        conditional=fetched.conditional,
        etag=etag,
        last_modified=modified,
        body_hash=digest,
        fresh_s=freshness(headers, now),
        permanent_to=fetched.permanent_to,
        oddity=oddity_of(fetched),
    )


def _is_page(body: bytes) -> bool:
    """Tell whether a body is a web page that does not contain a feed document. In doubt the parser decides."""
    start = body[:_NEAR].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(_HTML) and not any(sign in start for sign in _DOCUMENT_WITHIN)


def oddity_of(fetched: FetchResult) -> str:
    """Return a sentence on the defects of a response that could be read nevertheless, '' when it had none."""
    lines = fetched.odd_headers
    found = [f"{lines} bad header {'line was' if lines == 1 else 'lines were'} ignored"] if lines else []
    return "; ".join([*found, "the body was cut off"] if fetched.cut else found)


def failed(fetched: FetchResult, reason: str, text: str, now: float) -> PollAnswer:
    """Return a failed answer, with Retry-After for the statuses that may have it (RFC 9110, 10.2.3; 403 by custom)."""
    asked = retry_after(fetched.headers, now) if fetched.status in _MAY_ASK_TO_WAIT else None
    return PollAnswer(
        outcome="failed",
        status=fetched.status,
        reason=reason,
        text=text,
        conditional=fetched.conditional,
        retry_after_s=asked,
        oddity=oddity_of(fetched),
    )


def as_pushed(answer: PollAnswer, state: FeedState) -> PollAnswer:
    """Return the answer for a document that a hub sent. It keeps the feed's validators and hints as they were."""
    kept = {name: getattr(state, name) for name in ("etag", "last_modified", "body_hash", "hub", "topic")}
    hints = {"fresh_s": state.header_hint_s, "document_hint_s": None, "skip_hours": None, "skip_days": None}
    return msgspec.structs.replace(answer, entries=None, pushed=True, **kept, **hints)


def without_validators(answer: PollAnswer) -> PollAnswer:
    """Return the answer without validators, because the subscription changed and the next request will differ."""
    return msgspec.structs.replace(answer, etag="", last_modified="", body_hash="", permanent_to="")


def not_published(answer: PollAnswer, text: str) -> PollResult:
    """Return a failed poll, because the broker did not take the articles. Validators stay old, so it is repeated."""
    return PollResult(PollAnswer(outcome="failed", reason="not_published", text=text, status=answer.status))


async def _changed(
    feed: Subscription,
    state: FeedState,
    segments: Segments,
    fetched: FetchResult,
    answer: PollAnswer,
    *,
    read: ReadDocument,
    now: float,
) -> PollResult:
    reading = await read.read(feed, state, segments, fetched, now)
    document, found = reading.document, reading.entries
    tracing.mark("read", new=len(found.new), changed=len(found.changed))
    if document.incomplete:  # with its validators the server would answer 304, and we would never get the rest
        answer = msgspec.structs.replace(answer, etag="", last_modified="", body_hash="")
    hints = [60.0 * document.ttl_minutes] if document.ttl_minutes else []
    if document.update_period_seconds:
        hints.append(float(document.update_period_seconds))
    linked = _hub_links(fetched)
    known = found.unchanged + found.exhausted + found.returned + len(found.changed)
    first = not state.last_success
    answer = msgspec.structs.replace(
        answer,
        document_hint_s=max(hints, default=0.0),
        skip_hours=document.skip_hours,
        skip_days=tuple(_DAYS.index(day) for day in document.skip_days if day in _DAYS),
        overlap=1.0 if first or not found.entries else known / (known + len(found.new) or 1),
        entries=len(document.entries),
        new=len(found.new),
        # Entries without a date in the first document can be of any age, so they don't count for the feed's rate.
        new_times=tuple(
            min(now, article.published.timestamp()) if article.published else now
            for article in found.new
            if article.published or not first
        ),
        newest=min(now, found.newest.timestamp()) if found.newest else 0.0,
        parse_mode=document.mode,
        feed_title=document.title[:300],
        choice=found.choice,
        only_new=found.only_new,
        only_changed=found.only_changed,
        hub=linked.get("hub") or document.hub,
        topic=linked.get("self") or document.self_url,
    )
    return PollResult(answer, reading)


def _hub_links(fetched: FetchResult) -> dict[str, str]:
    """Return the hub and self links of the HTTP Link header; they override the document's (WebSub, section 4).

    Of several hubs the first one with https is taken, since the poller sends a secret to it.
    """
    links = [
        (relation, urljoin(fetched.url, address))
        for address, relations, _ in link_header(fetched.headers.get("link", ""))
        for relation in relations.lower().split()
        if relation in {"hub", "self"}
    ]
    links.sort(key=lambda link: link[0] == "hub" and not link[1].startswith("https:"))
    return dict(reversed(links))  # of each relation the first link counts


def _validator(value: str) -> str:
    return value if len(value) <= MAX_VALIDATOR else ""
