"""Which entry is which, from poll to poll: keys, revisions, duplicates (FEEDS rules D1 to D7). Pure.

A guid is what a feed calls an entry, and mostly right. Where it is not, feeds fail in known ways, and each has its
rule: no guid at all; a counter at its end that rises with every edit (BBC); one guid for many entries; new guids for
old entries at every poll. What has been published is remembered under the entry's key and, where that is not its
address already, under its address too, so that a feed whose guids turn out to be worthless can go on by address
without publishing anything again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from monitor.feeds.formats.content_hash import same_words, significant
from monitor.feeds.formats.document import Entry, ParsedFeed
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.novelty.entry_keys import NamedEntry, guids, named
from monitor.feeds.novelty.filters import Wanted, looks_into_texts
from monitor.feeds.novelty.seen import Seen, SeenEntry
from monitor.feeds.subscriptions import outlets
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article

#: Corrections of one entry that are published; what changes more often is a counter or a clock (lemon24/reader).
MAX_REVISIONS = 24
#: Above this share of entries that have another's guid, or of known addresses that come with a new guid, guids are not
#: believed any more (FEEDS rule D2). Fewer entries than this say nothing.
COLLISION_SHARE = 0.3
TURNOVER_SHARE = 0.5
_ENOUGH = 4

_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).date()


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What a document brought.

    `new` and `changed` are articles to publish, oldest entry first; `seen` is what is to be remembered (`Seen.prune`
    bounds it), `current` are the names in it of the document's entries. `identity` is how entries are told apart from
    now on, `switched` says why when that has changed just now. `named` are the document's entries as they were
    compared, None for those without a word and those that a filter refused; `dropped` counts these, `duplicates` those
    that stand in it twice, `exhausted` those that changed more often than MAX_REVISIONS. `newest` is the latest
    believable date in the document.
    """

    new: tuple[Article, ...] = ()
    changed: tuple[Article, ...] = ()
    seen: Seen = msgspec.field(default_factory=Seen)
    current: frozenset[bytes] = frozenset()
    identity: str = "guid"
    switched: str = ""
    named: tuple[NamedEntry | None, ...] = ()
    unchanged: int = 0
    duplicates: int = 0
    dropped: int = 0
    exhausted: int = 0
    newest: datetime | None = None


class _Candidate(msgspec.Struct, gc=False):
    """An entry in its document: its guid there, its texts where they were read, and its key, at first its guid's."""

    named: NamedEntry
    guid: str
    entry: Entry
    key: bytes

    def names(self) -> tuple[bytes, ...]:
        """The names under which it is remembered: its own, and one of its address where that is not its name."""
        key, page = self.key, self.named.page
        return (key[:8], page[8:]) if page and page != key else (key[:8],)

    def is_remembered(self, seen: Seen) -> bool:
        """Whether something is remembered under its address, whichever name it had."""
        page = self.named.page
        return bool(page) and (page[:8] in seen.names or page[8:] in seen.names)


def reconcile(
    seen: Seen,
    parsed: ParsedFeed,
    subscription: Subscription,
    now: datetime,
    *,
    identity: str = "",
    first: bool | None = None,
) -> Reconciled:
    """Compare a document with what was published before.

    `identity` is what an earlier reconciliation ended with, '' before the first one. `first` marks the first document
    of a feed, whose entries are backfill (D5); None means that it is when nothing was seen.
    """
    first = not seen if first is None else first
    today = (now.date() - _EPOCH_DAY).days
    entries = list(_read(parsed.entries, subscription))
    oldest = now - timedelta(days=subscription.max_age_days) if subscription.max_age_days else None
    kept = [(name, entry) for name, entry in entries if name and entry and not (oldest and name.is_before(oldest))]
    known_as = guids([name for name, _ in kept])
    candidates = [
        _Candidate(name, guid, entry, name.key(subscription.id, guid))
        for (name, entry), guid in zip(kept, known_as, strict=True)
    ]
    mode, switched = _mode(candidates, seen, subscription, identity)
    unique, duplicates = _keyed(candidates, seen, subscription.id, mode)

    after = seen.copy()
    current: list[bytes] = []
    new: list[Article] = []
    changed: list[Article] = []
    unchanged = exhausted = 0
    for candidate in unique:
        names, revision = candidate.names(), candidate.named.revision
        current += names
        if after.says(names, revision):
            unchanged += 1
            continue
        known = after.get(names[0]) or (_renamed(candidate, seen, mode) if seen else None)
        if known is None:
            record = SeenEntry(revision, 0, today)
            new.append(_article(candidate, parsed, subscription, now, backfill=first))
        elif known.revision == revision or subscription.ignore_updates:
            unchanged += 1
            record = known
        elif known.n >= MAX_REVISIONS:
            exhausted += 1
            record = known
        else:
            record = SeenEntry(revision, known.n + 1, known.day)
            important = significant(known.revision, revision)
            changed.append(_article(candidate, parsed, subscription, now, revision=record.n, significant=important))
        after.put(names, record)
    dates = [date for c in unique if (date := c.named.believable(now))]
    return Reconciled(
        new=tuple(reversed(new)),
        changed=tuple(reversed(changed)),
        seen=after,
        current=frozenset(current),
        identity=mode,
        switched=switched,
        named=tuple(name for name, _ in entries),
        unchanged=unchanged,
        duplicates=duplicates,
        dropped=len(entries) - len(kept),
        exhausted=exhausted,
        newest=max(dates, default=None),
    )


