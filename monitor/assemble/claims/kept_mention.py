"""A mention in the form that assembly keeps, with its article and a signature of the article's text.

Thousands of mentions are kept, so each is bounded, whatever the article holds: texts are cut, and of the body only a
MinHash signature and the agency credits are kept.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cached_property
from hashlib import blake2b

import msgspec

from monitor.assemble.claims.fingerprint import TextFingerprint, read_text
from monitor.assemble.claims.repeats import is_of_two_alone, is_one_more
from monitor.feeds.formats.fields.article_urls import link_key
from monitor.records import EventStatus, Kind, Medium, Mention, Participant, Place, Status, When, utc

#: Characters of a title that are kept and quoted.
MAX_TITLE = 300
MAX_URL = 1_000
MAX_PARTICIPANTS = 40
MAX_TOPICS = 12

#: Longest span in days that dates a contact in a report; a wider span gives no date.
MAX_REPORT_SPAN = 31

#: A mention of a contact more than this many days ago is background.
MAX_AGE = 14
#: Statuses of a contact that takes or took place.
HAPPENED: frozenset[EventStatus] = frozenset({"held", "ongoing"})

#: Statuses of a contact that does not take place on the day on which they are stated.
_LATER = frozenset({"proposed", "postponed"})

#: Prefix of a leader id that stands for an office whose holder is unknown.
OFFICE_ONLY = "office"


class KeptMention(msgspec.Struct, frozen=True, kw_only=True, array_like=True, dict=True):
    """What one article says about one contact.

    `time` is the event time in seconds, `page` the normalised address by which pages are compared.
    """

    article_id: str
    revision: int
    contact: str
    time: int
    participants: tuple[Participant, ...]
    kind: Kind
    medium: Medium
    status: Status
    when: When | None
    place: Place | None
    forum: str | None
    topics: tuple[str, ...]
    confidence: float
    rule: str
    title: str
    url: str
    page: str
    outlet: str
    publisher: str
    official: bool
    speaks_for: str
    language: str
    published: datetime | None
    backfill: bool
    text: TextFingerprint
    assumed: bool = False
    statuses: dict[Status, float] = {}
    joins_only: bool = False

    @cached_property
    def day(self) -> int:
        """The day of publication in UTC, as a proleptic ordinal."""
        return ordinal_of(self.time)

    @cached_property
    def leaders(self) -> frozenset[str]:
        """The participants with a known name."""
        return frozenset(p.leader for p in self.participants if not p.leader.startswith(OFFICE_ONLY))

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The leaders who receive the others."""
        return frozenset(p.leader for p in self.participants if p.role == "host")

    @cached_property
    def key(self) -> int:
        """A number for the article, 63 bits wide."""
        return article_key(self.article_id)

    @property
    def moment(self) -> datetime:
        """The event time."""
        return datetime.fromtimestamp(self.time, UTC)

    @cached_property
    def one_more(self) -> bool:
        """Whether the headline says that the contact is one more: "again"."""
        return is_one_more(self.title, self.language)

    @cached_property
    def alone(self) -> bool:
        """Whether the headline says that the two leaders were alone: "one-on-one"."""
        return len(self.participants) == 2 and is_of_two_alone(self.title, self.language)  # two leaders

    @property
    def remote(self) -> bool | None:
        """The medium class: remote (phone, video), in person (False), or unknown (None)."""
        if self.medium == "unknown":
            return True if self.kind == "call" else None
        return self.medium != "in_person"

    @cached_property
    def span(self) -> tuple[int, int] | None:
        """The first and last day of the contact that the article states; an ongoing contact has the article's day."""
        if self.when is not None:
            first, last = self.when.start.toordinal(), self.when.end.toordinal()
            if self.status not in HAPPENED:
                return first, last
            if last - first > MAX_REPORT_SPAN:
                return None
            # A report is about the past: "this week" ends today, and a future date belongs to something else.
            return (first, last) if last <= self.day + 1 else (first, self.day) if first < self.day else None
        return (self.day, self.day) if self.status == "ongoing" else None

    @cached_property
    def loose(self) -> bool:
        """Whether it may also mean a future contact: a bare noun without a date."""
        return self.assumed and self.status == "held" and self.span is None

    @property
    def denies_report(self) -> bool:
        """Whether it denies that something took place, without naming a day."""
        return self.status == "denied" and self.when is not None and self.when.granularity == "reported"

    @property
    def background(self) -> bool:
        """Whether it opens no event: a mention of an older contact, or one that only joins others."""
        return self.status == "past" or self.joins_only

    @property
    def side(self) -> str:
        """The participating state whose own office published it, '' for everybody else."""
        return self.speaks_for if self.official and any(p.country == self.speaks_for for p in self.participants) else ""

    @property
    def owner(self) -> str:
        """The publisher: the outlet's owner, else the outlet, else the article itself."""
        return self.publisher or self.outlet or self.article_id

    @property
    def source_key(self) -> str:
        """A key that is equal for the same page in two feeds: the address without its variable parts, or the id."""
        return self.page or self.article_id


