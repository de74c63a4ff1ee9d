"""The delivery engine: decides what to send when, writes the log before and after each send, and handles failures."""
