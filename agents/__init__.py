"""The running system: the Faust app and its agents, topics, processes and their supervisor, and the command line."""
