"""Compare a document with what its feed has published: what is new, and what is a correction of what. Pure.

`entry_keys` says by what an entry can be recognised, `key_choice` which of that holds in this feed, `matching` which
known story each entry is. Here the outcome becomes articles to publish and stories to remember.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec

from monitor.feeds.formats.content_hash import significant
from monitor.feeds.formats.document import Entry, ParsedFeed
from monitor.feeds.novelty import key_choice
from monitor.feeds.novelty.article_maker import ArticleMaker
from monitor.feeds.novelty.entry_keys import EntryKeys, entry_digest, keys_of
from monitor.feeds.novelty.filters import Wanted
from monitor.feeds.novelty.key_choice import Choice
from monitor.feeds.novelty.seen import KnownStory, SeenStories
from monitor.feeds.novelty.story_matching import Matching, Stories
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article

#: Corrections of one entry that are published; what changes more often is a counter or a clock (lemon24/reader).
MAX_REVISIONS = 24
#: Earlier editions of a story that are known again, so that two editions that are served in turn are told once each.
_EDITIONS, _EDITION_BYTES = 8, 4

_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).date()


class LeftOut(msgspec.Struct, frozen=True):
    """An entry that is not published, and why: `reason` is a bounded name, `text` a sentence for people."""

    name: str
    reason: str
    text: str


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What a document brought.

    `new` and `changed` are articles to publish, the entry that stands last first; `seen` is what is to be remembered
    (`SeenStories.prune` bounds it), `current` are the ids of the stories in the document. `choice` says how the feed's
    entries are told apart from now on. `entries` counts the entries that were compared, `left_out` are the others,
    `duplicates` counts those that stand in the document twice, `returned` those that went back to an edition that was
    told before, `exhausted` those that changed more often than MAX_REVISIONS. `newest` is the latest believable date in
    the document.
    """

    new: tuple[Article, ...] = ()
    changed: tuple[Article, ...] = ()
    seen: SeenStories = msgspec.field(default_factory=SeenStories)
    current: frozenset[bytes] = frozenset()
    choice: Choice = Choice()
    left_out: tuple[LeftOut, ...] = ()
    entries: int = 0
    unchanged: int = 0
    duplicates: int = 0
    returned: int = 0
    exhausted: int = 0
    newest: datetime | None = None

    @property
    def only_new(self) -> bool:
        """Whether every entry was new."""
        return bool(self.new) and len(self.new) == self.entries - self.duplicates

    @property
    def only_changed(self) -> bool:
        """Whether every entry was a correction."""
        return bool(self.changed) and len(self.changed) == self.entries - self.duplicates


def reconcile(
    seen: SeenStories,
    parsed: ParsedFeed,
    subscription: Subscription,
    now: datetime,
    *,
    choice: Choice | None = None,
    first: bool | None = None,
) -> Reconciled:
    """Compare a document with what was published before; `seen` is changed.

    `choice` is what an earlier reconciliation ended with, None before the first one. `first` marks the first document
    of a feed, whose entries are backfill; None means that it is when nothing was seen.
    """
    first = not len(seen) if first is None else first
    entries, left_out = _wanted(parsed.entries, subscription, now)
    unique, matching, choice = _matched(entries, seen, subscription, choice or Choice())
    ids = _Ids(unique, subscription.id, choice)
    maker = ArticleMaker(parsed, subscription, now, first=first)
    outcome = _EntryOutcome(seen, subscription, maker, choice, today=(now.date() - _EPOCH_DAY).days)
    for number, entry in enumerate(unique):
        story = matching.found.get(number)
        if story is not None:
            outcome.known(entry, story, has_new_link=not matching.stories.find("link", entry.link))
        elif (old := _remembered_by_0_1_0(entry, seen, subscription.id)) is not None:
            outcome.adopted(entry, old)
        else:
            outcome.new(entry, ids.new(entry, outcome.taken))
    all_foreign = bool(unique) and len(matching.foreign) == len(unique)
    return Reconciled(
        new=tuple(reversed(outcome.published)),
        changed=tuple(reversed(outcome.corrected)),
        seen=seen,
        current=frozenset(outcome.current),
        choice=choice if subscription.identity else key_choice.after_corrections(choice, all_foreign=all_foreign),
        left_out=left_out,
        entries=len(entries),
        unchanged=outcome.unchanged,
        duplicates=len(entries) - len(unique),
        returned=outcome.returned,
        exhausted=outcome.exhausted,
        newest=max((date for entry in unique if (date := entry.believable(now))), default=None),
    )


