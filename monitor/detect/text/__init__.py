"""Text in a uniform form for matching: normalisation, sentences, tokens, phrases. Pure."""
