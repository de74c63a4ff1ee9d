"""The poller process: its consumer group, and the storage of feeds and their state on topics."""
