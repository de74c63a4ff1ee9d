"""The records on the topics (Article, Mention, Event), and how they are written and read as JSON.

A topic's value is one JSON object with a `schema` number. `decode` reads older numbers and refuses newer ones. Types
are checked strictly: a field of the wrong type is a `DecodeError` that names the field. Times are aware UTC datetimes
in Python and RFC 3339 in JSON; dates of contacts are calendar dates (`YYYY-MM-DD`).

docs/glossary.md defines the values of `kind`, `medium` and `status`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar, get_args

import msgspec

from monitor.errors import DecodeError, NewerSchemaError

Kind = Literal["call", "meeting", "visit", "summit", "talks"]
Medium = Literal["in_person", "phone", "video", "remote", "unknown"]
#: What one article says of one contact.
Status = Literal["proposed", "planned", "ongoing", "held", "postponed", "rescheduled", "cancelled", "denied", "past"]
#: The status of an event: one of its mentions' statuses, `unconfirmed` when its date passed without a report, or
#: `retracted` when no source supports it any more.
EventStatus = Literal[
    "proposed",
    "planned",
    "ongoing",
    "held",
    "postponed",
    "rescheduled",
    "cancelled",
    "denied",
    "unconfirmed",
    "past",
    "retracted",
]
#: How precisely a time is known. `early`, `mid` and `late` are thirds of a month; `until` and `from` are bounds.
#: `reported` means that no article names a day: the contact was on one of the days up to the first report.
Granularity = Literal[
    "day", "range", "week", "weekend", "month", "early", "mid", "late", "quarter", "half", "year", "until", "from",
    "around", "reported",
]  # fmt: skip
Field = Literal["title", "summary", "text", "outlet"]
#: A time with its zone. A record with a time without a zone is refused, since it can't be compared with other times.
Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]

KINDS: tuple[str, ...] = get_args(Kind)
MEDIA: tuple[str, ...] = get_args(Medium)
STATUSES: tuple[str, ...] = get_args(Status)
EVENT_STATUSES: tuple[str, ...] = get_args(EventStatus)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base class of everything that is written to a topic."""

    SCHEMA: ClassVar[int] = 1

    schema: int = 1


R = TypeVar("R", bound=Record)


class _SchemaOnly(msgspec.Struct):
    schema: int = 1


def encode(record: msgspec.Struct) -> bytes:
    """Return the record as one line of UTF-8 JSON, without a newline."""
    return msgspec.json.encode(record)


def decode(record_type: type[R], data: bytes | str) -> R:
    """Read one record.

    Raises DecodeError when `data` is not JSON or a field has the wrong type, NewerSchemaError when it was written by a
    newer version than this one.
    """
    try:
        schema = msgspec.json.decode(data, type=_SchemaOnly).schema
        if schema > record_type.SCHEMA:
            raise NewerSchemaError(
                f"{record_type.__name__} of schema {schema}; this version reads up to {record_type.SCHEMA}: upgrade it"
            )
        return msgspec.json.decode(data, type=record_type)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DecodeError(f"not a valid {record_type.__name__}: {error}") from error


def utc(moment: datetime) -> datetime:
    """Return `moment` in UTC; one without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Return `moment` in `zone`; unchanged when the result would lie outside the years 1 to 9999."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


class Article(Record, frozen=True, kw_only=True, gc=False):
    """One entry of a feed. Only `id` and `title` are required.

    `language` is a BCP 47 primary tag, empty when not known yet. `publisher` is the owner of the outlet. `speaks_for`
    is set on official sources: the ISO 3166 alpha-2 code (or body code, see the watchlist) of the state whose office
    the outlet is. `seen` is when the poller first saw the entry. `revision` counts its corrections from 0;
    `significant` is False for a small correction of the text (see `content_hash.significant`). `backfill` marks entries
    that were in the feed already when it was polled for the first time.
    """

    id: str
    title: str
    url: str = ""
    summary: str = ""
    text: str = ""
    language: str = ""
    published: datetime | None = None
    outlet: str = ""
    feed: str = ""
    publisher: str = ""
    country: str = ""
    official: bool = False
    speaks_for: str = ""
    seen: datetime | None = None
    revision: int = 0
    significant: bool = True
    backfill: bool = False
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """A leader who takes part; `office` is the title held on the article's date, `role` host, visitor, caller or ''."""

    leader: str
    name: str
    country: str = ""
    office: str = ""
    role: str = ""


