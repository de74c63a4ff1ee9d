"""What an event has come to, decided over the claims of its articles."""
