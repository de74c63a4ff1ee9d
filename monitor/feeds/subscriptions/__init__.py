"""Which feeds are polled: the bundled catalogue, users' YAML and OPML lists, outlets, and the options of a feed."""
