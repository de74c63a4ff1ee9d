"""Each rule of English names a sentence that is read otherwise without it: a rule that does nothing goes."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from monitor.detect import Detector, Language, bundled_languages
from monitor.detect.text.tokens import Phrases
from monitor.detect.vocabulary.language import LANGUAGES
from monitor.records import Article
from tests.monitor.detect.test_catalogue import Case, article_of, catalogue

CODE = "en"
DAY = datetime(2026, 2, 5, 8, tzinfo=UTC)


def rules(section: str) -> list[Any]:
    entries = msgspec.yaml.decode((LANGUAGES / CODE / f"{section}.yaml").read_bytes())[section]
    return [pytest.param(section, n, one, id=f"{section}: {one.get('name', one.get('status'))} {n}")
            for n, one in enumerate(entries)]  # fmt: skip


RULES = [*rules("frames"), *rules("vetoes"), *rules("cues")]


class Bench:
    """A detector by rules alone whose English can be put without one of its rules."""

    def __init__(self) -> None:
        self.english = copy.copy(bundled_languages()[CODE])
        self.detector = Detector(languages={CODE: self.english}, rules_only=True)
        self.cases = {case.text: case for param in catalogue() if (case := param.values[0]).language == CODE}

    def article(self, example: str) -> Article:
        """Make the article of an example: a case of the catalogue, or "[outlet] title"."""
        case: Case | None = self.cases.get(example)
        if case is not None:
            return article_of(case)
        outlet, title = re.match(r"(?:\[([^]]+)\] )?(.*)", example, re.DOTALL).groups("")  # type: ignore[union-attr]
        return Article(id="1", title=title, outlet=outlet, published=DAY, language=CODE)

    def read(self, example: str) -> list[tuple[str, str, str]]:
        return [(one.key, one.status, one.medium) for one in self.detector.detect(self.article(example))]

    def drop(self, section: str, number: int, rule: dict[str, Any]) -> None:
        if section == "cues":
            self.english.cues = kept(self.english, rule)
        else:
            here = getattr(self.english, section)
            setattr(self.english, section, here[:number] + here[number + 1 :])

    def restore(self) -> None:
        whole = bundled_languages()[CODE]
        self.english.frames, self.english.vetoes, self.english.cues = whole.frames, whole.vetoes, whole.cues


def kept(english: Language, rule: dict[str, Any]) -> Phrases[Any]:
    """The cues without those of one rule."""
    cues: Phrases[Any] = Phrases()
    for bucket in bundled_languages()[CODE].cues._by_first.values():
        for phrase, values in bucket:
            for value in values:
                if (value.of.example, value.of.status, len(value.of.words)) != (
                    rule["example"], rule["status"], len(rule["words"])
                ):  # fmt: skip
                    cues.add(phrase, value)
    return cues


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(("section", "number", "rule"), RULES)
def test_without_the_rule_its_example_is_read_otherwise(
    bench: Bench, section: str, number: int, rule: dict[str, Any]
) -> None:
    told = bench.read(rule["example"])
    bench.drop(section, number, rule)
    try:
        assert bench.read(rule["example"]) != told
    finally:
        bench.restore()


def test_there_are_rules() -> None:
    assert len(RULES) > 100
