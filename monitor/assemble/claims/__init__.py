"""What articles claim: their mentions as assembly keeps them, and which articles carry the same text."""
