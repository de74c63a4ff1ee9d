"""What a message says: facts of an event as words, as plain text, and as a CloudEvent for machines."""
