"""Test corrections and retractions: how their titles are recognised, and which claims they withdraw."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.assemble import Assembly, with_withdrawals
from monitor.assemble.claims.notices import REACH, notice_of
from monitor.records import Article
from tests.monitor.assemble.samples import WEDNESDAY, articles, at, day, last, mention, run


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("CORRECTED: Putin and Xi speak by phone", "correction"),
        ("CORRECTED-Putin and Xi speak by phone", "correction"),
        ("Correction to Tuesday's story: Putin and Xi spoke on Monday", "correction"),
        ("Putin and Xi speak by phone (corrected)", "correction"),
        ("[Retraction] Putin and Xi speak by phone", "retraction"),
        ("Herald retracts story on a call between Putin and Xi", "retraction"),
        ("RECTIFICATIF : Poutine et Xi se sont parlé lundi", "correction"),
        ("Zurückgezogen: Putin telefoniert mit Xi", "retraction"),
        ("Исправлено: Путин и Си поговорили в понедельник", "correction"),
        ("更正：普京同习近平通电话", "correction"),
        ("撤稿：普京同习近平通电话", "retraction"),
        ("تصحيح: بوتين وشي يتحدثان هاتفيا", "correction"),
        ("Corrections officer meets Xi", None),
        ("Withdrawn troops wait as Putin meets Xi", None),
        ("Putin and Xi speak by phone", None),
        ("Putin corrects Xi: summit is in May", None),
    ],
)
def test_a_notice_is_told_by_its_words(title, kind):
    assert notice_of(title) == kind


def article(title: str, *, revision: int = 0, id_: str = "n", **over) -> Article:
    return Article(id=id_, title=title, outlet="Herald", published=at(0, 2), revision=revision, **over)


def test_an_article_without_revision_or_notice_withdraws_nothing():
    found = (mention(),)
    assert with_withdrawals(article("Putin and Xi speak by phone"), found) == found


def test_a_revision_withdraws_what_older_ones_said():
    *told, withdrawal = with_withdrawals(article("Putin speaks", revision=2), ())
    assert not told
    assert (withdrawal.withdraws, withdrawal.source.revision, withdrawal.participants) == ("older", 2, ())


def test_a_retraction_claims_nothing_itself():
    (withdrawal,) = with_withdrawals(article("Retraction: call of Putin and Xi"), (mention(status="denied"),))
    assert withdrawal.withdraws == "retraction"
    assert [p.leader for p in withdrawal.participants] == ["vladimir-putin", "xi-jinping"]


def test_a_correction_that_denies_a_report_takes_it_back():
    (withdrawal,) = with_withdrawals(article("Correction: Putin did not call Xi"), (mention(status="denied"),))
    assert withdrawal.withdraws == "retraction"


def test_a_correction_that_denies_a_plan_denies_it():
    denied, withdrawal = with_withdrawals(
        article("Correction: Putin will not meet Xi on Thursday"), (mention(status="denied", when=day("2026-02-05")),)
    )
    assert (denied.status, withdrawal.withdraws) == ("denied", "outlet")


def test_what_was_withdrawn_stays_withdrawn_when_it_comes_again():
    assembly, first = Assembly(), mention(article="a", outlet="Herald")
    told = run(assembly, first)
    told += run(assembly, *with_withdrawals(article("Putin speaks on trade", revision=1, id_="a"), ()))
    (event,) = last(told).values()
    assert (event.status, event.sources, event.facts, event.reports) == ("retracted", (), {}, 0)
    assert event.history[-1].changed["status"] == ("held", "retracted")
    assert event.history[-1].article_id == "a"
    assert not run(assembly, first)
    assert not run(Assembly.restore(state for _, state in assembly.states()), first)


def test_a_withdrawn_event_leaves_without_a_further_word():
    assembly = Assembly()
    run(assembly, mention(article="a", outlet="Herald"))
    run(assembly, *with_withdrawals(article("Putin speaks on trade", revision=1, id_="a"), ()))
    assert not assembly.advance(at(60)).events
    assert assembly.open_events == 0


def test_a_revision_that_speaks_of_another_pair_leaves_the_first():
    assembly = Assembly()
    told = run(assembly, mention(article="a", outlet="Herald", title="Putin and Xi speak by phone"))
    corrected = article("CORRECTED: Putin and Modi speak by phone", revision=1, id_="a")
    again = mention("putin modi", article="a", outlet="Herald", title=corrected.title, revision=1)
    told += run(assembly, *with_withdrawals(corrected, (again,)))
    assert {(e.status, len(e.participants)) for e in last(told).values()} == {("retracted", 2), ("held", 2)}
    (held,) = [e for e in last(told).values() if e.status == "held"]
    assert {p.leader for p in held.participants} == {"vladimir-putin", "narendra-modi"}


def test_a_correction_takes_back_the_one_article_that_it_repeats():
    assembly = Assembly()
    told = run(
        assembly,
        mention(article="a", outlet="Herald", title="Putin and Xi speak by phone about gas"),
        mention("putin modi", article="b", outlet="Herald", title="Putin and Modi meet in Delhi", medium="in_person"),
    )
    told += run(assembly, *with_withdrawals(article("CORRECTED: Putin and Wang speak by phone about gas"), ()))
    assert {tuple(sorted(articles(e))): e.status for e in last(told).values()} == {(): "retracted", ("b",): "held"}


def test_a_notice_reaches_back_for_two_weeks():
    for days, status in ((REACH - 1, "retracted"), (REACH + 1, "held")):
        assembly = Assembly()
        told = run(assembly, mention(article="a", outlet="Herald", title="Putin and Xi speak by phone"))
        notice = Article(
            id="n", title="Retraction: Putin and Xi speak by phone", outlet="Herald",
            published=WEDNESDAY + timedelta(days=days),
        )  # fmt: skip
        told += run(assembly, *with_withdrawals(notice, ()))
        assert [e.status for e in last(told).values()] == [status]
