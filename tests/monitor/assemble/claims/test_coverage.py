"""Test how articles are grouped into reports and publishers, and how copies are recognised."""

from __future__ import annotations

import msgspec
import pytest

from monitor.assemble import Assembly
from monitor.assemble.claims.coverage import MAX_SOURCES
from monitor.assemble.claims.fingerprint import read_text, same_text, similarity
from tests.monitor.assemble.samples import articles, assemble, at, day, last, mention, run

STORY = (
    "The two leaders spoke for ninety minutes by video link on Wednesday and agreed to widen trade in energy and "
    "grain. A spokesman said that both sides would prepare a visit in the first half of the year. Aides described "
    "the exchange as frank. The call was the first since autumn, officials said, and dealt with the talks on arms "
    "control as well as with shipping, where insurers had asked for guarantees. No joint statement was planned "
    "for the evening."
)
OTHER = (
    "Analysts in three capitals doubted that the call would change much, since the agreements it named had been "
    "announced before. Markets hardly moved, oil closed lower, and a former ambassador called the whole exchange "
    "a photograph. What mattered, he said in an interview, was who did not take part, and which of the promised "
    "deliveries would be paid for."
)


def test_ten_papers_that_print_one_wire_story_are_one_report():
    (event,) = assemble(*(mention(published=at(0, n / 10), excerpt=STORY) for n in range(10)))
    assert (len(event.sources), event.reports, event.publishers) == (10, 1, 10)
    assert event.facts["status"].reports == 1


def test_a_story_of_its_own_is_a_second_report():
    (event,) = assemble(mention(excerpt=STORY), mention(published=at(0, 1), excerpt=OTHER))
    assert [s.report for s in event.sources] == [1, 2]


@pytest.mark.parametrize(
    "copy",
    [
        "Moscow and Beijing talk again. " + STORY,
        "BEIJING, Feb 4 (Reuters) - " + STORY,
        STORY[: len(STORY) // 2],
        STORY.replace("ninety", "90").replace("officials said", "according to officials"),
        STORY + " (Additional reporting by our desk)",
    ],
    ids=["another headline", "dateline and credit", "cut", "lightly edited", "a line more"],
)
def test_copies_are_near(copy):
    assert same_text(read_text(STORY), read_text(copy))


def test_different_stories_are_far():
    assert not same_text(read_text(STORY), read_text(OTHER))
    assert similarity(read_text(STORY), read_text("")) == 0.0


def test_a_headline_alone_is_no_copy_of_a_long_text():
    assert not same_text(read_text("Leaders hold a video call on trade"), read_text(STORY))


def test_agencies_are_read_from_credits_not_from_prose():
    assert read_text("MOSCOW, February 4. /TASS/. The leaders spoke.").agencies == ("tass",)
    assert read_text("The leaders spoke. (Reuters)").agencies == ("reuters",)
    assert read_text("PARIS (AFP) - The leaders spoke.").agencies == ("afp",)
    assert read_text("Reuters reported earlier that the leaders spoke.").agencies == ()
    assert read_text("The leaders spoke.", "TASS").agencies == ("tass",)


def test_one_agency_in_two_languages_is_one_report():
    english = mention(excerpt="MOSCOW, February 4. /TASS/. The presidents held a video call.", language="en")
    russian = mention(
        published=at(0, 1), excerpt="МОСКВА, 4 февраля. /ТАСС/. Президенты провели видеопереговоры.", language="ru"
    )
    (event,) = assemble(english, russian)
    assert event.reports == 1


def test_chinese_copies_are_near_too():
    text = "国家主席同总统举行视频会晤，双方就能源合作、粮食贸易以及军备控制谈判交换意见，并商定上半年进行访问。"
    assert same_text(read_text(text), read_text("快讯：" + text))


def test_the_same_page_through_two_feeds_is_one_source():
    first = mention(url="https://news.example/world/call?utm_source=rss")
    second = mention(published=at(0, 1), url="https://news.example/world/call?utm_medium=feed#top")
    (event,) = assemble(first, second)
    assert len(event.sources) == 1


def test_an_edited_entry_changes_its_article_and_nothing_else():
    assembly = Assembly()
    before = run(assembly, mention(article="a", title="First wording"))
    after = run(assembly, mention(article="a", title="Second wording", revision=1))
    assert len(last(before)) == 1
    assert not after
    (event,) = last(before + run(assembly, mention(published=at(0, 1)))).values()
    assert {s.title for s in event.sources if s.article_id == "a"} == {"Second wording"}


def test_an_older_revision_that_comes_late_is_no_news():
    assembly = Assembly()
    run(assembly, mention(article="a", title="Second wording", revision=1))
    assert not assembly.apply(mention(article="a", title="First wording"))


def test_an_edit_that_takes_the_contact_to_another_day_moves_it():
    assembly = Assembly()
    told = run(assembly, mention(article="a", when=day("2026-02-04")))
    told += run(assembly, mention(article="a", when=day("2026-02-03"), revision=1))
    (event,) = last(told).values()
    assert event.when is not None
    assert event.when.start.isoformat() == "2026-02-03"
    assert event.revision == 2


@pytest.mark.slow
def test_coverage_is_bounded_but_what_is_new_still_counts():
    assembly = Assembly()
    told = run(
        assembly,
        *(mention(published=at(0, n / 1000), excerpt=STORY, when=day("2026-02-04")) for n in range(MAX_SOURCES + 20)),
    )
    denial = mention(
        "putin xi", "denied", at(0, 2), official=True, speaks_for="CN", when=day("2026-02-04"), article="denial"
    )
    (event,) = last(told + run(assembly, denial)).values()
    assert len(event.sources) == MAX_SOURCES
    assert "denial" in articles(event)


def test_publishers_are_owners_not_outlets():
    (event,) = assemble(
        mention(outlet="Morning", publisher="One House", excerpt=STORY),
        mention(outlet="Evening", publisher="One House", excerpt=OTHER, published=at(0, 1)),
    )
    assert (event.reports, event.publishers) == (2, 1)


def test_a_repeated_mention_is_no_news():
    assembly = Assembly()
    m = mention()
    assert assembly.apply(m).events
    assert not assembly.apply(msgspec.structs.replace(m))
