"""Test in which time zone an outlet's "today" is read."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from monitor.detect import Detector
from monitor.detect.setting.time_zones import local_time
from monitor.records import Article

LATE = datetime(2026, 2, 5, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "day"),
    [("US", date(2026, 2, 4)), ("JP", date(2026, 2, 5)), ("", date(2026, 2, 5)), ("ZZ", date(2026, 2, 5))],
)
def test_the_day_on_the_outlets_clocks(country, day):
    local = local_time(LATE, country)
    assert local.date() == day
    assert local == LATE


def test_a_date_alone_holds_everywhere():
    noon = datetime(2026, 2, 5, 12, tzinfo=UTC)
    assert local_time(noon, "NZ").date() == date(2026, 2, 5)


def test_the_detector_reads_today_there(detector: Detector) -> None:
    title = "Putin and Xi held a phone call today"
    for country, day in (("US", date(2026, 2, 4)), ("JP", date(2026, 2, 5))):
        (mention,) = detector.detect(Article(id="1", title=title, country=country, published=LATE, language="en"))
        assert mention.when is not None
        assert mention.when.start == day
