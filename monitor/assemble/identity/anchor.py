"""What the mentions of one event say together: its anchor, with which each further mention is compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from monitor.assemble.claims.sighting import HAPPENED, OFFICE_ONLY, Sighting
from monitor.records import Kind

#: The statuses whose date is the one that a contact is planned for.
PLANS = frozenset({"proposed", "planned", "postponed", "rescheduled"})
#: Days after a contact within which reports of it come.
READ_OUT = 7


class Anchor:
    """What the sightings of one event say together, as counts: it does not depend on the order they came in."""

    __slots__ = (
        "ahead", "articles", "countries", "days", "firm", "firmly", "first", "forums", "hosts", "kinds", "last",
        "last_told", "leaders", "live", "loose", "offices", "owners", "past_spans", "person", "places", "plans",
        "remote", "reported", "statuses", "visit_days",
    )  # fmt: skip

    def __init__(self, sightings: Iterable[Sighting] = ()) -> None:
        self.leaders: set[str] = set()
        self.offices: Counter[str] = Counter()
        self.articles: set[int] = set()
        #: Outlets that tell of it as ahead, where they are known.
        self.owners: set[str] = set()
        self.remote = self.person = 0
        #: The status that each article told last.
        self.last_told: dict[int, str] = {}
        self.live = self.firmly = 0
        #: Days that reports of a contact that took place name, and the days on which such reports came.
        self.days: Counter[int] = Counter()
        self.reported: dict[int, int] = {}
        self.visit_days: set[int] = set()
        #: First and last day of reports that say that it took place, and of bare nouns that may mean that.
        self.firm: tuple[int, int] | None = None
        self.loose: tuple[int, int] | None = None
        #: Days on which it was talked of as ahead.
        self.ahead: Counter[int] = Counter()
        #: Planned spans, and the last time each was named.
        self.plans: dict[tuple[int, int], int] = {}
        self.past_spans: Counter[tuple[int, int]] = Counter()
        self.places: Counter[str] = Counter()
        self.countries: Counter[str] = Counter()
        self.forums: Counter[str] = Counter()
        self.hosts: Counter[str] = Counter()
        self.kinds: Counter[Kind] = Counter()
        self.statuses: Counter[str] = Counter()
        #: First and last day of live (not background) sightings.
        self.first = self.last = 0
        for sighting in sightings:
            self.add(sighting)

    def add(self, s: Sighting) -> None:
        """Count one more sighting."""
        self.leaders |= s.leaders
        self.offices.update(p.country for p in s.participants if p.leader.startswith(OFFICE_ONLY))
        self.articles.add(s.key)
        self.last_told[s.key] = s.status
        if s.remote is not None:
            self.remote += s.remote
            self.person += not s.remote
        if s.place is not None and s.remote is not True:
            if s.place.name:
                self.places[s.place.name] += 1
            if s.place.country:
                self.countries[s.place.country] += 1
        if s.forum:
            self.forums[s.forum] += 1
        self.hosts.update(s.hosts)
        self.kinds[s.kind] += 1
        self.statuses[s.status] += 1
        if s.background:
            if s.span is not None:
                self.past_spans[s.span] += 1
            if not self.live:
                self.first, self.last = _wider((self.first, self.last) if self.first else None, s.day)
            return
        self.first, self.last = _wider((self.first, self.last) if self.live else None, s.day)
        self.live += 1
        if s.status in HAPPENED:
            self._add_report(s)
        else:
            self._add_plan(s)

    def _add_report(self, s: Sighting) -> None:
        if s.loose:
            self.loose = _wider(self.loose, s.day)
        else:
            self.firmly += 1
            self.firm = _wider(self.firm, s.day)
        if s.span is not None and s.span[0] == s.span[1]:
            self.days[s.span[0]] += 1
            if s.kind == "visit":
                self.visit_days.add(s.span[0])
            self.reported[s.span[0]] = min(s.day, self.reported.get(s.span[0], s.day))

    def _add_plan(self, s: Sighting) -> None:
        self.ahead[s.day] += 1
        if s.owner != s.article_id:
            self.owners.add(s.owner)
        if s.span is not None and (s.status in PLANS or s.span[0] == s.span[1]):
            self.plans[s.span] = max(s.time, self.plans.get(s.span, 0))

    @property
    def medium(self) -> bool | None:
        """Remote (True), in person (False), or not told."""
        if self.remote == self.person == 0:
            return None
        return self.remote > self.person

    @property
    def kind(self) -> Kind:
        """The kind that most claims give it; the first of equals."""
        return max(self.kinds, key=lambda kind: self.kinds[kind])

    @property
    def day(self) -> int | None:
        """The day of a contact that took place, as most of its reports name it; the earlier one of equals.

        Where no report names one, it is the day for which it was planned, if that had just come.
        """
        if self.days:
            return max(self.days, key=lambda d: (self.days[d], -d))
        plan = self.plan
        if self.held and plan and plan[0] == plan[1] and self.first_held - READ_OUT <= plan[0] <= self.last_held:
            return plan[0]
        return None

    @property
    def held(self) -> bool:
        """Whether it is told to have taken place. A bare noun amid talk of it as ahead is a part of that talk."""
        return self.firm is not None or (self.loose is not None and not self._loose_is_ahead)

    @property
    def _loose_is_ahead(self) -> bool:
        plan = self.plan
        return bool(self.ahead) and not (plan is not None and self.loose is not None and plan[1] <= self.loose[1])

    @property
    def first_held(self) -> int:
        """The first day on which it was told to have taken place, 0 when it was not."""
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
        # A bare noun long before the first report was of an earlier contact.
        early = not self.ahead and self.firm[0] - self.loose[0] <= 1
        first = min(self.firm[0], self.loose[0]) if early else self.firm[0]
        return first, max(self.firm[1], self.loose[1])

    @property
    def doubtful(self) -> bool:
        """Whether reports that it took place are few, without a date, and stand against much talk of it as ahead."""
        return self.firm is not None and self.day is None and 2 * self.firmly <= sum(self.ahead.values())

    @property
    def outvoted(self) -> bool:
        """Whether doubtful reports were followed by more talk of the contact as ahead: they meant an earlier one."""
        return self.doubtful and sum(n for day, n in self.ahead.items() if day > self.last_held) >= 2 * self.firmly

    def counts(self, s: Sighting) -> bool:
        """Whether what a sighting says of its status counts: a report that was outvoted, or a bare noun, may not."""
        if s.status not in HAPPENED:
            return True
        return not self.outvoted and (not s.loose or (self.held and s.day >= self.first_held))

    @property
    def only_denied(self) -> bool:
        """Whether all that is said of it is that it will not, or did not, take place."""
        return self.live > 0 and self.statuses["denied"] == self.live

    @property
    def held_day(self) -> int:
        """The day on which the contact took place as far as is told, 0 when none is reported."""
        return 0 if not self.held else self.day if self.day is not None else self.first_held

    @property
    def plan(self) -> tuple[int, int] | None:
        """The span of the plan that was named last; the narrower one of equals."""
        return max(self.plans, key=lambda s: (self.plans[s], s[0] - s[1], -s[0])) if self.plans else None

    @property
    def settled(self) -> tuple[int, int] | None:
        """The days within which the contact took or takes place, None when nothing is told."""
        if self.held:
            return (self.day, self.day) if self.day is not None else (self.first_held - 1, self.first_held)
        if self.plan is not None:
            return self.plan
        return max(self.past_spans, key=lambda s: (self.past_spans[s], s)) if self.past_spans else None


def _wider(days: tuple[int, int] | None, day: int) -> tuple[int, int]:
    return (min(days[0], day), max(days[1], day)) if days is not None else (day, day)
