"""Test how rules and reader are combined, with a reader that gives prepared answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from monitor.detect import Detector, explanation_text
from monitor.detect.reader.fusion import bundled_fusion
from monitor.detect.reader.opinion import Opinion, Pair
from monitor.detect.reader.passage import Passage, Word, words_of
from monitor.detect.reader.pieces import SPECIALS, WordPieces
from monitor.records import KINDS, MEDIA, Article, Mention
from tests.monitor.detect.reader.test_groups import told

DAY = datetime(2026, 2, 5, 8, tzinfo=UTC)
MET = Article(id="1", title="Putin met Xi in Beijing", published=DAY, language="en")
PIECES = WordPieces([*SPECIALS, "en:a"])


def spread(names: Sequence[str], main: str, share: float = 0.9) -> dict[str, float]:
    return {name: share if name == main else (1 - share) / (len(names) - 1) for name in names}


class SaysSo:
    """A reader of one opinion for every pair, or of one for each; what it rests on is the words of `telling`."""

    fusion = bundled_fusion()
    kind = "call"

    def __init__(self, status: str, share: float = 0.97, telling: str = "", pairs: Mapping[str, str] | None = None):
        self._status, self._share, self._telling, self._pairs = status, share, telling, pairs or {}

    def read(self, passage: Passage) -> dict[Pair, Opinion]:
        self._text = passage.fields[0][1]
        return {pair: self._opinion(self._pairs.get("+".join(pair), self._status)) for pair in passage.pairs()}

    def words(self, passage: Passage, pair: Pair) -> list[Word]:
        return words_of(passage, pair, PIECES)

    def opinions(self, passages: Sequence[list[Word]]) -> list[Opinion]:
        def has_body(words: list[Word]) -> bool:
            return self._telling in [self._text[word.start : word.end] for word in words]

        return [self._opinion(self._status if has_body(words) else "none") for words in passages]

    def _opinion(self, status: str) -> Opinion:
        medium = "phone" if self.kind == "call" else "in_person"
        return Opinion(told(status, self._share), spread(MEDIA, medium), spread(KINDS, self.kind))


def found(detector: Detector, reader: SaysSo, title: str) -> tuple[Mention, ...]:
    return detector.with_reader(reader).detect(Article(id="1", title=title, published=DAY, language="en"))


def test_the_reader_alone_finds_what_no_rule_knows(detector: Detector) -> None:
    (mention,) = found(detector, SaysSo("held", telling="gabbed"), "Trump gabbed with Putin on Tuesday, aides said")
    assert mention.rule == "reader"
    assert (mention.status, mention.medium, mention.kind) == ("held", "phone", "call")
    assert mention.when is not None
    assert mention.when.start.isoformat() == "2026-02-03"
    (evidence,) = mention.evidence
    assert "gabbed" in evidence.text
    assert [one.name for one in mention.witnesses] == ["rules", "reader"]


def test_a_mention_of_the_rules_keeps_its_evidence_place_and_time(detector: Detector) -> None:
    title = "Putin met Xi in Beijing on Tuesday"
    (mention,) = found(detector, SaysSo("held"), title)
    assert mention.rule != "reader"
    assert mention.place is not None
    assert mention.place.name == "Beijing"
    assert title[mention.evidence[0].start : mention.evidence[0].end] == mention.evidence[0].text


def test_a_sure_reader_speaks_against_a_rule_and_is_named_as_the_reason(detector: Detector) -> None:
    explanation = detector.with_reader(SaysSo("none", 0.9999)).explain(MET)
    if not explanation.mentions:
        assert any("the reader finds no contact" in reason for _, reason in explanation.rejected)
    else:  # the weights trust such a rule: then the mention is a doubtful one
        assert explanation.mentions[0].confidence < 0.9


def test_both_witnesses_are_explained(detector: Detector) -> None:
    explanation = detector.with_reader(SaysSo("held")).explain(MET)
    text = explanation_text(explanation)
    assert "rules held" in text
    assert "reader held 0.97" in text
    assert "together held" in text


def test_a_mention_says_how_likely_each_status_is(detector: Detector) -> None:
    (mention,) = found(detector, SaysSo("planned", 0.8), "Putin met Xi in Beijing")
    assert 0.9 < sum(mention.statuses.values()) <= 1.01
    assert set(mention.statuses) <= {"held", "planned", "ongoing", "proposed", "past", "postponed", "denied",
                                     "cancelled", "rescheduled"}  # fmt: skip


def test_a_doubtful_mention_joins_only(detector: Detector) -> None:
    (sure,) = found(detector, SaysSo("held", 0.99), "Putin met Xi in Beijing")
    assert not sure.joins_only
    (doubtful,) = found(detector, SaysSo("none", 0.25, telling="gabbed"), "Trump gabbed with Putin, aides said")
    assert doubtful.joins_only


def test_a_report_of_what_may_be_long_past_joins_only(detector: Detector) -> None:
    (old,) = found(detector, SaysSo("past", 0.5), "Macron met Lula in Brasilia")
    assert (old.status, old.joins_only) == ("held", True)


def test_a_report_that_the_rules_call_old_joins_only(detector: Detector) -> None:
    (old,) = found(detector, SaysSo("held", 0.99), "A year after the Putin-Xi summit, little is left")
    assert (old.status, old.joins_only) == ("held", True)


@pytest.mark.parametrize("title", ["Trump gabbed with Rubio, aides said", "Trump and Obama gabbed, aides said"])
def test_those_who_lead_no_other_state_make_no_contact(detector: Detector, title: str) -> None:
    assert found(detector, SaysSo("held", telling="gabbed"), title) == ()


def test_the_guests_of_a_summit_that_no_rule_knows_are_one_contact(detector: Detector) -> None:
    title = "Trump gabbed with Putin, Xi and Modi on Tuesday, aides said"
    reader = SaysSo("none", pairs=dict.fromkeys(("donald-trump+vladimir-putin", "donald-trump+xi-jinping"), "held"))
    assert len(found(detector, reader, title)) == 2
    reader.kind = "summit"
    (mention,) = found(detector, reader, title)
    assert [p.leader for p in mention.participants] == ["donald-trump", "vladimir-putin", "xi-jinping"]
    assert mention.kind == "summit"
