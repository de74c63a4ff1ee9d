"""The content of messages: an event's facts in the reader's language, as plain text, and as a CloudEvent."""
