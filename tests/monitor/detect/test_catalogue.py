"""The catalogue of traps: every case is one sentence and what a careful reader takes from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.articles import read_article
from monitor.detect import Detector
from monitor.records import Article, Mention

FOLDER = Path(__file__).parent / "catalogue"
NOW = "2026-02-05T08:00:00Z"


class Case(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    expect: list[str]
    lede: str = ""
    published: str = NOW
    outlet: str = ""
    url: str = ""
    country: str = ""
    language: str = ""


class Trap(msgspec.Struct, forbid_unknown_fields=True):
    trap: str
    cases: list[Case]
    language: str = "en"


def cases_of(trap: Trap) -> list[Case]:
    """The cases in the trap's language; a date alone is its noon, an empty one an article without a date."""
    return [
        msgspec.structs.replace(
            case,
            language=case.language or trap.language,
            published=f"{case.published}T12:00:00Z" if len(case.published) == len("2026-02-05") else case.published,
        )
        for case in trap.cases
    ]


def catalogue() -> list[Any]:
    """One parameter a trap: thousands of parameters would take longer to collect than to run.

    The press of each further language is slow all together; `languages.yaml` has some cases of each.
    """
    return [
        pytest.param(
            cases_of(trap),
            id=f"{path.stem}: {trap.trap}",
            marks=[pytest.mark.slow] if path.stem.startswith(("kinds-", "news-")) else [],
        )
        for path in sorted(FOLDER.glob("*.yaml"))
        for trap in msgspec.yaml.decode(path.read_bytes(), type=list[Trap])
    ]


def is_told(expected: str, mention: Mention) -> bool:
    leaders, medium, status, *day = expected.split()
    found = [one.leader for one in mention.participants]
    return (
        len(leaders.split("+")) == len(found)
        and all(any(name in leader for leader in found) for name in leaders.split("+"))
        and (mention.medium, mention.status) == (medium, status)
        and (not day or (mention.when is not None and mention.when.start.isoformat() == day[0]))
    )


def shown(mention: Mention) -> str:
    day = mention.when.start.isoformat() if mention.when else "no date"
    return f"{mention.key} {mention.medium} {mention.status} {day} ({mention.rule})"


#: Cases that rules alone get and both witnesses together do not: given up for reading a fifth more of the news.
GIVEN_UP = frozenset(msgspec.yaml.decode(FOLDER.with_name("given_up.yaml").read_bytes(), type=list[str]))


@pytest.fixture(scope="module")
def rules() -> Detector:
    return Detector(rules_only=True)


def article_of(case: Case) -> Article:
    line = {
        "id": "sample", "title": case.text, "summary": case.lede, "published": case.published,
        "outlet": case.outlet, "url": case.url, "country": case.country, "language": case.language,
    }  # fmt: skip
    return read_article(msgspec.json.encode({key: value for key, value in line.items() if value}))


def is_right(case: Case, mentions: list[Mention]) -> bool:
    wanted = [one for one in case.expect if one != "-"]
    return len(mentions) == len(wanted) and all(any(is_told(one, found) for found in mentions) for one in wanted)


def told_wrongly(case: Case, detector: Detector) -> str:
    """What was told instead of what was expected, or nothing where it is right."""
    mentions = [one for one in detector.detect(article_of(case)) if one.status != "past"]
    return "" if is_right(case, mentions) else f"{case.text!r}: {[shown(one) for one in mentions] or 'nothing'}"


@pytest.mark.parametrize("cases", catalogue())
def test_what_a_careful_reader_takes_from_it(cases: list[Case], detector: Detector, rules: Detector) -> None:
    wrong = [told_wrongly(case, rules if case.text in GIVEN_UP else detector) for case in cases]
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_few_cases_are_given_up_and_each_is_one_that_rules_get() -> None:
    texts = [case.text for trap in catalogue() for case in trap.values[0]]
    assert set(texts) >= GIVEN_UP
    assert len(GIVEN_UP) <= 0.02 * len(texts)


def test_the_catalogue_is_large_enough() -> None:
    assert sum(len(trap.values[0]) for trap in catalogue()) >= 1700
