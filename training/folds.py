"""Splits labelled items by outlet, so that nothing is measured on an outlet that was used for training."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

FOLDS = 3


def folds_of(outlets: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return the fold of each (language, outlet), with folds of equal size within each language."""
    sizes: dict[str, Counter[str]] = defaultdict(Counter)
    for language, outlet in outlets:
        sizes[language][outlet] += 1
    fold: dict[str, int] = {}
    total = [0] * FOLDS
    for language in sorted(sizes):
        own = [0] * FOLDS
        for outlet, size in sorted(sizes[language].items(), key=lambda one: (-one[1], one[0])):
            if outlet not in fold:
                least = min(range(FOLDS), key=lambda n: (own[n], total[n], n))
                fold[outlet] = least
                own[least] += size
                total[least] += size
    return fold
