"""What travels on the topics: Article, Mention, Event, and their JSON form.

A topic's value is one JSON object with a `schema` number. `decode` reads older numbers and refuses newer ones; types
are checked strictly, and a field of the wrong type is a `DecodeError` that names it. Times are aware UTC datetimes
inside and RFC 3339 outside; dates of contacts are calendar dates (`YYYY-MM-DD`).

The words `kind`, `medium` and `status` are used in the sense of the labelling guidelines: see docs/glossary.md.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar, get_args

import msgspec

from monitor.errors import DecodeError, NewerSchemaError

Kind = Literal["call", "meeting", "visit", "summit", "talks"]
Medium = Literal["in_person", "phone", "video", "remote", "unknown"]
#: What one text says of one contact.
Status = Literal["proposed", "planned", "ongoing", "held", "postponed", "rescheduled", "cancelled", "denied", "past"]
#: What an event has come to: the statuses of its mentions, `unconfirmed` once its date went by without a report, and
#: `retracted` once no source stands behind it any more.
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
#: How precisely a time is told. `early`, `mid` and `late` are thirds of a month; `until` and `from` are bounds.
#: `reported` is a contact without a day, which lies in the days up to its first report.
Granularity = Literal[
    "day", "range", "week", "weekend", "month", "early", "mid", "late", "quarter", "half", "year", "until", "from",
    "around", "reported",
]  # fmt: skip
Field = Literal["title", "summary", "text", "outlet"]
#: A moment with its zone: a record whose moment has none is refused, since it can be compared with no other.
Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]

KINDS: tuple[str, ...] = get_args(Kind)
MEDIA: tuple[str, ...] = get_args(Medium)
STATUSES: tuple[str, ...] = get_args(Status)
EVENT_STATUSES: tuple[str, ...] = get_args(EventStatus)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that is written to a topic."""

    SCHEMA: ClassVar[int] = 1

    schema: int = 1


R = TypeVar("R", bound=Record)


class _SchemaOnly(msgspec.Struct):
    schema: int = 1


def encode(record: msgspec.Struct) -> bytes:
    """The record as one line of UTF-8 JSON, without the line's end."""
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
    """`moment` in UTC; a naive one is taken to be UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """`moment` as clocks of a zone show it; at the ends of the calendar, where that has no such time, as it is."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


class Article(Record, frozen=True, kw_only=True, gc=False):
    """One entry of a feed. Only `id` and `title` are required.

    `language` is a BCP 47 primary tag, empty when not known yet. `publisher` is the owner of the outlet. `speaks_for`
    is set on official sources: the ISO 3166 alpha-2 code (or body code, see the watchlist) of the state whose office
    the outlet is. `seen` is when the poller first saw the entry, `revision` counts its corrections from 0, `backfill`
    marks what was in a feed when it was first subscribed to.
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
        """The one day that stands for all: the last of a report or deadline, the middle of `around`, or else the first.

        What is only known to have been reported some day may have taken place in the days before; nobody said which.
        """
        if self.granularity in {"reported", "until"}:
            return self.end
        if self.granularity == "around":
            return date.fromordinal((self.start.toordinal() + self.end.toordinal()) // 2)
        return self.start

    @property
    def span(self) -> tuple[date, date]:
        """The first and last day in a calendar: of a contact that was only reported, the day of the report."""
        return (self.end, self.end) if self.granularity == "reported" else (self.start, self.end)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A city (or a venue's city) and its ISO 3166 alpha-2 country; `name` is empty when only the country is told."""

    name: str
    country: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A span of the article, in code points of the named field as it was given: `field[start:end] == text`."""

    field: Field
    start: int
    end: int
    text: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What assembly needs to know of the article behind a mention: where it stands, whose it is, and its words.

    `excerpt` is the title and as much of the text as near-duplicate detection and quotation need, bounded in length.
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
    """What one witness of detection, the rules or the reader, said of a contact; `status` is `none` for no contact.

    The rules' `confidence` is of leaders and status, the reader's is its probability of a contact at all.
    """

    name: str
    status: str
    confidence: float = 0.0


class Mention(Record, frozen=True, kw_only=True):
    """What one article says of one contact.

    `assumed` says that no word tells the status: "their meeting" alone is taken for one that took place. `statuses` is
    how likely each status is, empty where nobody knows. A mention that `joins_only` belongs to an event that others
    speak of, and opens none by itself.

    `withdraws` makes the record a withdrawal, which claims nothing and names no participants: `older` takes back what
    the article said in its older revisions; `outlet` (a correction) and `retraction` take back what the outlet said
    before in an article that this one corrects.
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
        """The participants, sorted and joined: the topic key."""
        return "+".join(sorted(p.leader for p in self.participants))


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One claimed value of one field of an event, and the numbers of the sources that claim it.

    `value` is in the JSON form of the field; `reports` counts the independent texts among the sources.
    """

    value: Any
    sources: tuple[int, ...]
    reports: int = 1
    official: bool = False


class EventSource(msgspec.Struct, frozen=True, kw_only=True):
    """One article of an event's coverage; `report` numbers the independent text that it carries."""

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
    """One revision: which fields changed from what to what, by which article, at which (event) time."""

    revision: int
    at: Moment
    changed: dict[str, tuple[Any, Any]]
    article_id: str = ""


class Event(Record, frozen=True, kw_only=True):
    """One real contact, assembled from all its mentions.

    `facts` maps a field's name to the chosen claim, `alternatives` to the claims that disagree with it, best first.
    `confirmed_by` lists the participants whose own official source reported the contact. `merged_into` names the event
    that this one turned out to be; `closed` says that it left the working state. `context` says what makes it news.
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
    """The mention as `summitry detect` prints it: one JSON line without the article and without the line's end."""
    whole = msgspec.to_builtins(mention)
    return msgspec.json.encode({name: whole[name] for name in MENTION_LINE})


def event_line(event: Event) -> bytes:
    """The event as `summitry replay` and `summitry events` print it: one JSON line, without the line's end."""
    return encode(event)
