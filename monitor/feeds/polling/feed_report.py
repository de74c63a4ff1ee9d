"""What is told of feeds to people: one checked feed explained, and the status of all. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.fields.html_text import clean_text
from monitor.feeds.novelty.reconcile import Reconciled
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.fetch import Fetched
from monitor.feeds.polling.poll import oddity_of
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.caching import freshness

_DAY = 86400.0
#: States in the order in which a person wants to see them: trouble first.
_ORDER = ("DEAD", "GONE", "BLOCKED", "ERROR", "CHURNING", "STALE", "MOVED", "EMPTY", "NEW", "OK", "OFF")
_FLAGS = {
    "missing": "have no date: the time they are first seen stands in for it",
    "unreadable": "have a date that can't be read",
    "no_zone": "have a date without a zone: set `timezone` if it is not UTC",
    "ancient": "have a date before 1990, which is not believed",
}


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One look at one feed, or at the `file` of one: answer, seconds it took, what was read, and the state after it."""

    file: str = ""
    feed: Subscription
    now: datetime
    fetched: Fetched | None = None
    seconds: float = 0.0
    document: ParsedFeed | None = None
    found: Reconciled | None = None
    state: FeedState | None = None
    error: str = ""
    reason: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One feed in `summitry feeds list`. Times are RFC 3339, None where there is none yet.

    `last_status` is that of the last answer, 0 where there was none; `last_error` the reason of the last failure, ""
    when the last poll went well. The counts are those of the last 24 hours. `mode` says how the document was read,
    `identity` by which key its entries are told apart, and `identity_why` why, where that is not the usual one.
    `oddity` says what was passed over or missing in the last answer.
    """

    id: str
    url: str
    outlet: str
    state: str
    why: str
    next_due: datetime | None
    due_reason: str
    last_success: datetime | None
    last_status: int
    last_error: str
    polls_24h: int
    not_modified_24h: int
    entries_24h: int
    newest: datetime | None
    mode: str
    identity: str
    identity_why: str
    oddity: str
    tls_verified: bool


def statuses(feeds: Iterable[Subscription], states: Mapping[str, FeedState], now: float) -> list[Status]:
    """Return the status of each feed, trouble first, then by id. `now` is in seconds since 1970."""
    rows = [_status(feed, states.get(feed.id), now) for feed in feeds]
    return sorted(rows, key=lambda row: (_ORDER.index(row.state), row.id))


def _status(feed: Subscription, state: FeedState | None, now: float) -> Status:
    state = state or FeedState(feed=feed.id)
    hour = int(now // 3600)
    recent = [count for count in state.hours if hour - 24 < count.hour <= hour]
    return Status(
        id=feed.id,
        url=feed.url,
        outlet=feed.outlet or feed.title or state.feed_title,
        state=state.health if feed.enabled else "OFF",
        why=state.health_reason if feed.enabled else feed.notes or "not enabled",
        next_due=_moment(state.next_due) if feed.enabled else None,
        due_reason=state.due_reason,
        last_success=_moment(state.last_success),
        last_status=state.last_status,
        last_error=state.last_error,
        polls_24h=sum(count.polls for count in recent),
        not_modified_24h=sum(count.not_modified for count in recent),
        entries_24h=sum(count.entries for count in recent),
        newest=_moment(state.newest),
        mode=state.parse_mode,
        identity=str(state.choice),
        identity_why=state.choice.why,
        oddity=state.oddity,
        tls_verified=feed.tls_verify,
    )


def table(rows: Iterable[Status], now: float) -> str:
    """Return the statuses as text for a terminal; the last column says why a feed is in its state and is due then."""
    head = ("STATE", "FEED", "NEXT", "LAST OK", "ANSWER", "POLLS", "304", "NEW", "NEWEST", "MODE", "KEY", "WHY")
    cells = [head]
    for row in rows:
        due = row.due_reason if row.state != "OFF" else ""
        key = row.identity_why and f"key {row.identity}: {_short(row.identity_why, 90)}"
        why = "; ".join(filter(None, (_short(row.why, 90), row.oddity, key, due and f"next: {_short(due, 60)}")))
        cells.append(
            (
                row.state,
                row.id,
                _until(row.next_due, now),
                _age(row.last_success, now),
                row.last_error or str(row.last_status or "-"),
                str(row.polls_24h),
                str(row.not_modified_24h),
                str(row.entries_24h),
                _age(row.newest, now),
                row.mode or "-",
                row.identity or "-",
                why + ("" if row.tls_verified else " (TLS NOT VERIFIED)"),
            )
        )
    widths = [max(len(line[i]) for line in cells) for i in range(len(head) - 1)]
    lines = [
        "  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[-1]]).rstrip() for line in cells
    ]
    counts = Counter(line[0] for line in cells[1:])
    lines.append("")
    lines.append(f"{len(cells) - 1} feeds: " + ", ".join(f"{counts[s]} {s}" for s in _ORDER if counts[s]))
    return clean_text("\n".join(lines))


def explain(check: Check, shown: int = 5) -> str:
    """Say what came back and what the poller would make of it, line by line, with the first `shown` entries."""
    lines: list[tuple[str, str]] = [("File", check.file) if check.file else ("Address", check.feed.url)]
    if check.fetched is not None:
        lines += _answer(check, check.fetched)
    if check.error:
        lines.append(("Problem", f"{check.error} ({check.reason})"))
    if check.document is not None:
        lines += _document(check.document)
        lines += _entries(check, check.document)
    if check.state is not None:
        lines += _plan(check, check.state)
    text = "\n".join(f"{name:<12}{value}" for name, value in lines)
    if check.document is not None and check.document.entries and shown:
        text += "\n\n" + "\n".join(_row(check, number) for number in range(min(shown, len(check.document.entries))))
    return clean_text(text)  # a server's headers may hold what moves a terminal's cursor


def _answer(check: Check, fetched: Fetched) -> list[tuple[str, str]]:
    headers = fetched.headers
    kind = headers.get("content-type", "no Content-Type")
    size = f", {_size(len(fetched.body))}" if fetched.body else ""
    lines = [("Answer", f"{fetched.status} in {check.seconds:.2f} s{size}, {kind}")]
    if fetched.url != check.feed.url:
        how = "for good: change your list once it holds" if fetched.permanent_to else "for now"
        lines.append(("Redirect", f"to {fetched.url} ({how})"))
    if fetched.status != 200:
        return lines
    validators = [f"{name} {headers[name.lower()]}" for name in ("ETag", "Last-Modified") if headers.get(name.lower())]
    none = "none: each poll has to transfer the whole document"
    lines.append(("Validators", ", ".join(validators) or none))
    fresh = freshness(headers, check.now.timestamp())
    document = check.document
    hints = [f"headers {_span(fresh)}"] if fresh else []
    if document is not None and document.ttl_minutes:
        hints.append(f"<ttl> {document.ttl_minutes} min")
    if document is not None and document.update_period_seconds:
        hints.append(f"sy:updatePeriod {_span(document.update_period_seconds)}")
    if document is not None and (document.skip_hours or document.skip_days):
        hints.append("hours or days to skip")
    lines.append(("Hints", ", ".join(hints) or "none: the poller follows the feed's own rhythm"))
    if oddity := oddity_of(fetched):
        lines.append(("Oddities", oddity))
    return lines


def _document(document: ParsedFeed) -> list[tuple[str, str]]:
    kind, _, effort = document.mode.partition("-")
    how = {"": "well formed", "repaired": "repaired", "loose": "ill formed, read by the forgiving parser"}[effort]
    problem = f" ({document.problem})" if document.problem else ""
    lines = [
        (
            "Document",
            f"{kind.upper()}, {how}{problem}; {document.encoding}; language {document.language or 'not said'}",
        ),
        ("Title", document.title or "none"),
    ]
    if document.hub:
        lines.append(("Push", f"WebSub hub {document.hub}"))
    return lines


def _entries(check: Check, document: ParsedFeed) -> list[tuple[str, str]]:
    found = check.found
    more = ", more were left out" if document.truncated else ""
    lines = [("Entries", f"{len(document.entries)}{more}")]
    if found is None:
        return lines
    if found.newest is not None:
        lines.append(
            ("Newest", f"{found.newest:%Y-%m-%d %H:%M} UTC, {_span((check.now - found.newest).total_seconds())} ago")
        )
    bare = sum(not entry.guid for entry in document.entries)
    identity = f"by {found.choice}" + (f": {found.choice.why}" if found.choice.why else "")
    identity += f"; {bare} without an id of their own" if bare else ""
    identity += f"; {found.duplicates} stand in the document twice" if found.duplicates else ""
    lines.append(("Identity", identity))
    lines += _left_out(found)
    flags = Counter(flag for entry in document.entries for flag in entry.date_flags)
    lines += [("Dates", f"{count} entries {_FLAGS[flag]}") for flag, count in sorted(flags.items())]
    texts = sum(bool(entry.content) for entry in document.entries)
    lines.append(("Texts", f"{texts} of {len(document.entries)} entries carry more than a summary"))
    return lines


def _left_out(found: Reconciled) -> list[tuple[str, str]]:
    """Say what is not published, one line for each reason."""
    lines: list[tuple[str, str]] = []
    for text, count in Counter(entry.text for entry in found.left_out).most_common():
        names = [_short(entry.name, 60) or "no name" for entry in found.left_out if entry.text == text]
        entries = "1 entry" if count == 1 else f"{count} entries"
        lines.append(("" if lines else "Left out", f"{entries}, since {text}: {_short('; '.join(names), 300)}"))
    return lines


def _plan(check: Check, state: FeedState) -> list[tuple[str, str]]:
    health = state.health + (f": {state.health_reason}" if state.health_reason else "")
    due = _until(_moment(state.next_due), check.now.timestamp())
    return [("Health", health), ("Next poll", f"in {due}: {state.due_reason}")]


def _row(check: Check, number: int) -> str:
    assert check.document is not None  # noqa: S101  # the caller has looked
    entry = check.document.entries[number]
    when = entry.published or entry.updated
    moment = f"{when:%Y-%m-%d %H:%M}" if when else "no date         "
    return f"  {moment}  {_short(entry.title or entry.summary, 90)}\n{'':20}{_short(entry.link or entry.guid, 100)}"


def as_json(check: Check) -> dict[str, Any]:
    """Return the check for programs: without texts, with every entry's identity and dates."""
    document, state, fetched = check.document, check.state, check.fetched
    return {
        "url": check.feed.url,
        "problem": check.error,
        "reason": check.reason,
        "status": fetched.status if fetched else None,
        "final_url": fetched.url if fetched else None,
        "etag": fetched.headers.get("etag", "") if fetched else None,
        "last_modified": fetched.headers.get("last-modified", "") if fetched else None,
        "mode": document.mode if document else None,
        "encoding": document.encoding if document else None,
        "document_problem": document.problem if document else None,
        "title": document.title if document else None,
        "language": document.language if document else None,
        "identity": check.found.choice.kind if check.found else None,
        "identity_why": check.found.choice.why if check.found else None,
        "left_out": check.found.left_out if check.found else (),
        "entries": [
            {
                "guid": entry.guid,
                "link": entry.link,
                "title": entry.title,
                "published": entry.published,
                "updated": entry.updated,
                "date_flags": entry.date_flags,
            }
            for entry in (document.entries if document else ())
        ],
        "state": state.health if state else None,
        "next_due": _moment(state.next_due) if state else None,
        "due_reason": state.due_reason if state else None,
    }


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _until(moment: datetime | None, now: float) -> str:
    if moment is None:
        return "-"
    seconds = moment.timestamp() - now
    return _span(seconds) if seconds > 0 else "now"


def _age(moment: datetime | None, now: float) -> str:
    return _span(now - moment.timestamp()) if moment else "-"


def _span(seconds: float) -> str:
    seconds = max(0.0, seconds)
    for unit, length in (("d", _DAY), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _size(count: int) -> str:
    return f"{count / 1024:.0f} kB" if count >= 2048 else f"{count} bytes"


def _short(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
