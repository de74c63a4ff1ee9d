"""Test the halves of a stream's items: each item is in one half, and all items of an outlet in the same one."""

from __future__ import annotations

from tests.quality.halves import halves


def item(number: int, outlet: str, language: str, day: str) -> dict[str, str]:
    return {"id": str(number), "ds": outlet, "lang": language, "date": f"{day}T12:00:00Z"}


ITEMS = [
    item(n, f"outlet-{n % 7}", "en" if n % 3 else "fr", f"2026-03-{1 + n:02}") for n in range(28)
]  # four weeks of seven outlets


def test_each_item_is_in_one_half_of_each_cut():
    found = halves(ITEMS)
    assert list(found) == [f"{cut} {side}" for cut in ("outlet", "language", "week") for side in (1, 2)]
    for cut in ("outlet", "language", "week"):
        both = [one["id"] for side in (1, 2) for one in found[f"{cut} {side}"]]
        assert sorted(both) == sorted(one["id"] for one in ITEMS)


def test_an_outlet_is_in_one_half_alone():
    found = halves(ITEMS)
    assert not {one["ds"] for one in found["outlet 1"]} & {one["ds"] for one in found["outlet 2"]}


def test_a_cut_that_leaves_one_side_empty_is_left_out():
    assert list(halves([one for one in ITEMS if one["lang"] == "fr"])) == ["outlet 1", "outlet 2", "week 1", "week 2"]
