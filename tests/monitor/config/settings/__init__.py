"""For each key of the configuration, what changes when the key does: one table a group of sections."""
