"""The naive baseline: an article with two leaders and a trigger word is a contact.

It knows the same names as the detector (the English names of the bundled roster, of those in office on the article's
day) in one compiled regular expression, a list of trigger words and a list of words for the future. What a clause is,
who does what, negation and other senses of the words are beyond it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from monitor.records import Article, Mention, Participant
from monitor.watchlist import Watchlist, bundled

_TRIGGERS = re.compile(
    r"\b(?:meet|meets|met|meeting|meetings|talk|talks|talked|summit|visit|visits|visited|host|hosts|hosted|call|calls|called|phone|phoned|spoke|"
    r"speak|speaks|conversation|conversations|discuss|discussed|discusses|discussion|negotiations|received|receives|welcomes|welcomed|"
    r"videoconference)\b",
    re.IGNORECASE,
)
_FUTURE = re.compile(
    r"\b(?:will|to (?:meet|hold|visit|host|talk|speak|call|discuss|receive)|plan|plans|planned|set|next|expected|"
    r"scheduled|upcoming|may|might|could|would|tomorrow|ready|ahead)\b",
    re.IGNORECASE,
)
_PHONE = re.compile(r"\b(?:phone|phoned|telephone|call|calls|called)\b", re.IGNORECASE)
_VIDEO = re.compile(r"\b(?:video|videoconference|virtual|online|video call)\b", re.IGNORECASE)
_IN_PERSON = re.compile(r"\b(?:meet\w*|met|summit|visit\w*|host\w*|receive\w*|welcome\w*)\b", re.IGNORECASE)


class NaiveRule:
    """Article to mentions, as the detector, by co-occurrence."""

    def __init__(self, watchlist: Watchlist | None = None) -> None:
        self._watchlist = bundled() if watchlist is None else watchlist
        self._names: dict[str, list[str]] = {}
        for leader in self._watchlist.leaders.values():
            for alias in leader.aliases:
                if alias.language == "en":
                    self._names.setdefault(alias.text, []).append(leader.id)
        longest_first = sorted(self._names, key=lambda name: (-len(name), name))
        self._pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")
        self._serving: dict[int, frozenset[str]] = {}

    def detect(self, article: Article) -> tuple[Mention, ...]:
        text = f"{article.title} {article.summary} {article.text}"
        if not _TRIGGERS.search(text):
            return ()
        day = (article.published or datetime(2026, 1, 1, tzinfo=UTC)).date()
        key = day.toordinal()
        if key not in self._serving:
            self._serving[key] = self._watchlist.serving(day)
        serving = self._serving[key]
        found: dict[str, None] = {}
        for match in self._pattern.finditer(text):
            found.update((leader, None) for leader in self._names[match.group()][:4] if leader in serving)
        if len(found) < 2:
            return ()
        phone, video = _PHONE.search(text), _VIDEO.search(text)
        return (
            Mention(
                article_id=article.id,
                participants=tuple(self._participant(leader, article) for leader in list(found)[:2]),
                kind="call" if phone or video else "meeting",
                medium="video"
                if video
                else "phone"
                if phone
                else "in_person"
                if _IN_PERSON.search(text)
                else "unknown",
                status="planned" if _FUTURE.search(text) else "held",
                confidence=1.0,
                rule="naive",
                language=article.language,
            ),
        )

    def _participant(self, leader: str, article: Article) -> Participant:
        known = self._watchlist.leaders[leader]
        return Participant(leader=leader, name=known.name, country=known.offices[0].country if known.offices else "")
