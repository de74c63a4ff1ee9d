"""Text made even for matching: normal form, sentences, tokens, phrases. Pure."""
