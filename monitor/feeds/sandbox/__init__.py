"""Parse documents in separate processes with limits on memory and processor time; processes that die are replaced."""
