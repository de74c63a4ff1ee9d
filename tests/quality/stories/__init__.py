"""Stories of news in our own words on public facts, each article with the real contacts that it speaks of."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from monitor.records import Article

FOLDER = Path(__file__).parent
#: Columns of a line: time (UTC), outlet, language, headline, lede, contacts ("-" for none).
COLUMNS = 6


class Story(NamedTuple):
    """The articles in order of publication, and the contacts of each by its id."""

    name: str
    articles: tuple[Article, ...]
    links: dict[str, set[str]]


def stories() -> list[Story]:
    """All stories, by name. Raises ValueError for a line that has not six columns."""
    return [_read(path) for path in sorted(FOLDER.glob("*.txt"))]


def _read(path: Path) -> Story:
    articles: list[Article] = []
    links: dict[str, set[str]] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        columns = [column.strip() for column in line.split("|")]
        if len(columns) != COLUMNS:
            raise ValueError(f"{path.name}:{number}: {len(columns)} columns, not {COLUMNS}")
        time, outlet, language, title, lede, contacts = columns
        article = Article(
            id=f"{path.stem}-{number}", title=title, summary=lede, language=language, outlet=outlet,
            published=datetime.fromisoformat(time).replace(tzinfo=UTC),
        )  # fmt: skip
        articles.append(article)
        links[article.id] = set(contacts.split()) - {"-"}
    return Story(path.stem, tuple(articles), links)
