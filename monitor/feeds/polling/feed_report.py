"""Write the reports of `summitry feeds check` (one feed explained) and `summitry feeds list` (all feeds). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from monitor.feeds.formats.document import Entry, ParsedFeed
from monitor.feeds.formats.fields.html_text import clean_text
from monitor.feeds.novelty.entry_keys import FUTURE
from monitor.feeds.novelty.reconcile import Reconciled
from monitor.feeds.polling.feed_state import HEALTH_ORDER, FeedState
from monitor.feeds.polling.fetch import FetchResult
from monitor.feeds.polling.poll import oddity_of
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.caching import freshness

_DAY = 86400.0
#: The values of the column STATE: the health of a feed, problems first, or OFF for a disabled one.
STATES = (*HEALTH_ORDER, "OFF")
_FLAGS = {
    "missing": "without a date: the time when it was first seen is used",
    "unreadable": "with a date that can't be read",
    "no_zone": "with a date without a zone: set `timezone` if it is not UTC",
    "ancient": "with a date before 1990, which is ignored",
    "ahead": "with a date over an hour in the future, which is ignored",
}


class FeedCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The result of checking one feed, or a `file` with one: the answer, its duration, the document and the state."""

    file: str = ""
    feed: Subscription
    now: datetime
    fetched: FetchResult | None = None
    seconds: float = 0.0
    document: ParsedFeed | None = None
    found: Reconciled | None = None
    state: FeedState | None = None
    error: str = ""
    reason: str = ""


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `summitry feeds list`. Times are RFC 3339, None when there is none yet.

    `last_status` is the HTTP status of the last answer, 0 when there was none. `last_error` is the reason of the last
    failure, "" when the last poll succeeded. The counts are those of the last 24 hours. `mode` is `ParsedFeed.mode`.
    `identity` is the key that identifies entries, and `identity_why` the reason when it is not the usual one.
    `oddity` describes defects of the last answer that were tolerated.
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


def statuses(feeds: Iterable[Subscription], states: Mapping[str, FeedState], now: float) -> list[FeedStatus]:
    """Return the status of each feed, problems first, then by id. `now` is in seconds since 1970."""
    rows = [_status(feed, states.get(feed.id), now) for feed in feeds]
    return sorted(rows, key=lambda row: (STATES.index(row.state), row.id))


