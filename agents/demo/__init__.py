"""`make demo`: run the whole service against sample feeds that change while it runs, and check its alerts."""
