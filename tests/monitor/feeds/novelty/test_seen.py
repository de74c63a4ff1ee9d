"""What was published, and its segments."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.novelty.seen import KEEP_DAYS, MAX_SEEN, Seen, SeenEntry

names = st.binary(min_size=8, max_size=8)
entries = st.builds(SeenEntry, st.binary(min_size=6, max_size=6), st.integers(0, 255), st.integers(20_000, 20_400))
contents = st.dictionaries(names, entries)


def remembered(contents: Mapping[bytes, SeenEntry], seen: Seen | None = None) -> Seen:
    seen = seen or Seen()
    for name, entry in contents.items():
        seen.put((name,), entry)
    return seen


def told(seen: Seen) -> dict[bytes, SeenEntry | None]:
    return {name: seen.get(name) for name in seen.names}


@given(contents)
def test_what_was_seen_comes_back_from_its_segments(contents: dict[bytes, SeenEntry]) -> None:
    segments = remembered(contents).segments()
    assert told(Seen(segments)) == contents
    assert Seen(segments).segments() == segments
    assert sum(map(len, segments.values())) == 19 * len(contents)


@given(contents, contents, st.data())
def test_segments_do_not_tell_in_which_order_they_were_filled(
    first: dict[bytes, SeenEntry], later: dict[bytes, SeenEntry], data: st.DataObject
) -> None:
    edited = {name: data.draw(entries) for name in first if data.draw(st.booleans())}
    before = remembered(first).segments()
    seen = remembered(later | edited, Seen(before))
    assert seen.segments() == remembered(first | later | edited).segments()
    # What did not change is the same record, which nobody writes again.
    put = later | edited
    weeks = {entry.day // 7 for entry in (*put.values(), *(first[name] for name in first.keys() & put.keys()))}
    assert all(seen.segments()[week] is before[week] for week in before.keys() - weeks)


@given(contents)
def test_a_copy_is_changed_alone(contents: dict[bytes, SeenEntry]) -> None:
    seen = Seen(remembered(contents).segments())
    other = remembered({b"another.": SeenEntry(b"words.", 1, 20_001)}, seen.copy())
    assert told(seen) == contents
    assert other == remembered(contents | {b"another.": SeenEntry(b"words.", 1, 20_001)})


def test_what_is_said_under_two_names_is_known_when_both_say_it() -> None:
    said = SeenEntry(b"words.", 1, 20_000)
    seen = remembered({b"name...1": said, b"name...2": said, b"name...3": SeenEntry(b"words.", 2, 20_000)})
    assert seen.says((b"name...1",), b"words.")
    assert seen.says((b"name...1", b"name...2"), b"words.")
    assert not seen.says((b"name...1", b"name...2"), b"others")
    assert not seen.says((b"name...1", b"name...3"), b"words.")
    assert not seen.says((b"name...1", b"name...4"), b"words.")
    assert not seen.says((b"name...4",), b"words.")


@given(st.dictionaries(names, entries, min_size=1), st.data())
def test_pruning_forgets_only_what_is_old_and_gone(contents: dict[bytes, SeenEntry], data: st.DataObject) -> None:
    today = 20_400
    current = data.draw(st.lists(st.sampled_from(sorted(contents)), unique=True))
    seen = Seen(remembered(contents).segments())
    seen.prune(current, today)
    kept = told(Seen(seen.segments()))
    assert kept == told(seen)
    assert set(current) <= set(kept)
    assert len(kept) >= min(len(contents), 10 * len(current))
    for name in set(contents) - set(kept):
        assert contents[name].day < today - KEEP_DAYS
    for name in current:
        assert (entry := kept[name])
        assert entry.day >= today - KEEP_DAYS


def test_pruning_keeps_a_flood_within_its_bound() -> None:
    seen = remembered({b"%08d" % n: SeenEntry(bytes(6), 0, 20_000) for n in range(MAX_SEEN + 500)})
    seen.prune(list(seen.names)[-100:], 20_001)
    assert len(seen) == MAX_SEEN


def test_a_cut_segment_loses_only_its_last_entry() -> None:
    whole = remembered({b"%08d" % n: SeenEntry(bytes(6), n, 20_000) for n in range(3)}).segments()
    ((week, packed),) = whole.items()
    cut = Seen({week: packed[:-1]})
    assert len(cut) == 2
    assert len(cut.segments()[week]) == 2 * 19