def article_key(article_id: str) -> int:
    """Return a number for an article id, 63 bits wide."""
    return int.from_bytes(blake2b(article_id.encode("utf-8", "replace"), digest_size=8).digest(), "big") >> 1


def event_time(mention: Mention) -> datetime:
    """Return when the mention became news: its article's publication time, at most the time it was seen.

    A mention without any time gets the first day of the calendar.
    """
    source = mention.source
    times = [utc(t) for t in (source.published, source.seen) if t is not None] if source is not None else []
    return min(times, default=datetime.fromordinal(1).replace(tzinfo=UTC))


def group_of(participants: tuple[Participant, ...]) -> str:
    """Return the participating states, sorted and joined: every participant has a state, but not always a name."""
    return "+".join(sorted(p.country.lower() or p.leader for p in participants))


def keep(mention: Mention) -> KeptMention:
    """Return the mention in the form that assembly keeps. Participants are sorted by leader, without duplicates."""
    source = mention.source
    participants = tuple(sorted({p.leader: p for p in mention.participants}.values(), key=lambda p: p.leader))
    contact = "|".join(
        (
            *(p.leader for p in participants[:MAX_PARTICIPANTS]),
            mention.kind,
            mention.medium,
            mention.status,
            mention.when.start.isoformat() if mention.when else "",
            mention.forum or "",
        )
    )
    title = source.title if source else ""
    status = mention.status
    if status == "held" and mention.when is not None:
        # A report about a contact long before read-outs are published is background.
        told = event_time(mention).toordinal()
        status = "past" if mention.when.end.toordinal() < told - MAX_AGE else status
    when = mention.when
    if status in _LATER and when is not None and when.end.toordinal() <= event_time(mention).toordinal():
        when = None  # the day of the appeal, or on which it was put off, is not the contact's
    if status == "ongoing" and when is not None and when.end.toordinal() < event_time(mention).toordinal() - 1:
        when = None  # what is under way was not over days ago
    return KeptMention(
        article_id=mention.article_id,
        revision=source.revision if source else 0,
        contact=blake2b(contact.encode("utf-8", "replace"), digest_size=8).hexdigest(),
        time=int(event_time(mention).timestamp()),
        participants=participants[:MAX_PARTICIPANTS],
        kind=mention.kind,
        medium=mention.medium,
        status=status,
        when=when,
        place=mention.place,
        forum=mention.forum,
        topics=mention.topics[:MAX_TOPICS],
        confidence=mention.confidence,
        rule=mention.rule,
        title=title[:MAX_TITLE],
        url=source.url[:MAX_URL] if source else "",
        page=link_key(source.url) if source else "",
        outlet=source.outlet if source else "",
        publisher=source.publisher if source else "",
        official=source.official if source else False,
        speaks_for=source.speaks_for if source else "",
        language=mention.language or (source.language if source else ""),
        published=source.published if source else None,
        backfill=source.backfill if source else False,
        text=read_text(source.excerpt or title, source.outlet) if source else TextFingerprint(),
        assumed=mention.assumed,
        statuses=mention.statuses,
        joins_only=mention.joins_only,
    )


def canonical_order(mention: KeptMention) -> tuple[int, str, int, str]:
    """Return the sort key by which sources are numbered: event time, then article."""
    return mention.time, mention.article_id, mention.revision, mention.contact


def ordinal_of(time: int) -> int:
    """Return the UTC day of a time in seconds, as a proleptic ordinal."""
    return datetime.fromtimestamp(time, UTC).toordinal()


def ordinal(day: date) -> int:
    """Return the proleptic ordinal of a date or of an aware datetime's UTC date."""
    return (utc(day).date() if isinstance(day, datetime) else day).toordinal()
