"""What is subscribed to: the bundled catalogue, OPML and YAML lists, outlets, and the options of a feed."""
