"""Slack: with a bot token, which can edit and reply, or by incoming webhook, which can't; and Block Kit messages."""
