"""Test generated feeds with a known truth: each story is published once, each edit as a revision of its story."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.monitor.feeds.novelty.follower import Follower, item, rss

pytestmark = pytest.mark.slow

POLLS = 30
#: Polls in which a feed shows its habits, before its stories are edited.
SETTLED = 3

GUIDS = (
    "none", "own", "own address", "position", "new at each poll", "one for all", "rises with edits",
    "new with each edit", "turns over once", "session", "some have one", "ring", "headline",
)  # fmt: skip
LINKS = (
    "none", "own", "one for all", "fragment", "session parameter", "session path", "page and session", "two hosts",
    "http and https", "tracking", "site moves once", "shared by pairs",
    "token in the path", "home page", "position", "headline",
)  # fmt: skip
DATES = ("own", "none", "time of the poll", "day only")
#: What entries say: most have words of their own; "one title" and "one text" are what all entries have in common.
#: "long" words are so many that a story is known by them when it is put out again under other keys.
WORDS = ("title and text", "title and text", "title", "one title", "one text", "long")
#: What the whole feed does once: it is moved to another system, with other guids, links and endings of texts.
EVENTS = ("", "", "", "moves")
ORDERS = ("newest first", "oldest first", "shuffled")

#: Keys that tell a story through every edit.
FIRM_GUIDS = frozenset({"own", "own address", "rises with edits"})
#: A guid that is used again tells its story while another page and date speak against all others.
RING = 23
FIRM_LINKS = frozenset({"own", "http and https", "tracking"})


@dataclass
class Story:
    """What a publisher has of one story. Title and text both hold its number, whatever edits do to them."""

    number: int
    hour: int
    title: str
    text: str
    edits: int = 0
    #: How often it was put out again under another guid, link and date.
    again: int = 0


@dataclass
class Publisher:
    """A feed with habits. `document` makes the next one; `shown` has what each story said whenever it was in one."""

    dice: random.Random
    guid: str
    link: str
    date: str
    order: str
    window: int
    words: str
    event: str = ""
    stories: list[Story] = field(default_factory=list)
    shown: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    polls: int = 0

    def __post_init__(self) -> None:
        self.moves_at = self.dice.randint(5, 20)
        self.hidden: list[Story] = []
        if not (self.link in FIRM_LINKS and self.date == "own"):
            self.guid = {"ring": "own"}.get(self.guid, self.guid)
            self.event = ""
        if self.guid == self.link == "position":
            self.date = "own"  # with places for keys, one title in the place of another is its edit to anybody
        if not (self.guid in FIRM_GUIDS and self.words in {"title and text", "long"} and self.window > 7):
            self.event = ""
        for _ in range(self.dice.randint(4, self.window)):
            self.write()

    def write(self) -> None:
        number = len(self.stories) + len(self.hidden) + 1
        subject = self.dice.choice(["Story", "Release note", "Talks in Oslo, part"])
        subject = "Talks in Oslo, part" if self.words == "long" else subject
        title = "Bulletin" if self.words == "one title" else f"{subject} {number}"
        text = {"title": "", "one text": "Read the whole story on our pages."}.get(self.words, f"Words of {number}.")
        if self.words == "long":
            text = f"Words of {number}: what was said in the harbour hall on Monday, and by whom."
        self.stories.append(Story(number, self.polls * 2 + number, title, text))

    def edit(self, story: Story) -> None:
        """Change the title or the text; both only where a key is left that tells the story."""
        story.edits += 1
        both = self.is_firm and self.dice.random() < 0.2
        changes_title = self.words != "one title" and (self.words in {"title", "one text"} or self.dice.random() < 0.5)
        if changes_title or (both and self.words != "one title"):
            story.title = f"Story {story.number}, edited {story.edits}"
        if self.words in {"title and text", "one title", "long"} and (both or not changes_title):
            story.text = f"Words of {story.number}, corrected {story.edits} times."
            if self.words == "long":
                story.text += " What was said in the harbour hall on Monday, and by whom."

    @property
    def is_firm(self) -> bool:
        return self.guid in FIRM_GUIDS or (self.link in FIRM_LINKS and self.guid in {"none", "one for all"})

    @property
    def can_edit(self) -> bool:
        """Whether an edit can be told from another story at all, by what the feed says."""
        if self.link == "headline" and self.guid in {"headline", "new with each edit"}:
            return False  # guid and link change with each headline: the publisher's word for another story
        keyed = self.link in FIRM_LINKS | {"session parameter", "page and session", "two hosts"}
        return (
            self.is_firm
            or (keyed and self.words in {"title and text", "long"})
            or (self.words in {"title and text", "long"} and self.date == "own")
        )

    def live(self) -> None:
        """What happens between two polls."""
        for _ in range(self.dice.choice([0, 0, 1, 1, 2, 3])):
            self.write()
        visible = self.stories[-self.window :]
        settled = self.polls > SETTLED  # before, nobody could know what stays with a story
        if self.event and self.polls == self.moves_at:
            for story in visible:
                story.text += " Read on."
            return
        if settled and self.can_edit and self.dice.random() < 0.4:
            self.edit(self.dice.choice(visible))
        placed = "position" in {self.guid, self.link}  # one story in the place of another looks like its edit
        if self.can_edit and not (placed or self.event) and len(visible) > 3 and self.dice.random() < 0.15:
            self.hidden.append(self.stories.pop(self.stories.index(self.dice.choice(visible))))
        if len(self.hidden) > 1 and self.dice.random() < 0.3:  # the first has been away for a poll at least
            self.stories.append(self.hidden.pop(0))
            # With words that nobody has seen, and with all keys new, it would be another story to anybody.
            last = self.stories[-1]
            is_known = self.shown.get(last.number, [None])[-1] == (last.title, last.text)
            dice = self.words == "long" and self.guid in FIRM_GUIDS and self.dice.random() < 0.5
            last.again += dice and is_known
            self.stories.sort(key=lambda story: story.number)

    def document(self) -> str:
        if self.polls:
            self.live()
        visible = list(reversed(self.stories[-self.window :]))
        if self.order == "oldest first":
            visible.reverse()
        elif self.order == "shuffled":
            self.dice.shuffle(visible)
        for story in visible:
            editions = self.shown.setdefault(story.number, [])
            if not editions or editions[-1] != (story.title, story.text):
                editions.append((story.title, story.text))
        items = [self.item(story, place) for place, story in enumerate(visible)]
        self.polls += 1
        return rss(*items)

    def item(self, story: Story, place: int) -> str:
        number, token = story.number, f"{self.dice.getrandbits(40):x}"
        host = "news.example"
        if self.link == "two hosts" and self.polls % 2:
            host = "edge.example"
        if self.link == "site moves once" and self.polls >= self.moves_at:
            host = "moved.example"
        page = f"https://{host}/story/{number}" + "-again" * story.again
        slug = story.title.lower().replace(" ", "-")
        system = "v2-" if self.event and self.polls >= self.moves_at else ""
        if system:
            page = f"https://{host}/2026/story/{number}"
        link = {
            "none": "",
            "one for all": "https://news.example/latest",
            "fragment": f"https://news.example/ticker#n{number}",
            "session parameter": f"{page}?sid={token}",
            "session path": f"https://{host}/s;jsessionid={token}/story/{number}",
            "page and session": f"https://{host}/show?id={number}&session={token}",
            "http and https": page.replace("https:", "http:") if self.polls % 2 else page,
            "tracking": f"{page}?utm_source=rss&utm_content={token}",
            "token in the path": f"https://{host}/{token}/read/{number}",
            "home page": "https://news.example/",
            "position": f"https://news.example/top/{place}",
            "shared by pairs": f"https://{host}/story/{number // 2}",
            "headline": f"https://{host}/{number}/{slug}",
        }.get(self.link, page)
        guid = {
            "none": "",
            "own": f"urn:{system}{number}" + "-again" * story.again,
            "own address": f"https://news.example/?{system}p={number}" + "-again" * story.again,
            "position": str(place),
            "new at each poll": token,
            "one for all": "guid-of-the-feed",
            "rises with edits": f"https://news.example/story/{system}{number}{'-again' * story.again}#{story.edits}",
            "ring": str(number % RING),
            "headline": f"{number}-{slug}",
            "new with each edit": f"{number}-{story.edits}",
            "session": f"https://news.example/?p={number}&session={token}",
            "some have one": f"urn:{number}" if number % 3 else "n/a",
            "turns over once": f"{self.polls >= self.moves_at}-{number}",
        }[self.guid]
        date: Any = {
            "own": story.hour + 500 * story.again,
            "none": "",
            "time of the poll": 1000 + self.polls,
            "day only": story.hour // 24 * 24,
        }[self.date]
        return item(story.title, link, guid, story.text, date)


def publisher(seed: int, **habits: str) -> Publisher:
    dice = random.Random(seed)
    return Publisher(
        dice,
        guid=habits.get("guid") or dice.choice(GUIDS),
        link=habits.get("link") or dice.choice(LINKS),
        date=habits.get("date") or dice.choice(DATES),
        order=habits.get("order") or dice.choice(ORDERS),
        window=dice.randint(4, 12),
        words=habits.get("words") or dice.choice(WORDS),
        event=habits.get("event") or dice.choice(EVENTS),
    )


def faults(outlet: Publisher) -> list[str]:
    """Follow a feed over its polls; what was told wrong, in sentences."""
    follower = Follower()
    for _ in range(POLLS):
        follower.poll(outlet.document())
    told: dict[int, list[Any]] = {}
    for article in follower.published:
        match = re.search(r"\d+", f"{article.title} {article.summary}")
        assert match
        told.setdefault(int(match[0]), []).append(article)
    wrong = [f"story {number} was never published" for number in outlet.shown.keys() - told.keys()]
    for number, articles in sorted(told.items()):
        if len({article.id for article in articles}) > 1:
            wrong.append(f"story {number} has {len({a.id for a in articles})} ids")
        if [article.revision for article in articles] != list(range(len(articles))):
            wrong.append(f"story {number} has revisions {[article.revision for article in articles]}")
        editions = [(article.title, article.summary) for article in articles]
        if outlet.link == "position":  # until that is known, another address of an entry is a correction
            editions = [one for one, before in zip(editions, [None, *editions], strict=False) if one != before]
        if editions != outlet.shown[number]:
            wrong.append(f"story {number}: told {editions}, shown {outlet.shown[number]}")
    owners: dict[str, set[int]] = {}
    for number, articles in told.items():
        for article in articles:
            owners.setdefault(article.id, set()).add(number)
    wrong += [f"stories {sorted(numbers)} have one id" for numbers in owners.values() if len(numbers) > 1]
    return wrong


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32))
def test_each_story_is_published_once_and_each_edit_as_its_revision(seed: int) -> None:
    outlet = publisher(seed)
    assert faults(outlet) == [], outlet


@pytest.mark.parametrize("guid", GUIDS)
@pytest.mark.parametrize("link", LINKS)
def test_each_pair_of_habits_of_guids_and_links(guid: str, link: str) -> None:
    for seed in range(2):
        outlet = publisher(seed, guid=guid, link=link)
        assert faults(outlet) == [], outlet