def _status(feed: Subscription, state: FeedState | None, now: float) -> FeedStatus:
    state = state or FeedState(feed=feed.id)
    hour = int(now // 3600)
    recent = [count for count in state.hours if hour - 24 < count.hour <= hour]
    return FeedStatus(
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


def table(rows: Iterable[FeedStatus], now: float) -> str:
    """Return the statuses as a table for a terminal. The last column gives the reasons for state, key and next poll."""
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
    lines.append(f"{len(cells) - 1} feeds: " + ", ".join(f"{counts[s]} {s}" for s in STATES if counts[s]))
    return clean_text("\n".join(lines))


def explain(check: FeedCheck, shown: int = 5) -> str:
    """Return the report on a checked feed: the answer, what the poller would do, and the first `shown` entries."""
    lines: list[tuple[str, str]] = [("File", check.file) if check.file else ("Address", check.feed.url)]
    if not check.feed.enabled:
        lines.append(("Enabled", f"no, the poller never asks it{check.feed.notes and f': {check.feed.notes}'}"))
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
    return clean_text(text)  # headers of a server may contain control sequences for terminals


def _answer(check: FeedCheck, fetched: FetchResult) -> list[tuple[str, str]]:
    headers = fetched.headers
    kind = headers.get("content-type", "no Content-Type")
    size = f", {_size(len(fetched.body))}" if fetched.body else ""
    lines = [("Answer", f"{fetched.status} in {check.seconds:.2f} s{size}, {kind}")]
    if fetched.url != check.feed.url:
        how = "permanent: change your list if it stays so" if fetched.permanent_to else "temporary"
        lines.append(("Redirect", f"to {fetched.url} ({how})"))
    if fetched.status != 200:
        return lines
    validators = [f"{name} {headers[name.lower()]}" for name in ("ETag", "Last-Modified") if headers.get(name.lower())]
    none = "none: each poll transfers the whole document"
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
    lines.append(("Hints", ", ".join(hints) or "none: the poll interval follows the feed's entries"))
    if oddity := oddity_of(fetched):
        lines.append(("Oddities", oddity))
    return lines


def _document(document: ParsedFeed) -> list[tuple[str, str]]:
    kind, _, effort = document.mode.partition("-")
    how = {"": "well formed", "repaired": "repaired", "loose": "not well formed, read by the lenient parser"}[effort]
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


def _entries(check: FeedCheck, document: ParsedFeed) -> list[tuple[str, str]]:
    found = check.found
    lines = [("Entries", str(len(document.entries)))]
    if document.next_url:
        lines.append(("Older", f"{document.next_url} has more; only this document is read"))
    if found is None:
        return lines
    if found.newest is not None:
        lines.append(
            ("Newest", f"{found.newest:%Y-%m-%d %H:%M} UTC, {_span((check.now - found.newest).total_seconds())} ago")
        )
    bare = sum(not entry.guid for entry in document.entries)
    identity = f"by {found.choice}" + (f": {found.choice.why}" if found.choice.why else "")
    identity += f"; {bare} without a guid" if bare else ""
    lines.append(("Identity", identity))
    if found.repeated:
        lines.append(
            ("Twice", f"{_counted(found.duplicates)} more than once in the document: {_names(found.repeated)}")
        )
    lines += _left_out(document, found)
    lines += [("Filters", f"{_short(rule, 100)!r} takes too long and matches nothing") for rule in found.slow_rules]
    lines += _dates(check, document)
    if lost := [entry.title or entry.guid for entry in document.entries if not entry.link]:
        lines.append(("Links", f"{_counted(len(lost))} without a valid link: {_names(lost)}"))
    texts = sum(bool(entry.content) for entry in document.entries)
    lines.append(("Texts", f"{texts} of {len(document.entries)} entries carry more than a summary"))
    return lines


def _dates(check: FeedCheck, document: ParsedFeed) -> list[tuple[str, str]]:
    """Return a line for each problem with dates, with the first such date as the document has it."""
    flagged: dict[str, list[str]] = {}
    for entry in document.entries:
        for flag in (*entry.date_flags, *(["ahead"] if _is_ahead(entry, check.now) else [])):
            flagged.setdefault(flag, []).append(entry.published_raw or entry.updated_raw)
    lines = []
    for flag, raw in sorted(flagged.items()):
        example = f" ({_short(raw[0], 60)})" if raw[0] else ""
        lines.append(("Dates", f"{_counted(len(raw))} {_FLAGS[flag]}{example}"))
    return lines


def _is_ahead(entry: Entry, now: datetime) -> bool:
    moment = entry.published or entry.updated
    return moment is not None and moment > now + FUTURE


def _counted(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _left_out(document: ParsedFeed, found: Reconciled) -> list[tuple[str, str]]:
    """Return a line for each reason why entries are not published."""
    said = [f"{_counted(each.count) if each.count else 'Some entries'}, since {each.text}" for each in document.unread]
    for text, count in Counter(entry.text for entry in found.left_out).most_common():
        names = [entry.name for entry in found.left_out if entry.text == text]
        said.append(f"{_counted(count)}, since {text}: {_names(names)}")
    return [("" if number else "Left out", line) for number, line in enumerate(said)]


def _names(names: Iterable[str]) -> str:
    return _short("; ".join(_short(name, 60) or "no name" for name in names), 300)


def _plan(check: FeedCheck, state: FeedState) -> list[tuple[str, str]]:
    health = state.health + (f": {state.health_reason}" if state.health_reason else "")
    due = _until(_moment(state.next_due), check.now.timestamp())
    return [("Health", health), ("Next poll", f"in {due}: {state.due_reason}")]


def _row(check: FeedCheck, number: int) -> str:
    assert check.document is not None  # noqa: S101  # the caller has looked
    entry = check.document.entries[number]
    when = entry.published or entry.updated
    moment = f"{when:%Y-%m-%d %H:%M}" if when else "no date         "
    return f"  {moment}  {_short(entry.title or entry.summary, 90)}\n{'':20}{_short(entry.link or entry.guid, 100)}"


def as_json(check: FeedCheck) -> dict[str, Any]:
    """Return the check as JSON values: with guid, link, title and dates of every entry, without texts."""
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
        "unread": document.unread if document else (),
        "repeated": check.found.repeated if check.found else (),
        "slow_rules": check.found.slow_rules if check.found else (),
        "next_url": document.next_url if document else None,
        "oddity": oddity_of(fetched) if fetched else None,
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
