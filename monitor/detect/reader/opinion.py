"""The reader's judgement of one pair of leaders."""

from __future__ import annotations

from typing import NamedTuple

#: The class of a pair without a contact in the text.
NONE = "none"
PAST = "past"

Pair = tuple[str, str]


class Opinion(NamedTuple):
    """One probability distribution each over statuses (with `none`), media and kinds."""

    statuses: dict[str, float]
    media: dict[str, float]
    kinds: dict[str, float]

    @property
    def contact(self) -> float:
        """The probability that the text reports a contact that is not long past."""
        return 1 - self.statuses[NONE] - self.statuses[PAST]
