"""Detection: what an article says of contacts between leaders.

`Detector(watchlist).detect(article)` gives its mentions, `.explain(article)` what was seen and why not more;
`explanation_text` makes that readable.
"""

from __future__ import annotations

from monitor.detect.detector import Detector, Explanation
from monitor.detect.explain import explanation_text
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
