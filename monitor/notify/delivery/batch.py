"""Messages that tell several events at once: which deliveries go together, and what became of such a message. Pure.

A batch is *frozen* before it is sent: each member's record names the message's id and all members. The id is made of
the members' own ids and revisions, so it names exactly one content. A batch whose end is not known is sent again only
as a whole, by an owner of all of its members; a batch that was refused for certain, or whose members went to different
workers, is taken apart, and what is sent then has an id of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec.structs import replace

from monitor.notify.logbook import Delivery, Handle, Pending, batch_id

#: What became of a frozen batch, as far as the records of this process can tell. `whole`: every member waits here.
#: `arrived`: a member's record says that the message was taken. `unsent`: a member was never frozen, or was taken out,
#: so the message never left or was refused. `apart`: a member is another worker's; nobody here knows.
Fate: TypeAlias = Literal["whole", "arrived", "unsent", "apart"]


def frozen(receiver: str, members: Mapping[str, Pending]) -> dict[str, Pending]:
    """Return the members of one batch, by their keys in the log, with the id of the message that tells them."""
    batch = next(iter(members.values())).batch
    identity, keys = batch_id(receiver, batch, members.values()), tuple(sorted(members))
    return {
        key: replace(pending, sent_as=identity, members=keys, begun=True, doubt=False)
        for key, pending in members.items()
    }


def thawed(pending: Pending) -> Pending:
    """Return the message as one that waits for its batch, with no attempt behind it that may have arrived."""
    return replace(pending, sent_as="", members=(), begun=False, doubt=False)


def fate(pending: Pending, known: Mapping[str, Delivery]) -> tuple[Fate, Handle | None]:
    """Say what became of the frozen batch of `pending`, with the message's handle where it arrived.

    `known` are the records of this process by their keys in the log.
    """
    here = [known[key] for key in pending.members if key in known]
    for delivery in here:
        if delivery.told is not None and delivery.head is not None and delivery.head.get("batch") == pending.sent_as:
            return "arrived", delivery.head
    if any(each.pending is None or each.pending.sent_as != pending.sent_as for each in here):
        return "unsent", None
    return ("whole" if here and len(here) == len(pending.members) else "apart"), None
