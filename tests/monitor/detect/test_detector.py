"""Test the detector's interface: mentions with evidence and source, explanations with reasons."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.detect import Detector, explanation_text
from monitor.detect.confidence import alert_threshold, model
from monitor.records import Article, Mention

DAY = datetime(2026, 2, 5, 8, tzinfo=UTC)
SEED = "Russian President Vladimir Putin and Chinese President Xi Jinping held a video call Wednesday"


def only(mentions: tuple[Mention, ...]) -> Mention:
    (mention,) = mentions
    return mention


def article(title: str, **fields: object) -> Article:
    return Article(**{"id": "a1", "title": title, "published": DAY, "language": "en", **fields})  # type: ignore[arg-type]


def test_the_sentence_that_it_is_all_about(detector: Detector) -> None:
    mention = only(detector.detect(article(SEED)))
    assert mention.article_id == "a1"
    assert [(one.leader, one.country, one.office) for one in mention.participants] == [
        ("vladimir-putin", "RU", "President"),
        ("xi-jinping", "CN", "President"),
    ]
    assert (mention.kind, mention.medium, mention.status) == ("call", "video", "held")
    assert mention.when is not None
    assert (mention.when.start.isoformat(), mention.when.granularity) == ("2026-02-04", "day")
    assert mention.rule
    assert mention.confidence >= alert_threshold()
    (evidence,) = mention.evidence
    assert SEED[evidence.start : evidence.end] == evidence.text


def test_roles_where_the_text_gives_them(detector: Detector) -> None:
    mention = only(detector.detect(article("Erdogan hosted Zelensky in Ankara")))
    roles = {one.leader: one.role for one in mention.participants}
    assert roles == {"recep-tayyip-erdogan": "host", "volodymyr-zelensky": "visitor"}
    mention = only(detector.detect(article("Carney phoned Trump")))
    assert {one.leader: one.role for one in mention.participants} == {"mark-carney": "caller", "donald-trump": ""}


def test_place_forum_and_topics(detector: Detector) -> None:
    mention = only(
        detector.detect(article("Putin met Modi in Samarkand on the sidelines of the SCO summit to discuss trade"))
    )
    assert mention.place is not None
    assert (mention.place.name, mention.place.country) == ("Samarkand", "UZ")
    assert mention.forum == "SCO"
    assert "trade" in mention.topics


def test_the_source_goes_with_the_mention(detector: Detector) -> None:
    mention = only(
        detector.detect(article(SEED, outlet="Some Daily", url="https://daily.example/1", summary="x" * 9000))
    )
    assert mention.source is not None
    assert (mention.source.outlet, mention.source.title) == ("Some Daily", SEED)
    assert len(mention.source.excerpt) <= 1_500


def test_an_official_source_is_evidence(detector: Detector) -> None:
    mention = only(detector.detect(article("Telephone conversation with Narendra Modi", outlet="Kremlin")))
    assert mention.key == "narendra-modi+vladimir-putin"
    assert ("outlet", "Kremlin") in [(one.field, one.text) for one in mention.evidence]
    assert mention.source is not None
    assert mention.source.official


def test_title_and_lede_are_one_mention_with_both_as_evidence(detector: Detector) -> None:
    told = article(
        "Putin and Xi hold talks", summary="Vladimir Putin spoke with Xi Jinping by video link on Wednesday."
    )
    mention = only(detector.detect(told))
    assert (mention.medium, mention.kind) == ("video", "call")
    assert {one.field for one in mention.evidence} == {"title", "summary"}
    alone = only(detector.detect(article("Putin and Xi hold talks")))
    assert mention.witnesses[0].confidence > alone.witnesses[0].confidence


def test_language_is_detected_where_it_is_missing(detector: Detector) -> None:
    assert only(detector.detect(article(SEED, language=""))).language == "en"


def test_an_unknown_language_is_said_and_not_guessed(detector: Detector) -> None:
    explanation = detector.explain(article("Putin meets Xi", language="zz"))
    assert explanation.mentions == ()
    assert "zz" in explanation.outcome


class TestExplanation:
    def test_says_who_was_seen_and_why_not(self, detector: Detector) -> None:
        explanation = detector.explain(article("Xi's special envoy met Putin, and Macron calls on Trump to act"))
        seen = dict(explanation.persons)
        assert seen["Xi's special envoy"] == "envoy of the leader"
        assert seen["Putin"] == "vladimir-putin"
        reasons = dict(explanation.rejected)
        assert reasons["met"] == "fewer than two leaders do it"
        assert reasons["calls on"].startswith("false sense")
        assert explanation.mentions == ()

    def test_an_article_without_leaders_is_let_go_early(self, detector: Detector) -> None:
        assert detector.explain(article("Storm hits the coast")).outcome == "no word of a meeting or a call"
        assert detector.explain(article("Committee to hold talks")).outcome == "no leader is named"
        assert detector.explain(article("Putin held talks")).outcome == "fewer than two leaders can be meant"

    def test_reads_well(self, detector: Detector) -> None:
        text = explanation_text(detector.explain(article(SEED)))
        lines = text.splitlines()
        assert lines[0] == "article a1 (en): 1 mention"
        assert any(line.startswith("  mention   call video held of vladimir-putin (President, RU)") for line in lines)

    @pytest.mark.parametrize(
        ("title", "line"),
        [
            ("Why Trump should meet Kim", "  rules     donald-trump + kim-jong-un: no single contact, for 'why'"),
            ("Putin met Xi in Beijing", "  rules     vladimir-putin + xi-jinping: held, by the tense of its verb"),
            ("Putin last met Kim in Vladivostok", ", joins an event only; "),
            ("Putin met Xi in Beijing", ", enough to open an event; "),
            ("Merz-Putin meeting would help, poll suggests", '  why not   "Merz-Putin meeting": only an appeal'),
        ],
    )
    def test_says_what_a_desk_would_ask(self, detector: Detector, title: str, line: str) -> None:
        assert line in explanation_text(detector.explain(article(title)))

    def test_a_day_that_is_somebodys_name_is_no_person(self, detector: Detector) -> None:
        assert "Friday" not in dict(detector.explain(article("Trump to meet Putin on Friday")).persons)

    def test_moves_no_cursor(self, detector: Detector) -> None:
        hostile = article("Putin met Xi\x1b[2J\u202e in Beijing", id="\x1b[31m")
        assert "\x1b" not in explanation_text(detector.explain(hostile))


class TestConfidence:
    def test_is_a_probability_and_grows_with_what_supports_it(self) -> None:
        assert 0 < model().confidence(["inferred", "opinion"]) < model().confidence(["agreed", "headline"]) < 1

    def test_the_threshold_lies_within_reach(self) -> None:
        assert 0.5 <= alert_threshold() < model().confidence(["headline", "medium_known"])


@pytest.mark.parametrize(
    ("title", "assumed"),
    [
        ("Trump calls his summit with Putin a chance for peace", True),
        ("Adviser on the Trump-Putin meeting", True),
        ("Trump held a summit with Putin", False),
        ("Trump met Putin", False),
        ("Trump meets Putin", False),
        ("Trump to meet Putin", False),
    ],
)
def test_a_status_that_no_word_tells_is_assumed(detector, title, assumed):
    (mention,) = detector.detect(
        Article(id="1", title=title, published=datetime(2025, 8, 11, tzinfo=UTC), language="en")
    )
    assert mention.assumed is assumed
