"""`make demo`: the whole service against bundled sample feeds that change while it runs, and what must come of it."""
