"""The learned reader: what an article says of each pair of its leaders, and how that is weighed against the rules."""
