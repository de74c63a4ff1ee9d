"""What every long-running process has: logs, signals, health pages, a watchdog, and a supervisor above it."""
