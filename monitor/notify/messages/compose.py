"""What a message says, before any receiver gives it a form: plain texts without markup, and the links.

Texts that come from outside (outlets, headlines, names, briefs) are made harmless here only as far as every receiver
needs it; escaping is the receiver's own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from monitor.notify.harmless import MAX_BRIEF, MAX_NAME, clean, safe_url
from monitor.notify.logbook import Delivery, Pending, Tell, message_id
from monitor.notify.messages import values
from monitor.notify.messages.wording import News, Wording, fill
from monitor.notify.policy.changes import corroborated
from monitor.notify.policy.decision import RETRACTED, Policy
from monitor.notify.replies.ack import Ack, Purpose
from monitor.records import Event, EventSource

#: Links that a message shows; the rest is a number.
LINKS = 8
#: Events that the subject of a message about several events names.
_NAMED = 3


@dataclass(frozen=True)
class Link:
    """One numbered source; `url` is empty when the article's address is not one that may be linked."""

    n: int
    outlet: str
    url: str
    title: str = ""
    official: bool = False


@dataclass(frozen=True)
class Message:
    """One message for one receiver. `id` is the same over all attempts.

    `headline` tells the event as it is now in one line. `title` is that line for a first message, and begins with what
    is new for any other: it is the text of a notification and the subject of a mail.
    """

    id: str
    receiver: str
    event: Event | None
    tell: Tell
    reason: str
    headline: str
    title: str
    words: Wording
    at: datetime
    facts: tuple[tuple[str, str], ...] = ()
    changed: tuple[str, ...] = ()
    brief: str = ""
    links: tuple[Link, ...] = ()
    more_links: int = 0
    sources: str = ""
    why: str = ""
    route: str = ""
    acknowledged: str = ""
    ack_url: str = ""
    page: str = ""
    feedback: tuple[tuple[str, str], ...] = ()
    items: tuple[Message, ...] = ()

    @property
    def notifies(self) -> bool:
        """Say whether the message is meant to interrupt somebody."""
        return self.tell in {"first", "loud", "retract", "reminder", "notice"}

    @property
    def struck(self) -> bool:
        """Say whether the head message must be struck through: what it told does not hold."""
        event = self.event
        return event is not None and (event.status in RETRACTED or event.merged_into is not None)


def compose(
    words: Wording,
    policy: Policy,
    delivery: Delivery,
    pending: Pending,
    *,
    urls: Mapping[Purpose, str] = {},
    ack: Ack | None = None,
    board: str = "",
) -> Message:
    """Return the message that tells what `pending` says to the delivery's receiver.

    `urls` are the links with which a reader answers, `ack` is what a reader answered, `board` is the board's address.
    """
    event, told, route = pending.event, delivery.told, pending.route or delivery.route
    links = tuple(_link(source) for source in _shown(event))
    return Message(
        id=message_id(delivery.receiver, pending),
        receiver=delivery.receiver,
        event=event,
        tell=pending.tell,
        reason=pending.reason,
        headline=values.line(words, event),
        title=_title(words, told, pending),
        words=words,
        at=pending.since,
        facts=_rows(words, event),
        changed=_changed(words, told, pending) if told else (),
        brief=clean(event.brief, MAX_BRIEF),
        links=links,
        more_links=max(0, len(event.sources) - len(links)),
        sources=_sources(words, event),
        why=why_fired(words, policy, route, event),
        route=route,
        acknowledged=_answered(words, delivery, ack),
        ack_url=urls.get("ack", ""),
        page=f"{board.rstrip('/')}/events/{quote(event.event_id, safe='')}" if board else "",
        feedback=_feedback(words, urls),
    )


def gathered(words: Wording, messages: Sequence[Message], identity: str, batch: str = "") -> Message:
    """Return one message that tells several events, of which there is at least one.

    `batch` says what held them back and until when, as `digest:ROUTE:MOMENT`, `quiet:MOMENT` or `storm:MOMENT`.
    """
    first = messages[0]
    kind, _, rest = batch.partition(":")
    at = _moment(rest) or first.at
    pairs = Counter(values.pair(words, item.event) for item in messages if item.event)
    named = [f"{pair} ({count})" if count > 1 else pair for pair, count in list(pairs.items())[:_NAMED]]
    if left := sum(list(pairs.values())[_NAMED:]):
        named.append(values.counted(words, words.more, left))
    subject = fill(
        words.gathered["quiet" if kind == "quiet" else "storm" if kind == "storm" else "digest"],
        at=values.clock_time(words, at), count=len(messages), names=values.listed(words, named),
    )  # fmt: skip
    return Message(
        id=identity,
        receiver=first.receiver,
        event=first.event,
        tell="first",
        reason="first",
        headline=subject,
        title=subject,
        words=words,
        at=at,
        route=first.route,
        items=tuple(messages),
    )


def notice(words: Wording, receiver: str, identity: str, *, title: str, text: str, at: datetime) -> Message:
    """Return a message of the service about itself."""
    return Message(
        id=identity,
        receiver=receiver,
        event=None,
        tell="notice",
        reason="notice",
        headline=title,
        title=title,
        words=words,
        at=at,
        brief=text,
    )


def why_fired(words: Wording, policy: Policy, route_name: str, event: Event) -> str:
    """Return one sentence: which route let the event through, and on what grounds."""
    grounds = [words.status[event.status]]
    if event.official:
        grounds.append(words.grounds["official"])
    if event.publishers:
        grounds.append(values.counted(words, words.publishers, event.publishers))
    if event.publishers or event.official:
        grounds.append(fill(words.grounds["confidence"], value=f"{event.confidence:.2f}"))
    route = policy.named(route_name)
    if route and event.publishers and not corroborated(event) and route.threshold.publishers == 1:
        grounds.append(words.grounds["single"])
    return fill(words.why, route=route_name, grounds=", ".join(grounds))