def _wanted(
    entries: Iterable[Entry], subscription: Subscription, now: datetime
) -> tuple[list[Entry], tuple[LeftOut, ...]]:
    """The entries that are compared, and those that are left out."""
    wanted = Wanted(subscription)
    oldest = now - timedelta(days=subscription.max_age_days) if subscription.max_age_days else None
    kept: list[Entry] = []
    left_out: list[LeftOut] = []
    for each in entries:
        entry = wanted.rewritten(each)
        moment = entry.published or entry.updated
        reason, text = "", ""
        if not (entry.title or entry.summary or entry.content):
            reason, text = "no_words", "it has neither title nor text"
        elif text := wanted.refusal(entry):
            reason = "filtered"
        elif oldest and moment is not None and moment < oldest:
            reason, text = "too_old", f"it is older than {subscription.max_age_days} days"
        if reason:
            left_out.append(LeftOut(entry.title or entry.link or entry.guid, reason, text))
        else:
            kept.append(entry)
    return kept, tuple(left_out)


def _matched(
    entries: Sequence[Entry], seen: SeenStories, subscription: Subscription, before: Choice
) -> tuple[list[EntryKeys], Matching, Choice]:
    """Each story of the document once, with the known stories that they are, and the choice of keys after it."""
    forced = bool(subscription.identity)
    unique = _unique(keys_of(entries, subscription, before.volatile))
    choice = key_choice.from_document(unique, before, subscription.identity)
    stories = Stories(seen, unique, choice.volatile)
    matching = Matching(unique, stories, forced=forced)
    matching.known(choice)
    if not forced:
        same = [(unique[number], story) for number, story in matching.found.items()]
        learned = key_choice.from_matches(unique, choice, same, lambda kind, key: bool(stories.find(kind, key)))
        if learned.volatile != choice.volatile:
            again = _unique(keys_of(entries, subscription, learned.volatile))
            if len({entry.place for entry in again}) < min(len({entry.place for entry in unique}), len(again)):
                # Links without those parameters are the same for several entries: they tell entries apart.
                learned = msgspec.structs.replace(learned, volatile=choice.volatile, why=choice.why)
            else:
                unique = again
        if learned != choice:
            matching = Matching(unique, Stories(seen, unique, learned.volatile))
            matching.known(learned)
        choice = learned
    matching.corrections(choice)
    return unique, matching, choice


def _unique(entries: list[EntryKeys]) -> list[EntryKeys]:
    """The entries without those that say the same as one before them: under its guid or link, or at its moment.

    One story in two sections has another guid and another link in each, but not another title, text and time. What has
    a title only, or the date that all have, may be two stories.
    """
    dates_tell = len({entry.date for entry in entries}) > 1
    speakers: dict[bytes, set[bytes]] = {}
    for entry in entries:
        speakers.setdefault(entry.link, set()).add(entry.words)
    told: dict[tuple[bytes, bytes], EntryKeys] = {}
    unique: list[EntryKeys] = []
    for entry in entries:
        twin = None
        keys = [key for key in (entry.guid, entry.link) if key]
        if not keys or (dates_tell and entry.date and entry.title and entry.is_told):
            keys.append(entry.date)
        for key in keys:
            earlier = told.setdefault((key, entry.words), entry)
            twin = twin or (earlier if earlier is not entry else None)
        other_time = twin is not None and entry.date != twin.date and len(speakers[entry.link]) > 1
        if twin is None or (other_time and (not entry.guid or entry.guid != twin.guid)):
            unique.append(entry)
    return unique


