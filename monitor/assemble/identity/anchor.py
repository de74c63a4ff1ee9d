"""The anchor of an event: a summary of all its mentions, with which each further mention is compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from monitor.assemble.claims.kept_mention import HAPPENED, OFFICE_ONLY, KeptMention
from monitor.records import Kind

#: Statuses whose date is the planned date of the contact.
PLANS = frozenset({"proposed", "planned", "postponed", "rescheduled"})
#: Statuses of a plan on which both sides have agreed, kept or not.
_ANNOUNCED = ("planned", "rescheduled", "postponed", "cancelled")
#: Days after a contact within which reports about it are published.
READ_OUT = 7


class Anchor:
    """A summary of an event's mentions, as counts, so that it does not depend on their order."""

    __slots__ = (
        "ahead", "alone", "articles", "countries", "days", "firm", "firmly", "first", "forums", "hosts", "kinds",
        "last", "last_told", "leaders", "live", "loose", "media", "offices", "one_more", "owners", "past_spans",
        "places", "plans", "put_off", "reported", "states", "statuses", "visit_days",
    )  # fmt: skip

    def __init__(self, mentions: Iterable[KeptMention] = ()) -> None:
        self.leaders: set[str] = set()
        #: The participants' states.
        self.states: set[str] = set()
        self.offices: Counter[str] = Counter()
        self.articles: set[int] = set()
        #: Known outlets that announce it.
        self.owners: set[str] = set()
        #: Medium classes (remote or not), and the last time each was stated.
        self.media: dict[bool, int] = {}
        #: The last status that each article stated.
        self.last_told: dict[int, str] = {}
        self.live = self.firmly = 0
        #: Mentions that say that the two were alone.
        self.alone = 0
        #: Reports that say "again".
        self.one_more = 0
        #: Days that reports of the held contact name, and when the first such report was published, in seconds.
        self.days: Counter[int] = Counter()
        self.reported: dict[int, int] = {}
        self.visit_days: set[int] = set()
        #: First and last publication day of reports that it took place, and of bare nouns that may say so.
        self.firm: tuple[int, int] | None = None
        self.loose: tuple[int, int] | None = None
        #: Days on which it was announced.
        self.ahead: Counter[int] = Counter()
        #: Planned spans, and the last time each was named.
        self.plans: dict[tuple[int, int], int] = {}
        #: The last time it was postponed without a new day, in seconds; 0 for never.
        self.put_off = 0
        self.past_spans: Counter[tuple[int, int]] = Counter()
        self.places: Counter[str] = Counter()
        self.countries: Counter[str] = Counter()
        self.forums: Counter[str] = Counter()
        self.hosts: Counter[str] = Counter()
        self.kinds: Counter[Kind] = Counter()
        self.statuses: Counter[str] = Counter()
        #: First and last day of mentions that are not background.
        self.first = self.last = 0
        for mention in mentions:
            self.add(mention)

    def add(self, m: KeptMention) -> None:
        """Add one mention to the counts."""
        self.leaders |= m.leaders
        self.states.update(p.country for p in m.participants if p.country)
        self.offices.update(p.country for p in m.participants if p.leader.startswith(OFFICE_ONLY))
        self.articles.add(m.key)
        self.last_told[m.key] = m.status
        if not m.joins_only:
            self._add_setting(m)
        self.kinds[m.kind] += 1
        self.statuses[m.status] += 1
        self.alone += m.alone
        if m.status == "postponed" and m.span is None:
            self.put_off = max(m.time, self.put_off)
        if m.background:
            if m.span is not None:
                self.past_spans[m.span] += 1
            if not self.live:
                self.first, self.last = _wider((self.first, self.last) if self.first else None, m.day)
            return
        self.first, self.last = _wider((self.first, self.last) if self.live else None, m.day)
        self.live += 1
        if m.status in HAPPENED:
            self._add_report(m)
        else:
            self._add_plan(m)

    def _add_setting(self, m: KeptMention) -> None:
        """Count medium, place, forum and host, except of mentions that are not sure enough to open an event."""
        if m.remote is not None:
            self.media[m.remote] = max(m.time, self.media.get(m.remote, 0))
        if m.place is not None and m.remote is not True:
            if m.place.name:
                self.places[m.place.name] += 1
            if m.place.country:
                self.countries[m.place.country] += 1
        if m.forum:
            self.forums[m.forum] += 1
        self.hosts.update(m.hosts)

    def _add_report(self, m: KeptMention) -> None:
        if m.loose:
            self.loose = _wider(self.loose, m.day)
        else:
            self.firmly += 1
            self.firm = _wider(self.firm, m.day)
            self.one_more += m.one_more
        if m.span is not None and m.span[0] == m.span[1]:
            self.days[m.span[0]] += 1
            if m.kind == "visit":
                self.visit_days.add(m.span[0])
            self.reported[m.span[0]] = min(m.time, self.reported.get(m.span[0], m.time))

    def _add_plan(self, m: KeptMention) -> None:
        self.ahead[m.day] += 1
        if m.owner != m.article_id:
            self.owners.add(m.owner)
        if m.span is not None and (m.status in PLANS or m.span[0] == m.span[1]):
            self.plans[m.span] = max(m.time, self.plans.get(m.span, 0))

    @property
    def medium(self) -> bool | None:
        """Remote (True), in person (False), or unknown (None). The last one counts: a meeting may be moved online."""
        return max(self.media, key=lambda remote: self.media[remote]) if self.media else None

    @property
    def kind(self) -> Kind:
        """The kind that most claims state; if equal, the first one."""
        return max(self.kinds, key=lambda kind: self.kinds[kind])

    @property
    def day(self) -> int | None:
        """The day of a held contact that most reports name, see `votes`; if equal, the earlier one.

        If no report names one, it is the planned day, if that was just due.
        """
        if self.days:
            return max(self.days, key=lambda d: (self.days[d] * self.votes(d), -d))
        plan = self.plan
        if self.held and plan and plan[0] == plan[1] and self.first_held - READ_OUT <= plan[0] <= self.last_held:
            return plan[0]
        return None

    def votes(self, day: int) -> int:
        """Return how many votes a report has that names this day: one if it is after the first report, else two.

        What was reported before does not take place later; but a misread announcement may be that first report.
        """
        return 2 if day <= self.first_held else 1

    @property
    def held(self) -> bool:
        """Whether it is reported as held. A bare noun among announcements counts as an announcement."""
        return self.firm is not None or (self.loose is not None and not self._loose_is_ahead)

    @property
    def _loose_is_ahead(self) -> bool:
        plan = self.plan
        return bool(self.ahead) and not (plan is not None and self.loose is not None and plan[1] <= self.loose[1])

    @property
    def first_held(self) -> int:
        """The first day on which it was reported as held, 0 if it was not."""
        return self._held_days[0]

    @property
    def last_held(self) -> int:
        """The last such day."""
        return self._held_days[1]

    @property
    def _held_days(self) -> tuple[int, int]:
        if self.firm is None:
            return self.loose if self.loose is not None and self.held else (0, 0)
        if self.loose is None:
            return self.firm
        # A bare noun long before the first report was about an earlier contact.
        early = not self.ahead and self.firm[0] - self.loose[0] <= 1
        first = min(self.firm[0], self.loose[0]) if early else self.firm[0]
        return first, max(self.firm[1], self.loose[1])

    @property
    def doubtful(self) -> bool:
        """Whether only few reports, without a date, say that it took place, against many announcements."""
        announced = sum(self.statuses[status] for status in _ANNOUNCED)
        return self.firm is not None and self.day is None and 2 * self.firmly <= announced

    @property
    def outvoted(self) -> bool:
        """Whether doubtful reports were followed by more announcements: then they were about an earlier contact."""
        return self.doubtful and sum(n for day, n in self.ahead.items() if day > self.last_held) >= 2 * self.firmly

    def counts(self, m: KeptMention) -> bool:
        """Say whether a mention's status counts. An outvoted report's, or a bare noun's, may not."""
        if m.status not in HAPPENED:
            return True
        return not self.outvoted and (not m.loose or (self.held and m.day >= self.first_held))

    @property
    def only_denied(self) -> bool:
        """Whether all mentions only say that it will not, or did not, take place."""
        return self.live > 0 and self.statuses["denied"] == self.live

    @property
    def held_day(self) -> int:
        """The day on which the contact took place, as far as known; 0 if no report says that it did."""
        return 0 if not self.held else self.day if self.day is not None else self.first_held

    @property
    def plan(self) -> tuple[int, int] | None:
        """The span of the plan that was named last; if equal, the narrower one."""
        return max(self.plans, key=lambda m: (self.plans[m], m[0] - m[1], -m[0])) if self.plans else None

    @property
    def waits(self) -> bool:
        """Whether it is postponed and nobody has named a new day since."""
        return not self.held and self.put_off > max(self.plans.values(), default=0)

    @property
    def settled(self) -> tuple[int, int] | None:
        """The days within which the contact takes or took place, None if no day is known."""
        if self.held:
            return (self.day, self.day) if self.day is not None else (self.first_held - 1, self.first_held)
        if self.plan is not None:
            return self.plan
        return max(self.past_spans, key=lambda m: (self.past_spans[m], m)) if self.past_spans else None


def _wider(days: tuple[int, int] | None, day: int) -> tuple[int, int]:
    return (min(days[0], day), max(days[1], day)) if days is not None else (day, day)
