"""Decide whether, when and why a receiver is alerted to an event. Pure: times are arguments; nothing is sent here."""
