"""Compose messages: plain texts and links, which each receiver then renders in its own format.

Texts from outside (outlets, headlines, names, briefs) are cleaned of control characters here. Escaping is up to each
receiver.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from monitor.http.untrusted import web_address
from monitor.notify.harmless import MAX_BRIEF, MAX_NAME, clean
from monitor.notify.logbook import Delivery, Pending, Tell, message_id
from monitor.notify.messages import values
from monitor.notify.messages.wording import News, Wording, fill
from monitor.notify.policy.changes import corroborated
from monitor.notify.policy.decision import RETRACTED, Policy
from monitor.notify.replies.ack import Ack, Purpose
from monitor.records import Event, EventSource

#: The most links in a message; the number of the others is shown.
LINKS = 8
#: The most pairs of leaders that the subject of a batch names.
_NAMED = 3


@dataclass(frozen=True)
class Link:
    """One numbered source. `url` is empty when the article's URL must not be linked, because it is not http(s)."""

    n: int
    outlet: str
    url: str
    title: str = ""
    official: bool = False


@dataclass(frozen=True)
class Message:
    """One message for one receiver. `id` is the same for all attempts.

    `headline` is the event in one line. `title`, the text of a notification and the subject of a mail, is the same for
    a first message; for others it begins with the news. `items` are the messages of a batch.
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
        """Whether the message should notify people, not only edit an earlier message."""
        return self.tell in {"first", "loud", "retract", "reminder", "notice"}

    @property
    def struck(self) -> bool:
        """Whether the first message must be struck through, because the event was retracted or merged."""
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
    """Compose the message for `pending`.

    `urls` are the links with which a reader can answer, `ack` is a reader's answer, `board` is the URL of the board.
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
    """Return one message that contains several `messages` (at least one). `identity` is its id.

    `batch` says what held them back and until when: `digest:ROUTE:MOMENT`, `quiet:MOMENT` or `storm:MOMENT`.
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
    """Return a notice about the service itself."""
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
    """Return a sentence that says which route sent the alert, and on what grounds (status, sources, confidence)."""
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
    """Return who acknowledged the event and with what verdict; '' when nobody has."""
    by, verdict = (ack.by, ack.verdict) if ack else (delivery.acknowledged, delivery.verdict)
    if not by:
        return ""
    return fill(words.answered.get(verdict, words.acknowledged), by=clean(by, MAX_NAME))


def _moment(text: str) -> datetime | None:
    """Return the time at the end of a batch's name; it is matched from the end, since it contains colons itself."""
    found = re.search(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:\+[0-9:]+|Z)?$", text)
    try:
        return datetime.fromisoformat(found[0]) if found else None
    except ValueError:  # no such day
        return None


def _title(words: Wording, told: Event | None, pending: Pending) -> str:
    event = pending.event
    if pending.tell in words.prefix:
        return f"{words.prefix[pending.tell]}{words.colon}{values.line(words, event)}"
    if pending.tell != "loud" or told is None or not (news := _news(words, told, pending)):
        return values.line(words, event)
    return f"{news[:1].upper()}{news[1:]} · {values.line(words, event, taken=len(news) + 3)}"


def _news(words: Wording, told: Event, pending: Pending) -> str:
    """Return the most important news in a few words: the new value, then the old one."""
    names = _named(told, pending)
    if pending.event.status == "rescheduled" and "time" in names:
        names.sort(key=lambda name: name != "time")  # the headline says "rescheduled", so give the new date here
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
    """Return the names of the changes, the most important first.

    "threshold" is replaced by what crossed it: an official source, or a second publisher.
    """
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
    """Return a change as a line of text; '' when old and new value read the same."""
    if old == new:
        return ""
    form = words.change.gone if not new else words.change.changed if old else words.change.first
    return fill(form, name=words.changed[name], new=new, old=old)


def _rows(words: Wording, event: Event) -> tuple[tuple[str, str], ...]:
    """Return label and value of each fact that is known."""
    found = {
        "who": values.who(words, event.participants, office=True),
        "how": values.form(words, event),
        "when": values.when(words, event.when),
        "where": values.place(words, event.place),
        "forum": clean(values.phrases_of(words).forum(event.forum or ""), MAX_NAME),
        "status": words.status[event.status],
    }
    return tuple((words.label[name], found[name][:1].upper() + found[name][1:]) for name in words.facts if found[name])


def _sources(words: Wording, event: Event) -> str:
    """Return a line on the event's sources: publishers, reports, official confirmation; '' when there are none."""
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
    return values.phrases_of(words).comma.join(parts)


def _shown(event: Event) -> list[EventSource]:
    """Return the sources to link: first those that the brief cites, then official ones, then one for each report."""
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
    return Link(source.n, outlet, web_address(source.url), clean(source.title), source.official)


__all__ = ["LINKS", "Link", "Message", "compose", "gathered", "notice", "why_fired"]
