"""Which claims speak of the same real contact."""
