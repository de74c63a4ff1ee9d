"""The anchor of an event: a summary of all its sightings, with which each further sighting is compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from monitor.assemble.claims.sighting import HAPPENED, OFFICE_ONLY, Sighting
from monitor.records import Kind

#: Statuses whose date is the planned date of the contact.
PLANS = frozenset({"proposed", "planned", "postponed", "rescheduled"})
#: Days after a contact within which reports about it are published.
READ_OUT = 7


class Anchor:
    """A summary of an event's sightings, as counts, so that it does not depend on their order."""

    __slots__ = (
        "ahead", "articles", "countries", "days", "firm", "firmly", "first", "forums", "hosts", "kinds", "last",
        "last_told", "leaders", "live", "loose", "media", "offices", "owners", "past_spans", "places", "plans",
        "reported", "states", "statuses", "visit_days",
    )  # fmt: skip

    def __init__(self, sightings: Iterable[Sighting] = ()) -> None:
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
        self.past_spans: Counter[tuple[int, int]] = Counter()
        self.places: Counter[str] = Counter()
        self.countries: Counter[str] = Counter()
        self.forums: Counter[str] = Counter()
        self.hosts: Counter[str] = Counter()
        self.kinds: Counter[Kind] = Counter()
        self.statuses: Counter[str] = Counter()
        #: First and last day of sightings that are not background.
        self.first = self.last = 0
        for sighting in sightings:
            self.add(sighting)

    def add(self, s: Sighting) -> None:
        """Add one sighting to the counts."""
        self.leaders |= s.leaders
        self.states.update(p.country for p in s.participants if p.country)
        self.offices.update(p.country for p in s.participants if p.leader.startswith(OFFICE_ONLY))
        self.articles.add(s.key)
        self.last_told[s.key] = s.status
        if not s.joins_only:
            self._add_setting(s)
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

    def _add_setting(self, s: Sighting) -> None:
        """Count medium, place, forum and host, except of mentions that are not sure enough to open an event."""
        if s.remote is not None:
            self.media[s.remote] = max(s.time, self.media.get(s.remote, 0))
        if s.place is not None and s.remote is not True:
            if s.place.name:
                self.places[s.place.name] += 1
            if s.place.country:
                self.countries[s.place.country] += 1
        if s.forum:
            self.forums[s.forum] += 1
        self.hosts.update(s.hosts)

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
            self.reported[s.span[0]] = min(s.time, self.reported.get(s.span[0], s.time))

    def _add_plan(self, s: Sighting) -> None:
        self.ahead[s.day] += 1
        if s.owner != s.article_id:
            self.owners.add(s.owner)
        if s.span is not None and (s.status in PLANS or s.span[0] == s.span[1]):
            self.plans[s.span] = max(s.time, self.plans.get(s.span, 0))

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
        return self.firm is not None and self.day is None and 2 * self.firmly <= sum(self.ahead.values())

    @property
    def outvoted(self) -> bool:
        """Whether doubtful reports were followed by more announcements: then they were about an earlier contact."""
        return self.doubtful and sum(n for day, n in self.ahead.items() if day > self.last_held) >= 2 * self.firmly

    def counts(self, s: Sighting) -> bool:
        """Say whether a sighting's status counts. An outvoted report's, or a bare noun's, may not."""
        if s.status not in HAPPENED:
            return True
        return not self.outvoted and (not s.loose or (self.held and s.day >= self.first_held))

    @property
    def only_denied(self) -> bool:
        """Whether all sightings only say that it will not, or did not, take place."""
        return self.live > 0 and self.statuses["denied"] == self.live

    @property
    def held_day(self) -> int:
        """The day on which the contact took place, as far as known; 0 if no report says that it did."""
        return 0 if not self.held else self.day if self.day is not None else self.first_held

    @property
    def plan(self) -> tuple[int, int] | None:
        """The span of the plan that was named last; if equal, the narrower one."""
        return max(self.plans, key=lambda s: (self.plans[s], s[0] - s[1], -s[0])) if self.plans else None

    @property
    def settled(self) -> tuple[int, int] | None:
        """The days within which the contact takes or took place, None if no day is known."""
        if self.held:
            return (self.day, self.day) if self.day is not None else (self.first_held - 1, self.first_held)
        if self.plan is not None:
            return self.plan
        return max(self.past_spans, key=lambda s: (self.past_spans[s], s)) if self.past_spans else None


def _wider(days: tuple[int, int] | None, day: int) -> tuple[int, int]:
    return (min(days[0], day), max(days[1], day)) if days is not None else (day, day)
