"""Detection: what an article says about contacts between leaders.

`Detector(watchlist).detect(article)` returns its mentions. `.explain(article)` also returns what was seen and why other
candidates were rejected, and `explanation_text` turns that into text.
"""

from __future__ import annotations

from monitor.detect.detector import Detector
from monitor.detect.explain import Explanation, explanation_text
from monitor.detect.vocabulary.language import (
    Language,
    bundled_languages,
    check_languages,
    chosen_languages,
    load_language,
)

__all__ = [
    "Detector",
    "Explanation",
    "Language",
    "bundled_languages",
    "check_languages",
    "chosen_languages",
    "explanation_text",
    "load_language",
]
