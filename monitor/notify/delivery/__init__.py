"""The delivery engine: what to send when, the log around each send, and what comes of failures."""
