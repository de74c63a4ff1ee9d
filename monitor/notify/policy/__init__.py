"""Decide whether, when and why an event is told to a receiver. Pure: times are arguments, nothing is read or sent."""
