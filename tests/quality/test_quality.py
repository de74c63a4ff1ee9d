"""Test the measurements themselves: what they count, and that a drop is noticed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.assemble import Assembly
from monitor.detect import Detector
from monitor.records import Article, Mention, Participant
from tests.monitor.assemble.samples import mention, run
from tests.quality.__main__ import check, main
from tests.quality.audit import draw, verdicts
from tests.quality.contacts import first_alerts, majority, merge, told_contacts
from tests.quality.naive import NaiveRule
from tests.quality.reliability import Bin, expected_error
from tests.quality.scores import event_scores
from tests.quality.sets import article_of
from tests.quality.streams import by_title, pairs_right

NOON = datetime(2026, 2, 5, 12, tzinfo=UTC)


class TestFloors:
    def test_a_score_under_its_floor_fails(self, capsys):
        assert check({"dev": {"contact": 0.89}}, {"dev": {"contact": 0.90}}) == 1
        assert "dev.contact: 0.890 is under the floor 0.900" in capsys.readouterr().out

    def test_a_score_over_its_ceiling_fails(self, capsys):
        assert check({"dev": {"false_alarms": 2}}, {"dev": {"false_alarms_max": 1}}) == 1
        assert "over the ceiling" in capsys.readouterr().out

    def test_a_score_that_is_no_longer_measured_fails(self):
        assert check({}, {"dev": {"contact": 0.5}}) == 1

    def test_scores_at_their_floors_pass(self):
        assert (
            check({"dev": {"contact": 0.9, "false_alarms": 1}}, {"dev": {"contact": 0.9, "false_alarms_max": 1}}) == 0
        )

    def test_without_the_sets_it_is_skipped(self, monkeypatch, capsys, tmp_path):
        for value in ("", str(tmp_path / "missing")):
            monkeypatch.setenv("SUMMITRY_EVAL", value)
            assert main() == 0
            assert "skipped" in capsys.readouterr().out


class TestNaiveRule:
    @pytest.mark.parametrize(
        ("title", "leaders", "status"),
        [
            ("Vladimir Putin met Xi Jinping in Samarkand", {"vladimir-putin", "xi-jinping"}, "held"),
            ("Vladimir Putin will meet Xi Jinping", {"vladimir-putin", "xi-jinping"}, "planned"),
            (
                "Vladimir Putin calls Xi Jinping a friend",
                {"vladimir-putin", "xi-jinping"},
                "held",
            ),  # its kind of mistake
        ],
    )
    def test_two_leaders_and_a_trigger(self, title, leaders, status):
        (mention,) = NaiveRule().detect(Article(id="1", title=title, published=NOON))
        assert ({one.leader for one in mention.participants}, mention.status) == (leaders, status)

    @pytest.mark.parametrize(
        "title", ["Vladimir Putin met miners", "Vladimir Putin and Xi Jinping are old", "Nobody met"]
    )
    def test_one_leader_or_no_trigger(self, title):
        assert NaiveRule().detect(Article(id="1", title=title, published=NOON)) == ()

    def test_only_who_serves_on_the_day_counts(self):
        title = "George W. Bush met Xi Jinping"
        assert NaiveRule().detect(Article(id="1", title=title, published=NOON)) == ()


class TestFigures:
    def test_calibration_error_is_the_mean_gap(self):
        bins = [Bin(0.5, 0.6, 1, 0.5, 1.0, 1.0), Bin(0.9, 1.0, 3, 0.9, 0.9, 0.9)]
        assert expected_error(bins) == pytest.approx(0.125)
        assert expected_error([]) == 0

    def test_the_scorers_rows_are_read(self):
        row = (
            "summitry     B3 P 0.955 R 0.593 F1 0.731   found 0.832 of 95   split 1.16   pure 0.865 of 52   events 93\n"
        )
        assert event_scores(row)["summitry"] == {
            "b3_p": 0.955, "b3_r": 0.593, "b3": 0.731, "found": 0.832, "of": 95, "split": 1.16, "pure": 0.865,
            "judged": 52, "events": 93,
        }  # fmt: skip

    def test_titles_cluster_within_three_days(self):
        titles = [
            "Leaders of two states met",
            "Leaders of two states met again",
            "Harvest report",
            "Leaders of two states met",
        ]
        days = (0, 1, 1, 9)
        articles = [
            Article(id=str(n), title=title, published=NOON + timedelta(days=day))
            for n, (title, day) in enumerate(zip(titles, days, strict=True))
        ]
        assert by_title(articles, 0.5) == [["0", "1"], ["2"], ["3"]]

    def test_pairs_of_headlines(self):
        detector = Detector()
        same = {"a": "Putin and Xi held a phone call", "b": "Xi and Putin speak by phone", "same_event": 1}
        other = {"a": "Putin and Xi held a phone call", "b": "Modi met Macron in Paris", "same_event": 0}
        assert pairs_right([same, other, other | {"same_event": 1}], detector) == [True, True, False]

    def test_an_item_becomes_an_article(self):
        item = {"id": "1", "title": "T", "lede": "L", "date": "2026-02-05T12:00:00Z", "lang": "en", "ds": "sample"}
        article = article_of(item)
        assert (article.summary, article.published, article.outlet) == ("L", NOON, "sample")
        assert article_of(item | {"date": None, "lede": ""}).published is None


LINKS = {"a": {"x"}, "b": {"x"}, "c": {"x", "y"}, "d": {"y"}, "e": set()}


class TestContacts:
    def test_the_majority_contact(self):
        assert majority({"a", "c", "d", "b"}, LINKS) == "x"
        assert majority({"e", "unknown"}, LINKS) == ""

    def test_an_article_of_two_contacts_may_be_in_an_event_of_each(self):
        assert told_contacts({"1": {"c"}, "2": {"c"}, "3": {"e"}}, LINKS) == {"1": "x", "2": "y"}
        assert told_contacts({"1": {"c"}, "2": {"a", "b"}}, LINKS) == {"1": "y", "2": "x"}

    def test_contacts_per_event(self):
        pure = {"1": {"a", "b", "c"}, "2": {"c", "d"}, "3": {"e"}}  # "c" speaks of both, and is rightly in both
        assert merge(pure, LINKS) == 1
        assert merge({"1": {"a", "d"}, "2": {"b"}}, LINKS) == 1.5
        assert merge({}, LINKS) == 0

    def test_first_alerts_per_contact(self):
        one, two = (event_revisions(f"{number}", who) for number, who in enumerate(("putin xi", "putin modi")))
        clusters = {one[0].event_id: {"a"}, two[0].event_id: {"b"}}
        assert first_alerts([*one, *one], clusters, LINKS) == 1
        assert first_alerts([*one, *two], clusters, LINKS) == 2  # two events of contact "x"
        assert first_alerts([], {}, LINKS) == 0

    def test_background_is_no_alert(self):
        assert event_revisions("1", "putin xi", "past") == []


def event_revisions(article, who, status="held"):
    return run(Assembly(), mention(who, status, article=article))


class Fixed:
    """A detector that says of each article what it was told."""

    def __init__(self, status: str = "held", *, joins_only: bool = False) -> None:
        self.status, self.joins_only = status, joins_only

    def detect(self, article: Article) -> tuple[Mention, ...]:
        people = tuple(Participant(leader=name, name=name) for name in ("a", "b"))
        return (
            Mention(
                article_id=article.id, participants=people, kind="call", medium="phone", status=self.status,
                joins_only=self.joins_only,
            ),
        )  # fmt: skip


class TestAudit:
    ARTICLES = tuple(Article(id=str(n), title="T", published=NOON) for n in range(300))

    def test_a_draw_of_200_that_may_open_an_event(self):
        total, drawn = draw(self.ARTICLES, Fixed())
        assert (total, len(drawn)) == (300, 200)
        assert [one.article.id for one in drawn] == sorted((one.article.id for one in drawn), key=int)
        assert draw(self.ARTICLES, Fixed(joins_only=True)) == (0, [])
        assert draw(self.ARTICLES, Fixed("past")) == (0, [])

    def test_it_changes_only_where_mentions_do(self):
        before = {one.article.id for one in draw(self.ARTICLES, Fixed())[1]}
        after = {one.article.id for one in draw(self.ARTICLES[:-10], Fixed())[1]}
        assert len(before & after) >= 190

    def test_verdicts_are_read_from_the_page(self):
        page = "| `x-1` | a+b | held | right | |\n| `x-2` | a+b | planned | wrong | status |\ntext\n"
        assert verdicts(page) == {("x-1", "a+b", "held"): True, ("x-2", "a+b", "planned"): False}