def _feedback(words: Wording, urls: Mapping[Purpose, str]) -> tuple[tuple[str, str], ...]:
    said = ((words.wrong, urls.get("wrong")), (words.not_this_event, urls.get("not_this_event")))
    return tuple((label, url) for label, url in said if url)


def _answered(words: Wording, delivery: Delivery, ack: Ack | None) -> str:
    """Return who has seen the event, or said what of it; empty when nobody has."""
    by, verdict = (ack.by, ack.verdict) if ack else (delivery.acknowledged, delivery.verdict)
    if not by:
        return ""
    said = {"wrong": words.wrong, "not_this_event": words.not_this_event}.get(verdict)
    text = fill(words.acknowledged, by=clean(by, MAX_NAME))
    return f"{text}: {said}" if said else text


def _moment(text: str) -> datetime | None:
    """Return the moment at the end of a batch's name: an ISO time has colons of its own."""
    found = re.search(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:\+[0-9:]+|Z)?$", text)
    try:
        return datetime.fromisoformat(found[0]) if found else None
    except ValueError:  # no such day
        return None


def _title(words: Wording, told: Event | None, pending: Pending) -> str:
    event = pending.event
    if pending.tell in words.prefix:
        return f"{words.prefix[pending.tell]}: {values.line(words, event)}"
    if pending.tell != "loud" or told is None or not (news := _news(words, told, pending)):
        return values.line(words, event)
    return f"{news} · {values.line(words, event, taken=len(news) + 3)}"


def _news(words: Wording, told: Event, pending: Pending) -> str:
    """Return what is new in a few words, the old value behind the new one."""
    names = _named(told, pending)
    if pending.event.status == "rescheduled" and "time" in names:
        names.sort(key=lambda name: name != "time")  # the headline says that it is a new date; here is which
    for name in names:
        if name in {"official", "second"}:
            return words.news[name].first
        value = values.SHORT.get(name) or values.VALUES[name]
        old, new = (value(words, event) for event in (told, pending.event))
        if new and new != old:
            form = words.news[name]
            return fill(form.changed if old else form.first, new=new, old=old)
    return ""


def _named(told: Event, pending: Pending) -> list[News]:
    """Return the names of the changes, the most important first; a crossed threshold by what crossed it."""
    names: list[News] = []
    for name in pending.changed:
        if name == "threshold":
            names.append("official" if pending.event.official and not told.official else "second")
        elif name in values.VALUES:
            names.append(name)  # type: ignore[arg-type]  # the keys of VALUES are names of news
    return names


def _changed(words: Wording, told: Event, pending: Pending) -> tuple[str, ...]:
    lines = []
    for name in _named(told, pending):
        if name in {"official", "second"}:
            lines.append(words.changed[name])
        elif text := _change(words, name, *(values.VALUES[name](words, event) for event in (told, pending.event))):
            lines.append(text)
    if told.publishers != pending.event.publishers and pending.event.publishers and "coverage" in pending.changed:
        lines.append(_change(words, "coverage", str(told.publishers), str(pending.event.publishers)))
    return tuple(lines)


def _change(words: Wording, name: str, old: str, new: str) -> str:
    """Return a change as a line; empty where the difference is none that a reader sees."""
    if old == new:
        return ""
    form = words.change.gone if not new else words.change.changed if old else words.change.first
    return fill(form, name=words.changed[name], new=new, old=old)


def _rows(words: Wording, event: Event) -> tuple[tuple[str, str], ...]:
    """Return the rows that say something."""
    found = {
        "who": values.who(words, event.participants, office=True),
        "how": values.form(words, event),
        "when": values.when(words, event.when),
        "where": values.place(words, event.place),
        "forum": clean(event.forum or "", MAX_NAME),
        "status": words.status[event.status],
    }
    return tuple((words.label[name], found[name][:1].upper() + found[name][1:]) for name in words.facts if found[name])


def _sources(words: Wording, event: Event) -> str:
    """Return how well founded the event is; empty where nothing stands behind it."""
    if not event.publishers and not event.official:
        return ""
    parts = [
        values.counted(words, words.publishers, event.publishers),
        values.counted(words, words.reports, event.reports),
    ]
    if event.confirmed_by:
        states = {person.leader: values.state(words, person.country) or person.leader for person in event.participants}
        sides = [clean(states.get(leader, leader), MAX_NAME) for leader in event.confirmed_by]
        parts.append(fill(words.confirmed, sides=values.listed(words, sides)))
    else:
        parts.append(words.official if event.official else words.unofficial)
    return ", ".join(parts)


def _shown(event: Event) -> list[EventSource]:
    """Return the sources worth a link: those that the brief cites, official ones, then one for each report."""
    groups = re.findall(r"\[([0-9]{1,4}(?:, ?[0-9]{1,4}){0,20})\]", event.brief)
    cited = {int(number) for group in groups for number in group.split(",")}
    reports: set[int] = set()
    ranked = []
    for source in event.sources:
        rank = 0 if source.n in cited else 1 if source.official else 2 if source.report not in reports else 3
        reports.add(source.report)
        ranked.append((rank, source.n, source))
    best = sorted(ranked, key=lambda item: item[:2])[:LINKS]
    return sorted((source for _, _, source in best), key=lambda source: source.n)


def _link(source: EventSource) -> Link:
    outlet = clean(source.outlet or source.publisher or "?", MAX_NAME)
    return Link(source.n, outlet, safe_url(source.url), clean(source.title), source.official)


__all__ = ["LINKS", "Link", "Message", "compose", "gathered", "notice", "why_fired"]