class When(msgspec.Struct, frozen=True, kw_only=True):
    """When the contact takes or took place, as calendar dates, both ends included; `text` is what the article said."""

    start: date
    end: date
    granularity: Granularity = "day"
    text: str = ""

    @property
    def day(self) -> date:
        """One day for the whole span, to sort and compare by.

        It is the last day for `reported` and `until`, the middle for `around`, and the first day for all others.
        """
        if self.granularity in {"reported", "until"}:
            return self.end
        if self.granularity == "around":
            return date.fromordinal((self.start.toordinal() + self.end.toordinal()) // 2)
        return self.start

    @property
    def span(self) -> tuple[date, date]:
        """The first and last day to show in a calendar. For `reported` both are the day of the report."""
        return (self.end, self.end) if self.granularity == "reported" else (self.start, self.end)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A city (or a venue's city) and its ISO 3166 alpha-2 country; `name` is empty when only the country is known."""

    name: str
    country: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A span of the article's text: `field[start:end] == text`, where `start` and `end` count code points."""

    field: Field
    start: int
    end: int
    text: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of an article that assembly needs: address, outlet, times and an excerpt.

    `excerpt` is the title and the first part of the text, for finding near-duplicates and for quotations.
    """

    article_id: str
    title: str
    url: str = ""
    outlet: str = ""
    publisher: str = ""
    country: str = ""
    official: bool = False
    speaks_for: str = ""
    language: str = ""
    published: Moment | None = None
    seen: Moment | None = None
    revision: int = 0
    backfill: bool = False
    excerpt: str = ""


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules or the reader (`name` says which) found for a pair of leaders. `status` is `none` for no contact.

    For the rules `confidence` is how sure they are of leaders and status; for the reader it is the probability that
    there is a contact.
    """

    name: str
    status: str
    confidence: float = 0.0


class Mention(Record, frozen=True, kw_only=True):
    """What one article says of one contact.

    `assumed` means that no word of the article gives the status, as in "after their meeting"; it is then taken as held.
    `statuses` gives the probability of each status, and is empty when it is not known. A mention that `joins_only` can
    join an event that other mentions opened, but opens none itself.

    A record with `withdraws` is a withdrawal: it has no participants and claims nothing. `older` withdraws what the
    older revisions of the same article said. `outlet` (a correction) and `retraction` withdraw what the outlet said in
    the earlier article that this one corrects.
    """

    article_id: str
    participants: tuple[Participant, ...]
    kind: Kind
    medium: Medium
    status: Status
    when: When | None = None
    place: Place | None = None
    forum: str | None = None
    topics: tuple[str, ...] = ()
    confidence: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    rule: str = ""
    language: str = ""
    source: Source | None = None
    assumed: bool = False
    statuses: dict[Status, float] = {}
    joins_only: bool = False
    witnesses: tuple[Witness, ...] = ()
    withdraws: Literal["", "older", "outlet", "retraction"] = ""

    @property
    def key(self) -> str:
        """The topic key: the ids of the participants, sorted and joined with `+`."""
        return "+".join(sorted(p.leader for p in self.participants))


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One claimed value of one field of an event, and the numbers of the sources that claim it.

    `value` has the field's JSON form. `reports` counts the independent texts among the sources.
    """

    value: Any
    sources: tuple[int, ...]
    reports: int = 1
    official: bool = False


class EventSource(msgspec.Struct, frozen=True, kw_only=True):
    """One article of an event's coverage. Articles with the same `report` number carry the same text."""

    n: int
    article_id: str
    url: str = ""
    outlet: str = ""
    publisher: str = ""
    official: bool = False
    published: Moment | None = None
    report: int = 0
    title: str = ""
    language: str = ""
    speaks_for: str = ""
    revision: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of an event: the changed fields with old and new value, the article that caused it, and when."""

    revision: int
    at: Moment
    changed: dict[str, tuple[Any, Any]]
    article_id: str = ""


class Event(Record, frozen=True, kw_only=True):
    """One real contact, assembled from all its mentions.

    `facts` maps a field's name to the chosen claim, `alternatives` to the claims that disagree with it, best first.
    `confirmed_by` lists the participants whose own official source reported the contact. `merged_into` is the id of the
    event that turned out to be the same contact. `closed` means that new mentions no longer join it. `context` is a
    sentence on what makes the contact news.
    """

    event_id: str
    revision: int
    participants: tuple[Participant, ...]
    kind: Kind
    medium: Medium
    status: EventStatus
    when: When | None = None
    place: Place | None = None
    forum: str | None = None
    topics: tuple[str, ...] = ()
    facts: dict[str, Fact] = {}
    alternatives: dict[str, tuple[Fact, ...]] = {}
    sources: tuple[EventSource, ...] = ()
    publishers: int = 0
    reports: int = 0
    official: bool = False
    confirmed_by: tuple[str, ...] = ()
    confidence: float = 0.0
    first_seen: Moment | None = None
    last_seen: Moment | None = None
    history: tuple[Change, ...] = ()
    brief: str = ""
    context: str = ""
    redirects: tuple[str, ...] = ()
    merged_into: str | None = None
    closed: bool = False
    backfill: bool = False


#: The fields of a mention line, in the order in which other programs read them.
MENTION_LINE: tuple[str, ...] = (
    "article_id", "participants", "kind", "medium", "status", "when", "place", "forum", "topics", "confidence",
    "evidence", "rule", "language",
)  # fmt: skip


def mention_line(mention: Mention) -> bytes:
    """Return the mention as `summitry detect` prints it: one JSON line without a newline and without the article."""
    whole = msgspec.to_builtins(mention)
    return msgspec.json.encode({name: whole[name] for name in MENTION_LINE})


def event_line(event: Event) -> bytes:
    """Return the event as `summitry replay` and `summitry events` print it: one JSON line without a newline."""
    return encode(event)
