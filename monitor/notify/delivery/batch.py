"""Batches: messages about several events at once, after a digest, quiet hours or a storm. Pure functions.

A batch is *frozen* before it is sent: the record of each member gets the message's id and the keys of all members. The
id is made from the ids and revisions of the members, so it stands for exactly one content. When it is not known whether
a batch arrived, it is sent again only as a whole, by a worker that owns all members. A batch that was certainly
refused, or whose members belong to different workers, is taken apart; its members are then sent under new ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec.structs import replace

from monitor.notify.logbook import Delivery, Handle, Pending, batch_id

#: The state of a frozen batch, as far as the records of this process show it. `whole`: every member is here and still
#: pending. `arrived`: the record of a member says that the message was taken. `unsent`: a member was not frozen or was
#: removed, so the message was never sent, or was refused. `apart`: another worker owns a member, so it is not known.
BatchState: TypeAlias = Literal["whole", "arrived", "unsent", "apart"]


def frozen(receiver: str, members: Mapping[str, Pending]) -> dict[str, Pending]:
    """Return the pending messages of a batch, by their keys in the log, with the id of their common message."""
    batch = next(iter(members.values())).batch
    identity, keys = batch_id(receiver, batch, members.values()), tuple(sorted(members))
    return {
        key: replace(pending, sent_as=identity, members=keys, begun=True, doubt=False)
        for key, pending in members.items()
    }


def unfrozen(pending: Pending) -> Pending:
    """Return the pending message as not frozen: it waits for its batch again, and no attempt of it is in doubt."""
    return replace(pending, sent_as="", members=(), begun=False, doubt=False)


def alone(pending: Pending) -> Pending:
    """Return the pending message without its batch, to be sent alone, and with no crashes counted."""
    return replace(unfrozen(pending), batch="", deaths=0)


def state_of(pending: Pending, known: Mapping[str, Delivery]) -> tuple[BatchState, Handle | None]:
    """Return the state of the frozen batch of `pending`, and the message's handle if it has arrived.

    `known` are the records of this process by their keys in the log.
    """
    here = [known[key] for key in pending.members if key in known]
    for delivery in here:
        if delivery.told is not None and delivery.head is not None and delivery.head.get("batch") == pending.sent_as:
            return "arrived", delivery.head
    if any(each.pending is None or each.pending.sent_as != pending.sent_as for each in here):
        return "unsent", None
    return ("whole" if here and len(here) == len(pending.members) else "apart"), None
