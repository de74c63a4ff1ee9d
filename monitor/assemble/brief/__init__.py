"""The texts of an event: its headline and its brief, in which each part of a sentence cites its sources."""
