"""Test messages in each language: complete, with its own names, dates and plurals; golden files for editors.

With UPDATE_GOLDEN=1 in the environment this test writes the files anew; read the diff.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import msgspec
import pytest
from babel import Locale

from monitor.assemble.brief.phrases import phrases
from monitor.config import Config, ConsoleReceiver
from monitor.errors import DataFileError
from monitor.notify.logbook import Delivery, Pending
from monitor.notify.messages.compose import Message, compose, gathered
from monitor.notify.messages.plain import plain_text
from monitor.notify.messages.values import line, localized
from monitor.notify.messages.wording import Wording, languages, wording, words_of
from monitor.notify.policy.decision import decide
from monitor.notify.receivers.fake import FakeReceiver
from monitor.records import EVENT_STATUSES, KINDS, MEDIA
from monitor.watchlist.press_names import press_name, short_press_name
from tests.monitor.notify.messages.test_wording import FIRST, RULES, UPDATES
from tests.monitor.notify.samples import NOW, engine, event, virtual

FOLDER = Path(__file__).parent / "languages"
OTHERS = [language for language in languages() if language != "en"]


def first(words: Wording, name: str) -> Message:
    about = localized(words, msgspec.structs.replace(FIRST[name], brief="Told in English."))
    waiting = Pending(event=about, tell="first", reason="first", route="all", since=NOW, due=NOW)
    return compose(words, RULES, Delivery(receiver="desk", event_id="ev-1"), waiting)


def update(words: Wording, name: str) -> Message:
    before, changes = UPDATES[name]
    after = localized(words, msgspec.structs.replace(before, revision=2, **changes))
    before = localized(words, before)
    decision = decide(RULES, "desk", after, before, NOW, told_route="all")
    assert decision.tell
    waiting = Pending(
        event=after, tell=decision.tell, reason=decision.reason, changed=decision.changed, since=NOW, due=NOW
    )
    return compose(words, RULES, Delivery(receiver="desk", event_id="ev-1", told=before, route="all"), waiting)


@cache
def messages(language: str) -> list[Message]:
    """One message of each sort, with times of Paris; made once for all tests."""
    words = wording(None, language, "Europe/Paris")
    told = [first(words, name) for name in FIRST]
    return [*told, *(update(words, name) for name in UPDATES), gathered(words, told[:5], "msg_1", "quiet:" + str(NOW))]


def test_there_are_seven_languages() -> None:
    assert languages() == ("ar", "de", "en", "es", "fr", "ru", "zh")
    with pytest.raises(DataFileError, match="no such language; known: ar, de"):
        wording(None, "xx")


@pytest.mark.parametrize("language", OTHERS)
def test_messages_read_as_their_file(language: str) -> None:
    text = "\n\n----\n\n".join(plain_text(message) for message in messages(language))
    file = FOLDER / f"{language}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text + "\n", "utf-8")
    assert text + "\n" == file.read_text("utf-8")


@pytest.mark.parametrize("language", languages())
def test_every_kind_medium_and_status_has_a_line_and_every_number_a_form(language: str) -> None:
    words = wording(None, language)
    for status in EVENT_STATUSES:
        for kind in KINDS:
            for medium in MEDIA:
                text = line(words, event(kind=kind, medium=medium, status=status))
                assert not set("${}") & set(text)
                assert len(text) <= 110
    tags = Locale.parse(words.locale).plural_form.tags | {"other"}
    for forms in (words.publishers, words.reports):
        assert tags <= set(forms) | {"zero"}, language
    assert phrases(language).language == words.language


@pytest.mark.parametrize("language", OTHERS)
def test_no_english_is_left(language: str) -> None:
    english = r"\b(was|before|with|publishers?|reports?|official|held|planned|route|Who|When|Where|President|and|on)\b"
    for message in messages(language):
        own = plain_text(message).replace("Modi and Lula speak of trade", "")
        own = own if language != "fr" else own.replace("route", "")
        if language == "de":
            own = re.sub("Route", "", own)
        assert not re.search(english, own), own


def test_names_are_written_as_the_language_writes_them() -> None:
    assert press_name("vladimir-putin", "fr") == "Vladimir Poutine"
    assert press_name("vladimir-putin", "de") == "Wladimir Putin"
    assert short_press_name("vladimir-putin", "ru") == "Путин"
    assert short_press_name("xi-jinping", "zh") == "习近平"
    assert [short_press_name("emmanuel-macron", code) for code in ("de", "ru", "zh", "ar")] == [
        "Macron", "Макрон", "马克龙", "ماكرون",
    ]  # fmt: skip
    assert press_name("kim-jong-un", "de") == "Kim Jong-un", "a genitive is no name"
    assert press_name("nobody-at-all", "de") == short_press_name("nobody-at-all", "de") == ""


@virtual
async def test_each_receiver_is_told_in_its_own_language_and_zone() -> None:
    config = Config(receivers={"paris": ConsoleReceiver(language="fr", zone="Europe/Paris"), "desk": ConsoleReceiver()})
    paris, desk = FakeReceiver(), FakeReceiver()
    notifier = engine({"paris": paris, "desk": desk}, words=words_of(config))
    notifier.start()
    await notifier.assign(0, [])
    await notifier.accept(event(1))
    await notifier.accept(event(2, last_seen=NOW))
    await notifier.stop()
    assert paris.messages[0].title.startswith("Poutine et Xi se sont entretenus par visioconférence, mer. 4 févr.")
    assert paris.messages[0].brief.startswith("Vladimir Poutine (Russie) et Xi Jinping (Chine)")
    assert desk.messages[0].title.startswith("Putin and Xi held a video call")
    assert desk.messages[0].brief.startswith("Vladimir Putin and Xi Jinping held")
