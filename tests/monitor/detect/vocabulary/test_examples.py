"""Test that each rule of a language has an example sentence that is read differently without the rule."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from monitor.detect import Detector, Language, bundled_languages
from monitor.detect.text.tokens import Phrases
from monitor.detect.vocabulary.language import LANGUAGES
from monitor.records import Article
from monitor.yaml_text import read_data_file
from tests.monitor.detect.test_catalogue import Case, article_of, every_case

pytestmark = pytest.mark.slow

DAY = datetime(2026, 2, 5, 8, tzinfo=UTC)
CODES = sorted(path.name for path in LANGUAGES.iterdir() if path.is_dir())
SECTIONS = ("frames", "vetoes", "cues")


def rules(code: str) -> list[Any]:
    """The rules of a language: a section may be in any of its files, or in none."""
    files = [read_data_file(path, dict[str, Any]) for path in sorted((LANGUAGES / code).glob("*.yaml"))]
    return [
        pytest.param(code, section, number, one, id=f"{code} {section}: {one.get('name', one.get('status'))} {number}")
        for section in SECTIONS
        for file in files
        for number, one in enumerate(file.get(section, ()))
    ]


RULES = [rule for code in CODES for rule in rules(code)]


class Bench:
    """A detector by rules alone whose one language can be put without one of its rules."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.language = copy.copy(bundled_languages()[code])
        self.detector = Detector(languages={code: self.language}, rules_only=True)
        self.cases = {case.text: case for case in every_case() if case.language == code}

    def article(self, example: str) -> Article:
        """Make the article of an example: a case of the catalogue, or "[outlet] title"."""
        case: Case | None = self.cases.get(example)
        if case is not None:
            return article_of(case)
        outlet, title = re.match(r"(?:\[([^]]+)\] )?(.*)", example, re.DOTALL).groups("")  # type: ignore[union-attr]
        return Article(id="1", title=title, outlet=outlet, published=DAY, language=self.code)

    def read(self, example: str) -> list[tuple[str, str, str, str]]:
        return [
            (one.key, one.status, one.medium, one.when.granularity if one.when is not None else "")
            for one in self.detector.detect(self.article(example))
        ]

    def drop(self, section: str, number: int, rule: dict[str, Any]) -> None:
        if section == "cues":
            self.language.cues = kept(bundled_languages()[self.code], rule)
        else:
            here = getattr(self.language, section)
            setattr(self.language, section, here[:number] + here[number + 1 :])

    def restore(self) -> None:
        whole = bundled_languages()[self.code]
        self.language.frames, self.language.vetoes, self.language.cues = whole.frames, whole.vetoes, whole.cues


def kept(language: Language, rule: dict[str, Any]) -> Phrases[Any]:
    """The cues without those of one rule."""
    cues: Phrases[Any] = Phrases()
    for phrase, values in language.cues._meanings.items():
        for value in values:
            if list(value.of.words) != rule["words"] or value.of.status != rule["status"]:
                cues.add(phrase, value)
    return cues


@cache
def bench(code: str) -> Bench:
    return Bench(code)


@pytest.mark.parametrize(("code", "section", "number", "rule"), RULES)
def test_without_the_rule_its_example_is_read_otherwise(
    code: str, section: str, number: int, rule: dict[str, Any]
) -> None:
    rule_of = f"{section} of {code}: the rule {rule.get('name', rule.get('words'))}"
    assert rule.get("example"), f"{rule_of} names no example: write a sentence that is read otherwise without it"
    told = bench(code).read(rule["example"])
    bench(code).drop(section, number, rule)
    try:
        assert bench(code).read(rule["example"]) != told, (
            f"{rule_of} makes no difference to its example {rule['example']!r}, which is read as {told or 'nothing'} "
            "either way: name a sentence that needs the rule, or delete the rule"
        )
    finally:
        bench(code).restore()


@pytest.mark.parametrize("code", CODES)
def test_there_are_rules(code: str) -> None:
    assert len(rules(code)) > 10, f"{code} has too few frames, cues and vetoes to read its news"
