"""The watchlist: which leaders are tracked, their offices with dates, and the states that they lead.

`bundled()` returns the roster that ships with the project, `load(path)` reads a user's watchlist file, and
`load_or_bundled(path)` chooses between them. docs/watchlist.md describes both.
"""

from __future__ import annotations

from monitor.watchlist.load import bundled, load, load_or_bundled
from monitor.watchlist.names import plain, slug
from monitor.watchlist.roster import (
    Alias,
    Executive,
    Leader,
    Meaning,
    Office,
    Phrase,
    Role,
    Seat,
    State,
    Strength,
    Watch,
    Watchlist,
)

__all__ = [
    "Alias",
    "Executive",
    "Leader",
    "Meaning",
    "Office",
    "Phrase",
    "Role",
    "Seat",
    "State",
    "Strength",
    "Watch",
    "Watchlist",
    "bundled",
    "load",
    "load_or_bundled",
    "plain",
    "slug",
]
