"""What articles claim: one sighting for each contact an article speaks of, and which articles carry one text."""
