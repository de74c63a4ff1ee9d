"""Test detection with a custom watchlist: its people, offices and dates are the only ones known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.detect import Detector
from monitor.records import Article
from monitor.watchlist import Leader, Watchlist, bundled, load
from monitor.watchlist.roster import Watch

ROSTERS = Path(__file__).parents[2] / "watchlist"


def told(detector: Detector, title: str, published: datetime, summary: str = "") -> list[str]:
    mentions = detector.detect(Article(id="1", title=title, summary=summary, published=published, language="en"))
    return [f"{one.key} {one.medium} {one.status}" for one in mentions]


class TestOf1987:
    @pytest.fixture(scope="class")
    @classmethod
    def detector(cls) -> Detector:
        return Detector(load(ROSTERS / "roster_1987.yaml"))

    @pytest.mark.parametrize(
        ("title", "expected"),
        [
            ("REAGAN TO MEET GORBACHEV IN WASHINGTON", ["mikhail-gorbachev+ronald-reagan in_person planned"]),
            ("Soviet leader hosts Thatcher", ["margaret-thatcher+mikhail-gorbachev in_person held"]),
            ("West German Chancellor Kohl phoned Reagan", ["helmut-kohl+ronald-reagan phone held"]),
            ("KOHL SAYS TALKS WITH REAGAN WERE USEFUL", ["helmut-kohl+ronald-reagan unknown held"]),
            ("Mitterrand and Kohl hold summit in Paris", ["francois-mitterrand+helmut-kohl in_person held"]),
            ("Japanese Prime Minister meets Reagan", ["ronald-reagan+yasuhiro-nakasone in_person held"]),
            ("REAGAN CALLS FOR GORBACHEV TO ACT", []),
            ("Vice President Bush met Thatcher", []),
            ("Reagan's envoy met Gorbachev", []),
            ("Putin met Xi", []),
        ],
    )
    def test_the_leaders_of_that_year(self, detector: Detector, title: str, expected: list[str]) -> None:
        assert told(detector, title, datetime(1987, 3, 30, 12, tzinfo=UTC)) == expected

    def test_nobody_counts_outside_his_office(self, detector: Detector) -> None:
        assert told(detector, "Reagan met Gorbachev", datetime(1992, 5, 4, 12, tzinfo=UTC)) == []


class TestOf2004:
    @pytest.fixture(scope="class")
    @classmethod
    def detector(cls) -> Detector:
        return Detector(load(ROSTERS / "roster_2004.yaml"))

    @pytest.mark.parametrize(
        ("title", "expected"),
        [
            ("Bush, Putin meet at APEC summit", ["george-w-bush+vladimir-putin in_person held"]),
            ("Blair heads to Washington for talks with Bush", ["george-w-bush+tony-blair in_person planned"]),
            ("President Bush telephoned Tony Blair on Sunday", ["george-w-bush+tony-blair phone held"]),
            ("Powell met Blair", []),
        ],
    )
    def test_the_leaders_of_that_year(self, detector: Detector, title: str, expected: list[str]) -> None:
        assert told(detector, title, datetime(2004, 11, 20, 12, tzinfo=UTC)) == expected


def test_a_watch_narrows_what_is_told() -> None:
    detector = Detector(bundled().watching(Watch(pairs=frozenset({frozenset({"vladimir-putin", "xi-jinping"})}))))
    day = datetime(2026, 2, 5, tzinfo=UTC)
    assert told(detector, "Putin met Xi", day)
    assert told(detector, "Putin met Modi", day) == []


def test_adding_a_leader_is_a_data_change(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        "include: [bundled]\n"
        "leaders:\n"
        "  - name: Amara Testfall\n"
        "    offices: [{title: Prime Minister, country: NZ, from: 2026-01-01}]\n",
        encoding="utf-8",
    )
    assert told(Detector(load(file)), "Testfall meets Xi", datetime(2026, 2, 5, tzinfo=UTC)) == [
        "amara-testfall+xi-jinping in_person held"
    ]


def test_an_empty_roster_finds_nothing() -> None:
    nobody: dict[str, Leader] = {}
    assert Detector(Watchlist(nobody, {}, titles={})).detect(Article(id="1", title="Putin met Xi")) == ()
