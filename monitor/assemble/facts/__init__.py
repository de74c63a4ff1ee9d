"""Chooses the values of an event's facts among the claims of its articles."""
