"""The learned reader: what an article says about each pair of leaders, and how this is weighed with the rules."""
