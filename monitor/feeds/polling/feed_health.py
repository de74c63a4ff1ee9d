"""How a feed is doing, in one word and one sentence. A pure function of its state and the time."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import NamedTuple

from monitor.feeds.polling.feed_state import DAY, FeedState, Health
from monitor.feeds.subscriptions.subscription import Subscription

#: Reasons that mean: the server knows us and does not want us.
BLOCKED_REASONS = frozenset({"unauthorized", "forbidden", "challenge", "html"})
#: 410 Gone counts once it was said on so many different days.
GONE_DAYS = 3
#: A feed that failed for so long is asked once a day only.
DEAD_AFTER_S = 7 * DAY
#: A feed is stale when nothing is new for this long, or for so many of its usual gaps, whichever is longer.
STALE_AFTER_S, STALE_GAPS = 2 * DAY, 20
#: What counts as the usual gap of a feed without dates that never had a new entry while it was watched.
UNKNOWN_GAP_S = 2 * DAY

#: A feed in which every entry was new, or every one a correction, for so many polls in a row is churning.
CHURNING_POLLS = 3

LONG_DECAY = math.log(2) / (72 * 3600)


def assess(state: FeedState, subscribed: str, now: float) -> tuple[Health, str]:
    """Return a feed's health and why. `subscribed` is the address in the user's list, `now` seconds since 1970."""
    if len(state.gone_days) >= GONE_DAYS:
        return "GONE", f"answered 410 Gone on {len(state.gone_days)} days; take it off the list"
    if state.error_count:
        since = f"since {_day(state.failing_since)}, {state.error_count} in a row"
        problem = f"{state.last_error_text or state.last_error} ({since})"
        if now - state.failing_since >= DEAD_AFTER_S:
            return "DEAD", f"{problem}; it is asked once a day"
        return ("BLOCKED" if state.last_error in BLOCKED_REASONS else "ERROR"), problem
    if not state.last_success:
        return "NEW", "not polled yet"
    if not state.entries:
        return "EMPTY", "a valid document without entries"
    if now - state.last_new > max(STALE_AFTER_S, STALE_GAPS * usual_gap(state)):
        return "STALE", f"answers well, but nothing is new since {_day(state.last_new)}"
    if max(state.only_new, state.only_changed) >= CHURNING_POLLS:
        what = "new" if state.only_new >= CHURNING_POLLS else "a correction"
        return "CHURNING", (
            f"every entry was {what} for {max(state.only_new, state.only_changed)} polls: "
            "its keys may not identify its entries, or it is asked too seldom"
        )
    if state.url != subscribed:
        return "MOVED", f"moved for good to {state.url}; change the list"
    return "OK", ""


class Notice(NamedTuple):
    """Something that is told in the log: the name of an event, whether it is trouble, and what belongs to it."""

    event: str
    is_trouble: bool
    fields: dict[str, str]


def notices(before: FeedState | None, state: FeedState, feed: Subscription) -> list[Notice]:
    """Return what a poll changed that people should know: trouble is told once, and again when it has lasted."""
    found = []
    known = before.health if before else "NEW"
    if state.health != known or state.error_count == feed.alert_after:
        fields = {"health": state.health, "was": known, "why": state.health_reason}
        found.append(Notice("feed_health", state.health not in {"OK", "MOVED"}, fields))
    if before and before.choice.kind and str(state.choice) != str(before.choice):
        fields = {"now": str(state.choice), "was": str(before.choice), "why": state.choice.why}
        found.append(Notice("feed_keys", is_trouble=True, fields=fields))
    if before and before.url and state.url != before.url:
        found.append(Notice("feed_moved", is_trouble=True, fields={"to": state.url}))
    return found


def stuck(state: FeedState, now: float) -> bool:
    """Tell whether to ask once without validators: a stale feed that says 304, at most once a day.

    Some caches answer 304 to validators for ever, whatever has become of the feed behind them.
    """
    return state.health == "STALE" and state.last_status == 304 and now - state.last_unconditional >= DAY


def usual_gap(state: FeedState) -> float:
    """Return the seconds between two entries while the feed was alive, by its long rate when the last entry came."""
    then = state.rate_long * math.exp(min(LONG_DECAY * max(0.0, state.rate_at - state.last_new), 700.0))
    return 1.0 / then if then > 0 else UNKNOWN_GAP_S


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
