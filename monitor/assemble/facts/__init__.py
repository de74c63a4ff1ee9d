"""The values of an event's facts, chosen among the claims of its articles."""