class _EntryOutcome:
    """Collects what becomes of the entries of one document, and remembers it in `seen`."""

    def __init__(
        self, seen: SeenStories, subscription: Subscription, maker: ArticleMaker, choice: Choice, *, today: int
    ) -> None:
        self._seen, self._subscription, self._maker, self._today = seen, subscription, maker, today
        #: In a feed whose guids and links hold, a new address is a correction, too.
        self._tells_moves = choice.kind == "guid" and choice.links_hold and not choice.links_move
        self.taken = {story.id for story in seen}
        self.current: list[bytes] = []
        self.published: list[Article] = []
        self.corrected: list[Article] = []
        self.unchanged = self.returned = self.exhausted = 0

    def new(self, entry: EntryKeys, article_id: bytes) -> None:
        """Publish a new story."""
        self.taken.add(article_id)
        self._remember(entry, KnownStory(article_id, entry.content, self._today))
        self.published.append(self._maker.article(entry, article_id))

    def adopted(self, entry: EntryKeys, old: Sequence[KnownStory]) -> None:
        """Go on with a story of which version 0.1.0 remembered only names; what it says now counts as told."""
        for story in old:
            self._seen.drop(story)
        known = KnownStory(old[0].id, entry.content, old[0].day, n=old[0].n)
        self._remember(entry, msgspec.structs.replace(known, id=_full_id(entry, old[0].id, self._subscription.id)))
        self.unchanged += 1

    def known(self, entry: EntryKeys, story: KnownStory, *, has_new_link: bool) -> None:
        """Publish a correction, where it is one. `has_new_link` says that no story had the entry's link before."""
        edition = _edition(entry)
        is_back = edition in _editions(story)
        is_moved = (
            self._tells_moves and has_new_link and entry.guid == story.guid and entry.path not in {b"", story.path}
        )
        is_same = entry.content == story.content and not is_moved
        if is_same or self._subscription.ignore_updates:
            self.unchanged += 1
        elif is_back and story.returned:
            self.returned += 1
        elif story.n >= MAX_REVISIONS:
            self.exhausted += 1
        else:
            important = significant(story.content, entry.content)
            kept = [old for old in _editions(story) if old != edition]
            editions = b"".join((*kept, _edition(story))[-_EDITIONS:])
            story = msgspec.structs.replace(
                story, content=entry.content, n=story.n + 1, editions=editions, returned=story.returned or is_back
            )
            self.corrected.append(self._maker.article(entry, story.id, revision=story.n, significant=important))
        self._remember(entry, story)

    def _remember(self, entry: EntryKeys, story: KnownStory) -> None:
        """Remember a story under the keys that it has now."""
        self.current.append(story.id)
        keys = {name: getattr(entry, name) or getattr(story, name) for name in ("guid", "link", "path", "date")}
        parameters = entry.parameters if entry.path else story.parameters
        self._seen.put(msgspec.structs.replace(story, parameters=parameters, **keys))


def _edition(one: EntryKeys | KnownStory) -> bytes:
    return zlib.crc32(one.content + one.path).to_bytes(_EDITION_BYTES)


def _editions(story: KnownStory) -> list[bytes]:
    return [story.editions[at : at + _EDITION_BYTES] for at in range(0, len(story.editions), _EDITION_BYTES)]


class _Ids:
    """Ids for the articles of one document's new stories."""

    def __init__(self, entries: Sequence[EntryKeys], feed_id: str, choice: Choice) -> None:
        self._feed_id, self._choice = feed_id, choice
        self._guids = Counter(entry.guid for entry in entries)
        self._addresses = Counter(entry.address for entry in entries)

    def new(self, entry: EntryKeys, taken: Container[bytes]) -> bytes:
        """Return the id of the best name that no other entry has, and of which no article was made yet.

        It depends on nothing but the document and what is remembered, so that a poll that is repeated after a crash
        gives the same ids.
        """
        return next(found for name in self._names(entry) if (found := entry_digest(self._feed_id, name)) not in taken)

    def _names(self, entry: EntryKeys) -> Iterator[str]:
        title, moment = entry.entry.title, entry.date.hex()
        if entry.gid and (self._choice.trusts("guid") or not entry.address) and self._guids[entry.guid] == 1:
            yield entry.gid
        if entry.address and self._addresses[entry.address] == 1:
            yield entry.address
        if not (entry.gid or entry.address):
            yield f"{title}\n{entry.entry.published_raw or entry.entry.updated_raw}"
        yield f"{entry.address or entry.gid}\n{title}"
        yield f"{title}\n{moment}"
        for number in count():
            yield f"{entry.words.hex()}\n{moment}\n{entry.link.hex()}\n{entry.guid.hex()}\n{number}"


def _remembered_by_0_1_0(entry: EntryKeys, seen: SeenStories, feed_id: str) -> list[KnownStory] | None:
    """The stories without content that have a name of the entry, None for none. The first is the one it goes by."""
    found = [story for name in _old_names(entry, feed_id) if (story := seen.without_content(name)) is not None]
    return found or None


def _old_names(entry: EntryKeys, feed_id: str) -> list[bytes]:
    """The names under which version 0.1.0 remembered an entry."""
    own = [entry_digest(feed_id, name)[:8] for name in (entry.gid, entry.address) if name]
    bare = [] if own else [entry_digest(feed_id, f"{entry.entry.title}\n{entry.entry.published_raw}")[:8]]
    return own + bare + ([entry_digest(feed_id, entry.address)[8:]] if entry.address else [])


def _full_id(entry: EntryKeys, name: bytes, feed_id: str) -> bytes:
    """The id of which an old name is the first half; another one of the same entry where it was an address's second."""
    raw = (entry.gid, entry.address, f"{entry.entry.title}\n{entry.entry.published_raw}")
    ids = [entry_digest(feed_id, text) for text in raw if text.strip()]
    return next((full for full in ids if full.startswith(name)), ids[0])