def _read(entries: Iterable[Entry], subscription: Subscription) -> Iterable[tuple[NamedEntry | None, Entry | None]]:
    """Each entry of the document with its names, None for what is left out."""
    wanted = Wanted(subscription) if looks_into_texts(subscription) else None
    for entry in entries:
        accepted: Entry | None = entry
        if not (entry.title or entry.summary or entry.content):
            accepted = None
        elif wanted is not None:
            accepted = wanted.accept(entry)
        yield (None, None) if accepted is None else (named(accepted, subscription), accepted)


def _mode(candidates: list[_Candidate], seen: Seen, subscription: Subscription, identity: str) -> tuple[str, str]:
    """How entries are told apart, and why that changes now ('' when it does not)."""
    if subscription.identity:
        return subscription.identity, ""
    if identity and identity != "guid":
        return identity, ""
    with_both = [c for c in candidates if c.guid and c.named.link_key]
    links = {c.named.link_key for c in with_both}
    collisions = len(with_both) - len({c.guid for c in with_both})
    if len(with_both) < _ENOUGH or len(links) < 0.9 * len(with_both):
        return "guid", ""  # addresses tell entries apart no better
    if collisions > COLLISION_SHARE * len(with_both):
        return "link", f"{collisions} of {len(with_both)} entries have the guid of another one"
    names = seen.names
    turned = sum(c.is_remembered(seen) for c in with_both if c.key[:8] not in names)
    if turned:
        known = sum(c.is_remembered(seen) for c in with_both)
        if known >= _ENOUGH and turned > TURNOVER_SHARE * known:
            return "link", f"{turned} of {known} known entries came with a new guid"
    return "guid", ""


def _keyed(candidates: list[_Candidate], seen: Seen, feed_id: str, mode: str) -> tuple[list[_Candidate], int]:
    """The candidates with their keys, without those that say the same again."""
    by_guid = mode == "guid"
    gids = [(by_guid and candidate.guid) or _gid(candidate, mode) for candidate in candidates]
    owners = _owners(candidates, gids, seen, feed_id)
    taken: set[str] = set()
    unique: list[_Candidate] = []
    for candidate, own in zip(candidates, gids, strict=True):
        gid, owner = own, owners[own]
        if owner is not candidate and owner.named.longer(gid) != candidate.named.longer(gid):
            gid = candidate.named.longer(gid)
        if gid not in taken and (owner is candidate or gid != own):
            taken.add(gid)
            if gid != candidate.guid:
                candidate.key = candidate.named.key(feed_id, gid)
            unique.append(candidate)
    return unique, len(candidates) - len(unique)


def _owners(candidates: Sequence[_Candidate], gids: Sequence[str], seen: Seen, feed_id: str) -> dict[str, _Candidate]:
    """Whose each name is, where several entries have it.

    Not theirs who are remembered under name and address; rather theirs whose address is remembered without that, since
    they had the name before; else the first one's (D2).
    """
    owners = dict(zip(reversed(gids), reversed(candidates), strict=True))
    if len(owners) == len(candidates):
        return owners
    namesakes: dict[str, list[_Candidate]] = {}
    for candidate, gid in zip(candidates, gids, strict=True):
        namesakes.setdefault(gid, []).append(candidate)

    def rank(gid: str, candidate: _Candidate) -> int:
        if candidate.named.key(feed_id, candidate.named.longer(gid))[:8] in seen.names:
            return 2
        return 0 if candidate.is_remembered(seen) else 1

    return {gid: min(several, key=partial(rank, gid)) for gid, several in namesakes.items()}


def _gid(candidate: _Candidate, mode: str) -> str:
    name = candidate.named
    if mode == "link+title":
        return f"{name.link_key}\n{name.title}"
    first, second = candidate.guid, name.link_key
    if mode == "link":
        first, second = second, first
    return first or second or f"{name.title}\n{name.undated}"


def _renamed(candidate: _Candidate, seen: Seen, mode: str) -> SeenEntry | None:
    """What is remembered of the entry under its address, when it is the same story under another name."""
    name = candidate.named
    known = (seen.get(name.page[:8]) or seen.get(name.page[8:])) if name.page else None
    if known is None or mode == "link+title":
        return None
    return known if mode == "link" or same_words(known.revision, name.revision) else None


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
    entry, key = candidate.entry, candidate.key.hex()
    origin, publisher, country = "", subscription.publisher, subscription.country
    if entry.source is not None and not subscription.outlet:
        # An aggregator's entry is its source's: the same owner must not count as two.
        known = outlets.outlet_of(entry.source.url)
        origin = known.name if known else entry.source.title
        publisher = publisher or (known.publisher if known else origin)
        country = country or (known.country if known else "")
    language = entry.language or parsed.language or subscription.language
    return Article(
        id=key,
        title=entry.title,
        url=article_urls.canonical(entry.link),
        summary=entry.summary,
        text=entry.content if entry.content != entry.summary else "",
        language=language.partition("-")[0],
        published=candidate.named.believable(now),
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
