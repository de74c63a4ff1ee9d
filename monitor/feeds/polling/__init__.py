"""Decide when a feed is polled, and poll it: schedule, agenda, one poll, health, WebSub."""
