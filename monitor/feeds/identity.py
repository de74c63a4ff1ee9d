"""Which entry is which, from poll to poll: keys, revisions, duplicates (FEEDS rules D1 to D7). Pure.

A guid is what a feed calls an entry, and mostly right. Where it is not, feeds fail in known ways, and each has its
rule: no guid at all; a counter at its end that rises with every edit (BBC); one guid for many entries; new guids for
old entries at every poll. What has been published is remembered under the entry's key and, where that is not its
address already, under its address too, so that a feed whose guids turn out to be worthless can go on by address
without publishing anything again.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from monitor.feeds import outlets, urls
from monitor.feeds.dates import EARLIEST
from monitor.feeds.document import Entry, ParsedFeed
from monitor.feeds.feed import Subscription
from monitor.feeds.filters import Wanted, stripped
from monitor.feeds.state import SeenEntry
from monitor.records import Article

#: Corrections of one entry that are published; what changes more often is a counter or a clock (lemon24/reader).
MAX_REVISIONS = 24
#: Above this share of entries that have another's guid, or of known addresses that come with a new guid, guids are not
#: believed any more (FEEDS rule D2). Fewer entries than this say nothing.
COLLISION_SHARE = 0.3
TURNOVER_SHARE = 0.5
_ENOUGH = 4
#: A published time that much ahead of our clock is an embargo's or a broken clock's.
FUTURE = timedelta(hours=1)
#: Text lengths are compared in steps of this many characters; from 3 steps on a change is significant, so that more
#: than 50 characters were added or removed (Feedbin's rule).
_STEP = 25
_SIGNIFICANT_STEPS = 3

_COUNTER = re.compile(r"#\d+$")
_WORDS = re.compile(r"\w+")
_GOOGLE_NEWS = re.compile(r"https?://news\.google\.com/(?:rss/)?articles/")
_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).date()


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What a document brought.

    `new` and `changed` are articles to publish, oldest entry first; `seen` is what is to be remembered (`state.prune`
    bounds it), `keys` are the names in it of the document's entries. `identity` is how entries are told apart from now
    on, `switched` says why when that has changed just now. `duplicates` counts entries that stand in it twice,
    `dropped` those without a word and those that a filter refused, `exhausted` those that changed more often than
    MAX_REVISIONS. `newest` is the latest believable date in the document.
    """

    new: tuple[Article, ...] = ()
    changed: tuple[Article, ...] = ()
    seen: dict[str, SeenEntry] = {}
    keys: frozenset[str] = frozenset()
    identity: str = "guid"
    switched: str = ""
    unchanged: int = 0
    duplicates: int = 0
    dropped: int = 0
    exhausted: int = 0
    newest: datetime | None = None


class TextsLeftOutError(Exception):
    """An entry is to be published whose texts were left out."""


def entry_key(feed_id: str, gid: str) -> str:
    """The article id of an entry: 32 hex digits. It is remembered by the first half."""
    return hashlib.sha256(f"{feed_id}\0{gid}".encode("utf-8", "replace")).hexdigest()[:32]


