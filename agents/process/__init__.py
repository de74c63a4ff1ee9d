"""The parts of every long-running process (logs, signals, health pages, a watchdog), and the supervisor."""
