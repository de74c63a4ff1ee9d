"""Answers of readers: the signed links in messages, and the records of acknowledgements and feedback."""