def revision_hash(entry: Entry) -> str:
    """12 hex digits of what the entry says: its words, never its dates (D3).

    4 digits are of title and summary, 2 are the length of the text in steps of 25 characters, 6 are of everything:
    title, address, summary, text, authors, tags, with case kept and spaces folded. So two hashes also tell whether a
    change is significant.
    """
    if entry.revision:
        return entry.revision
    title, summary = _folded(entry.title), _folded(entry.summary)
    length = (len(entry.content) // _STEP) % 256
    everything = (
        title,
        urls.link_key(entry.link),
        summary,
        _folded(entry.content),
        _folded("\n".join(sorted(entry.authors))),
        _folded("\n".join(sorted(entry.tags))),
    )
    return f"{_digest(title, summary)[:4]}{length:02x}{_digest(*everything)[:6]}"


def significant(before: str, after: str) -> bool:
    """Whether a correction is more than cosmetic: another title or summary, or over 50 characters more or less."""
    if before[:4] != after[:4]:
        return True
    steps = (int(after[4:6], 16) - int(before[4:6], 16)) % 256
    return min(steps, 256 - steps) >= _SIGNIFICANT_STEPS


def _folded(text: str) -> str:
    if text.isprintable() and "  " not in text:
        return text.strip()  # its only white space are spaces
    return " ".join(text.split())


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()


class _Candidate(msgspec.Struct):
    """An entry with all names it could go by.

    `page` is the key of an entry that goes by this one's address, `alias` that under which an address is remembered.
    """

    entry: Entry
    guid: str
    link: str
    link_key: str
    revision: str
    page: str = ""
    alias: str = ""
    key: str = ""

    def names(self) -> tuple[str, ...]:
        """The keys under which it is remembered: its own, and one of its address where that is not its name."""
        return (self.key[:16],) if self.key == self.page or not self.alias else (self.key[:16], self.alias)

    def remembered(self, seen: Mapping[str, SeenEntry]) -> SeenEntry | None:
        """What is remembered under its address, whichever name it had."""
        return (seen.get(self.page[:16]) or seen.get(self.alias)) if self.link_key else None


def reconcile(
    seen: Mapping[str, SeenEntry],
    parsed: ParsedFeed,
    subscription: Subscription,
    now: datetime,
    *,
    identity: str = "",
    first: bool | None = None,
) -> Reconciled:
    """Compare a document with what was published before.

    `identity` is what an earlier reconciliation ended with, '' before the first one. `first` marks the first document
    of a feed, whose entries are backfill (D5); None means that it is when nothing was seen. Raises TextsLeftOutError
    when an entry without its texts is news all the same.
    """
    first = not seen if first is None else first
    today = (now.date() - _EPOCH_DAY).days
    wanted = Wanted(subscription)
    worded = [e for e in parsed.entries if e.title or e.summary or e.content or e.left_out]
    kept = [entry for raw in worded if (entry := wanted.accept(raw, now)) is not None]
    candidates = _candidates(kept, subscription)
    mode, switched = _mode(candidates, seen, subscription, identity)
    unique, duplicates = _keyed(candidates, seen, subscription.id, mode)

    after = dict(seen)
    current: list[str] = []
    new: list[Article] = []
    changed: list[Article] = []
    unchanged = exhausted = 0
    for candidate in unique:
        names = candidate.names()
        current += names
        known = after.get(candidate.key[:16]) or _renamed(candidate, seen, mode)
        if known is None:
            record = SeenEntry(candidate.revision, 0, today)
            new.append(_article(candidate, parsed, subscription, now, backfill=first))
        elif known.revision == candidate.revision or subscription.ignore_updates:
            unchanged += 1
            record = known
        elif known.n >= MAX_REVISIONS:
            exhausted += 1
            record = known
        else:
            record = SeenEntry(candidate.revision, known.n + 1, known.day)
            important = significant(known.revision, candidate.revision)
            changed.append(_article(candidate, parsed, subscription, now, revision=record.n, significant=important))
        after.update(dict.fromkeys(names, record))
    dates = [date for c in unique if (date := believable(c.entry, now))]
    return Reconciled(
        new=tuple(reversed(new)),
        changed=tuple(reversed(changed)),
        seen=after,
        keys=frozenset(current),
        identity=mode,
        switched=switched,
        unchanged=unchanged,
        duplicates=duplicates,
        dropped=len(parsed.entries) - len(kept),
        exhausted=exhausted,
        newest=max(dates, default=None),
    )


def believable(entry: Entry, now: datetime) -> datetime | None:
    """When the entry was published, else updated; None when that lies ahead, before 1990, or is not told (P7)."""
    for moment in (entry.published, entry.updated):
        if moment is not None and EARLIEST <= moment <= now + FUTURE:
            return moment
    return None


def _candidates(kept: Sequence[Entry], subscription: Subscription) -> list[_Candidate]:
    guids = [stripped(subscription.guid_strip_regex, entry.guid).strip() for entry in kept]
    pages = Counter(_COUNTER.sub("", guid) for guid in set(guids))
    candidates = []
    for entry, name in zip(kept, guids, strict=True):
        guid = name
        page = _COUNTER.sub("", guid)
        if guid.startswith(("http://", "https://")):
            # The BBC's guids end in #0, #1, ... and rise with every edit. The parts of a live blog differ in nothing
            # else, so a number that tells entries of one document apart stays.
            guid = urls.link_key(page) if page != guid and pages[page] == 1 else _plain_guid(guid, entry.link)
        elif _GOOGLE_NEWS.match(entry.link) and entry.source is not None:
            # The opaque tokens of an aggregator change; who wrote what under which title does not (D7).
            guid = f"{entry.source.url}\n{entry.title}"
        candidate = _Candidate(entry, guid, urls.canonical(entry.link), urls.link_key(entry.link), revision_hash(entry))
        if candidate.link_key:
            candidate.page = entry_key(subscription.id, candidate.link_key)
            # No gid begins so: what is remembered under an address must not stand in for an entry whose name it is.
            candidate.alias = entry_key(subscription.id, f"\0{candidate.link_key}")[:16]
        candidates.append(candidate)
    return candidates


def _plain_guid(guid: str, link: str) -> str:
    """A guid that is an address: the entry's own address when they are the same page, else as it stands."""
    key = urls.link_key(guid) if "#" not in guid else ""
    return key if key and key == urls.link_key(link) else guid


def _mode(
    candidates: list[_Candidate], seen: Mapping[str, SeenEntry], subscription: Subscription, identity: str
) -> tuple[str, str]:
    """How entries are told apart, and why that changes now ('' when it does not)."""
    if subscription.identity:
        return subscription.identity, ""
    if identity and identity != "guid":
        return identity, ""
    with_both = [c for c in candidates if c.guid and c.link_key]
    links = {c.link_key for c in with_both}
    guids = {c.guid for c in with_both}
    if len(with_both) < _ENOUGH or len(links) < 0.9 * len(with_both):
        return "guid", ""  # addresses tell entries apart no better
    collisions = len(with_both) - len(guids)
    if collisions > COLLISION_SHARE * len(with_both):
        return "link", f"{collisions} of {len(with_both)} entries have the guid of another one"
    known = [c for c in with_both if c.remembered(seen)] if seen else []
    turned = [c for c in known if entry_key(subscription.id, c.guid)[:16] not in seen]
    if len(known) >= _ENOUGH and len(turned) > TURNOVER_SHARE * len(known):
        return "link", f"{len(turned)} of {len(known)} known entries came with a new guid"
    return "guid", ""


def _keyed(
    candidates: list[_Candidate], seen: Mapping[str, SeenEntry], feed_id: str, mode: str
) -> tuple[list[_Candidate], int]:
    """The candidates with their keys, without those that say the same again."""
    owners = _owners(candidates, seen, feed_id, mode)
    taken: set[str] = set()
    unique: list[_Candidate] = []
    for candidate in candidates:
        gid = _gid(candidate, mode)
        owner = owners[gid]
        if owner is not candidate:
            same = _longer(owner, gid) == _longer(candidate, gid)
            gid = gid if same else _longer(candidate, gid)
        if gid not in taken and (owner is candidate or gid != _gid(owner, mode)):
            taken.add(gid)
            candidate.key = entry_key(feed_id, gid)
            unique.append(candidate)
    return unique, len(candidates) - len(unique)


def _owners(
    candidates: list[_Candidate], seen: Mapping[str, SeenEntry], feed_id: str, mode: str
) -> dict[str, _Candidate]:
    """Whose each name is, where several entries have it.

    Not theirs who are remembered under name and address; rather theirs whose address is remembered without that, since
    they had the name before; else the first one's (D2).
    """
    namesakes: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        namesakes.setdefault(_gid(candidate, mode), []).append(candidate)

    def rank(candidate: _Candidate) -> int:
        if entry_key(feed_id, _longer(candidate, _gid(candidate, mode)))[:16] in seen:
            return 2
        return 0 if candidate.remembered(seen) else 1

    return {gid: several[0] if len(several) == 1 else min(several, key=rank) for gid, several in namesakes.items()}


def _longer(candidate: _Candidate, gid: str) -> str:
    if not candidate.link_key:
        return f"{gid}\n{candidate.entry.title}"
    return f"{gid}\n{candidate.link_key}#{urlsplit(candidate.entry.link).fragment}"


def _gid(candidate: _Candidate, mode: str) -> str:
    entry = candidate.entry
    if mode == "link+title":
        return f"{candidate.link_key}\n{entry.title}"
    first, second = candidate.guid, candidate.link_key
    if mode == "link":
        first, second = second, first
    return first or second or f"{entry.title}\n{entry.published_raw or entry.updated_raw}"


def _renamed(candidate: _Candidate, seen: Mapping[str, SeenEntry], mode: str) -> SeenEntry | None:
    """What is remembered of the entry under its address, when it is the same story under another name."""
    known = candidate.remembered(seen)
    if known is None or mode == "link+title":
        return None
    return known if mode == "link" or known.revision[:4] == candidate.revision[:4] else None


def _article(
    candidate: _Candidate,
    parsed: ParsedFeed,
    subscription: Subscription,
    now: datetime,
    *,
    revision: int = 0,
    significant: bool = True,
    backfill: bool = False,
) -> Article:
    entry = candidate.entry
    if entry.left_out:
        raise TextsLeftOutError(candidate.key)
    origin, publisher, country = "", subscription.publisher, subscription.country
    if entry.source is not None and not subscription.outlet:
        # An aggregator's entry is its source's: the same owner must not count as two.
        known = outlets.outlet_of(entry.source.url)
        origin = known.name if known else entry.source.title
        publisher = publisher or (known.publisher if known else origin)
        country = country or (known.country if known else "")
    language = entry.language or parsed.language or subscription.language
    return Article(
        id=candidate.key,
        title=entry.title,
        url=candidate.link,
        summary=entry.summary,
        text=entry.content if entry.content != entry.summary else "",
        language=language.partition("-")[0],
        published=believable(entry, now),
        outlet=subscription.outlet or origin or parsed.title,
        feed=subscription.url,
        publisher=publisher,
        country=country,
        official=subscription.official,
        speaks_for=subscription.speaks_for,
        seen=now,
        revision=revision,
        significant=significant,
        backfill=backfill,
        authors=entry.authors,
        tags=entry.tags,
    )
