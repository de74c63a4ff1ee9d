"""Guarded HTTP requests: only to checked IP addresses, with limits of time and size. Also reads caching headers."""
