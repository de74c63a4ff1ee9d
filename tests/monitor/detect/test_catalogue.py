"""Test the catalogue: each case is one sentence with the contacts that a careful reader finds in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.articles import read_article
from monitor.detect import Detector
from monitor.records import Article, Mention
from monitor.yaml_text import parse_yaml, read_data_file

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


#: What the press writes, in English and in each further language: read and run with the slow tests alone.
PRESS = ("kinds-", "news-", "outlets")
#: Cases of each trap that the fast loop tries.
FIRST = 5


@cache
def traps(path: Path) -> tuple[Trap, ...]:
    return tuple(read_data_file(path, list[Trap]))


def read_cases(path: Path) -> list[Case]:
    return [case for trap in traps(path) for case in cases_of(trap)]


def every_case() -> list[Case]:
    return [case for path in sorted(FOLDER.glob("*.yaml")) for case in read_cases(path)]


def catalogue() -> list[Any]:
    """One parameter a trap, and one a file of the press: thousands of parameters would take longer than the tests.

    The fast loop tries the first cases of each trap. `languages.yaml` has some of each language, and the other files
    say which traps are known.
    """
    quick, slow = [], []
    for path in sorted(FOLDER.glob("*.yaml")):
        if path.stem.startswith(PRESS):
            slow.append(pytest.param(partial(read_cases, path), id=path.stem, marks=pytest.mark.slow))
            continue
        for trap in traps(path):
            name, cases = f"{path.stem}: {trap.trap}", cases_of(trap)
            quick.append(pytest.param(cases[:FIRST].copy, id=name))
            if len(cases) > FIRST:
                slow.append(pytest.param(cases[FIRST:].copy, id=f"{name}, the rest", marks=pytest.mark.slow))
    return quick + slow


def has_body(expected: str, mention: Mention) -> bool:
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
GIVEN_UP = frozenset(parse_yaml(FOLDER.with_name("given_up.yaml").read_bytes()))


def article_of(case: Case) -> Article:
    line = {
        "id": "sample", "title": case.text, "summary": case.lede, "published": case.published,
        "outlet": case.outlet, "url": case.url, "country": case.country, "language": case.language,
    }  # fmt: skip
    return read_article(msgspec.json.encode({key: value for key, value in line.items() if value}))


def is_right(case: Case, mentions: list[Mention]) -> bool:
    wanted = [one for one in case.expect if one != "-"]
    return len(mentions) == len(wanted) and all(any(has_body(one, found) for found in mentions) for one in wanted)


def told_wrongly(case: Case, detector: Detector) -> str:
    """What was told instead of what was expected, or nothing where it is right."""
    mentions = [one for one in detector.detect(article_of(case)) if one.status != "past"]
    return "" if is_right(case, mentions) else f"{case.text!r}: {[shown(one) for one in mentions] or 'nothing'}"


@pytest.mark.parametrize("read", catalogue())
def test_what_a_careful_reader_takes_from_it(
    read: Callable[[], list[Case]], detector: Detector, rules: Detector
) -> None:
    wrong = [told_wrongly(case, rules if case.text in GIVEN_UP else detector) for case in read()]
    assert not any(wrong), "\n".join(filter(None, wrong))


@pytest.mark.slow
def test_few_cases_are_given_up_and_each_is_one_that_rules_get() -> None:
    texts = [case.text for case in every_case()]
    assert set(texts) >= GIVEN_UP
    assert len(GIVEN_UP) <= 0.02 * len(texts)
    assert len(texts) >= 1700
