"""Decide when a feed is polled next, and why. Pure functions of its state, its last answer, the time, a random number.

The interval aims at one new entry a poll. It follows the feed's rate of new entries, exponentially weighted with
half-lives of 3 and 72 hours. In a simulation of 400 feeds over 7 days, entries were seen as early as with a poll every
6 minutes, with a third of the requests. A server's hints (max-age, Retry-After, ttl) can only make the interval longer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from monitor.feeds.novelty.key_choice import KeyChoice
from monitor.feeds.polling.feed_health import BLOCKED_REASONS, DEAD_AFTER_S, GONE_DAYS, LONG_DECAY, assess
from monitor.feeds.polling.feed_state import DAY, FeedState, HourCount
from monitor.feeds.subscriptions.subscription import Subscription

MINUTE, HOUR = 60.0, 3600.0
SHORT_DECAY = math.log(2) / (3 * HOUR)

#: A subscription may set a shorter interval than the floor, down to this, while the feed answers 304.
FAST_FLOOR_S = 2 * MINUTE
#: A feed without a new entry for SLEEPY_AFTER_S may be polled as seldom as every SLEEPY_CEILING_S.
SLEEPY_AFTER_S, SLEEPY_CEILING_S = 30 * DAY, 24 * HOUR
#: A new feed keeps this interval for its first polls, until its rate of entries is known.
NEW_INTERVAL_S, NEW_POLLS = 15 * MINUTE, 3
JITTER = 0.1
#: Limits of a server's hints: for a busy feed (more than BUSY_PER_DAY entries) and for any feed. Without them feeds
#: would go stale (NetNewsWire #4478).
BUSY_PER_DAY, BUSY_HINT_S, MAX_HINT_S = 4.0, 1 * HOUR, 24 * HOUR
#: In the hours and on the days of skipHours and skipDays the interval is this many times longer, up to the ceiling. The
#: feed is still polled, since many of those lists are wrong.
SKIP_FACTOR = 4
#: The wait after 429 without Retry-After. It doubles each time, up to a day, and is multiplied by 1 to 2 (as tt-rss).
THROTTLED_S, MAX_BACKOFF_S = 1 * HOUR, 24 * HOUR
#: Other errors double the interval, up to this during the first day and up to MAX_BACKOFF_S afterwards.
FIRST_DAY_BACKOFF_S = 4 * HOUR
BLOCKED_S = 6 * HOUR
#: The interval of a feed that is gone, or has failed `disable_after` times. It is never given up completely.
GONE_S = 7 * DAY
#: A permanent redirect is adopted after MOVE_POLLS polls in a row, over MOVE_AFTER_S (as NewsBlur does).
MOVE_POLLS, MOVE_AFTER_S = 10, 48 * HOUR
#: While a hub sends the entries, the interval is this many times longer (as NewsBlur does), up to a day.
PUSH_FACTOR, PUSH_MAX_S = 12, 24 * HOUR
#: When a poller starts, overdue feeds are spread over SPREAD_S, and new feeds are polled at NEW_A_SECOND a second.
SPREAD_S, NEW_A_SECOND = 10 * MINUTE, 10.0
#: The least time between two polls of a feed whose URL or request options were changed.
NEW_REQUEST_S = 10.0

Outcome = Literal["changed", "unchanged", "not_modified", "failed"]


@dataclass(frozen=True)
class ScheduleRules:
    """The operator's settings: the shortest and the longest usual interval, in seconds."""

    floor_s: float = 5 * MINUTE
    ceiling_s: float = 4 * HOUR


class PollAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one poll, for the schedule. Times are seconds since 1970; durations are in seconds.

    `reason` is the label of a failure and `text` its message. `fresh_s` and `retry_after_s` come from the headers.
    `document_hint_s` (`<ttl>` or `sy:updatePeriod`), `skip_hours` (UTC) and `skip_days` (0 is Monday) come from the
    document, and are None when none was read.

    `new` is the number of new entries. `new_times` are their published times; an entry without a date counts with the
    time of the poll, but not in the feed's first document. `newest` is the latest published time in the document, and
    `overlap` the share of its entries that were known already. `choice` is the key that identifies entries. `only_new`
    and `only_changed` mean that all entries were new, or all corrections.

    `permanent_to` is the final URL if all redirects were permanent. `pushed` means that a hub sent the document.
    `oddity` describes defects of the answer that were tolerated.
    """

    outcome: Outcome
    status: int = 0
    reason: str = ""
    text: str = ""
    conditional: bool = False
    etag: str = ""
    last_modified: str = ""
    body_hash: str = ""
    fresh_s: float | None = None
    retry_after_s: float | None = None
    document_hint_s: float | None = None
    skip_hours: tuple[int, ...] | None = None
    skip_days: tuple[int, ...] | None = None
    permanent_to: str = ""
    overlap: float = 1.0
    entries: int | None = None
    new: int = 0
    new_times: tuple[float, ...] = ()
    newest: float = 0.0
    parse_mode: str = ""
    feed_title: str = ""
    choice: KeyChoice | None = None
    only_new: bool = False
    only_changed: bool = False
    hub: str = ""
    topic: str = ""
    pushed: bool = False
    oddity: str = ""


def begin(state: FeedState | None, feed: Subscription) -> FeedState:
    """Return the state with which a poll starts. If the request changed, validators, hints and errors are cleared."""
    if state is None:
        state = FeedState(feed=feed.id)
    if state.request != feed.request_hash:
        state = msgspec.structs.replace(
            state,
            url=feed.url,
            request=feed.request_hash,
            etag="",
            last_modified="",
            body_hash="",
            header_hint_s=0.0,
            document_hint_s=0.0,
            skip_hours=(),
            skip_days=(),
            error_count=0,
            throttle_count=0,
            failing_since=0.0,
            gone_days=(),
            move_to="",
            move_count=0,
            move_since=0.0,
        )
    return msgspec.structs.replace(state, host_group=feed.group)


def first_due(
    state: FeedState | None, feed: Subscription, *, now: float, draw: float, crowd: int, rules: ScheduleRules
) -> float:
    """Return when a feed that this poller has just taken over is due.

    A feed that is not due yet keeps its time. Overdue feeds are spread over ten minutes or their interval, whichever is
    shorter. A `crowd` of feeds that were never polled are polled at ten a second. No feed is polled before its floor
    has passed since the last poll. If the state was written by a clock that is ahead of this one, the wait is still at
    most that of the longest interval.
    """
    due = _first_due(state, feed, now=now, draw=draw, crowd=crowd, rules=rules)
    return min(due, now + max(GONE_S, rules.ceiling_s, float(feed.interval_max_s or 0)))


def _first_due(
    state: FeedState | None, feed: Subscription, *, now: float, draw: float, crowd: int, rules: ScheduleRules
) -> float:
    if state is None or not state.last_attempt:
        return now + draw * min(SPREAD_S, crowd / NEW_A_SECOND)
    if state.request != feed.request_hash:
        return max(now, state.last_attempt + NEW_REQUEST_S, state.paused_until)
    due, floor = state.next_due, floor_of(state, feed, now, rules)
    if due <= now:
        due = now + draw * min(SPREAD_S, max(floor, state.next_due - state.last_attempt))
    return max(due, state.last_attempt + floor, state.paused_until)


def attempted(state: FeedState, feed: Subscription, now: float, rules: ScheduleRules) -> FeedState:
    """Return the state to store before a poll, so that a poll that kills its process is not repeated at once."""
    due = now + floor_of(state, feed, now, rules)
    return msgspec.structs.replace(
        state, last_attempt=now, next_due=due, due_reason="the last poll began and did not end"
    )


def after(
    state: FeedState, feed: Subscription, answer: PollAnswer, *, now: float, draw: float, rules: ScheduleRules
) -> FeedState:
    """Return the state after a poll, with the next due time and its reason. `draw` is a random number from 0 to 1."""
    state = _counted(state, answer, now)
    state = _failed(state, feed, answer, now) if answer.outcome == "failed" else _succeeded(state, answer, now)
    wait, why = _wait(state, feed, answer, now=now, draw=draw, rules=rules)
    # 429 limits our IP address, not one feed, so the whole host group pauses (FreshRSS #8925).
    pause = now + wait if answer.status == 429 else state.paused_until
    state = msgspec.structs.replace(
        state, next_due=now + wait, due_reason=why, paused_until=pause, oddity=answer.oddity
    )
    health, reason = assess(state, feed.url, now)
    return msgspec.structs.replace(state, health=health, health_reason=reason)


def interval(state: FeedState, feed: Subscription, now: float, rules: ScheduleRules) -> tuple[float, str]:
    """Return the interval in seconds by the feed's rate, before hints, back-off and jitter, and the reason for it."""
    floor, ceiling = floor_of(state, feed, now, rules), _ceiling_of(state, feed, now, rules)
    if feed.interval_s:
        return floor, "fixed interval"
    if state.polls < NEW_POLLS:
        return min(max(NEW_INTERVAL_S, floor), ceiling), "new feed"
    rate = max(_decayed(state.rate_short, SHORT_DECAY, state, now), _decayed(state.rate_long, LONG_DECAY, state, now))
    if rate * ceiling <= 1:
        return max(floor, ceiling), "few entries"
    return max(floor, 1 / rate), f"about an entry in {_span(1 / rate)}"


