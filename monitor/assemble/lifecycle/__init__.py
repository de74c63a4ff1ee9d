"""The status of an event, decided from the claims of its articles."""
