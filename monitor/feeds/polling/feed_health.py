"""Judge the health of a feed: one word such as `STALE`, and a sentence that says why. Pure functions."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import NamedTuple

from monitor.feeds.polling.feed_state import DAY, FeedState, Health
from monitor.feeds.subscriptions.subscription import Subscription

#: Failures which mean that the server refuses us on purpose.
BLOCKED_REASONS = frozenset({"unauthorized", "forbidden", "challenge", "html"})
#: A feed is GONE when it answered 410 on this many different days.
GONE_DAYS = 3
#: A feed that has failed for this long is DEAD and polled only once a day.
DEAD_AFTER_S = 7 * DAY
#: A feed is STALE without a new entry for STALE_AFTER_S, or for STALE_GAPS times its usual gap, whichever is longer.
STALE_AFTER_S, STALE_GAPS = 2 * DAY, 20
#: The usual gap of a feed that had no new entry since it is polled, and whose entries have no dates.
UNKNOWN_GAP_S = 2 * DAY

#: A feed is CHURNING when every entry was new, or every entry a correction, in this many polls in a row.
CHURNING_POLLS = 3

LONG_DECAY = math.log(2) / (72 * 3600)


def assess(state: FeedState, subscribed: str, now: float) -> tuple[Health, str]:
    """Return a feed's health, and why. `subscribed` is the URL in the user's list, `now` is in seconds since 1970."""
    if len(state.gone_days) >= GONE_DAYS:
        return "GONE", f"answered 410 Gone on {len(state.gone_days)} days; remove it from the list"
    if state.error_count:
        since = f"since {_day(state.failing_since)}, {state.error_count} in a row"
        problem = f"{state.last_error_text or state.last_error} ({since})"
        if now - state.failing_since >= DEAD_AFTER_S:
            return "DEAD", f"{problem}; it is polled once a day"
        return ("BLOCKED" if state.last_error in BLOCKED_REASONS else "ERROR"), problem
    if not state.last_success:
        return "NEW", "not polled yet"
    if not state.entries:
        return "EMPTY", "a valid document without entries"
    if now - state.last_new > max(STALE_AFTER_S, STALE_GAPS * usual_gap(state)):
        return "STALE", f"answers, but has had no new entry since {_day(state.last_new)}"
    if max(state.only_new, state.only_changed) >= CHURNING_POLLS:
        what = "new" if state.only_new >= CHURNING_POLLS else "a correction"
        return "CHURNING", (
            f"every entry was {what} for {max(state.only_new, state.only_changed)} polls: "
            "its keys may not identify its entries, or it is polled too seldom"
        )
    if state.url != subscribed:
        return "MOVED", f"moved permanently to {state.url}; change the URL in the list"
    return "OK", ""


class HealthNotice(NamedTuple):
    """A line for the log: its event name, whether it is a warning (`is_trouble`), and its fields."""

    event: str
    is_trouble: bool
    fields: dict[str, str]


def notices(before: FeedState | None, state: FeedState, feed: Subscription) -> list[HealthNotice]:
    """Return the changes of a poll that operators should see: health, key and URL.

    A change of health is reported once, and again after `alert_after` errors in a row.
    """
    found = []
    known = before.health if before else "NEW"
    if state.health != known or state.error_count == feed.alert_after:
        fields = {"health": state.health, "was": known, "why": state.health_reason}
        found.append(HealthNotice("feed_health", state.health not in {"OK", "MOVED"}, fields))
    if before and before.choice.kind and str(state.choice) != str(before.choice):
        fields = {"now": str(state.choice), "was": str(before.choice), "why": state.choice.why}
        found.append(HealthNotice("feed_keys", is_trouble=True, fields=fields))
    if before and before.url and state.url != before.url:
        found.append(HealthNotice("feed_moved", is_trouble=True, fields={"to": state.url}))
    return found


def wants_whole_answer(state: FeedState, now: float) -> bool:
    """Tell whether to send the next request without validators: for a stale feed that answers 304, once a day.

    Some caches answer 304 for ever, although the feed behind them has changed.
    """
    return state.health == "STALE" and state.last_status == 304 and now - state.last_unconditional >= DAY


def usual_gap(state: FeedState) -> float:
    """Return the usual seconds between two entries, from the feed's long-term rate when its last entry came."""
    then = state.rate_long * math.exp(min(LONG_DECAY * max(0.0, state.rate_at - state.last_new), 700.0))
    return 1.0 / then if then > 0 else UNKNOWN_GAP_S


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