def floor_of(state: FeedState, feed: Subscription, now: float, rules: ScheduleRules) -> float:
    """Return the shortest interval in seconds.

    It is below the usual floor only for a feed that answers 304 or is in a private network, or with `interval_s`.
    """
    if feed.interval_s:
        return float(feed.interval_s)
    wanted = float(feed.interval_min_s or min(rules.floor_s, feed.interval_max_s or rules.floor_s))
    if wanted >= rules.floor_s or feed.allow_private_network:
        return wanted
    return max(wanted, FAST_FLOOR_S) if now - state.last_not_modified < DAY else rules.floor_s


def _ceiling_of(state: FeedState, feed: Subscription, now: float, rules: ScheduleRules) -> float:
    if feed.interval_max_s:
        return float(feed.interval_max_s)
    quiet = now - (state.last_new or now)
    return max(SLEEPY_CEILING_S, rules.ceiling_s) if quiet > SLEEPY_AFTER_S else rules.ceiling_s


def _counted(state: FeedState, answer: PollAnswer, now: float) -> FeedState:
    hour = int(now // (3 * HOUR)) * 3
    kept = [count for count in state.hours if hour - 24 < count.hour <= hour]
    last = kept.pop() if kept and kept[-1].hour == hour else HourCount(hour)
    last = HourCount(hour, last.polls + 1, last.not_modified + (answer.status == 304), last.entries + answer.new)
    return msgspec.structs.replace(
        state,
        hours=(*kept, last),
        polls=state.polls + 1,
        last_attempt=now,
        first_attempt=state.first_attempt or now,
        last_status=answer.status,
        last_unconditional=state.last_unconditional if answer.conditional else now,
    )


def _failed(state: FeedState, feed: Subscription, answer: PollAnswer, now: float) -> FeedState:
    gone = state.gone_days
    if answer.status == 410:
        gone = tuple(sorted({*gone, int(now // DAY)}))[-GONE_DAYS:]
    throttled = answer.status == 429 or answer.retry_after_s is not None
    count = state.throttle_count + 1 if throttled else 0
    pause = state.paused_until
    if answer.retry_after_s is not None:
        pause = now + answer.retry_after_s
    if state.url != feed.url and state.failing_since and now - state.failing_since >= DEAD_AFTER_S:
        # The URL that it moved to has failed for a week, so the subscribed URL is polled again.
        state = msgspec.structs.replace(state, url=feed.url, etag="", last_modified="")
    return msgspec.structs.replace(
        state,
        error_count=state.error_count + 1,
        throttle_count=count,
        failing_since=state.failing_since or now,
        last_error=answer.reason,
        last_error_text=answer.text[:300],
        gone_days=gone,
        paused_until=pause,
        move_to="",
        move_count=0,
    )


def _succeeded(state: FeedState, answer: PollAnswer, now: float) -> FeedState:
    same = answer.outcome == "not_modified"
    short = _decayed(state.rate_short, SHORT_DECAY, state, now)
    long = _decayed(state.rate_long, LONG_DECAY, state, now)
    ages = [max(0.0, now - moment) for moment in answer.new_times]
    first = not state.last_success
    short += _weight(ages, SHORT_DECAY, whole=first)
    long += _weight(ages, LONG_DECAY, whole=first)
    last_new = max(state.last_new, now - min(ages)) if ages else now if first else state.last_new
    hint = state.header_hint_s if same and answer.fresh_s is None else answer.fresh_s or 0.0
    state = msgspec.structs.replace(
        state,
        last_success=now,
        error_count=0,
        throttle_count=0,
        failing_since=0.0,
        last_error="",
        last_error_text="",
        gone_days=(),
        last_not_modified=now if same else state.last_not_modified,
        # A 304 may leave out validators that did not change; with a 200 the old ones are void.
        etag=answer.etag or (state.etag if same else ""),
        last_modified=answer.last_modified or (state.last_modified if same else ""),
        body_hash=answer.body_hash or state.body_hash,
        rate_short=short,
        rate_long=long,
        rate_at=now,
        last_new=last_new,
        header_hint_s=hint,
        document_hint_s=state.document_hint_s if answer.document_hint_s is None else answer.document_hint_s,
        skip_hours=state.skip_hours if answer.skip_hours is None else answer.skip_hours,
        skip_days=state.skip_days if answer.skip_days is None else answer.skip_days,
        newest=max(state.newest, answer.newest),
        entries=state.entries if answer.entries is None else answer.entries,
        parse_mode=answer.parse_mode or state.parse_mode,
        feed_title=answer.feed_title or state.feed_title,
        **_chosen(state, answer),
        hub=answer.hub if answer.outcome == "changed" else state.hub,
        topic=answer.topic if answer.outcome == "changed" else state.topic,
    )
    # Push is healthy once it has sent a new entry, and no longer when a poll finds one that it did not send.
    healthy = answer.pushed if answer.new else state.push_healthy
    return _moved(msgspec.structs.replace(state, push_healthy=healthy), answer, now)


def _chosen(state: FeedState, answer: PollAnswer) -> dict[str, Any]:
    """Return the fields of the state for the key that identifies entries. An unchanged document resets the counts."""
    if answer.choice is None:
        return {"only_new": 0, "only_changed": 0}
    return {
        "choice": msgspec.structs.replace(answer.choice, why=answer.choice.why[:300]),
        "only_new": state.only_new + 1 if answer.only_new else 0,
        "only_changed": state.only_changed + 1 if answer.only_changed else 0,
    }


def _weight(ages: list[float], decay: float, *, whole: bool) -> float:
    """Return what entries of these ages (seconds) add to a rate.

    With `whole`, for a first document, the rate is scaled as if the feed had published like this before it, too.
    """
    weight = sum(decay * math.exp(-decay * age) for age in ages)
    return weight / -math.expm1(-decay * max(*ages, HOUR)) if ages and whole else weight


def _moved(state: FeedState, answer: PollAnswer, now: float) -> FeedState:
    """Adopt a permanent redirect, but only after many polls over days in which the entries stayed the same."""
    target = answer.permanent_to
    if not target or target == state.url or answer.overlap < 0.5:
        return msgspec.structs.replace(state, move_to="", move_count=0, move_since=0.0)
    if target != state.move_to:
        return msgspec.structs.replace(state, move_to=target, move_count=1, move_since=now)
    if state.move_count + 1 >= MOVE_POLLS and now - state.move_since >= MOVE_AFTER_S:
        return msgspec.structs.replace(state, url=target, move_to="", move_count=0, move_since=0.0)
    return msgspec.structs.replace(state, move_count=state.move_count + 1)


def _wait(
    state: FeedState, feed: Subscription, answer: PollAnswer, *, now: float, draw: float, rules: ScheduleRules
) -> tuple[float, str]:
    if answer.outcome == "failed":
        # Nothing is known of the entries since it fails, so the rate from before the failures is used.
        base, _ = interval(state, feed, state.rate_at or now, rules)
        return _back_off(state, feed, answer, base=base, now=now, draw=draw)
    base, why = interval(state, feed, now, rules)
    floor = floor_of(state, feed, now, rules)
    wait = max(base * (1 - JITTER + 2 * JITTER * draw), floor * (1 + JITTER * draw))
    if not feed.ignore_server_hints:
        busy = state.rate_long * DAY > BUSY_PER_DAY
        cap = float(feed.hint_max_s) or (BUSY_HINT_S if busy else MAX_HINT_S)
        hint = min(max(state.header_hint_s, state.document_hint_s), cap)
        if hint > wait:
            wait, why = hint, f"the server asks for {_span(hint)}"
        if _skipped(state, now + wait):
            longer = min(wait * SKIP_FACTOR, _ceiling_of(state, feed, now, rules))
            wait, why = max(wait, longer), f"{why}; less often now, as skipHours or skipDays ask"
    if state.push_healthy and state.push_until > now:
        return max(wait, min(wait * PUSH_FACTOR, PUSH_MAX_S)), "a hub sends the entries; this poll is only a check"
    return wait, why


def _skipped(state: FeedState, moment: float) -> bool:
    """Tell whether skipHours or skipDays contain the moment; a list of all hours or all days is ignored."""
    hours, days = state.skip_hours, state.skip_days
    if not hours and not days:
        return False
    then = datetime.fromtimestamp(moment, UTC)
    return (then.hour in hours and len(hours) < 24) or (then.weekday() in days and len(days) < 7)


def _back_off(
    state: FeedState, feed: Subscription, answer: PollAnswer, *, base: float, now: float, draw: float
) -> tuple[float, str]:
    jitter = 1 + JITTER * draw
    count = state.error_count
    if answer.retry_after_s is not None:
        return max(answer.retry_after_s, base), f"Retry-After {_span(answer.retry_after_s)} ({answer.status})"
    if len(state.gone_days) >= GONE_DAYS:
        return GONE_S * jitter, "gone: polled once a week"
    if 0 < feed.disable_after <= count:
        return GONE_S * jitter, f"{count} errors in a row, disable_after is {feed.disable_after}: polled once a week"
    if now - state.failing_since >= DEAD_AFTER_S:
        return DAY * jitter, "failing for a week: polled once a day"
    if answer.status == 429:
        doubled = THROTTLED_S * 2.0 ** min(state.throttle_count - 1, 10)
        return min(doubled * (1 + draw), MAX_BACKOFF_S), "429 without Retry-After"
    cap = FIRST_DAY_BACKOFF_S if now - state.failing_since < DAY else MAX_BACKOFF_S
    wait = max(base, min(base * 2.0 ** min(count - 1, 30), cap))
    if answer.reason in BLOCKED_REASONS:
        wait = max(wait, BLOCKED_S)
    return wait * jitter, f"{count} error{'s' * (count > 1)} in a row ({answer.reason})"


def _decayed(rate: float, decay: float, state: FeedState, now: float) -> float:
    return rate * math.exp(-decay * max(0.0, now - state.rate_at)) if rate else 0.0


def _span(seconds: float) -> str:
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h" if seconds < 2 * DAY else f"{seconds / DAY:.0f} days"
