"""Decides whether two place names mean one place: a town, and the region of the country in which it is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from monitor.watchlist import bundled
from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "regions.yaml"


@cache
def _regions() -> dict[str, frozenset[str]]:
    """The regions in which each town is."""
    towns = read_data_file(_FILE, dict[str, tuple[str, ...]])
    found: dict[str, set[str]] = {}
    for region, names in towns.items():
        for name in names:
            found.setdefault(name, set()).add(region)
    return {name: frozenset(regions) for name, regions in found.items()}


def same_place(name: str, others: Iterable[str]) -> bool:
    """Say whether a place is among some others, is in one of them, or contains one of them."""
    regions = _regions()
    return any(name == other or other in regions.get(name, ()) or name in regions.get(other, ()) for other in others)


@cache
def capital(code: str) -> str:
    """Return the capital of a state, '' for a body or an unknown code."""
    state = bundled().states.get(code)
    return state.capital if state is not None else ""
