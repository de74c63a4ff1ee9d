"""Finds the mentions in open events that a newer revision of an article, a correction or a retraction replaces."""

from __future__ import annotations

import msgspec

from monitor.assemble.claims.kept_mention import HAPPENED, KeptMention, canonical_order
from monitor.assemble.claims.notices import REACH, is_named, notice_of, taken_back
from monitor.assemble.event_index import EventIndex
from monitor.assemble.identity.anchor import READ_OUT
from monitor.assemble.stored import unpack_event
from monitor.records import Mention, Participant


def older_mention(index: EventIndex, group: str, new: KeptMention) -> KeptMention | None:
    """Return the mention of an older revision that `new` replaces; `new` itself if it brings nothing new."""
    older: list[KeptMention] = []
    for event_id in index.group(group):
        entry = index[event_id]
        if new.key not in entry.articles:
            continue
        state = unpack_event(entry.data)
        if any(article == new.article_id and new.revision <= revision for article, revision in state.withdrawn):
            return new
        for known in state.mentions:
            if known.article_id != new.article_id:
                continue
            if known.revision > new.revision or (known.revision == new.revision and known.contact == new.contact):
                return new
            if known.revision < new.revision:
                older.append(known)
    return max(
        older,
        key=lambda o: (o.contact == new.contact, o.status == new.status, o.remote == new.remote, canonical_order(o)),
        default=None,
    )


def edited(new: KeptMention, older: KeptMention | None) -> KeptMention:
    """Return a newer revision's mention. If a plan was edited into its report, it gets the planned day, if due."""
    if older is None or new.when is not None or new.status not in HAPPENED or older.when is None or older.span is None:
        return new
    due = new.day - READ_OUT <= older.span[0] == older.span[1] <= new.day
    return msgspec.structs.replace(new, when=older.when) if due and notice_of(new.title) is None else new


def withdrawn_mentions(index: EventIndex, mention: Mention, notice: KeptMention) -> list[KeptMention]:
    """Return the mentions, of all events, that a withdrawal takes back; `notice` is the withdrawal as it is kept."""
    if mention.withdraws == "older":
        entries = [entry for entry in index.values() if notice.key in entry.articles]
        known = [m for entry in entries for m in unpack_event(entry.data).mentions]
        return [m for m in known if m.article_id == notice.article_id and m.revision < notice.revision]
    near = [entry for entry in index.values() if entry.last >= notice.day - REACH]
    leaders = {leader for entry in near for leader in entry.anchor.leaders}
    named = {leader for leader in leaders if _names(mention, leader)}
    known = [m for entry in near if entry.anchor.leaders & named for m in unpack_event(entry.data).mentions]
    return taken_back(mention, known, notice.time)


def _names(mention: Mention, leader: str) -> bool:
    return mention.source is not None and is_named(Participant(leader=leader, name=leader), mention.source)
