"""The poller process: its consumer group, and feeds and their state on topics."""
